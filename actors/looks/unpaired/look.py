"""The look "unpaired": one kind of picture made into another by a generator of a package. Promises each frame alone, in its own place; knows no training."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from actors.looks.needs import Needs
from actors.looks.networks import shared
from actors.looks.package import Package
from actors.looks.painter import Painter, PaintSettings
from actors.looks.precision import working_dtype
from actors.looks.unpaired.network import MULTIPLE, Shape, Translator
from actors.looks.weights import loaded, shape_of
from actors.picture.frame_batches import FrameBatch
from jobs.document import Document
from jobs.errors import BadLook

PIXELS = {"cpu": 1_000_000, "cuda": 2**23}
"""Pixels that are worked on at once, in bands of rows: some 420 to 620 bytes each at a width of 24 channels."""
FILES = ("forward.safetensors", "backward.safetensors")


class UnpairedSettings(PaintSettings):
    """What can be asked of a translation."""

    direction: Literal["forward", "backward"] = "forward"
    """forward: from the kind learnt as source to the kind learnt as target; backward: the other way."""
    size: Annotated[int, Field(ge=64, le=8192)] = 640
    """Long side of the picture that the generator sees, in pixels, at most: it knows things at the size it learnt them. A
    film that is smaller is seen as it is."""

    def shown(self, height: int, width: int) -> tuple[int, int]:
        return super().shown(height, width) if max(height, width) > self.size else (height, width)


class UnpairedLook:
    """Makes each frame one of another kind."""

    about: ClassVar[str] = (
        "makes pictures of one kind into another (life to cartoon, oil to sketch), learnt without pairs"
    )
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = None
    settings: ClassVar[type[Document]] = UnpairedSettings

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, UnpairedSettings)
        assert package
        shape = shape_of(package, Shape)
        file = _file(settings, package)
        path = package.file(file)
        self.network = shared("unpaired", f"{package.digest} {file}", device, lambda: _ready(path, shape, device))
        self.painter = Painter(self._translated, settings)
        self.domain = self.painter.domain

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        assert isinstance(settings, UnpairedSettings)
        if package is None:
            raise BadLook(
                "The look 'unpaired' runs what was trained: name a look of its kind by its place or its name in the library, "
                "or train one (farm train, kind: unpaired)."
            )
        shape_of(package, Shape)
        _file(settings, package)
        return Needs(settings.support(), adds_colour=not settings.keep_chroma, keeps=settings.keeps)

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size."""
        return self.painter.render(batches)

    def _translated(self, rgb_N3HW: Tensor) -> Tensor:
        return in_bands(self.network, rgb_N3HW, PIXELS[rgb_N3HW.device.type])


def in_bands(network: Translator, picture_N3HW: Tensor, pixels: int) -> Tensor:
    """What `network` makes of pictures, in bands of about `pixels` pixels, each shown with the rows that it depends on."""
    count, _, height, width = picture_N3HW.shape
    step = max(1, pixels // (count * width) // MULTIPLE) * MULTIPLE
    around = -(-network.reach // MULTIPLE) * MULTIPLE
    bands = []
    for start in range(0, height, step):
        first = max(0, start - around)
        shown = picture_N3HW[:, :, first : start + step + around].contiguous(memory_format=torch.channels_last)
        bands.append(network(shown)[:, :, start - first : start - first + min(step, height - start)])
    return torch.cat(bands, 2) if len(bands) > 1 else bands[0]


def _file(settings: UnpairedSettings, package: Package) -> str:
    """The weights of the direction asked for."""
    name = f"{settings.direction}.safetensors"
    if name not in package.paper.files:
        there = ", ".join(one.removesuffix(".safetensors") for one in package.paper.files if one in FILES)
        raise BadLook(
            f"The look {package.place} cannot go {settings.direction}; it has {there or 'no generator of this kind of look'}."
        )
    return name


def _ready(path: Path, shape: Shape, device: torch.device) -> Translator:
    network = loaded(path, lambda: Translator(shape))
    network.to(device, working_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.last.float()
    return network
