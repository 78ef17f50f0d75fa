"""Keeps a look's pictures losslessly until a seam is dissolved, at 16 bits a channel and the look's own size.

They are kept as the look gave them, before they are brought to any deliverable: what is blended then goes the very way of what
is not (docs/decisions/0006-dissolves.md).
"""

from collections.abc import Generator as Yields
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import av
import torch
from torch import Tensor

from actors.encode.float_pictures import FloatPictureWriter, codes, floats, read_float_pictures
from actors.picture.compose import all_finite, refuse_not_a_number
from actors.picture.device import fetched_together
from actors.picture.domain import Domain
from actors.render.segments import counted, kept_media, within
from jobs.film.source import Picture
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.orders import HandlesRecord


def as_kept(picture_NCHW: Tensor) -> Tensor:
    """A look's pictures as they will be read back, in whole steps. Where a look dissolves, all its pictures are so rounded.

    NaN and infinity, which steps cannot tell, come out as NaN: whoever brings pictures here refuses those, and waits once for both.
    """
    return torch.where(picture_NCHW.isfinite(), floats(codes(picture_NCHW, 16), 16), torch.nan)


class HandleWriter:
    """Pictures of some frames being kept. Used as a context; a failed one leaves no file."""

    def __init__(self, film: Picture, frames: Range, digest: str, folder: Path) -> None:
        self.frames = frames
        self.digest = digest
        self._path = folder / f"{digest}.mkv"
        self._domain = ""
        self._writer = FloatPictureWriter(film, self._path, 16)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def take(self, first: int, frames: Sequence[av.VideoFrame], pictures_NCHW: Tensor, domain: Domain) -> None:
        """The look's pictures, `as_kept`, from frame number `first` on, as the film stores its own; those outside are passed over.

        Raises ChunkFailed where one holds NaN.
        """
        begin, end = within(self.frames, first, len(frames))
        if begin == end:
            return
        some = pictures_NCHW[begin:end]
        finite, coded = fetched_together([all_finite(some), codes(some, 16).to(torch.int32)])
        refuse_not_a_number(finite)
        self._domain = domain.value
        for picture in coded:
            self._writer.write(picture)

    def keep(self, ledger: Ledger, made_on: str, seconds: float) -> HandlesRecord:
        """Put the closed pictures into the store, and their record last. Raises ChunkFailed where one lacks."""
        facts = counted(self.frames, self._writer.facts)
        media = kept_media(ledger, facts, self._path)
        return ledger.keep(
            HandlesRecord(digest=self.digest, frames=self.frames, domain=self._domain, media=media, made_on=made_on)
        )


def read_handles(media: BinaryIO, domain: Domain, what: str) -> "Yields[Tensor, None, None]":
    """The pictures that were kept, in order: 1CHW floats, on the CPU. Raises BadMedia where the object is none of ours."""
    return read_float_pictures(media, domain.channels, 16, what)
