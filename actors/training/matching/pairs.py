"""Draws pairs of pictures of one photograph, as two frames of a shot are to each other: moved, turned, relit, something in front of it.

What a crop shows beyond the other's edge must be told from what is like it. The same random numbers give the same pair.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.picture.motion.flow import Floats, as_floats
from actors.picture.png_sheet import Photo

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
ZOOMS = 0.85, 1.9
"""A crop's scale, of that at which the photograph just fills it."""
APART = 0.2
"""Deviation of a crop's middle from the pair's, as a share of its side."""
OBJECT = 0.5
"""Share of pairs in which a part of another photograph moves in front."""
CORNERS = 12
"""Of that part's outline."""


class _Pose(NamedTuple):
    """How a picture lies in a crop: its point in the crop's middle, scale, angle in degrees, and whether it is mirrored."""

    middle: Floats
    scale: float
    angle: float
    mirrored: bool

    def matrix(self, x: float, y: float) -> NDArray[np.float64]:
        """What brings the point to a place (x, y) of the crop, 2 x 3."""
        matrix = np.asarray(cv2.getRotationMatrix2D((0, 0), self.angle, self.scale), np.float64)
        if self.mirrored:
            matrix = matrix @ np.diag([-1.0, 1.0, 1.0])
        matrix[:, 2] = np.array([x, y]) - matrix[:, :2] @ self.middle
        return matrix


def pair_of(photo: Photo, other: Photo, side: int, rng: np.random.Generator) -> Floats:
    """Two pictures (2, 3, side, side) of a photograph: luma 0..1, and chroma -0.5..0.5. Of `other` a part may move through both."""
    crops = _cropped(_floats(photo), side, rng)
    if rng.random() < OBJECT:
        crops = _passed(crops, _floats(other), rng)
    crops[1] = _relit(crops[1], rng)
    return np.stack([_planes(crop, rng) for crop in crops])


def _floats(photo: Photo) -> Floats:
    return as_floats(photo) / np.float32(255)


def _cropped(photo: Floats, side: int, rng: np.random.Generator) -> list[Floats]:
    height, width = photo.shape[:2]
    size = np.array([width, height], np.float32)
    scale = float(np.exp(rng.uniform(*np.log(ZOOMS)))) * side / min(height, width)
    half = side / 2 / scale
    middle, away = rng.uniform(0.3, 0.7, 2) * size, rng.normal(0, APART, 2) * side / scale
    mirrored = bool(rng.random() < 0.5)
    crops = []
    for second, at in enumerate((middle - away, middle + away)):
        low, high = np.minimum(half, size / 2), np.maximum(size - half, size / 2)
        zoom, angle = float(np.exp(rng.normal(0, 0.12) * second)), float(rng.normal(0, 4) * second)
        pose = _Pose(as_floats(np.clip(at, low, high)), scale * zoom, angle, mirrored)
        crops.append(_warped(photo, pose.matrix(side / 2, side / 2), side, cv2.BORDER_REFLECT_101))
    return crops


def _warped(image: Floats, matrix: NDArray[np.float64], side: int, border: int) -> Floats:
    return as_floats(cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=border))


def _passed(crops: list[Floats], other: Floats, rng: np.random.Generator) -> list[Floats]:
    """A part of another photograph in front of both, elsewhere in the second."""
    height, width = other.shape[:2]
    side = crops[0].shape[0]
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = min(height, width) / 2 * rng.uniform(0.45, 0.95, CORNERS)
    middle = np.array([width / 2, height / 2], np.float32)
    outline = (middle + radius[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])).astype(np.int32)
    mask = cv2.GaussianBlur(cv2.fillPoly(np.zeros((height, width), np.float32), [outline], 1.0), (3, 3), 0)
    place, scale = rng.uniform(0.15, 0.85, 2) * side, float(rng.uniform(0.25, 0.7)) * side / min(height, width)
    mirrored = bool(rng.random() < 0.5)
    passed = []
    for second, crop in enumerate(crops):
        x, y = (place + second * rng.normal(0, 0.18, 2) * side).tolist()
        turned, zoom = float(rng.normal(0, 8) * second), float(np.exp(rng.normal(0, 0.12) * second))
        matrix = _Pose(middle, scale * zoom, turned, mirrored).matrix(x, y)
        shown = _warped(as_floats(mask), matrix, side, cv2.BORDER_CONSTANT)[..., None]
        passed.append(as_floats(crop * (1 - shown) + _warped(other, matrix, side, cv2.BORDER_REPLICATE) * shown))
    return passed


def _relit(rgb: Floats, rng: np.random.Generator) -> Floats:
    """In another light, sometimes from one side; colours keep their proportions."""
    luma = np.maximum(rgb @ LUMA, 1e-4)
    lit = luma ** np.exp(rng.normal(0, 0.08)) * np.exp(rng.normal(0, 0.12))
    if rng.random() < 0.3:
        across = np.linspace(-1, 1, len(rgb), dtype=np.float32)
        angle, slope = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.2)
        lit = lit * np.exp(slope * (np.cos(angle) * across[None, :] + np.sin(angle) * across[:, None]))
    return as_floats(np.clip(rgb * (lit / luma)[..., None], 0, 1))


def _planes(rgb: Floats, rng: np.random.Generator) -> Floats:
    """As luma and chroma (3, H, W), sometimes soft, often with grain."""
    if rng.random() < 0.25:
        rgb = as_floats(cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.4, 1.3)))
    luma = rgb @ LUMA
    blue, red = (rgb[..., 2] - luma) / np.float32(1.8556), (rgb[..., 0] - luma) / np.float32(1.5748)
    if rng.random() < 0.6:
        luma = np.clip(luma + rng.normal(0, 1, luma.shape) * rng.uniform(0.003, 0.03), 0, 1)
    return as_floats(np.stack([luma, blue, red]))
