"""What a command and a driver load: neither needs a pixel library, and help comes at once."""

import subprocess
import sys

import pytest

PIXELS = ("torch", "cv2", "av")
SLOW = (*PIXELS, "numpy", "ray", "boto3", "yaml", "pandas")
"""Each takes a tenth of a second to import, or far more: with none of them, help takes less than half a second."""
COMMANDS = [
    "",
    "render",
    "plan",
    "proof",
    "stills",
    "shots",
    "inspect",
    "qc",
    "status",
    "retry",
    "submit",
    "watch",
    "logs",
    "cancel",
    "doctor",
]
COMMANDS += ["clean", "train", "evaluate", "looks", "looks add", "looks show", "sample", "schema"]


def loaded(code: str, *suspects: str) -> str:
    """Those of the modules that are loaded once the code has run, in a process of its own."""
    probe = f"import sys\n{code}\nprint(*(name for name in {suspects!r} if name in sys.modules), file=sys.stderr)"
    return subprocess.run([sys.executable, "-c", probe], stderr=subprocess.PIPE, text=True, check=True).stderr.strip()


@pytest.mark.parametrize("module", ["farm.film.driver", "farm.fleet.fleet", "farm.estimate.estimate", "farm.cli.app"])
def test_a_driver_loads_no_pixel_library(module: str) -> None:
    assert loaded(f"import {module}", *PIXELS) == ""


def test_help_loads_nothing_slow() -> None:
    asked = [[*command.split(), "--help"] for command in COMMANDS]
    run = f"from farm.cli.app import app\nfor words in {asked!r}:\n    app(words, standalone_mode=False)"
    assert loaded(run, *SLOW) == ""


def test_a_worker_does() -> None:
    assert set(loaded("import actors.render.renderer", *PIXELS).split()) >= {"torch", "av"}
