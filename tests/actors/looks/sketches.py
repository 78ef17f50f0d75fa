"""Photographs of a kind made up, and their sketches: a translation whose truth is known. Promises pictures that differ by seed; knows no network."""

import cv2
import numpy as np

from actors.picture.png_sheet import Photo
from actors.training.course import Library, RoleData

SOFT = 2.0
"""Of the blur that a sketch is made with (standard deviation, pixels)."""


def photographs(count: int, seed: int, side: int = 64) -> list[Photo]:
    """Lit grounds with ellipses, boxes and lines of any colour, and grain."""
    draw = np.random.default_rng(seed)
    return [_photograph(draw, side) for _ in range(count)]


def _photograph(draw: np.random.Generator, side: int) -> Photo:
    rows, columns = np.mgrid[0:side, 0:side, 0:1][:2] / side
    ground = draw.uniform(60, 200, 3) + rows * draw.uniform(-60, 60, 3) + columns * draw.uniform(-60, 60, 3)
    photo = np.ascontiguousarray(ground.clip(0, 255).astype(np.uint8))
    for _ in range(8):
        colour = tuple(int(one) for one in draw.integers(0, 256, 3))
        near, far = (tuple(int(one) for one in draw.integers(0, side, 2)) for _ in range(2))
        kind = draw.integers(3)
        if kind == 0:
            axes = tuple(int(one) for one in draw.integers(4, side // 2, 2))
            cv2.ellipse(photo, near, axes, float(draw.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(photo, near, far, colour, -1)
        else:
            cv2.line(photo, near, far, colour, int(draw.integers(1, 4)), cv2.LINE_AA)
    grain = draw.normal(0, 3, (side, side, 1))
    return (photo + grain).clip(0, 255).astype(np.uint8)


def sketch(photo: Photo) -> Photo:
    """A pencil drawing by colour dodge: the grey picture over its own blurred version. White where nothing changes."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(grey, (0, 0), SOFT)
    drawn = cv2.divide(grey, soft, scale=245)
    return np.repeat(drawn[..., None], 3, 2)


def shelves(count: int, held_out: int, side: int = 64) -> Library:
    """Photographs as source, the sketches of others as target."""

    def shelf(pictures: list[Photo]) -> RoleData:
        learnt = pictures[held_out:]
        return RoleData(learnt, np.full(len(learnt), 1 / len(learnt)), pictures[:held_out])

    others = photographs(count + held_out, 2, side)
    return {"source": shelf(photographs(count + held_out, 1, side)), "target": shelf([sketch(one) for one in others])}
