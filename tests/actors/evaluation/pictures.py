"""Photographs made for tests: patches of known colours. Tests nothing."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8]


def patches(seed: int, height: int = 24, width: int = 40, side: int = 8) -> Photo:
    """R'G'B' H W 3: squares of random, muted colours, of which none leaves R'G'B' when its chroma is taken away."""
    rows, columns = -(-height // side), -(-width // side)
    colours = np.random.default_rng(seed).integers(60, 190, (rows, columns, 3))
    whole = np.kron(colours, np.ones((side, side, 1), np.int64)).astype(np.uint8)
    return whole[:height, :width]


def grey(height: int = 24, width: int = 40) -> Photo:
    """A ramp without colours."""
    return np.broadcast_to(np.linspace(20, 230, width)[None, :, None], (height, width, 3)).astype(np.uint8)


def kept(path: Path, photo: Photo) -> Path:
    """The picture as a file of its name's kind; gives the path back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), photo[:, :, ::-1])
    return path
