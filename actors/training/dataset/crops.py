"""Draws square crops of pictures to train on. The same seed, step and row give the same crop on any worker."""

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor

from actors.picture.png_sheet import Photo
from actors.training.course import RoleData, draws


def batch_of(shelf: RoleData, side: int, seed: int, step: int, rows: Iterable[int]) -> Tensor:
    """The crops of some rows of a step's batch, N 3 side side, R'G'B' in 0..1."""
    crops = []
    for row in rows:
        rng = draws(seed, step, row)
        crops.append(crop(shelf.learnt[int(rng.choice(len(shelf.learnt), p=shelf.odds))], side, rng))
    return tensor_of(crops)


def tensor_of(pictures: list[Photo]) -> Tensor:
    """Pictures of one size -> N 3 H W in 0..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def crop(picture: Photo, side: int, rng: np.random.Generator) -> Photo:
    """A square of random place and size, half of them mirrored; often most of the picture, for meaning needs surroundings."""
    most = min(picture.shape[:2])
    size = int(rng.integers(min(side, most), most + 1))
    top, left = (int(rng.integers(0, length - size + 1)) for length in picture.shape[:2])
    square = picture[top : top + size, left : left + size]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    method = cv2.INTER_AREA if size >= side else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(square), (side, side), interpolation=method).astype(np.uint8)
