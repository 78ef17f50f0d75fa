"""Composes and encodes some frames of a chunk's core as one segment, and keeps it in the store.

Media is stored first and its record last. Dissolved openings and the rest of a core are made by the same code.
"""

import os
import platform
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import torch
from torch import Tensor

from actors.encode.burn_in import drawer_of
from actors.encode.segment_writer import SegmentFacts, writer_for
from actors.picture.compose import compose
from actors.picture.device import working_dtype
from actors.picture.domain import Domain
from actors.picture.generator import BATCH
from actors.picture.grading.gamut import GamutTally
from actors.picture.grading.grader import Grader
from actors.picture.stills import pair
from actors.render.review.clip import ReviewClip
from jobs.errors import ChunkFailed
from jobs.film.source import Picture
from jobs.ledger.ledger import Ledger, clip_name, figures_name, still_name
from jobs.plan.plan import Range
from jobs.records.media import Media
from jobs.records.orders import Encoding, SegmentRecord


class SegmentInProgress:
    """One segment in the making, with the still of its middle frame. Used as a context; a failed one leaves no file."""

    def __init__(
        self,
        film: Picture,
        frames: Range,
        digest: str,
        encoding: Encoding,
        folder: Path,
        grader: Grader | None = None,
        *,
        clip: bool = False,
        painted: Collection[int] = (),
    ) -> None:
        """`clip`: one is made of it for the review page; `painted`: frames that are shown as they were painted."""
        self.film = film
        self._grader = grader
        self._outside = GamutTally(film, encoding) if grader and grader.grading.gamut == "report" else None
        self.frames = frames
        self.digest = digest
        self.encoding = encoding
        self._path = folder / digest
        self._middle: tuple[av.VideoFrame, av.VideoFrame] | None = None
        self._writer = writer_for(encoding, self._path)
        self._drawer = drawer_of(film, encoding)
        self._clip = ReviewClip(film, encoding, folder / f"{digest}.mp4", frames.start, painted) if clip else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.__exit__(kind, error, trace)
        finally:
            if self._clip:
                self._clip.__exit__(kind, error, trace)

    def take(self, first: int, frames: Sequence[av.VideoFrame], pictures_NCHW: Tensor, domain: Domain) -> None:
        """The film's frames from number `first` on, with the look's pictures as the film stores its own; those outside are passed over."""
        begin, end = within(self.frames, first, len(frames))
        if begin == end:
            return
        composed = compose(
            frames[begin:end],
            pictures_NCHW[begin:end],
            domain,
            self.film,
            self.encoding,
            grader=self._grader,
            first=first + begin,
        )
        for number, frame in enumerate(composed, first + begin):
            if self._outside:
                self._outside.add(number, frame)
            if self._clip:  # first: an encoder may be given another form of it
                self._clip.take(frames[number - first], frame)
            self._writer.write(self._drawer.drawn(frame, number) if self._drawer else frame)
        middle = self.frames.start + self.frames.frames // 2 - first
        if begin <= middle < end:
            self._middle = frames[middle], composed[middle - begin]

    def keep(self, ledger: Ledger, made_on: str, seconds: float, apart: float | None = None) -> SegmentRecord:
        """Put the closed piece into the store, and its record last. Raises ChunkFailed where it lacks a frame."""
        facts = counted(self.frames, self._writer.facts)
        assert self._middle  # no piece is without frames
        ledger.store.write(ledger.key(still_name(self.digest)), pair(*self._middle, self.film, self.encoding))
        if self._clip:
            ledger.store.write_file(ledger.key(clip_name(self.digest)), self._clip.path)
            self._clip.path.unlink()
            ledger.keep_paper(figures_name(self.digest), self._clip.measure.figures(), only_if_absent=False)
        media = kept_media(ledger, facts, self._path)
        return ledger.keep(
            SegmentRecord(
                digest=self.digest,
                frames=self.frames,
                media=media,
                delay=facts.delay,
                extradata_sha256=facts.extradata_sha256,
                made_on=made_on,
                seconds=round(seconds, 3),
                apart=apart,
                outside_gamut=self._outside.found if self._outside else None,
            )
        )


def within(frames: Range, first: int, count: int) -> tuple[int, int]:
    """Which of `count` frames, the first of them number `first`, lie within `frames`: from, and to."""
    begin, end = (min(max(edge - first, 0), count) for edge in frames)
    return begin, end


def counted(frames: Range, facts: SegmentFacts | None) -> SegmentFacts:
    """The facts of a closed writer. Raises ChunkFailed where it was not given every frame."""
    written = facts.frames if facts else 0
    if facts is None or written != frames.frames:
        raise ChunkFailed(
            f"of frames {frames.start} to {frames.stop - 1} only {written} were rendered; correct the look, and raise its version."
        )
    return facts


def kept_media(ledger: Ledger, facts: SegmentFacts, path: Path) -> Media:
    """A written file in the store, under its own hash: a late twin changes nothing. Here it is there no more."""
    media = Media(key=f"media/{facts.sha256}", sha256=facts.sha256, bytes=facts.bytes)
    ledger.store.write_file(ledger.key(media.key), path, only_if_absent=True)
    path.unlink(missing_ok=True)
    return media


def hardware(device: torch.device, runtime: str = "", batch: int = BATCH) -> str:
    """The kind of hardware a picture is made on, with all that changes its last bits there where it is not as usual.

    The GPU's name and, where memory ran out, frames at a time; or the processor's, its instruction set and cores; and what
    ran the look there, where that was not torch (`actors.picture.generator.runtime_of`). Networks work in bfloat16 wherever the
    hardware multiplies it: that a processor of AVX-512 does not is said, for only some do.
    """
    if device.type == "cuda":
        name = on_gpu(str(torch.cuda.get_device_name(device)), batch)
    else:
        capability = torch.backends.cpu.get_cpu_capability()
        narrow = working_dtype(device) is not torch.float32 or not capability.startswith("AVX512")
        name = f"{platform.machine()} {capability}{'' if narrow else ' in float32'}, {os.cpu_count()} cores"
    return f"{name}, {runtime}" if runtime else name


def on_gpu(name: str, batch: int) -> str:
    """What is said of a GPU: its name, and how many frames it is shown at a time where these are fewer than usual."""
    return name if batch == BATCH else f"{name}, batches of {batch}"
