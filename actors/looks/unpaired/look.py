"""The look "unpaired": one kind of picture made into another by a generator of a package. Promises each frame alone, in its own place; knows no training."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, ValidationError
from torch import Tensor

from actors.colour import from_differences, to_differences
from actors.looks.generator import Domain
from actors.looks.needs import Needs
from actors.looks.package import Package
from actors.looks.precision import working_dtype
from actors.looks.unpaired.network import MULTIPLE, Shape, Translator, load_translator
from actors.plates import Plates
from actors.resize import resized
from jobs.errors import BadLook
from jobs.film import Colour
from jobs.paper import Paper

PIXELS = {"cpu": 1_000_000, "cuda": 2**23}
"""Pixels that are worked on at once, in bands of rows: some 420 to 620 bytes each at a width of 24 channels."""


FILES = ("forward.safetensors", "backward.safetensors")


class UnpairedSettings(Paper):
    """What can be asked of a translation."""

    direction: Literal["forward", "backward"] = "forward"
    """forward: from the kind learnt as source to the kind learnt as target; backward: the other way."""
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture, 1 takes the generator's."""
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Factor on the chroma of what the generator makes."""
    keep_chroma: bool = False
    """The generator's luma alone: the film's own chroma stays, bit for bit."""
    size: Annotated[int, Field(ge=64, le=8192)] = 640
    """Long side of the picture that the generator sees, in pixels, at most: it knows things at the size it learnt them. A
    film that is smaller is seen as it is."""


class UnpairedLook:
    """Makes each frame one of another kind."""

    about: ClassVar[str] = (
        "makes pictures of one kind into another (life to cartoon, oil to sketch), learnt without pairs"
    )
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = None
    settings: ClassVar[type[Paper]] = UnpairedSettings

    def __init__(self, settings: Paper, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, UnpairedSettings)
        assert package
        self.wish = settings
        self.domain = Domain.LUMA if settings.keep_chroma else Domain.RGB
        try:
            network = load_translator(package.file(_file(settings, package)), _shape(package))
        except (ValueError, OSError) as error:
            raise BadLook(f"The weights of look 'unpaired' cannot be used: {error}.") from None
        network.to(device, working_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.last.float()
        self.network = network

    @classmethod
    def needs(cls, settings: Paper, package: Package | None) -> Needs:
        assert isinstance(settings, UnpairedSettings)
        if package is None:
            raise BadLook(
                "The look 'unpaired' runs what was trained: name a look of its kind by its place or its name in the library, "
                "or train one (farm train, kind: unpaired)."
            )
        _shape(package)
        _file(settings, package)
        return Needs()

    def render(self, batches: Iterable[Plates]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size. Frame by frame on every device: company changes no bit."""
        for plates in batches:
            rgb, colour = plates.rgb(), plates.scale.colour
            own = plates.luma() if self.wish.keep_chroma else rgb
            if self.wish.strength == 0:
                yield own
                continue
            for frame, shown in zip(torch.split(own, 1), torch.split(rgb, 1), strict=True):
                made = self._asked_for(self._translated(shown), colour)
                yield frame * (1 - self.wish.strength) + made * self.wish.strength

    def _asked_for(self, made_13HW: Tensor, colour: Colour) -> Tensor:
        if not self.wish.keep_chroma and self.wish.saturation == 1:
            return made_13HW
        luma, differences = to_differences(made_13HW, colour)
        if self.wish.keep_chroma:
            return luma
        return from_differences(luma, differences * self.wish.saturation, colour).clamp(0, 1)

    @torch.inference_mode()
    def _translated(self, rgb_13HW: Tensor) -> Tensor:
        height, width = rgb_13HW.shape[-2:]
        size = seen_size(height, width, self.wish.size)
        made = in_bands(self.network, resized(rgb_13HW, size), PIXELS[rgb_13HW.device.type])
        return resized(made, (height, width)).clamp(0, 1)


def seen_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width that the generator sees: the film's, or of its shape with a long side of `long_side` where that is less."""
    scale = min(1.0, long_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def in_bands(network: Translator, picture_13HW: Tensor, pixels: int) -> Tensor:
    """What `network` makes of a picture, in bands of about `pixels` pixels, each shown with the rows that it depends on."""
    height, width = picture_13HW.shape[-2:]
    step = max(1, pixels // width // MULTIPLE) * MULTIPLE
    around = -(-network.reach // MULTIPLE) * MULTIPLE
    bands = []
    for start in range(0, height, step):
        first = max(0, start - around)
        shown = picture_13HW[:, :, first : start + step + around].contiguous(memory_format=torch.channels_last)
        bands.append(network(shown)[:, :, start - first : start - first + min(step, height - start)])
    return torch.cat(bands, 2) if len(bands) > 1 else bands[0]


def _file(settings: Paper, package: Package) -> str:
    """The weights of the direction asked for."""
    assert isinstance(settings, UnpairedSettings)
    name = f"{settings.direction}.safetensors"
    if name not in package.paper.files:
        there = ", ".join(one.removesuffix(".safetensors") for one in package.paper.files if one in FILES)
        raise BadLook(
            f"The look {package.place} cannot go {settings.direction}; it has {there or 'no generator of this kind of look'}."
        )
    return name


def _shape(package: Package) -> Shape:
    try:
        return Shape.model_validate(package.paper.network)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, ("network", *first["loc"])))
        raise BadLook(
            f"{package.place}/look.json: {field}: {first['msg']}; copy the whole look anew, or train it anew."
        ) from None
