"""The look "style": networks of one's own that paint in one style or between several. Promises each frame's picture by itself; knows no training."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from pydantic import Field, field_validator
from torch import Tensor

from actors.looks.fast_style.bands import PIXELS
from actors.looks.needs import Needs
from actors.looks.networks import shared
from actors.looks.package import Package
from actors.looks.painter import Painter, PaintSettings
from actors.looks.precision import working_dtype
from actors.looks.style.network import StyleNet, StyleShape, blended, styled
from actors.looks.weights import loaded, shape_of
from actors.picture.frame_batches import FrameBatch
from jobs.document import Document
from jobs.errors import BadLook

WEIGHTS = "weights.safetensors"


class StyleSettings(PaintSettings):
    """What can be asked of a style network."""

    styles: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """How much of each style, by its name in the package: scaled to sum 1. Where nothing is said, the first."""

    @field_validator("styles")
    @classmethod
    def _sum_to_one(cls, styles: dict[str, float]) -> dict[str, float]:
        total = sum(styles.values())
        if styles and not total:
            raise ValueError("give at least one style more than 0")
        return {name: share / total for name, share in styles.items()}


class StyleLook:
    """Paints each frame in a style, or between styles: scales and shifts of its norms are mixed, not pictures."""

    about: ClassVar[str] = (
        "paints a film like van Gogh's Café Terrace or Church at Auvers, or between them; or in styles trained by `farm train`"
    )
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = Path(__file__).with_name("shipped")
    settings: ClassVar[type[Document]] = StyleSettings

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, StyleSettings)
        assert package
        shape = shape_of(package, StyleShape)
        shares, path = _weights(settings, shape, package), package.file(WEIGHTS)
        self.network = shared(
            "style",
            f"{package.digest} {shares}",
            device,
            lambda: blended(loaded(path, lambda: StyleNet(shape)), shares, device, working_dtype(device)),
        )
        self.painter = Painter(self._styled, settings)
        self.domain = self.painter.domain

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        assert isinstance(settings, StyleSettings)
        assert package
        _weights(settings, shape_of(package, StyleShape), package)
        return Needs(settings.support(), adds_colour=not settings.keep_chroma, keeps=settings.keeps)

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size."""
        return self.painter.render(batches)

    def _styled(self, rgb_N3HW: Tensor) -> Tensor:
        return styled(self.network, rgb_N3HW, PIXELS[rgb_N3HW.device.type])


def _weights(settings: StyleSettings, shape: StyleShape, package: Package) -> list[float]:
    if unknown := [name for name in settings.styles if name not in shape.styles]:
        raise BadLook(
            f"The look {package.place} has no style {unknown[0]!r}; its styles are {', '.join(shape.styles)}."
        )
    chosen = settings.styles or {shape.styles[0]: 1.0}
    return [chosen.get(name, 0.0) for name in shape.styles]
