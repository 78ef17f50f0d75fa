"""The look "onnx": its settings and what an imported network takes. Loads no torch (generator.py does)."""

from typing import Annotated

from pydantic import Field

from actors.looks.kind import LookKind, Needs, steadied
from actors.looks.onnx.manifest import network_of
from actors.looks.package import Package
from actors.picture.domain import Domain
from jobs.document import Document
from jobs.errors import BadLook


class OnnxSettings(Document):
    """What a colourist can ask of any network."""

    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture (of a colouriser: its own chroma), 1 takes the network's."""
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Factor on the chroma of what the network gives."""
    steady: Annotated[int, Field(ge=0, le=16)] = 0
    """Frames on either side whose chroma, followed along motion, calms a frame's."""
    size: Annotated[int, Field(ge=16, le=8192)] | None = None
    """Side of the picture the network sees, in pixels (of a rule `long`: its long side); by default its manifest's."""
    keep_chroma: bool = False
    """Of a network that gives R'G'B': its luma alone; the film's own chroma stays, bit for bit."""


def needs(settings: Document, package: Package | None) -> Needs:
    assert isinstance(settings, OnnxSettings)
    if package is None:
        raise BadLook(
            "The look 'onnx' has no network of its own; import one with `farm looks add` and name that (docs/looks.md)."
        )
    network_of(package)
    domain = package.paper.domain
    if settings.steady and domain != "chroma":
        raise BadLook(f"steady calms chroma alone, and {package.place} gives {domain}; leave it 0.")
    if settings.keep_chroma and domain != "rgb":
        raise BadLook(f"keep_chroma is for looks that give rgb, and {package.place} gives {domain}; leave it out.")
    support = steadied(settings.steady, beyond=package.paper.context)
    keeps = (Domain.LUMA if settings.keep_chroma else Domain(domain)).keeps
    return Needs(support, adds_colour=keeps != "chroma", keeps=keeps, propagates=domain == "chroma")


ONNX = LookKind(
    about=("runs a network of another house (ONNX) as its manifest says: DDColor, DeOldify, SIGGRAPH17 ..."),
    version=1,
    settings=OnnxSettings,
    needs=needs,
    generator="actors.looks.onnx.generator:OnnxGenerator",
)
