"""The golden pictures of propagation. `python -m tests.actors.render.propagation.golden` writes them anew; do so together with `spans.VERSION`."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from actors.render.propagation.matching import KnownPicture, Matcher
from actors.render.propagation.propagation import propagate
from jobs.plan.spans import VERSION
from tests.actors.render.propagation.test_propagation import WEIGHTS, known, panned, passing

GOLDEN = Path(__file__).with_name("golden.json")
SHAPE = (8, 6)
"""Pictures are averaged down to this: enough to see a change, and blind to the last bits of another processor."""


def golden() -> dict[str, Any]:
    """What is propagated through two known spans, in coarse numbers, and the version that gives it."""
    matcher = Matcher(WEIGHTS)
    luma, chroma, _ = passing()
    both = propagate(luma, known(chroma[0]), known(chroma[-1]), matcher=matcher)
    moving, colours = panned()
    reference = KnownPicture(moving[-1], colours[-1], np.ones_like(moving[-1]), foreign=True)
    single = propagate(moving, known(colours[0]), None, (reference,), matcher)
    pictures = [np.dstack([guides.chroma[at], guides.confidence[at]]) for guides in (both, single) for at in (3, 6, 11)]
    coarse = np.stack([cv2.resize(picture, SHAPE, interpolation=cv2.INTER_AREA) for picture in pictures])
    return {"version": VERSION, "pictures": [round(x, 4) for x in coarse.flatten().tolist()]}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), indent=1) + "\n")
