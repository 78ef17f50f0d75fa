"""The golden pictures of shipped looks. `python -m tests.actors.looks.golden` writes them anew; do so together with a look's `version`.

A processor without bfloat16 works in float32, and its pictures differ by up to half a hundredth: each precision has its own.
"""

import json
from pathlib import Path
from typing import Any

import torch

from actors.looks import fit, hire
from actors.picture.device import working_dtype
from jobs.spec.job import LookChoice
from tests.actors.looks.test_colorize_look import film

GOLDEN = Path(__file__).with_name("golden.json")
NAMES = ("colorize", "none", "style")
PRECISION = str(working_dtype(torch.device("cpu"))).removeprefix("torch.")
"""What networks work in on this machine."""
NAMED = ("version", "weights", "support")
"""What a look's digest is made of, its settings aside."""
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
        "support": look.support.model_dump(mode="json"),
        "pictures": {PRECISION: [round(x, 4) for x in coarse.flatten().tolist()]},
    }


def written(kept: dict[str, Any]) -> dict[str, Any]:
    """All looks' golden pictures as they are here; of another precision those are kept that are of the same look."""
    made = {}
    for name in NAMES:
        now, before = golden(name), kept.get(name, {})
        same = all(now[field] == before.get(field) for field in NAMED)
        made[name] = {**now, "pictures": {**(before["pictures"] if same else {}), **now["pictures"]}}
    return made


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(written(json.loads(GOLDEN.read_text())), indent=1) + "\n")
