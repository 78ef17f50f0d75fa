"""The look "style": its settings, the shape of its network, and what it takes. Loads no torch (generator.py does)."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from actors.looks.kind import LookKind, Needs
from actors.looks.package import Package, shape_of
from actors.looks.paint_settings import PaintSettings
from jobs.document import Document
from jobs.errors import BadLook

WEIGHTS = "weights.safetensors"


Width = Annotated[int, Field(ge=1, le=512)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class StyleShape(Document):
    """What a look.json says of the network."""

    widths: tuple[Width, Width, Width] = (24, 48, 96)
    """Channels at the whole size, at half of it, and at a quarter, where the blocks work."""
    blocks: Annotated[int, Field(ge=0, le=32)] = 5
    styles: Annotated[tuple[Name, ...], Field(min_length=1, max_length=256)]
    """Their names, in the order of their scales and shifts."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if len(set(self.styles)) < len(self.styles):
            raise ValueError("two styles have the same name")
        return self

    def convolutions(self) -> list[tuple[int, int, int]]:
        """Channels in, channels out and span of each convolution, in order."""
        a, b, c = self.widths
        inner = [(c, c, 3)] * (2 * self.blocks)
        return [(3, a, 9), (a, b, 3), (b, c, 3), *inner, (c, b, 3), (b, a, 3), (a, 3, 9)]


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


def shares_of(settings: StyleSettings, shape: StyleShape, package: Package) -> list[float]:
    if unknown := [name for name in settings.styles if name not in shape.styles]:
        raise BadLook(
            f"The look {package.place} has no style {unknown[0]!r}; its styles are {', '.join(shape.styles)}."
        )
    chosen = settings.styles or {shape.styles[0]: 1.0}
    return [chosen.get(name, 0.0) for name in shape.styles]


def needs(settings: Document, package: Package | None) -> Needs:
    assert isinstance(settings, StyleSettings)
    assert package
    shares_of(settings, shape_of(package, StyleShape), package)
    return Needs(settings.support(), adds_colour=not settings.keep_chroma, keeps=settings.keeps)


STYLE = LookKind(
    about=(
        "paints a film like van Gogh's Café Terrace or Church at Auvers, or between them; or in styles trained by `farm train`"
    ),
    version=1,
    settings=StyleSettings,
    needs=needs,
    generator="actors.looks.style.generator:StyleGenerator",
    shipped=Path(__file__).with_name("shipped"),
)
