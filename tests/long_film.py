"""A film of any length that is nothing but paper: its index, its cuts, and pools whose findings are made up. Promises a real driver's whole work; holds no picture.

With it the driver itself is measured: survey, plan, production and ledger are the real ones, and nobody else does anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from actors.survey.packet_index import FIRST_PAGE, PAGE
from jobs.film.frame_index import Page
from jobs.film.source import Film
from jobs.plan.plan import Range
from jobs.records.cuts import Cuts
from jobs.records.deliverables import DeliverablePlan
from jobs.records.media import Media
from jobs.records.orders import FramesRendered, RenderOrder, SegmentRecord, SplitOrder, SplitRecord
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.paper import encoding_of, film_of, picture_of

SHOT = 97
"""Frames from one cut to the next: about four seconds."""
RATE = 24
MEDIA = Media(key="media/00", bytes=1, sha256="00")


class LongFilm:
    """`frames` frames of 1080p, a keyframe every `gop` of them, a cut every `shot`."""

    def __init__(self, frames: int, gop: int = 48, shot: int = SHOT) -> None:
        self.frames = frames
        self.gop = gop
        self.shot = shot

    def film(self) -> Film:
        """What it is."""
        paper = film_of(picture_of("yuv420p", 1920, 1080))
        return paper.model_copy(update={"seconds": self.frames / RATE})

    def decide(self, film: Film, spec: object, grey: bool) -> tuple[DeliverablePlan, ...]:
        """One deliverable."""
        encoding = encoding_of(film.picture, "yuv420p")
        wish = Deliverable(codec=Codec.FFV1)
        return (DeliverablePlan(deliverable=wish, file="film.mkv", container="mkv", encoding=encoding, fates=()),)

    def pages(self, kept: int, resume: object) -> Iterator[Page]:
        """As the survey brings them, from the beginning."""
        edges = [0, *range(FIRST_PAGE, self.frames, PAGE), self.frames]
        for start, stop in pairwise(edges):
            pts = np.arange(start, stop, dtype=np.int64)
            one = np.ones(len(pts), np.int64)
            yield Page(pts, pts, one, 5000 * one, pts % self.gop == 0, np.zeros(len(pts), np.bool_))
        none, never = np.empty(0, np.int64), np.empty(0, np.bool_)
        yield Page(none, none, none, none, never, never)

    def cuts(self, picture: object, span: object, frames: Range, *rest: object) -> Cuts:
        """Those within some frames."""
        first = -(-max(1, frames.start) // self.shot) * self.shot
        return Cuts(frames=frames, cuts=tuple(range(first, frames.stop, self.shot)))

    def split(self, orders: list[SplitOrder]) -> Iterator[SplitRecord]:
        """Every chunk is the same one byte."""
        for one in orders:
            yield SplitRecord(digest=one.digest, media=MEDIA, packets=len(one.stamps))

    def render(self, orders: list[RenderOrder]) -> Iterator[FramesRendered | SegmentRecord]:
        """Every segment too."""
        for one in orders:
            yield FramesRendered(chunk=one.chunk, done=one.core.frames)
            for encoding in one.encodings:
                yield SegmentRecord(
                    digest=one.digest(encoding), frames=one.body(encoding), media=MEDIA, delay=0,
                    extradata_sha256="00", made_on="paper", seconds=0.0,
                )  # fmt: skip

    def finish(self, *asked: object) -> None:
        """Nothing is delivered."""


class WaitingFilm(LongFilm):
    """A long film whose chunks take `seconds` each to render; the device of a worker is at one call at a time."""

    def __init__(self, chunks: int, seconds: float) -> None:
        super().__init__(chunks * SHOT)
        self.seconds = seconds
        self._device = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.frames // SHOT, self.seconds)

    def render(self, orders: list[RenderOrder]) -> Iterator[FramesRendered | SegmentRecord]:
        """Each chunk as renderers tell of it: a word twice a second, and its record."""
        still, words = threading.Event(), max(1, round(2 * self.seconds))
        with self._device:
            for one in orders:
                due = time.monotonic()
                for word in range(1, words + 1):
                    due += self.seconds / words
                    still.wait(max(0.0, due - time.monotonic()))
                    yield FramesRendered(chunk=one.chunk, done=one.core.frames * word // words)
                yield from (found for found in super().render([one]) if isinstance(found, SegmentRecord))


class Actor:
    """A pool's worker, whatever pool: makes up what it is asked for."""

    def __init__(self, own: WaitingFilm) -> None:
        self._own = own

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._own, verb)
