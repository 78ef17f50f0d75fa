"""Colours a frame by matching its features with those of reference pictures.

Attention over reference pictures, as exemplar-based colourisation does it (He et al., "Deep exemplar-based colorization",
2018; Zhang et al., "Deep exemplar-based video colorization", 2019). The features are those of the encoder of the shipped
look "colorize", an EfficientNet-Lite0 (Tan and Le 2019); nothing is trained for it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from actors.looks.colorize.fused_inference import running
from actors.looks.colorize.network import load_network
from actors.picture.motion.flow import Floats, as_floats

CELL = 8
"""Side of the cells that are matched, in pixels at working size."""
ROWS = 5
"""Rows of the encoder's blocks that are run: the map at a sixteenth of the picture's size comes out of the last."""
BAND = 64
"""Cells looked up at a time: what is reckoned for them stays in a processor's cache."""
MULTIPLE = 16
"""Width and height that the encoder is shown are multiples of this."""
REMEMBERED = 16
"""Pictures whose features are kept for when they are asked for again, half a megabyte each."""
UNKNOWN = 0.05
"""Confidence of a reference's cell at and below which it is not looked at."""
LUMA_COST = 0.5
"""Likeness (cosine) that a difference of the whole range of luma costs."""
FOREIGN_COST = 0.45
"""Likeness that a cell of another shot's picture lacks: light and paint differ from shot to shot."""
TEMPERATURE = 0.02
"""Difference in likeness that makes one cell count e times as much as another."""
STRANGE, SAME = 0.1, 0.7
"""Likeness at and below which a match is worth the least, and from which on it is worth the most."""
LEAST = 0.05
"""What a match is worth where nothing is alike: the colours of the shot are still a better guess than grey."""
SPREAD = 0.03
"""Deviation of the matched cells' chroma, of -0.5..0.5, at which a match is worth half."""
TONED, TONE_SPREAD = 0.5, 0.01
"""What a match is worth where nothing is alike and all the shot's references have one colour, as of a toned film; and the
deviation of their chroma at which it is worth half of that."""

DIM = 0.02
"""Luma, 0..1, that is added to both where chroma is scaled by the ratio of light: what is nearly black tells no ratio."""
BRIGHTER = 4.0
"""Most that chroma is multiplied by where a frame is brighter than what it is like."""
FADED = 0.15
"""Range of luma in a reference below which it has faded, and its colours with it."""


class Cells(NamedTuple):
    """A picture by cells of CELL pixels: features (h, w, D) and normalised luma (h, w), 0..1."""

    features: Floats
    luma: Floats


class Match(NamedTuple):
    """What the references say of a picture, by cells: chroma (h, w, 2) and confidence (h, w), 0..1."""

    chroma: Floats
    confidence: Floats


@dataclass(frozen=True, eq=False)
class KnownPicture:
    """A picture whose colour is known: luma (H, W), 0..1; chroma (H, W, 2), -0.5..0.5; confidence (H, W), 0..1."""

    luma: Floats
    chroma: Floats
    confidence: Floats
    foreign: bool = False
    """Whether it is of another shot."""


class FeatureExtractor:
    """The encoder of the look "colorize", as far as a sixteenth of the picture's size."""

    def __init__(self, weights: Path) -> None:
        """`weights`: the look's safetensors. Raises ValueError where they are not."""
        self._encoder = load_network(weights, "cpu").encoder
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
        x = self._encoder.stem(shown.contiguous(memory_format=torch.channels_last))
        for row in self._encoder.rows[:ROWS]:
            x = row(x)
        rows, columns = -(-height // CELL), -(-width // CELL)
        x = F.interpolate(x, scale_factor=MULTIPLE / CELL, mode="bilinear", align_corners=False)
        features = x[0, :, :rows, :columns].permute(1, 2, 0).contiguous().numpy()
        luma = F.avg_pool2d(shown, CELL)[0, 0, :rows, :columns].contiguous().numpy()
        return Cells(features, luma)


class ReferenceMemory:
    """The cells of some references, ready to be matched."""

    def __init__(self, references: Sequence[KnownPicture], extract: FeatureExtractor) -> None:
        """`references`: at least one."""
        self._extract = extract
        seen = [extract(one.luma) for one in references]
        features = np.concatenate([cells.features.reshape(-1, cells.features.shape[-1]) for cells in seen])
        self._mean = features.mean(0)
        self._deviation = features.std(0) + np.float32(1e-3)
        known = np.concatenate([_by_cell(one.confidence).reshape(-1) * _lit(one.luma) for one in references])
        own = np.concatenate(
            [np.full(cells.luma.size, not one.foreign) for cells, one in zip(seen, references, strict=True)]
        )
        chroma = np.concatenate([_by_cell(one.chroma).reshape(-1, 2) for one in references])
        light = np.concatenate([_by_cell(one.luma).reshape(-1) for one in references])
        told = known > UNKNOWN
        luma = np.concatenate([cells.luma.reshape(-1) for cells in seen])
        self._keys_DK = torch.from_numpy(self._normal(features[told])).T.contiguous()
        self._luma = torch.from_numpy(luma[told] * np.float32(LUMA_COST / TEMPERATURE))
        self._cost = torch.from_numpy(np.float32(-FOREIGN_COST / TEMPERATURE) * ~own[told])
        values = np.column_stack([chroma, (chroma * chroma).sum(1), known, own.astype(np.float32), light])[told]
        self._least = _least(values)
        weighed = np.column_stack([np.ones(len(values), np.float32), values]) * known[told, None]
        self._values_VK = torch.from_numpy(np.ascontiguousarray(weighed.T))

    def match(self, luma_HW: Floats) -> Match:
        """The references' colours for a picture's cells; its luma (H, W), 0..1."""
        cells = self._extract(luma_HW)
        height, width = cells.luma.shape
        if not self._luma.numel():
            return Match(np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32))
        queries = torch.from_numpy(self._normal(cells.features.reshape(height * width, -1)) / np.float32(TEMPERATURE))
        luma = torch.from_numpy(cells.luma.reshape(-1, 1) * np.float32(LUMA_COST / TEMPERATURE))
        bands = map(self._attended, torch.split(queries, BAND), torch.split(luma, BAND))
        best, said = (torch.cat(part).numpy() for part in zip(*bands, strict=True))
        chroma, square, known, own, light = said[:, :2], *said.T[2:]
        variance = np.maximum(square - (chroma * chroma).sum(1), 0)
        alike = ((best - STRANGE) / (SAME - STRANGE)).clip(0, 1) ** 2
        confidence = known * np.maximum(alike, self._least * own) / (1 + variance / SPREAD**2)
        # Chroma fades with luma: in a fade a frame looks like its reference, and has less of both.
        ratio = (_by_cell(luma_HW).reshape(-1) + DIM) / (np.maximum(light, 0) + DIM)
        chroma = as_floats(chroma * ratio.clip(0, BRIGHTER)[:, None])
        return Match(chroma.reshape(height, width, 2), confidence.reshape(height, width))

    def _attended(self, queries_QD: Tensor, luma_Q1: Tensor) -> tuple[Tensor, Tensor]:
        """The likeness of the most alike cell (Q,), and the mean of the values of all, by likeness (Q, 5)."""
        # Everything in steps of TEMPERATURE: what is left is softmax.
        likeness = torch.addmm(self._cost, queries_QD, self._keys_DK)
        likeness -= (luma_Q1 - self._luma).abs_()
        best = likeness.amax(1, keepdim=True)
        # Denormal numbers would make the product below ten times as slow.
        weight = torch.softmax(torch.maximum(likeness, best - 40), 1)
        said = (self._values_VK @ weight.T).T
        return best[:, 0] * TEMPERATURE, said[:, 1:] / said[:, :1]

    def _normal(self, features_KD: Floats) -> Floats:
        # The maps share a large common part; without it gone, everything is like everything.
        apart = (features_KD - self._mean) / self._deviation
        unit: Floats = apart / (np.linalg.norm(apart, axis=1, keepdims=True) + np.float32(1e-6))
        return unit


def _least(values_KV: Floats) -> np.float32:
    """What a match with the shot's own references is worth where nothing is alike."""
    weight = values_KV[:, 3] * values_KV[:, 4]
    if not weight.sum():
        return np.float32(0)
    chroma, square = np.average(values_KV[:, :2], 0, weight), np.average(values_KV[:, 2], 0, weight)
    variance = max(float(square - (chroma * chroma).sum()), 0.0)
    return np.float32(max(LEAST, TONED / (1 + variance / TONE_SPREAD**2)))


def stretched(luma_HW: Floats) -> Floats:
    """Luma 0..1 with its range brought to the whole, at most eightfold: a picture in a fade looks like itself in full light."""
    low = np.quantile(luma_HW, 0.01)
    gain = np.float32(min(0.9 / max(_range(luma_HW), 0.02), 8.0))
    wide: Floats = ((luma_HW - np.float32(low)) * gain + np.float32(0.03)).clip(0, 1).astype(np.float32)
    return wide


def _range(luma_HW: Floats) -> float:
    low, high = np.quantile(luma_HW, (0.01, 0.995))
    return float(high - low)


def _lit(luma_HW: Floats) -> np.float32:
    return np.float32(min(_range(luma_HW) / FADED, 1.0))


def _by_cell(image: Floats) -> Floats:
    """An image (H, W) or (H, W, C) averaged by cells; what lacks in the last cells is as the edge."""
    height, width = image.shape[:2]
    rows, columns = -(-height // CELL), -(-width // CELL)
    whole = cv2.copyMakeBorder(image, 0, rows * CELL - height, 0, columns * CELL - width, cv2.BORDER_REPLICATE)
    return as_floats(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


def from_cells(cells: Floats, height: int, width: int, side: int = CELL) -> Floats:
    """Values of cells (h, w) or (h, w, C) as an image (height, width) or (height, width, C), bilinearly; `side`: of a cell in it."""
    rows, columns = cells.shape[:2]
    large = as_floats(cv2.resize(cells, (columns * side, rows * side), interpolation=cv2.INTER_LINEAR))
    return np.ascontiguousarray(large[:height, :width])
