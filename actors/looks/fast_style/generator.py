"""The generator of the look "fast-style": restyles frames with one published style network, or with several mixed."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from actors.looks.fast_style.bands import PIXELS, stylised
from actors.looks.fast_style.look import FastStyleSettings, files_of
from actors.looks.fast_style.network import StyleNetwork, load_network
from actors.looks.networks import shared
from actors.looks.package import Package, sha256_of
from actors.looks.painter import Painter
from actors.picture.device import working_dtype
from actors.picture.frame_batches import FrameBatch
from jobs.document import Document
from jobs.errors import BadLook


class FastStyleGenerator:
    """Paints each frame in the style of one network, or of several mixed.

    Styles are mixed as pictures: networks that were trained apart have no parameters in common that could be mixed.
    """

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, FastStyleSettings)
        self.wish = settings
        self.painter = Painter(self._styled, settings)
        self.domain = self.painter.domain
        try:
            self.networks = [_network(path, device) for path in files_of(settings, package)]
        except (ValueError, BadLook) as error:
            raise BadLook(f"The weights of look 'fast-style' cannot be used: {str(error).rstrip('.')}.") from None

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size."""
        return self.painter.render(batches)

    def _styled(self, rgb_N3HW: Tensor) -> Tensor:
        height, width = rgb_N3HW.shape[-2:]
        # A mirror shows no more than there is.
        margin = min(self.wish.margin, height - 1, width - 1)
        shown = functional.pad(rgb_N3HW, (margin,) * 4, mode="reflect")
        mixed = torch.zeros_like(shown)
        for network, share in zip(self.networks, self.wish.shares, strict=True):
            mixed += stylised(network, shown, PIXELS[shown.device.type]) * share
        return mixed[..., margin : margin + height, margin : margin + width]


def _network(path: Path, device: torch.device) -> StyleNetwork:
    return shared("fast-style", sha256_of(path), device, lambda: load_network(path, device, working_dtype(device)))
