"""Handles: a look's pictures of some frames, kept losslessly until a seam is dissolved. Promises 16 bit a channel at the look's own size; blends nothing.

A picture is one grey FFV1 frame of 16 bit, its channels one below the other. It is kept as the look gave it, before it
is brought to any deliverable: what is blended then goes the very way of what is not (docs/decisions/0006-dissolves.md).
"""

from collections.abc import Generator as Yields
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import av
import numpy as np
import torch
from torch import Tensor

from actors.encode.encoders import FFV1_OPTIONS
from actors.encode.segment_writer import THREADS, SegmentWriter
from actors.media.container import open_media
from actors.picture.compose import all_finite, refuse_not_a_number
from actors.picture.device import fetched_together
from actors.picture.generator import Domain
from actors.render.segments import counted, kept_media, within
from jobs.film.source import Picture
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.orders import Encoding, HandlesRecord
from jobs.spec.formats import Codec

STEP = 1 / 28000
"""Of what is kept: values from -1.17 to 1.17. The widest chroma reaches 1.04; at 12 bit one code is six steps."""
NEUTRAL = 32768


def as_kept(picture_NCHW: Tensor) -> Tensor:
    """A look's pictures as they will be read back, in whole steps. Where a look dissolves, all its pictures are so rounded.

    NaN and infinity, which steps cannot tell, come out as NaN: whoever brings pictures here refuses those, and waits once for both.
    """
    return torch.where(picture_NCHW.isfinite(), _floats(_words(picture_NCHW)), torch.nan)


def _words(picture_NCHW: Tensor) -> Tensor:
    return (picture_NCHW.float() / STEP + NEUTRAL).round().clamp(0, 65535)


def _floats(words: Tensor) -> Tensor:
    return (words.float() - NEUTRAL) * STEP


class HandleWriter:
    """Pictures of some frames being kept. Used as a context; a failed one leaves no file."""

    def __init__(self, film: Picture, frames: Range, digest: str, folder: Path) -> None:
        self.film = film
        self.frames = frames
        self.digest = digest
        self._path = folder / f"{digest}.mkv"
        self._domain = ""
        self._writer: SegmentWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    def take(self, first: int, frames: Sequence[av.VideoFrame], pictures_NCHW: Tensor, domain: Domain) -> None:
        """The look's pictures, `as_kept`, from frame number `first` on, as the film stores its own; those outside are passed over.

        Raises ChunkFailed where one holds NaN.
        """
        begin, end = within(self.frames, first, len(frames))
        if begin == end:
            return
        some = pictures_NCHW[begin:end]
        finite, words = fetched_together([all_finite(some), _words(some).to(torch.int32)])
        refuse_not_a_number(finite)
        for picture in words.numpy().astype(np.uint16):
            rows = picture.reshape(-1, picture.shape[-1])
            self._writer = self._writer or SegmentWriter(_encoding(self.film, *rows.shape), self._path)
            self._domain = domain.value
            self._writer.write(av.VideoFrame.from_ndarray(rows, format="gray16le"))

    def keep(self, ledger: Ledger, made_on: str, seconds: float) -> HandlesRecord:
        """Put the closed pictures into the store, and their record last. Raises ChunkFailed where one lacks."""
        facts = counted(self.frames, self._writer)
        media = kept_media(ledger, facts, self._path)
        return ledger.keep(
            HandlesRecord(digest=self.digest, frames=self.frames, domain=self._domain, media=media, made_on=made_on)
        )


def _encoding(film: Picture, height: int, width: int) -> Encoding:
    return Encoding(
        codec=Codec.FFV1,
        encoder="ffv1",
        library="ffv1",
        width=width,
        height=height,
        pix_fmt="gray16le",
        rate=film.rate,
        time_base=1 / film.rate,
        aspect=Fraction(1),
        colour=film.colour,
        options=FFV1_OPTIONS,
        threads=THREADS,
        reorder=0,
    )


def read_handles(media: BinaryIO, domain: Domain, what: str) -> "Yields[Tensor, None, None]":
    """The pictures that were kept, in order: 1CHW floats, on the CPU. Raises BadMedia where the object is none of ours."""
    with open_media(media, what) as container:
        for frame in container.decode(container.streams.video[0]):
            words = torch.from_numpy(frame.to_ndarray().astype(np.int32))
            yield _floats(words.reshape(1, domain.channels, -1, frame.width))
