"""Runs a style network on a picture of any size in bounded memory, with the instance norms of the whole picture.

A picture too large to be worked on at once is worked on in bands of rows, as wide as the picture. An instance norm needs
the whole picture's mean and variance before its first row can be normed: so each layer is first measured, band by band,
and made again when the next layer asks for it. Kept whole are only what the residual blocks work on (a quarter of the
picture's sides) and the last layer's three channels. A picture of one band is the same walk, but nothing is made twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from actors.looks.fast_style.network import Layer, StyleNetwork

EPSILON = 1e-3
"""Added to the variance, as the published networks were trained."""
PIXELS = {"cpu": 1_250_000, "cuda": 2**24}
"""Pixels that are worked on at once: some 350 bytes each. On a processor a frame of 1280x720 with its margin, in 400 MB; on
a GPU one of 3840x2160 or several smaller ones, in 6 GB at most."""
RUN = 4096
"""Pixels whose float32 sums are taken at a time on a processor: a run stays in its cache (ten times as fast)."""


class Norm(NamedTuple):
    """A layer's instance norm, measured: mean and variance (population) of each picture and channel."""

    mean_NC: Tensor
    variance_NC: Tensor
    layer: Layer

    def __call__(self, raw_NCHW: Tensor) -> Tensor:
        """Normed in float32, given in the type that came."""
        each = [
            functional.batch_norm(one, mean, variance, self.layer.scale_C, self.layer.shift_C, eps=EPSILON)
            for one, mean, variance in zip(torch.split(raw_NCHW, 1), self.mean_NC, self.variance_NC, strict=True)
        ]
        return torch.cat(each) if len(each) > 1 else each[0]


class Moments:
    """Sums and sums of squares of a layer: of each row in float32, of rows in float64, so that bands change no bit of a row's."""

    def __init__(self) -> None:
        self.count = 0
        self.sums_NC: Tensor | float = 0.0
        self.squares_NC: Tensor | float = 0.0

    def add(self, raw_NChW: Tensor) -> None:
        """Count some rows in."""
        height, width = raw_NChW.shape[-2:]
        self.count += height * width
        rows = max(1, RUN // width) if raw_NChW.is_cpu else height
        for some in torch.split(raw_NChW.permute(0, 2, 3, 1), rows, 1):
            values = some.float()
            self.sums_NC = self.sums_NC + values.sum(2).double().sum(1)
            self.squares_NC = self.squares_NC + values.square().sum(2).double().sum(1)

    def norm(self, layer: Layer) -> Norm:
        assert isinstance(self.sums_NC, Tensor)
        mean = self.sums_NC / self.count
        variance = (self.squares_NC / self.count - mean.square()).clamp(min=0)
        return Norm(mean.float(), variance.float(), layer)


@dataclass(frozen=True)
class Walk:
    """A picture and measured layers after it, of which any rows can be made. A ReLU follows each norm."""

    source_NChw: Tensor
    norms: tuple[Norm, ...] = ()

    def size(self) -> tuple[int, int]:
        """Height and width of what the last of the layers makes."""
        height, width = self.source_NChw.shape[-2:]
        for norm in self.norms:
            height, width = norm.layer.kernel.size(height, width)
        return height, width

    def rows(self, start: int, stop: int) -> Tensor:
        """Rows [start, stop) of the last of the layers, normed, or of the picture where there is none."""
        if not self.norms:
            return self.source_NChw[:, :, start:stop]
        norm = self.norms[-1]
        return norm(Walk(self.source_NChw, self.norms[:-1]).next_rows(norm.layer, start, stop)).relu_()

    def next_rows(self, layer: Layer, start: int, stop: int) -> Tensor:
        """Rows [start, stop) of a layer that comes next, not normed."""
        height = self.size()[0]
        shown = self.rows(*layer.kernel.rows(start, stop, height))
        return layer.kernel.made(shown.to(layer.kernel.dtype), start, stop, height)

    def after(self, whole: Tensor | None, norm: Norm) -> "Walk":
        """The walk one layer further: from its whole picture, where that was kept, else from the same source."""
        return Walk(self.source_NChw, (*self.norms, norm)) if whole is None else Walk(norm(whole).relu_())

    def measured(self, layer: Layer, bands: int, keep: bool) -> tuple[Tensor | None, Norm]:
        """The next layer's norm, and where it is to be kept its whole picture, not normed."""
        height, width = layer.kernel.size(*self.size())
        moments, whole = Moments(), None
        for start, stop in _bands(height, bands):
            raw = self.next_rows(layer, start, stop)
            moments.add(raw)
            if keep and stop - start == height:
                whole = raw
            elif keep:
                if whole is None:
                    shape = (*raw.shape[:2], height, width)
                    last = torch.channels_last
                    whole = torch.empty(shape, dtype=raw.dtype, device=raw.device, memory_format=last)
                whole[:, :, start:stop] = raw
        return whole, moments.norm(layer)


def stylised(network: StyleNetwork, picture_N3HW: Tensor, pixels: int) -> Tensor:
    """R'G'B' (N3HW, float32, 0..1) in the network's style, from the same, in bands of about `pixels` pixels."""
    height, width = picture_N3HW.shape[-2:]
    shown = (picture_N3HW * 255).contiguous(memory_format=torch.channels_last)
    made = painted(network, shown, pixels).tanh_().mul_(150 / 255).add_(127.5 / 255).clamp_(0, 1)
    # A side that is no multiple of 4 comes out larger, and SAME padding has moved the picture by just as many pixels
    # towards the end: without the surplus at the top and left it lies where it lay.
    return made[..., -height:, -width:]


def painted(network: StyleNetwork, shown_N3HW: Tensor, pixels: int) -> Tensor:
    """What the last layer's norm gives (N3HW, float32), in bands of about `pixels` pixels."""
    count, _, height, width = shown_N3HW.shape
    bands = -(-count * height * width // pixels)
    x = _through(shown_N3HW, network.down, bands).relu_()
    x = x.to(network.up[0].kernel.dtype)
    for first, second in network.blocks:
        x = x + _through(_through(x, (first,), bands).relu_(), (second,), bands)
    return _through(x, network.up, bands)


def _through(source_NChw: Tensor, layers: Sequence[Layer], bands: int) -> Tensor:
    # The last layer's whole picture, normed.
    walk = Walk(source_NChw)
    for layer in layers[:-1]:
        walk = walk.after(*walk.measured(layer, bands, keep=bands == 1))
    whole, norm = walk.measured(layers[-1], bands, keep=True)
    assert whole is not None
    for start, stop in _bands(whole.shape[-2], bands):
        whole[:, :, start:stop] = norm(whole[:, :, start:stop])
    return whole


def _bands(height: int, bands: int) -> Iterator[tuple[int, int]]:
    # [start, stop) of rows, nearly equal, their starts even: the last layer gives two rows at a time.
    starts = sorted({height // 2 * place // bands * 2 for place in range(bands)})
    yield from zip(starts, [*starts[1:], height], strict=True)
