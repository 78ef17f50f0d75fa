"""The look "fast-style": published feed-forward style networks. Promises each frame alone, whole, in its own place; knows no chunk."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor
from torch.nn import functional

from actors.colour import from_differences, to_differences
from actors.looks.fast_style.bands import PIXELS, stylised
from actors.looks.fast_style.network import load_network
from actors.looks.generator import BATCH, Domain
from actors.looks.needs import Needs
from actors.looks.package import Package, SizeRule, sha256_of
from actors.looks.precision import working_dtype
from actors.plates import Plates
from actors.resize import resized
from jobs.errors import BadLook
from jobs.film import Colour
from jobs.paper import Paper

WEIGHTS = "weights.safetensors"
"""Of a package."""


class FastStyleSettings(Paper):
    """What can be asked of a style."""

    weights: tuple[str, ...] = ()
    """One .safetensors file of a style network or several; they must lie at these paths on every node. A package has its own."""
    shares: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(validate_default=True)] = ()
    """How much of each network's picture, one number for each file of weights; equal where nothing is said. Scaled to sum 1."""
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture, 1 takes the style's."""
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Factor on the chroma of the style's picture."""
    size: Annotated[int, Field(ge=64, le=8192)] | None = None
    """Long side of the picture the network sees, in pixels: smaller makes strokes broader. By default the film's own."""
    keep_chroma: bool = False
    """Style on luma alone: the film's own chroma stays, bit for bit."""
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
    settings: ClassVar[type[Paper]] = FastStyleSettings

    def __init__(self, settings: Paper, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, FastStyleSettings)
        self.wish = settings
        self.domain = Domain.LUMA if settings.keep_chroma else Domain.RGB
        try:
            self.networks = [load_network(path, device, working_dtype(device)) for path in _files(settings, package)]
        except (ValueError, OSError) as error:
            raise BadLook(f"The weights of look 'fast-style' cannot be used: {error}.") from None

    @classmethod
    def needs(cls, settings: Paper, package: Package | None) -> Needs:
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
        return Needs(digests=tuple(sha256_of(path) for path in files), places=("weights",))

    def render(self, batches: Iterable[Plates]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size; as many frames at a time as can be worked on at once."""
        for plates in batches:
            for some in plates.parts(self._at_once(plates.luma_NHW)):
                yield self._picture(some)

    @torch.inference_mode()
    def _picture(self, plates: Plates) -> Tensor:
        rgb, kept = plates.rgb(), self.wish.keep_chroma
        own = plates.luma() if kept else rgb
        if self.wish.strength == 0:
            return own
        height, width = rgb.shape[-2:]
        shown = SizeRule(rule="long", side=self.wish.size).of(height, width) if self.wish.size else (height, width)
        styled = resized(self._styled(resized(rgb, shown)), (height, width)).clamp(0, 1)
        made = self._luma_or_saturated(styled, plates.scale.colour)
        return own * (1 - self.wish.strength) + made * self.wish.strength

    def _luma_or_saturated(self, rgb_N3HW: Tensor, colour: Colour) -> Tensor:
        if not self.wish.keep_chroma and self.wish.saturation == 1:
            return rgb_N3HW
        luma, differences = to_differences(rgb_N3HW, colour)
        if self.wish.keep_chroma:
            return luma
        return from_differences(luma, differences * self.wish.saturation, colour).clamp(0, 1)

    def _styled(self, rgb_N3HW: Tensor) -> Tensor:
        frames, _, height, width = rgb_N3HW.shape
        margin = self._margin(height, width)
        shown = functional.pad(rgb_N3HW, (margin,) * 4, mode="reflect")
        if shown.is_cuda:
            # A GPU may choose another kernel, with other last bits, for another batch: there is one shape.
            short = self._at_once(rgb_N3HW[:, 0]) - frames
            shown = torch.cat([shown, shown[-1:].expand(short, -1, -1, -1)])
        mixed = torch.zeros_like(shown)
        for network, share in zip(self.networks, self.wish.shares, strict=True):
            mixed += stylised(network, shown, PIXELS[shown.device.type]) * share
        return mixed[:frames, :, margin : margin + height, margin : margin + width]

    def _margin(self, height: int, width: int) -> int:
        # A mirror shows no more than there is.
        return min(self.wish.margin, height - 1, width - 1)

    def _at_once(self, frames_NHW: Tensor) -> int:
        if not frames_NHW.is_cuda:
            return 1  # a batch brings a processor nothing, and takes memory
        height, width = frames_NHW.shape[-2:]
        margin = self._margin(height, width)
        fit = max(1, PIXELS["cuda"] // ((height + 2 * margin) * (width + 2 * margin)))
        # A batch falls into parts that are nearly equal: the last is filled up to the others' length.
        return -(-BATCH // -(-BATCH // fit))


def _files(settings: FastStyleSettings, package: Package | None) -> tuple[Path, ...]:
    return (package.file(WEIGHTS),) if package else tuple(map(Path, settings.weights))
