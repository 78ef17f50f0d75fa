"""The golden pictures of propagation. `python -m tests.actors.render.propagation.golden` writes them anew; do so together with `spans.VERSION`, or with
`spans.STROKES_VERSION` where those of strokes alone are others."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.render.propagation.matching import KnownPicture, Matcher
from actors.render.propagation.propagation import propagate
from actors.render.propagation.strokes import spread
from jobs.plan.spans import STROKES_VERSION, VERSION
from tests.actors.render.propagation.test_propagation import WEIGHTS, known, panned, passing, sequence_of

GOLDEN = Path(__file__).with_name("golden.json")
SHAPE = (8, 6)
"""Pictures are averaged down to this: enough to see a change, and blind to the last bits of another processor."""


def golden() -> dict[str, Any]:
    """What is propagated through two known spans and how a stroke spreads, in coarse numbers, and the versions that give it."""
    matcher = Matcher(WEIGHTS)
    luma, chroma, _ = passing()
    both = propagate(sequence_of(luma), known(chroma[0]), known(chroma[-1]), matcher=matcher)
    moving, colours = panned()
    reference = KnownPicture(moving[-1], colours[-1], np.ones_like(moving[-1]), foreign=True)
    single = propagate(sequence_of(moving), known(colours[0]), None, (reference,), matcher)
    pictures = [np.dstack([guides.chroma[at], guides.confidence[at]]) for guides in (both, single) for at in (3, 6, 11)]
    weight = np.zeros_like(moving[0])
    weight[40:43, 30:60] = 1
    found = spread(moving[0], weight[..., None] * np.array((0.1, -0.2), np.float32), weight, matcher)
    return {
        "version": VERSION,
        "pictures": _coarse(pictures),
        "strokes version": STROKES_VERSION,
        "strokes": _coarse([np.dstack([found.chroma, found.confidence])]),
    }


def _coarse(pictures: list[NDArray[np.float32]]) -> list[float]:
    small = np.stack([cv2.resize(picture, SHAPE, interpolation=cv2.INTER_AREA) for picture in pictures])
    return [round(x, 4) for x in small.flatten().tolist()]


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), indent=1) + "\n")
