"""The generator of the look "onnx": runs an imported network as its manifest says, and keeps the film's luma where it colours."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from actors.looks.networks import shared
from actors.looks.onnx.colours import from_cbcr, from_lab, lightness
from actors.looks.onnx.look import OnnxSettings
from actors.looks.onnx.manifest import Channelwise, OnnxNetwork, network_of
from actors.looks.onnx.model import Model
from actors.looks.package import Package, SizeRule
from actors.picture.colour import from_differences, to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.motion.steady_chroma import steady_along_motion
from actors.picture.resize import resized
from jobs.document import Document
from jobs.errors import BadLook

DARKEST = 1e-4
"""Y' that is divided by at least."""


class NetworkInput(NamedTuple):
    """One frame, and what the network is shown of it (C h w)."""

    batch: FrameBatch
    shown: Tensor


class OnnxGenerator:
    """Colours or restyles a film with a network that somebody else made."""

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, OnnxSettings)
        assert package
        self.wish, self.paper = settings, package.paper
        self.domain = Domain.LUMA if settings.keep_chroma else Domain(package.paper.domain)
        self.network = network_of(package)
        self.model = shared("onnx", package.digest, device, lambda: Model(package, self.network, device))
        self.runtime = self.model.session.runtime
        _check_side(self.model, package.paper.size, settings.size)

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """Frame by frame. Chroma at the network's size, or at the film's where some of its own is kept."""
        if self.domain is Domain.CHROMA:
            yield from self._chroma(batches)
            return
        for batch, made in self._made(batches):
            yield self._picture(batch, made)

    def _chroma(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        waiting: deque[FrameBatch] = deque()  # `steady` runs late
        for chroma in steady_along_motion(self._coloured(batches, waiting), self.wish.steady):
            batch, picture = waiting.popleft(), chroma[None] * self.wish.saturation
            if self.wish.strength < 1:
                own = batch.differences()
                # At the film's own size, so that strength 0 gives the film's chroma back exactly.
                height, width = own.shape[-2:]
                picture = own * (1 - self.wish.strength) + resized(picture, (height, width)) * self.wish.strength
            yield picture

    def _coloured(self, batches: Iterable[FrameBatch], waiting: deque[FrameBatch]) -> Iterator[tuple[Tensor, Tensor]]:
        for batch, made in self._made(batches):
            waiting.append(batch)
            height, width = made.shape[-2:]
            luma = batch.luma((height, width)).clamp(0, 1)
            brightness, differences = to_differences(self._rgb(made[None], luma), batch.scale.colour)
            # A colour brighter than the film is darkened to it: chroma follows luma to black, where networks flash.
            yield luma[0], (differences * (luma / brightness.clamp(min=DARKEST)).clamp(max=1))[0]

    def _rgb(self, made_1Chw: Tensor, luma_11hw: Tensor) -> Tensor:
        if self.network.output.of in ("ab", "lab"):
            return from_lab(lightness(luma_11hw), made_1Chw[:, -2:])
        if self.network.output.of == "cbcr":
            return from_cbcr(luma_11hw, made_1Chw)
        return made_1Chw.clamp(0, 1)

    def _picture(self, batch: FrameBatch, made_Chw: Tensor) -> Tensor:
        height, width = batch.luma_NHW.shape[-2:]
        made, colour = resized(made_Chw[None], (height, width)).clamp(0, 1), batch.scale.colour
        if self.network.output.of == "rgb" and (self.domain is Domain.LUMA or self.wish.saturation != 1):
            luma, differences = to_differences(made, colour)
            colourful = self.domain is Domain.RGB
            made = from_differences(luma, differences * self.wish.saturation, colour).clamp(0, 1) if colourful else luma
        own = batch.rgb() if self.domain is Domain.RGB else batch.luma()
        return own * (1 - self.wish.strength) + made * self.wish.strength

    def _made(self, batches: Iterable[FrameBatch]) -> Iterator[tuple[FrameBatch, Tensor]]:
        """Each frame, and what the network makes of it in colours' own numbers: a* b*, Cb Cr, R'G'B' or Y'."""
        output = self.network.output
        for window in _windows(self._seen(batches), self.paper.context):
            numbers = self.model.run(torch.cat([one.shown for one in window]))
            numbers = numbers * _channelwise(output.std, numbers) + _channelwise(output.mean, numbers)
            least = -0.5 if output.of == "cbcr" else 0.0
            low, high = output.range or (least, least + 1)
            lab = output.of in ("ab", "lab")
            made = numbers * output.scale if lab else (numbers - low) / (high - low) + least
            yield window[len(window) // 2].batch, made

    def _seen(self, batches: Iterable[FrameBatch]) -> Iterator[NetworkInput]:
        for batch in batches:
            for one in batch.parts(1):
                height, width = one.luma_NHW.shape[-2:]
                size = self.paper.size.of(height, width, self.wish.size)
                yield NetworkInput(one, _shown(one, size, self.network))


def _shown(batch: FrameBatch, size: tuple[int, int], network: OnnxNetwork) -> Tensor:
    """One frame (C h w) as the network wants it."""
    wish = network.input
    if wish.of == "rgb":
        picture = batch.rgb(size)
    else:
        luma = batch.luma(size).clamp(0, 1)
        picture = (lightness(luma) / 100 if wish.of == "l" else luma).expand(-1, wish.channels, -1, -1)
    low, high = wish.range or ((0.0, 100.0) if wish.of == "l" else (0.0, 1.0))
    ranged = picture[0] * (high - low) + low
    return (ranged - _channelwise(wish.mean, ranged)) / _channelwise(wish.std, ranged)


def _channelwise(numbers: Channelwise, like_Chw: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32, device=like_Chw.device)[:, None, None]


def _windows(frames: Iterable[NetworkInput], context: int) -> Iterator[list[NetworkInput]]:
    """Each frame amid its `context` neighbours on either side; at the ends the first and the last stand for those beyond."""
    whole = 2 * context + 1
    window: deque[NetworkInput] = deque(maxlen=whole)
    for frame in frames:
        window.extend([frame] * (1 if window else context + 1))
        if len(window) == whole:
            yield list(window)
    for _ in range(context if window else 0):
        window.append(window[-1])
        if len(window) == whole:
            yield list(window)


def _check_side(model: Model, rule: SizeRule, wished: int | None) -> None:
    fixed = model.side()
    if fixed is None:
        return
    height, width = fixed
    if height != width or rule.rule != "square" or rule.of(height, width, wished) != fixed:
        found = f"{wished or rule.side or ''} {rule.rule}".strip()
        raise BadLook(
            f"{model.where} takes pictures of {width}x{height} alone, and its size is {found}; "
            + (f"give the rule square with side {height}." if height == width else "export it with free sides.")
        )
