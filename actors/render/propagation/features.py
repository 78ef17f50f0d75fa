"""Tells what the cells of a grey picture show: features of the encoder of the shipped look "colorize", an EfficientNet-Lite0 (Tan and Le 2019)."""

import hashlib
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from actors.looks.colorize.encoder import ROWS, FeatureEncoder
from actors.looks.colorize.fused_inference import running
from actors.looks.colorize.network import load_network
from actors.picture.motion.flow import Floats, as_floats

CELL = 8
"""Side of the cells that are told apart, in pixels at working size."""
SHOWN = (2, 4, 6)
"""Rows of the encoder's blocks whose maps are taken: at an eighth, a sixteenth and a thirty-second of the picture's size."""
FEATURES = sum(ROWS[row][4] for row in SHOWN)
MULTIPLE = 32
"""Width and height that the encoder is shown are multiples of this."""
REMEMBERED = 16
"""Pictures whose features are kept for when they are asked for again, two megabytes each."""


class Cells(NamedTuple):
    """A picture by cells of CELL pixels: features (h, w, D) and luma with its range stretched (h, w), 0..1."""

    features: Floats
    light: Floats


class FeatureExtractor:
    """The encoder of the look "colorize"."""

    def __init__(self, weights: Path) -> None:
        """`weights`: the look's safetensors. Raises ValueError where they are not."""
        self._encoder: FeatureEncoder = load_network(weights, "cpu").encoder
        running(self._encoder, torch.device("cpu"), torch.float32)  # in its place
        self._recent: OrderedDict[bytes, Cells] = OrderedDict()

    def __call__(self, luma_HW: Floats) -> Cells:
        """Features of one picture (H, W), 0..1; any size. The same bits for the same picture, whatever came before."""
        # An anchor is a reference of both its spans, and a frame of both.
        name = hashlib.sha256(repr(luma_HW.shape).encode() + luma_HW.tobytes()).digest()
        cells = self._recent.pop(name, None) or self._cells(luma_HW)
        self._recent[name] = cells
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        return cells

    @torch.inference_mode()
    def _cells(self, luma_HW: Floats) -> Cells:
        height, width = luma_HW.shape
        shown = torch.from_numpy(stretched(luma_HW))[None, None]
        shown = F.pad(shown, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        size = [side // CELL for side in shown.shape[2:]]
        x, maps = self._encoder.stem(shown.contiguous(memory_format=torch.channels_last)), []
        for number, row in enumerate(self._encoder.rows):
            x = row(x)
            if number in SHOWN:
                maps.append(F.interpolate(x, size=size, mode="bilinear", align_corners=False))
        rows, columns = -(-height // CELL), -(-width // CELL)
        features = torch.cat(maps, 1)[0, :, :rows, :columns].permute(1, 2, 0).contiguous().numpy()
        light = F.avg_pool2d(shown, CELL)[0, 0, :rows, :columns].contiguous().numpy()
        return Cells(features, light)


def stretched(luma_HW: Floats) -> Floats:
    """Luma 0..1 with its range brought to the whole, at most eightfold: a picture in a fade looks like itself in full light."""
    low = np.quantile(luma_HW, 0.01)
    gain = np.float32(min(0.9 / max(luma_range(luma_HW), 0.02), 8.0))
    wide: Floats = ((luma_HW - np.float32(low)) * gain + np.float32(0.03)).clip(0, 1).astype(np.float32)
    return wide


def luma_range(luma_HW: Floats) -> float:
    """The range of luma (H, W), a few odd pixels left out."""
    low, high = np.quantile(luma_HW, (0.01, 0.995))
    return float(high - low)


def by_cell(image: Floats) -> Floats:
    """An image (H, W) or (H, W, C) averaged by cells; what lacks in the last cells is as the edge."""
    height, width = image.shape[:2]
    rows, columns = -(-height // CELL), -(-width // CELL)
    whole = cv2.copyMakeBorder(image, 0, rows * CELL - height, 0, columns * CELL - width, cv2.BORDER_REPLICATE)
    return as_floats(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))
