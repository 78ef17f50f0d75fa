"""The generator of the look "colorize": predicts chroma from luma. A frame gets the same chroma in whatever chunk it lies."""

from collections import deque
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from actors.looks.colorize.fused_inference import running
from actors.looks.colorize.look import ColorizeSettings
from actors.looks.colorize.network import MULTIPLE, load_network
from actors.looks.networks import Captured, shared
from actors.looks.package import Package, SizeRule
from actors.picture.device import working_dtype
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.motion.steady_chroma import steady_along_motion
from actors.picture.resize import resized
from jobs.document import Document
from jobs.errors import BadLook


class ColorizeGenerator:
    """Colours a black-and-white film."""

    domain = Domain.CHROMA

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, ColorizeSettings)
        assert package
        self.wish = settings
        path = package.file("weights.safetensors")
        try:
            self.network = shared(
                "colorize", package.digest, device, lambda: Captured(running(load_network(path, device), device))
            )
        except (ValueError, BadLook) as error:
            raise BadLook(f"The weights of look 'colorize' cannot be used: {error}") from None
        self.dtype = working_dtype(device)

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """Chroma at the network's size, or at the film's where some of the film's own is kept; `steady` frames late."""
        own: deque[Tensor] = deque()
        for chroma in steady_along_motion(self._frames(batches, own), self.wish.steady):
            picture = chroma[None] * self.wish.saturation
            yield self._mixed(picture, own.popleft()[None]) if self.wish.strength < 1 else picture

    def _mixed(self, picture: Tensor, own: Tensor) -> Tensor:
        # At the film's own size, so that strength 0 gives the film's chroma back exactly.
        height, width = own.shape[-2:]
        picture = resized(picture, (height, width))
        return own * (1 - self.wish.strength) + picture * self.wish.strength

    def _frames(self, batches: Iterable[FrameBatch], own: deque[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        # `own` receives the film's chroma where some of it is kept; `steady` runs late, so it waits there.
        for frame_batch in batches:
            if self.wish.strength < 1:
                own.extend(frame_batch.differences())
            luma = frame_batch.luma(
                network_size(frame_batch.luma_NHW.shape[-2], frame_batch.luma_NHW.shape[-1], self.wish.size)
            )
            yield from zip(luma, self._chroma(luma, frame_batch.whole), strict=True)

    @torch.inference_mode()
    def _chroma(self, luma_N1hw: Tensor, whole: int) -> Tensor:
        shown = luma_N1hw.clamp(0, 1)
        if shown.device.type != "cpu" and len(shown) < whole:
            # A GPU may choose another kernel, with other last bits, for another batch: there is one shape.
            shown = functional.pad(shown, (0, 0, 0, 0, 0, 0, 0, whole - len(shown)))
        shown = shown.to(dtype=self.dtype, memory_format=torch.channels_last)
        return self.network(shown)[: len(luma_N1hw)].float()


def network_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width the network sees: the film's shape, its long side near `long_side`, both multiples of 32."""
    return SizeRule(rule="long", side=long_side, multiple=MULTIPLE).of(height, width)
