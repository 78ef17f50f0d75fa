"""The manifest of an imported network: what its input and output numbers mean, checked to be consistent.

It is the field `network` of a package's look.json; size, context and domain are that document's own. docs/looks.md has examples.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from actors.looks.package import FileName, Package, wrong_fields
from jobs.document import Document
from jobs.errors import BadLook

Channelwise = tuple[float, ...]
"""One number for each channel, or one for all."""

DOMAINS = {
    "ab": ("chroma",),
    "lab": ("chroma",),
    "cbcr": ("chroma",),
    "rgb": ("chroma", "rgb", "luma"),
    "luma": ("luma",),
}
"""What may be made of an output."""


class InputSpec(Document):
    """What the network is shown: a picture's numbers, brought to `range`, less `mean`, over `std`."""

    name: str = ""
    """The model's input; by default its only one beside the `zeros`."""
    of: Literal["l", "luma", "rgb"]
    """l: lightness L* (CIELAB, D65) of the film as a grey picture; luma: its Y'; rgb: its R'G'B'."""
    channels: Literal[1, 3] = 1
    """3 for rgb; and for l and luma where the network takes a grey picture as three equal channels."""
    range: tuple[float, float] | None = None
    """The numbers that stand for black and white; by default 0 and 100 for l, 0 and 1 for luma and rgb."""
    mean: Annotated[Channelwise, Field(max_length=3)] = (0.0,)
    std: Annotated[Channelwise, Field(max_length=3)] = (1.0,)
    zeros: dict[str, Annotated[int, Field(ge=1, le=64)]] = Field(default_factory=dict)
    """Other inputs of the same height and width, fed with zeros, and their channels: a colourist's hints, with none given."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.of == "rgb" and self.channels != 3:
            raise ValueError("rgb has 3 channels")
        if self.range and self.range[0] == self.range[1]:
            raise ValueError("range: black and white must differ")
        _check(self.mean, self.std, self.channels)
        return self


class OutputSpec(Document):
    """What the network gives: its numbers times `std`, plus `mean`, are then of `range`, or times `scale` a* and b*."""

    name: str = ""
    """The model's output; by default its first."""
    of: Literal["ab", "lab", "cbcr", "rgb", "luma"]
    """ab: a* and b* of CIELAB; lab: L* too, which is not used; cbcr: Cb and Cr of ITU-R BT.601; rgb: R'G'B'; luma: Y'."""
    scale: Annotated[float, Field(gt=0)] = 1.0
    """For ab and lab: a* and b* are the network's numbers times this."""
    range: tuple[float, float] | None = None
    """The numbers that stand for the least and the most; by default 0 and 1 for rgb and luma, -0.5 and 0.5 for cbcr."""
    mean: Annotated[Channelwise, Field(max_length=3)] = (0.0,)
    std: Annotated[Channelwise, Field(max_length=3)] = (1.0,)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.of in ("ab", "lab") and self.range:
            raise ValueError("range is for rgb, cbcr and luma; a* and b* have a scale")
        if self.of not in ("ab", "lab") and self.scale != 1:
            raise ValueError("scale is for ab and lab; the others have a range")
        if self.range and self.range[0] == self.range[1]:
            raise ValueError("range: the least and the most must differ")
        _check(self.mean, self.std, self.channels)
        return self

    @property
    def channels(self) -> int:
        """Of the network's output."""
        return {"ab": 2, "lab": 3, "cbcr": 2, "rgb": 3, "luma": 1}[self.of]


class OnnxNetwork(Document):
    """`network` in look.json."""

    file: FileName = "model.onnx"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    """Of input and output."""
    input: InputSpec
    output: OutputSpec


def network_of(package: Package) -> OnnxNetwork:
    """The manifest of a package. Raises BadLook for one that does not fit together."""
    where = f"{package.place}/look.json"
    try:
        network = OnnxNetwork.model_validate(package.paper.network)
    except ValidationError as error:
        raise BadLook(f"{where}, network: {wrong_fields(error)}; see docs/looks.md.") from None
    if package.paper.domain not in DOMAINS[network.output.of]:
        raise BadLook(
            f"{where}: of an output that is {network.output.of} the domain is {' or '.join(DOMAINS[network.output.of])}, "
            f"not {package.paper.domain}."
        )
    if network.file not in package.paper.files:
        raise BadLook(f"{where} names no file {network.file}, which its network is; name it in network.file.")
    return network


def _check(mean: Channelwise, std: Channelwise, channels: int) -> None:
    for name, given in (("mean", mean), ("std", std)):
        if len(given) not in (1, channels):
            raise ValueError(f"{name} has {len(given)} numbers for {channels} channels; give one, or one for each")
    if min(std) <= 0:
        raise ValueError("std: numbers above 0")
