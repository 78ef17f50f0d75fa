"""A film of any length that is nothing but paper: its index, its cuts, and crews whose findings are made up. Promises a real driver's whole work; holds no picture.

With it the driver itself is measured: scout, plan, production and ledger are the real ones, and nobody else does anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from actors.pages import FIRST_PAGE, PAGE
from farm.calls import Call
from jobs.deliverables import DeliverablePlan
from jobs.film import Film
from jobs.formats import Codec, Deliverable
from jobs.index import Page
from jobs.media import Media
from jobs.plan import Range
from jobs.records import Cuts, FramesRendered, RenderOrder, SegmentRecord, SplitOrder, SplitRecord
from tests.farm.inline import InlineFleet
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


class PaperFleet(InlineFleet):
    """Every call is made of one long film; of each verb in `unmade` nothing is."""

    def __init__(self, film: LongFilm, *unmade: str) -> None:
        super().__init__()
        self.film = film
        self.unmade = unmade

    def _made_by(self, call: Call) -> Iterator[Any]:
        if call.verb in self.unmade:
            return
        found = getattr(self.film, call.verb)(*call.args)
        if isinstance(found, Iterator):
            yield from found
        elif found is not None:
            yield found
