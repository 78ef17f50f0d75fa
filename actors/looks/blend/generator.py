"""The generator of the look "blend": mixes several looks' pictures by share, each shown the film as it would be alone.

Looks are mixed as pictures, for networks that were made apart have nothing in common that could be mixed: as chroma or as
luma where all of them give that, else as R'G'B', with the film's luma under chroma and the film's chroma over luma.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import add

import torch
from torch import Tensor

from actors.looks import hire
from actors.looks.blend.look import BlendSettings, fitted
from actors.looks.package import Package
from actors.picture.colour import from_differences, to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator, runtime_of
from actors.picture.resize import resized
from jobs.document import Document
from jobs.errors import BadLook


class BlendGenerator:
    """Several looks at once."""

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, BlendSettings)
        self.wish = settings
        total = sum(one.share for one in settings.looks)
        self.shares = [one.share / total for one in settings.looks]
        self.generators = [hire(look, device) for look in fitted(settings)]
        self.runtime = " + ".join(sorted({runtime_of(one) for one in self.generators} - {""}))
        domains = {one.domain for one in self.generators}
        if settings.keep_chroma and domains == {Domain.CHROMA}:
            raise BadLook(
                "keep_chroma keeps the film's colours, and all looks of this blend give nothing else; leave it out."
            )
        self.mixed_as = domains.pop() if len(domains) == 1 else Domain.RGB
        self.domain = Domain.LUMA if settings.keep_chroma else self.mixed_as

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """Frame by frame; as late as the look that is latest."""
        shared = Shared(batches, len(self.generators))
        looks = [_frames(one, shared.of(reader)) for reader, one in enumerate(self.generators)]
        own = (frame for frame_batch in shared.of(len(looks)) for frame in frame_batch.parts(1))
        for frame_batch, *pictures in zip(own, *looks, strict=True):
            yield self._mixed(frame_batch, pictures)

    @torch.inference_mode()
    def _mixed(self, frame_batch: FrameBatch, pictures: Sequence[Tensor]) -> Tensor:
        own = _own(frame_batch, self.mixed_as)
        if self.mixed_as is Domain.CHROMA:
            made = _together(pictures, self.shares)
            if self.wish.strength == 1:
                return made
            # At the film's own size, so that strength 0 gives the film's chroma back exactly.
            height, width = own.shape[-2:]
            made = resized(made, (height, width))
        else:
            alike = [self._alike(frame_batch, *one) for one in zip(self.generators, pictures, strict=True)]
            made = _together(alike, self.shares)
        if self.domain is not self.mixed_as:
            made, own = to_differences(made, frame_batch.scale.colour)[0], frame_batch.luma()
        return own * (1 - self.wish.strength) + made * self.wish.strength

    def _alike(self, frame_batch: FrameBatch, look: Generator, picture: Tensor) -> Tensor:
        if look.domain is self.mixed_as:
            return picture
        height, width = frame_batch.luma_NHW.shape[-2:]
        if look.domain is Domain.CHROMA:
            # What has the size of the film's own chroma is sited as that is.
            shift = (
                frame_batch.shift
                if frame_batch.chroma and picture.shape[-2:] == frame_batch.chroma[0].shape[-2:]
                else (0.0, 0.0)
            )
            luma, differences = frame_batch.luma(), resized(picture, (height, width), shift)
        else:
            luma, differences = picture, resized(frame_batch.differences(), (height, width), frame_batch.shift)
        return from_differences(luma, differences, frame_batch.scale.colour).clamp(0, 1)


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


def _frames(look: Generator, batches: Iterator[FrameBatch]) -> Iterator[Tensor]:
    for pictures in look.render(batches):
        yield from (picture[None] for picture in pictures)


def _own(frame_batch: FrameBatch, domain: Domain) -> Tensor:
    if domain is Domain.CHROMA:
        return frame_batch.differences()
    return frame_batch.rgb() if domain is Domain.RGB else frame_batch.luma()


def _together(pictures: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """The pictures' mean by share, at the size of the largest."""
    height, width = (max(one.shape[side] for one in pictures) for side in (-2, -1))
    weighted = (resized(one, (height, width)) * share for one, share in zip(pictures, shares, strict=True))
    return reduce(add, weighted)
