"""The look "fast-style": published feed-forward style networks. Promises each frame alone, whole, in its own place; knows no chunk."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor
from torch.nn import functional

from actors.colour import to_differences
from actors.looks.fast_style.bands import PIXELS, stylised
from actors.looks.fast_style.network import load_network
from actors.looks.generator import BATCH, Domain
from actors.looks.needs import Needs
from actors.looks.package import Package, sha256_of
from actors.looks.precision import working_dtype
from actors.plates import Plates
from jobs.errors import BadLook
from jobs.paper import Paper


class FastStyleSettings(Paper):
    """What can be asked of a style."""

    weights: Annotated[tuple[str, ...], Field(min_length=1)]
    """One .safetensors file of a style network or several; they must lie at these paths on every node."""
    shares: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(validate_default=True)] = ()
    """How much of each network's picture, one number for each file of weights; equal where nothing is said. Scaled to sum 1."""
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture, 1 takes the style's."""
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
        files = len(info.data.get("weights", shares))
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
            self.networks = [load_network(path, device, working_dtype(device)) for path in _files(settings)]
        except (ValueError, OSError) as error:
            raise BadLook(f"The weights of look 'fast-style' cannot be used: {error}.") from None

    @classmethod
    def needs(cls, settings: Paper, package: Package | None) -> Needs:
        return Needs(digests=tuple(sha256_of(path) for path in _files(settings)))

    def render(self, batches: Iterable[Plates]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size; as many frames at a time as can be worked on at once."""
        for plates in batches:
            for some in _parts(plates, self._at_once(plates.luma_NHW)):
                yield self._picture(some)

    @torch.inference_mode()
    def _picture(self, plates: Plates) -> Tensor:
        rgb, kept = plates.rgb(), self.wish.keep_chroma
        own = plates.luma() if kept else rgb
        if self.wish.strength == 0:
            return own
        styled = self._styled(rgb)
        made = to_differences(styled, plates.scale.colour)[0] if kept else styled
        return own * (1 - self.wish.strength) + made * self.wish.strength

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


def _files(settings: Paper) -> tuple[Path, ...]:
    assert isinstance(settings, FastStyleSettings)
    return tuple(Path(path) for path in settings.weights)


def _parts(plates: Plates, length: int) -> Iterator[Plates]:
    for start in range(0, len(plates), length):
        some = slice(start, start + length)
        chroma = (plates.chroma[0][some], plates.chroma[1][some]) if plates.chroma else None
        yield Plates(plates.luma_NHW[some], chroma, plates.scale, plates.shift)
