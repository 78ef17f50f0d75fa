"""The generator of the look "style": paints frames in one style or between several."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from actors.looks.fast_style.bands import PIXELS
from actors.looks.networks import shared
from actors.looks.package import Package, shape_of
from actors.looks.painter import Painter
from actors.looks.style.look import WEIGHTS, StyleSettings, StyleShape, shares_of
from actors.looks.style.network import StyleNet, blended, styled
from actors.looks.weights import loaded
from actors.picture.device import working_dtype
from actors.picture.frame_batches import FrameBatch
from jobs.document import Document


class StyleGenerator:
    """Paints each frame in a style, or between styles: scales and shifts of its norms are mixed, not pictures."""

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, StyleSettings)
        assert package
        shape = shape_of(package, StyleShape)
        shares, path = shares_of(settings, shape, package), package.file(WEIGHTS)
        self.network = shared(
            "style",
            f"{package.digest} {shares}",
            device,
            lambda: blended(loaded(path, lambda: StyleNet(shape)), shares, device, working_dtype(device)),
        )
        self.painter = Painter(self._styled, settings)
        self.domain = self.painter.domain

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size."""
        return self.painter.render(batches)

    def _styled(self, rgb_N3HW: Tensor) -> Tensor:
        return styled(self.network, rgb_N3HW, PIXELS[rgb_N3HW.device.type])
