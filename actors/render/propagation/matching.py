"""Colours a frame by matching its cells with those of reference pictures.

Attention over reference pictures, as exemplar-based colourisation does it (He et al., "Deep exemplar-based colorization",
2018; Zhang et al., "Deep exemplar-based video colorization", 2019). What is compared is learned (see `matching_network`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from actors.looks.weights import loaded
from actors.picture.motion.flow import Floats, as_floats
from actors.render.propagation.features import CELL, Cells, FeatureExtractor, by_cell, luma_range
from actors.render.propagation.matching_network import CellLabels, CommonFeatures, MatchingNetwork, chroma_variance

SHIPPED = Path(__file__).with_name("shipped") / "matching.safetensors"
"""The network that every film is matched by."""
BAND = 64
"""Cells looked up at a time: what is reckoned for them stays in a processor's cache."""
UNKNOWN = 0.05
"""Confidence of a reference's cell at and below which it is not looked at."""
WELL_COVERED = np.float32(1 / CELL)
"""Share of a cell that a part must cover to count in full: a line of one pixel through it."""
FOREIGN_COST = 0.45
"""Likeness (cosine) that a cell of another shot's picture lacks: light and paint differ from shot to shot."""
SURE = 0.014
"""Expected error of chroma, of -0.5..0.5, at which a match is worth half."""
TONED, TONE_SPREAD = 0.5, 0.01
"""What a match is worth at least where all the shot's references have one colour, as of a toned film; and the deviation of their
chroma at which it is worth half of that."""

DIM = 0.02
"""Luma, 0..1, that is added to both where chroma is scaled by the ratio of light: what is nearly black tells no ratio."""
BRIGHTER = 4.0
"""Most that chroma is multiplied by where a frame is brighter than what it is like."""
FADED = 0.15
"""Range of luma in a reference below which it has faded, and its colours with it."""


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


class Matcher:
    """What tells the features of a picture, and the network that compares them."""

    def __init__(self, encoder: Path, network: Path = SHIPPED) -> None:
        """`encoder`: weights of the look "colorize". Raises BadLook or ValueError for a file that is something else."""
        self.features = FeatureExtractor(encoder)
        self.network = loaded(network, MatchingNetwork)


class ReferenceMemory:
    """The cells of some references, ready to be matched."""

    @torch.inference_mode()
    def __init__(self, references: Sequence[KnownPicture], matcher: Matcher) -> None:
        """`references`: at least one."""
        self._matcher = matcher
        features, light = cells_of([matcher.features(one.luma) for one in references])
        self._common = CommonFeatures.among(features)
        lumas = [by_cell(one.luma).reshape(-1) for one in references]
        confidence = np.concatenate([by_cell(one.confidence).reshape(-1) * _lit(one.luma) for one in references])
        told = confidence > UNKNOWN
        foreign = np.repeat([one.foreign for one in references], [len(luma) for luma in lumas])
        chroma = np.concatenate([by_cell(one.chroma).reshape(-1, 2) for one in references])
        place, sure = torch.from_numpy(told), torch.from_numpy(confidence[told])
        self._keys = self._matcher.network.embedded(features[place], self._common)
        known = CellLabels(
            torch.from_numpy(chroma[told]), torch.from_numpy(np.concatenate(lumas)[told]), light[place], sure
        )
        self._columns = known.columns()
        cost = FOREIGN_COST * self._matcher.network.sharpness.exp()
        own = torch.from_numpy(~foreign[told]).float()
        self._bias = sure.log() - (1 - own) * cost
        self._least = _least(self._columns, own)

    @torch.inference_mode()
    def match(self, luma_HW: Floats) -> Match:
        """The references' colours for a picture's cells; its luma (H, W), 0..1."""
        cells = self._matcher.features(luma_HW)
        height, width = cells.light.shape
        if not len(self._bias):
            return Match(np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32))
        features, light = cells_of([cells])
        network = self._matcher.network
        queries = network.embedded(features, self._common)
        bands = [
            network(one, at, self._keys, self._columns, self._bias)
            for one, at in zip(torch.split(queries, BAND), torch.split(light, BAND), strict=True)
        ]
        columns, error = (torch.cat(part) for part in zip(*bands, strict=True))
        confidence = columns[:, 5] * torch.maximum(1 / (1 + (error / SURE) ** 2), self._least)
        chroma = relit(columns, torch.from_numpy(by_cell(luma_HW).reshape(-1)))
        return Match(
            as_floats(chroma.numpy().reshape(height, width, 2)), as_floats(confidence.numpy().reshape(height, width))
        )


@torch.inference_mode()
def likeness_to(part_HW: Floats, luma_HW: Floats, matcher: Matcher) -> Floats:
    """How like each cell of a picture is to what a part of it shows (h, w): a cosine, less what light differs by; 1 at most.

    `part_HW`, 0..1, says what that part is. A cell of which little is in it counts less.
    """
    cells = matcher.features(luma_HW)
    features, light = cells_of([cells])
    share = by_cell(part_HW).reshape(-1) / WELL_COVERED
    part = torch.from_numpy(share > 0)
    network = matcher.network
    embedded = network.embedded(features, CommonFeatures.among(features))
    bias = torch.from_numpy(np.minimum(share[share > 0], 1)).log()
    bands = [
        (network.likeness(one, at, embedded[part], light[part]) + bias).amax(1)
        for one, at in zip(torch.split(embedded, BAND), torch.split(light, BAND), strict=True)
    ]
    return as_floats((torch.cat(bands) / network.sharpness.exp()).numpy().reshape(cells.light.shape))


def cells_of(pictures: Sequence[Cells]) -> tuple[Tensor, Tensor]:
    """The cells of some pictures in one row: features (K, D), and luma with its range stretched (K,)."""
    features = [one.features.reshape(-1, one.features.shape[-1]) for one in pictures]
    return torch.from_numpy(np.concatenate(features)), torch.from_numpy(
        np.concatenate([one.light.reshape(-1) for one in pictures])
    )


def relit(columns_Q6: Tensor, luma_Q: Tensor) -> Tensor:
    """The chroma of what cells are like (Q, 2) in their own light: in a fade a frame looks like its reference, and has less of both."""
    ratio = (luma_Q + DIM) / (columns_Q6[:, 3].clamp_min(0) + DIM)
    return columns_Q6[:, :2] * ratio.clamp(0, BRIGHTER)[:, None]


def _least(columns_K6: Tensor, own_K: Tensor) -> Tensor:
    """What a match with the shot's own references is worth where nothing is alike."""
    weight = columns_K6[:, 5] * own_K
    mean = (weight[:, None] * columns_K6).sum(0, keepdim=True) / weight.sum().clamp_min(1e-6)
    return TONED / (1 + chroma_variance(mean) / TONE_SPREAD**2) * (weight.sum() > 0)


def _lit(luma_HW: Floats) -> np.float32:
    return np.float32(min(luma_range(luma_HW) / FADED, 1.0))


def from_cells(cells: Floats, height: int, width: int, side: int = CELL) -> Floats:
    """Values of cells (h, w) or (h, w, C) as an image (height, width) or (height, width, C), bilinearly; `side`: of a cell in it."""
    rows, columns = cells.shape[:2]
    large = as_floats(cv2.resize(cells, (columns * side, rows * side), interpolation=cv2.INTER_LINEAR))
    return np.ascontiguousarray(large[:height, :width])
