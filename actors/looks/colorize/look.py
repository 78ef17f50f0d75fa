"""The look "colorize": its settings and what it takes. Loads no torch (generator.py does)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from actors.looks.kind import LookKind, Needs, steadied
from actors.looks.package import Package
from jobs.document import Document


class ColorizeSettings(Document):
    """What a colourist can ask for."""

    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own chroma, 1 takes the network's."""
    saturation: Annotated[float, Field(ge=0, le=3)] = 1.0
    """Factor on the network's chroma."""
    steady: Annotated[int, Field(ge=0, le=16)] = 8
    """Frames on either side whose chroma, followed along motion, calms a frame's."""
    size: Annotated[int, Field(ge=128, le=1024)] = 448
    """Long side of the picture the network sees, in pixels."""


def needs(settings: Document, package: Package | None) -> Needs:
    assert isinstance(settings, ColorizeSettings)
    return Needs(steadied(settings.steady), keeps="luma", propagates=True, gpu_gib=5.0)


COLORIZE = LookKind(
    about="colours a black-and-white film: the network gives chroma, luma stays the film's own",
    version=4,
    settings=ColorizeSettings,
    needs=needs,
    generator="actors.looks.colorize.generator:ColorizeGenerator",
    shipped=Path(__file__).with_name("shipped"),
)
