"""Pictures and recipes for tests of training. Promises colours that can be learnt, and the same bytes each time; trains nothing."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from actors.picture.png_sheet import Photo
from jobs.spec.training_recipe import Recipe, parse_recipe


def photo(seed: int, size: tuple[int, int] = (40, 32)) -> Photo:
    """R'G'B' of `size` (width, height): soft blots, in which red is half of green and half of what blue leaves."""
    rng = np.random.default_rng(seed)
    blots = cv2.resize(rng.integers(0, 256, (4, 5, 2), np.uint8), size, interpolation=cv2.INTER_CUBIC)
    red = blots[..., 0] / 2 + (255 - blots[..., 1]) / 2
    return np.dstack([red.astype(np.uint8), blots]).astype(np.uint8)


def write(path: Path, picture: Photo) -> Path:
    """A picture file by its ending, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def album(folder: Path, count: int = 6, size: tuple[int, int] = (40, 32)) -> Path:
    """A folder of photographs p0.png, p1.png ..."""
    for number in range(count):
        write(folder / f"p{number}.png", photo(number, size))
    return folder


def recipe(pictures: object, out: object, **fields: Any) -> Recipe:
    """A recipe for the test course, of one source; `data` in `fields` replaces it."""
    known: dict[str, Any] = {
        "name": "tiny",
        "kind": "test-tiny",
        "out": str(out),
        "licence": "CC0-1.0",
        "data": [{"pictures": str(pictures), "held_out": 1}],
        "steps": 60,
        "batch": 4,
        "side": 16,
        "short_side": 32,
        "check_every": 20,
    }
    return parse_recipe(known | fields, "test")
