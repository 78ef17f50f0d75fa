"""One training of the test course in a process of its own, for tests.bench.gpu: tells each step, and at last a hash of the weights."""

import hashlib
import json
import sys
from importlib.metadata import distributions
from pathlib import Path

import torch

PLUGIN = Path(__file__).parents[1] / "plugin"


def main(folder: str, name: str, steps: int, device: str) -> None:
    """Train, or go on with what was killed."""
    sys.path.insert(0, str(PLUGIN))  # its entry points are found as those of an installed distribution
    assert any(one.metadata["Name"].startswith("film") for one in distributions(path=[str(PLUGIN)]))
    from actors.training.course import WorkerRank
    from actors.training.run import at_work, train
    from jobs.records.training import StepDone
    from tests.actors.training.albums import album, recipe

    there = torch.device("cuda", 0) if device == "cuda" else torch.device("cpu")
    at_work(there, 1)
    photos = Path(folder, "photos")
    if not photos.is_dir():
        album(photos)
    asked = recipe(photos, Path(folder, name), steps=steps, check_every=20)
    for word in train(asked, WorkerRank(), there):
        if isinstance(word, StepDone):
            print(word.step, flush=True)
    weights = Path(folder, name, "look", "weights.safetensors").read_bytes()
    print(hashlib.sha256(weights).hexdigest(), flush=True)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
