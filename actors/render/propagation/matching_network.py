"""The small network that tells which cells of two grey pictures have the same colour, and how far it errs.

Features of the look "colorize" (see `features`) are projected so that a soft maximum over the cells of known pictures brings
each cell's colour: learned attention, as in Zhang et al., "Deep exemplar-based video colorization", 2019, with a mean error
learned beside it (Kendall and Gal, "What uncertainties do we need in Bayesian deep learning for computer vision?", 2017).
`actors.training.matching` trains it.
"""

from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actors.render.propagation.features import FEATURES

EMBEDDED = 64
"""Numbers by which a cell is compared."""
CODED = 6
"""What the mean error is told from: see `MatchingNetwork`."""
FIRST_SHARPNESS, FIRST_LIGHT = 20.0, 6.0
"""Before training: what a cosine and a difference of the whole range of light count, before the soft maximum."""
TYPICAL = 0.05
"""Error of chroma that the network takes for usual, of -0.5..0.5."""
LEAST, MOST = -8.0, 2.0
"""Bounds of the logarithm of the error in units of TYPICAL."""


class CellLabels(NamedTuple):
    """What is known of K cells: chroma (K, 2), -0.5..0.5; luma, and luma with its range stretched (K,), 0..1; confidence (K,), 0..1."""

    chroma: Tensor
    luma: Tensor
    light: Tensor
    confidence: Tensor

    def columns(self) -> Tensor:
        """As the columns that are averaged, (K, 6): chroma, the square of its length, luma, light, confidence."""
        square = (self.chroma * self.chroma).sum(1)
        return torch.cat([self.chroma, torch.stack([square, self.luma, self.light, self.confidence], 1)], 1)


class CommonFeatures(NamedTuple):
    """Mean and deviation of all known cells' features, (D,) each: what all share tells nothing apart."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def among(cls, features_KD: Tensor) -> "CommonFeatures":
        return cls(features_KD.mean(0), features_KD.std(0, correction=0) + 1e-3)


class Found(NamedTuple):
    """What the known cells say of Q others: their mean columns (Q, 6), and the errors that are expected of its chroma (Q,)."""

    columns: Tensor
    error: Tensor


class MatchingNetwork(nn.Module):
    """A projection of features, two weights of likeness, and a perceptron for the error."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(FEATURES, EMBEDDED, bias=False)
        nn.init.orthogonal_(self.project.weight)
        self.sharpness = nn.Parameter(torch.tensor(log(FIRST_SHARPNESS)))
        self.light = nn.Parameter(torch.tensor(log(FIRST_LIGHT)))
        self.doubt = nn.Sequential(nn.Linear(CODED, 16), nn.ReLU(), nn.Linear(16, 1))

    def embedded(self, features_KD: Tensor, common: CommonFeatures) -> Tensor:
        """Cells as unit vectors (K, E)."""
        return F.normalize(self.project((features_KD - common.mean) / common.deviation), dim=1)

    def likeness(self, queries_QE: Tensor, light_Q: Tensor, keys_KE: Tensor, light_K: Tensor) -> Tensor:
        """How like Q cells are to K others (Q, K): `sharpness` for a cosine of 1, less what light differs by."""
        likeness: Tensor = (queries_QE * self.sharpness.exp()) @ keys_KE.T
        return likeness - (light_Q[:, None] - light_K[None]).abs() * self.light.exp()

    def forward(
        self, queries_QE: Tensor, light_Q: Tensor, keys_KE: Tensor, columns_K6: Tensor, bias_K: Tensor | None = None
    ) -> Found:
        """What the known cells say of others. `bias_K`: what is added to their likeness before the soft maximum."""
        likeness = self.likeness(queries_QE, light_Q, keys_KE, columns_K6[:, 4])
        if bias_K is not None:
            likeness = likeness + bias_K
        best = likeness.amax(1, keepdim=True)
        below = likeness - best
        weight = below.exp()
        total = weight.sum(1)
        columns = (weight @ columns_K6) / total[:, None]
        expected = (weight * below).sum(1) / total
        return Found(columns, self._error(best[:, 0], expected, total.log(), light_Q, columns))

    def _error(
        self, best_Q: Tensor, expected_Q: Tensor, whole_Q: Tensor, light_Q: Tensor, columns_Q6: Tensor
    ) -> Tensor:
        sharpness = self.sharpness.exp()
        chroma = columns_Q6[:, :2]
        told = [
            best_Q / sharpness,
            (best_Q + expected_Q) / sharpness,
            (whole_Q - expected_Q) / 7,  # entropy: of a thousand cells it is 7 at most
            (light_Q - columns_Q6[:, 4]).abs() * 4,
            chroma_variance(columns_Q6).sqrt() * 20,
            chroma.norm(dim=1) * 8,
        ]
        scale: Tensor = self.doubt(torch.stack(told, 1))[:, 0].clamp(LEAST, MOST).exp()
        return scale * TYPICAL


def chroma_variance(columns_Q6: Tensor) -> Tensor:
    """The variance of the chroma that was averaged (Q,), never quite 0, for the slope of its root."""
    return (columns_Q6[:, 2] - (columns_Q6[:, :2] ** 2).sum(1)).clamp_min(0) + 1e-8
