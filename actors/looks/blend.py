"""The look "blend": several looks' pictures mixed by share. Promises that each look sees the film as it would alone; knows none of them.

Looks are mixed as pictures, for networks that were made apart have nothing in common that could be mixed: as chroma or as
luma where all of them give that, else as R'G'B', with the film's luma under chroma and the film's chroma over luma.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from actors.looks import fit, hire, placed, resolved
from actors.looks.needs import Needs
from actors.looks.package import Package
from actors.picture.colour import from_differences, to_differences
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Domain, Generator, runtime_of
from actors.picture.resize import resized
from jobs.digest import digest
from jobs.document import Document
from jobs.errors import BadLook
from jobs.plan.plan import Keeps, Look, Support
from jobs.spec.job import LookChoice

KIND = "blend"


class Part(Document):
    """One of the looks."""

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    """As in a spec: an installed look, one of the library, or a place."""
    settings: dict[str, Any] = Field(default_factory=dict)
    share: Annotated[float, Field(gt=0)] = 1.0
    """How much of its picture, against the others'."""

    @field_validator("name")
    @classmethod
    def _on_every_machine(cls, name: str) -> str:
        return placed(name)


class BlendSettings(Document):
    """Which looks, and how much of each."""

    looks: Annotated[tuple[Part, ...], Field(min_length=2, max_length=8)]
    """[{name, settings, share}, ...]; shares are scaled to sum 1, and may be others in every shot or range of frames."""
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture (its own chroma where all looks give chroma), 1 takes the blend."""
    keep_chroma: bool = False
    """The blend's luma alone: the film's own chroma stays, bit for bit. For looks that do not all give chroma."""

    @model_validator(mode="after")
    def _no_blends(self) -> "BlendSettings":
        for one in self.looks:
            if resolved(one.name)[0] == KIND:
                raise BadLook(f"The look '{one.name}' is a blend, and blends do not nest; name its looks themselves.")
        return self


class BlendLook:
    """Several looks at once."""

    about: ClassVar[str] = "mixes the pictures of two to eight looks, by share"
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = None
    settings: ClassVar[type[Document]] = BlendSettings

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, BlendSettings)
        self.wish = settings
        total = sum(one.share for one in settings.looks)
        self.shares = [one.share / total for one in settings.looks]
        self.generators = [hire(look, device) for look in _fitted(settings)]
        self.runtime = " + ".join(sorted({runtime_of(one) for one in self.generators} - {""}))
        domains = {one.domain for one in self.generators}
        if settings.keep_chroma and domains == {Domain.CHROMA}:
            raise BadLook(
                "keep_chroma keeps the film's colours, and all looks of this blend give nothing else; leave it out."
            )
        self.mixed_as = domains.pop() if len(domains) == 1 else Domain.RGB
        self.domain = Domain.LUMA if settings.keep_chroma else self.mixed_as

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        assert isinstance(settings, BlendSettings)
        looks = _fitted(settings)
        supports = [one.support for one in looks]
        return Needs(
            support=Support(
                context=max(one.context for one in supports),
                warmup=max(one.warmup for one in supports),
                dissolve=max(one.dissolve for one in supports),
            ),
            digests=tuple(
                digest({"look": look.named(), "share": part.share})
                for look, part in zip(looks, settings.looks, strict=True)
            ),
            places=("looks",),
            adds_colour=any(one.adds_colour for one in looks) and not settings.keep_chroma,
            keeps="chroma" if settings.keep_chroma else _kept_by_all(looks),
            gpu_gib=sum(one.gpu_gib for one in looks),
        )

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """Frame by frame; as late as the look that is latest."""
        shared = Shared(batches, len(self.generators))
        looks = [_frames(one, shared.of(reader)) for reader, one in enumerate(self.generators)]
        own = (frame for plates in shared.of(len(looks)) for frame in plates.parts(1))
        for plates, *pictures in zip(own, *looks, strict=True):
            yield self._mixed(plates, pictures)

    @torch.inference_mode()
    def _mixed(self, plates: FrameBatch, pictures: Sequence[Tensor]) -> Tensor:
        own = _own(plates, self.mixed_as)
        if self.mixed_as is Domain.CHROMA:
            made = _together(pictures, self.shares)
            if self.wish.strength == 1:
                return made
            # At the film's own size, so that strength 0 gives the film's chroma back exactly.
            height, width = own.shape[-2:]
            made = resized(made, (height, width))
        else:
            alike = [self._alike(plates, *one) for one in zip(self.generators, pictures, strict=True)]
            made = _together(alike, self.shares)
        if self.domain is not self.mixed_as:
            made, own = to_differences(made, plates.scale.colour)[0], plates.luma()
        return own * (1 - self.wish.strength) + made * self.wish.strength

    def _alike(self, plates: FrameBatch, look: Generator, picture: Tensor) -> Tensor:
        if look.domain is self.mixed_as:
            return picture
        height, width = plates.luma_NHW.shape[-2:]
        if look.domain is Domain.CHROMA:
            # What has the size of the film's own chroma is sited as that is.
            shift = plates.shift if plates.chroma and picture.shape[-2:] == plates.chroma[0].shape[-2:] else (0.0, 0.0)
            luma, differences = plates.luma(), resized(picture, (height, width), shift)
        else:
            luma, differences = picture, resized(plates.differences(), (height, width), plates.shift)
        return from_differences(luma, differences, plates.scale.colour).clamp(0, 1)


class Shared:
    """One stream of batches for several readers, each at its own pace. Keeps what somebody has yet to read, and no more."""

    def __init__(self, batches: Iterable[FrameBatch], looks: int) -> None:
        """For so many looks, and one reader more."""
        self._source = iter(batches)
        self._kept: deque[FrameBatch] = deque()
        self._gone = 0
        self._read = [0] * (looks + 1)

    def of(self, reader: int) -> Iterator[FrameBatch]:
        """What one of them reads. All are read by one thread."""
        while True:
            if self._read[reader] == self._gone + len(self._kept):
                batch = next(self._source, None)
                if batch is None:
                    return
                self._kept.append(batch)
            found = self._kept[self._read[reader] - self._gone]
            self._read[reader] += 1
            while self._gone < min(self._read):
                self._kept.popleft()
                self._gone += 1
            yield found

    @property
    def kept(self) -> int:
        """Batches that lie here."""
        return len(self._kept)


def _fitted(settings: BlendSettings) -> list[Look]:
    return [fit(LookChoice(name=one.name, settings=one.settings)) for one in settings.looks]


def _frames(look: Generator, batches: Iterator[FrameBatch]) -> Iterator[Tensor]:
    for pictures in look.render(batches):
        yield from (picture[None] for picture in pictures)


def _kept_by_all(looks: Sequence[Look]) -> Keeps:
    # Chroma that is mixed is rounded anew, also where one of the looks leaves it as it is.
    kept: set[Keeps] = {"luma" if one.keeps == "all" else one.keeps for one in looks}
    return kept.pop() if len(kept) == 1 else ""


def _own(plates: FrameBatch, domain: Domain) -> Tensor:
    if domain is Domain.CHROMA:
        return plates.differences()
    return plates.rgb() if domain is Domain.RGB else plates.luma()


def _together(pictures: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """The pictures' mean by share, at the size of the largest."""
    height, width = (max(one.shape[side] for one in pictures) for side in (-2, -1))
    weighted = (resized(one, (height, width)) * share for one, share in zip(pictures, shares, strict=True))
    return reduce(add, weighted)
