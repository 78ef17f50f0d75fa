"""What a driver's process loads: no pixel library, whatever it plans or orders."""

import subprocess
import sys

ASKED = """
import pkgutil, sys
from importlib import import_module

import actors.look_api
import farm
from actors.looks import find, fit
from actors.training import registry
from jobs.spec.job import LookChoice

for found in pkgutil.walk_packages(farm.__path__, "farm."):
    import_module(found.name)
for name in ("none", "colorize", "style"):
    fit(LookChoice(name=name))
fit(LookChoice(name="blend", settings={"looks": [{"name": "colorize"}, {"name": "style"}]}))
for name in ("fast-style", "unpaired", "onnx"):
    assert find(name).settings
for kind in ("colorize", "finetune", "style", "unpaired"):
    assert registry.find(kind).settings
print(sorted({"torch", "cv2", "av", "onnxruntime", "scenedetect", "PIL"} & sys.modules.keys()))
"""


def test_a_driver_loads_neither_torch_nor_opencv() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
