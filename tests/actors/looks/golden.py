"""The golden pictures of shipped looks. `python -m tests.actors.looks.golden` writes them anew; do so together with a look's `version`."""

import json
from pathlib import Path
from typing import Any

import torch

from actors.looks import fit, hire
from jobs.spec import LookChoice
from tests.actors.looks.test_colorize_look import film

GOLDEN = Path(__file__).with_name("golden.json")
NAMES = ("colorize", "none", "style")
SHAPE = (6, 8)
"""Pictures are averaged down to this: enough to see a change, and blind to the last bits of another processor."""


def golden(name: str) -> dict[str, Any]:
    """What a look gives for a known film, in coarse numbers, beside what its digest is made of."""
    look = fit(LookChoice(name=name))
    pictures = torch.cat(list(hire(look, torch.device("cpu")).render(film(4))))
    coarse = torch.nn.functional.adaptive_avg_pool2d(pictures, SHAPE)
    return {
        "version": look.version,
        "weights": list(look.weights),
        "pictures": [round(x, 4) for x in coarse.flatten().tolist()],
    }


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: golden(name) for name in NAMES}, indent=1) + "\n")
