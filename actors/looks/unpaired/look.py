"""The look "unpaired": its settings, the shape of its networks, and what it takes. Loads no torch (generator.py does)."""

from typing import Annotated, Literal

from pydantic import Field

from actors.looks.kind import LookKind, Needs
from actors.looks.package import Package, shape_of
from actors.looks.paint_settings import PaintSettings
from jobs.document import Document
from jobs.errors import BadLook

FILES = ("forward.safetensors", "backward.safetensors")


class Shape(Document):
    """What must be known to build a generator; in look.json under `network`."""

    width: Annotated[int, Field(ge=4, le=128)] = 24
    """Channels at the picture's size; twice as many at half of it, four times at a quarter."""
    blocks: Annotated[int, Field(ge=1, le=16)] = 5
    """Residual blocks, at a quarter of the size."""


class UnpairedSettings(PaintSettings):
    """What can be asked of a translation."""

    direction: Literal["forward", "backward"] = "forward"
    """forward: from the kind learnt as source to the kind learnt as target; backward: the other way."""
    size: Annotated[int, Field(ge=64, le=8192)] = 640
    """Long side of the picture that the generator sees, in pixels, at most: it knows things at the size it learnt them. A
    film that is smaller is seen as it is."""

    def shown(self, height: int, width: int) -> tuple[int, int]:
        return super().shown(height, width) if max(height, width) > self.size else (height, width)


def weights_file(settings: UnpairedSettings, package: Package) -> str:
    """The weights of the direction asked for."""
    name = f"{settings.direction}.safetensors"
    if name not in package.paper.files:
        there = ", ".join(one.removesuffix(".safetensors") for one in package.paper.files if one in FILES)
        raise BadLook(
            f"The look {package.place} cannot go {settings.direction}; it has {there or 'no generator of this kind of look'}."
        )
    return name


def needs(settings: Document, package: Package | None) -> Needs:
    assert isinstance(settings, UnpairedSettings)
    if package is None:
        raise BadLook(
            "The look 'unpaired' runs what was trained: name a look of its kind by its place or its name in the library, "
            "or train one (farm train, kind: unpaired)."
        )
    shape_of(package, Shape)
    weights_file(settings, package)
    return Needs(settings.support(), adds_colour=not settings.keep_chroma, keeps=settings.keeps)


UNPAIRED = LookKind(
    about=("makes pictures of one kind into another (life to cartoon, oil to sketch), learnt without pairs"),
    version=1,
    settings=UnpairedSettings,
    needs=needs,
    generator="actors.looks.unpaired.generator:UnpairedGenerator",
)
