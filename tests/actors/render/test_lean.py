"""What a worker's process loads: only renderers and dissolvers take torch's second and a half of CPU, nobody boto3 without a bucket."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["survey.surveyor", "render.splitter", "deliver.finisher"])
def test_a_worker_without_pictures_starts_without_torch(module: str) -> None:
    asked = f"import actors.{module}, sys; print(sorted({{'torch', 'boto3'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
