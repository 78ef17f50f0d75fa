"""Films made for tests whose colour luma does not tell: textures that move, with chroma of their own. Tests nothing."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from torch import Tensor

from tests.films import Recipe, plane_of

Levels = NDArray[np.uint8]
WIDTH, HEIGHT = 160, 96
GREEN = (1 - 0.2126 - 0.0722, 0.2126 * 1.5748, 0.0722 * 1.8556)
"""Weights of green, and of Cr and Cb in it."""


@dataclass(frozen=True)
class Painted(Recipe):
    """A film of given 8-bit levels of Y', Cb and Cr (T, 3, H, W), lossless, BT.709, limited range."""

    levels: Levels = field(default_factory=lambda: np.zeros((1, 3, HEIGHT, WIDTH), np.uint8))

    def frame(self, number: int) -> VideoFrame:
        frame = VideoFrame(*self.size, self.pix_fmt)
        for plane, values in zip(frame.planes, self.levels[number], strict=True):
            plane_of(plane, 8)[:] = values
        return frame


def film_of(path: Path, levels: Levels) -> Path:
    """The film as a file; gives the path back."""
    frames, _, height, width = levels.shape
    recipe = Painted(
        frames=frames, size=(width, height), codec="ffv1", pix_fmt="yuv444p", matrix="bt709", levels=levels
    )
    return recipe.make(path)


def cloud(seed: int, width: int, grain: float) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and deviation 1 (HEIGHT, width)."""
    rough = np.random.default_rng(seed).standard_normal((HEIGHT, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), grain)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)


def panned(frames: int, step: int = 2, seed: int = 1, light: int = 120) -> Levels:
    """A texture that moves `step` pixels to the left a frame, in muted colours that luma does not tell."""
    width = WIDTH + step * frames
    planes = [light + 20 * cloud(seed, width, 2.0), *(128 + 14 * cloud(seed + one, width, 12.0) for one in (1, 2))]
    whole = np.stack(planes).round().clip(40, 210).astype(np.uint8)
    return np.stack([whole[:, :, step * at : step * at + WIDTH] for at in range(frames)])


def rgb(levels_3HW: Levels) -> Tensor:
    """R'G'B' 13HW of limited BT.709 levels, by the standard's own words."""
    luma, blue, red = (levels_3HW.astype(np.float32) - np.array([16, 128, 128])[:, None, None]) / np.array(
        [219, 224, 224]
    )[:, None, None]
    green = luma - (GREEN[1] * red + GREEN[2] * blue) / GREEN[0]
    planes = np.stack([luma + 1.5748 * red, green, luma + 1.8556 * blue])
    return torch.from_numpy(planes.astype(np.float32))[None]
