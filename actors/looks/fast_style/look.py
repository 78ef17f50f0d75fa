"""The look "fast-style": its settings and what published style networks take. Loads no torch (generator.py does)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from actors.looks.kind import LookKind, Needs
from actors.looks.package import Package, admitted_file, sha256_of
from actors.looks.paint_settings import PaintSettings
from jobs.document import Document
from jobs.errors import BadLook

WEIGHTS = "weights.safetensors"
"""Of a package."""


class FastStyleSettings(PaintSettings):
    """What can be asked of a published style."""

    weights: tuple[str, ...] = ()
    """One .safetensors file of a style network or several; they must lie at these paths on every node. A package has its own."""
    shares: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(validate_default=True)] = ()
    """How much of each network's picture, one number for each file of weights; equal where nothing is said. Scaled to sum 1."""
    margin: Annotated[int, Field(ge=0, le=256)] = 48
    """Pixels of its own mirrored picture that a frame is shown with on all sides. These networks paint a border, up to some
    40 pixels wide, where the picture ends; 0 leaves it, as published."""

    @field_validator("weights", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @field_validator("weights")
    @classmethod
    def _whole_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        # Workers have another working directory.
        return tuple(str(Path(path).expanduser().absolute()) for path in paths)

    @field_validator("shares")
    @classmethod
    def _sum_to_one(cls, shares: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        files = len(info.data.get("weights", shares)) or 1
        shares = shares or (1.0,) * files
        if len(shares) != files:
            raise ValueError(f"give one share for each file of weights, which are {files}")
        return tuple(share / sum(shares) for share in shares)


def files_of(settings: FastStyleSettings, package: Package | None) -> tuple[Path, ...]:
    return (package.file(WEIGHTS),) if package else tuple(map(admitted_file, settings.weights))


def needs(settings: Document, package: Package | None) -> Needs:
    assert isinstance(settings, FastStyleSettings)
    if package and settings.weights:
        raise BadLook(f"The look {package.place} has weights of its own; blend it with others by the look 'blend'.")
    if package and WEIGHTS not in package.paper.files:
        raise BadLook(f"The look {package.place} has no {WEIGHTS}; a look of the kind 'fast-style' needs one.")
    if not package and not settings.weights:
        raise BadLook(
            "The look 'fast-style' has no weights of its own; set weights=FILE.safetensors, or import a style with "
            "`farm looks add` and name that."
        )
    # A package's file is named by the package.
    files = () if package else files_of(settings, package)
    digests = tuple(sha256_of(path) for path in files)
    return Needs(
        settings.support(),
        digests,
        places=("weights",),
        adds_colour=not settings.keep_chroma,
        keeps=settings.keeps,
    )


FAST_STYLE = LookKind(
    about="restyles a film, frame by frame, with published feed-forward style networks (.safetensors)",
    version=1,
    settings=FastStyleSettings,
    needs=needs,
    generator="actors.looks.fast_style.generator:FastStyleGenerator",
)
