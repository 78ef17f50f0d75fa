"""For: what a colouring is asked to be. Promises: losses against grey and brown. Refuses to know: data."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actors.looks.colorize.darknet import Encoder

SATURATION = 1.15  # of the targets, against grey
BINS = 13  # along each axis of the chroma plane
REACH = 0.26  # Cb and Cr beyond this fall into the outermost bin
TO_CBCR = torch.tensor([1 / 1.8556, 1 / 1.5748])[:, None, None]  # BT.709


def bins(colour: Tensor) -> Tensor:
    """B'-Y', R'-Y' N 2 H W -> class N H W."""
    steps = ((colour * TO_CBCR / REACH + 1) * (BINS / 2)).floor().clamp(0, BINS - 1).long()
    return steps[:, 0] * BINS + steps[:, 1]


def rebalanced(colours: Tensor) -> Tensor:
    """Weight of each class: rare colours count more, half way (Zhang 2016); 1 on average over the sample."""
    shares = torch.bincount(bins(colours).flatten(), minlength=BINS * BINS).float()
    shares = shares / shares.sum()
    weights = 1 / (0.5 * shares + 0.5 / BINS**2)
    return weights / (weights * shares).sum()


class ColorLoss(nn.Module):
    """Huber on chroma, Tiny Darknet's features of the composed picture, and class-rebalanced cross-entropy."""

    def __init__(self, features: Encoder, weights: Tensor) -> None:
        super().__init__()
        self.features = features.eval().requires_grad_(False)
        self.head = nn.Conv2d(64, BINS * BINS, 1)
        self.weights = weights

    def chroma(self, guess: Tensor, truth: Tensor) -> Tensor:
        """Huber, strong colours weighted up a little: most of every picture is nearly grey."""
        error = F.huber_loss(guess * TO_CBCR, truth * TO_CBCR, delta=0.04, reduction="none").sum(1)
        weight = 1 + 4 * (truth * TO_CBCR).square().sum(1).sqrt().clamp(max=0.4)
        mean: Tensor = (error * weight).mean() / 0.04
        return mean

    def meaning(self, guess: Tensor, truth: Tensor) -> Tensor:
        """Distance of two RGB pictures N 3 H W in the eyes of Tiny Darknet."""
        with torch.no_grad():
            wanted = self.features(truth)[2:]
        found = self.features(guess)[2:]
        parts = [F.smooth_l1_loss(a.float(), b.float()) for a, b in zip(found, wanted, strict=True)]
        return torch.stack(parts).sum()

    def classes(self, quarter: Tensor, truth: Tensor) -> Tensor:
        """Cross-entropy of the quarter map's guess at each place's chroma, rare colours weighted up."""
        logits = self.head(F.avg_pool2d(quarter, 2)).float()
        return F.cross_entropy(logits, bins(F.avg_pool2d(truth, 8)), self.weights)
