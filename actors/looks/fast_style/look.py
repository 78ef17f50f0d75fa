"""The look "fast-style": published feed-forward style networks. Promises each frame alone, whole, in its own place; knows no chunk."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor
from torch.nn import functional

from actors.looks.fast_style.bands import PIXELS, stylised
from actors.looks.fast_style.network import StyleNetwork, load_network
from actors.looks.needs import Needs
from actors.looks.networks import shared
from actors.looks.package import Package, sha256_of
from actors.looks.painter import Painter, PaintSettings
from actors.looks.precision import working_dtype
from actors.picture.frame_batches import FrameBatch
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


class FastStyleLook:
    """Paints each frame in the style of one network, or of several mixed.

    Styles are mixed as pictures: networks that were trained apart have no parameters in common that could be mixed.
    """

    about: ClassVar[str] = "restyles a film, frame by frame, with published feed-forward style networks (.safetensors)"
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = None
    settings: ClassVar[type[Document]] = FastStyleSettings

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, FastStyleSettings)
        self.wish = settings
        self.painter = Painter(self._styled, settings)
        self.domain = self.painter.domain
        try:
            self.networks = [_network(path, device) for path in _files(settings, package)]
        except (ValueError, OSError) as error:
            raise BadLook(f"The weights of look 'fast-style' cannot be used: {error}.") from None

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
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
        files = () if package else _files(settings, package)
        digests = tuple(sha256_of(path) for path in files)
        return Needs(
            settings.support(),
            digests,
            places=("weights",),
            adds_colour=not settings.keep_chroma,
            keeps=settings.keeps,
        )

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


def _files(settings: FastStyleSettings, package: Package | None) -> tuple[Path, ...]:
    return (package.file(WEIGHTS),) if package else tuple(map(Path, settings.weights))
