"""How far a picture is from a style and from its content, by feature maps of a pretrained network.

Distances are relative, so a map's scale does not matter.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (2016); Johnson, Alahi and Fei-Fei (2016).
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

BEYOND = 3.0
"""A sigmoid of it is 0.95; of its opposite 0.05."""
FLAT = 1e-3
"""Variance of a channel of which nothing is to be seen."""


def gram(map_NCHW: Tensor) -> Tensor:
    """What channels have in common, wherever it lies: N C C, float32, divided by C H W."""
    channels, height, width = map_NCHW.shape[1:]
    flat = map_NCHW.float().flatten(2)
    return flat @ flat.transpose(1, 2) / (channels * height * width)


def style_distance(grams: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """For each picture and map (N M), |G - W|^2 / |W|^2: 0 for the style itself, 1 for a picture of nothing."""
    shares = [
        (one - style).square().sum((1, 2)) / style.square().sum((1, 2))
        for one, style in zip(grams, wanted, strict=True)
    ]
    return torch.stack(shares, 1)


def content_distance(map_NCHW: Tensor, own_NCHW: Tensor) -> Tensor:
    """For each picture (N), the mean square between both maps, each channel normed: 0 where the same is seen in the same place, 2
    where nothing is. Without the norms another palette counts as another thing shown."""
    return (_normed(map_NCHW) - _normed(own_NCHW)).square().mean((1, 2, 3))


def _normed(map_NCHW: Tensor) -> Tensor:
    return functional.instance_norm(map_NCHW.float(), eps=FLAT)


def variation(picture_N3HW: Tensor) -> Tensor:
    """For each picture (N), the mean square of steps from pixel to pixel, across and down."""
    across = (picture_N3HW[..., 1:] - picture_N3HW[..., :-1]).square().mean((1, 2, 3))
    return across + (picture_N3HW[..., 1:, :] - picture_N3HW[..., :-1, :]).square().mean((1, 2, 3))


def glare(logits_NCHW: Tensor) -> Tensor:
    """For each picture (N), the mean square of what lies beyond black and white. There a sigmoid has no slope left, and a white
    blot, by which a network quietens the norms of everything around, would stay for ever."""
    return functional.relu(logits_NCHW.abs() - BEYOND).square().mean((1, 2, 3))
