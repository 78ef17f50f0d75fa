"""Compares a deliverable with its source, decoded anew frame by frame, and names the first frame where they part.

Uses no chunk and no segment.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple, Protocol

from av.video.frame import VideoFrame

from actors.media.container import opened
from actors.verify.fidelity import FidelityCheck, Verdict
from actors.verify.timed_frames import Numbered, TimedFrames
from jobs.film.source import Film
from jobs.plan.plan import Range
from jobs.plan.sampling import SampledCore, SourceFrames, runs_to_compare
from jobs.records.orders import Encoding
from jobs.records.report import SourceProof

FEW = 20
"""Findings that are told one by one."""


class Pictures(Protocol):
    """A deliverable's frames by number: see `TimedFrames`."""

    def runs(self, wanted: Sequence[Range]) -> Numbered:
        """The frames of each run, in order; None for one that cannot be decoded."""


class _Pair(NamedTuple):
    number: int
    ours: VideoFrame | None
    theirs: VideoFrame | None


class SourceComparison:
    """One deliverable's comparison with its source."""

    def __init__(
        self, source: str, film: Film, encoding: Encoding, frames: SourceFrames, cores: Sequence[SampledCore]
    ) -> None:
        """`source`: a path or URL; `cores`: of all chunks, in film order; they may be added to until the comparison begins."""
        self._film, self._encoding, self._frames, self._cores = film, encoding, frames, cores
        self._source = TimedFrames(partial(opened, source), film.picture.stream, frames.pts, frames.entries)
        self._judge = FidelityCheck(film.picture, encoding)
        self._counts = dict.fromkeys(("equal", "near", "likeness", "unread"), 0)
        self._compared = bytearray(len(frames.pts))
        self._difference, self._difference_at = 0.0, -1

    @property
    def wanted(self) -> list[Range]:
        """The frames that are compared."""
        return runs_to_compare(self._frames, [one.start for one in self._cores])

    def findings(self, ours: Numbered, again: Pictures) -> Iterator[str]:
        """In sentences, which frames are not the source's. `ours`: the deliverable's frames of `wanted`; `again`: to decode some a second time.

        Raises BadMedia where the source cannot be opened.
        """
        suspects: list[int] = []
        for pair, around in _with_neighbours(ours, self._source.runs(self.wanted)):
            if pair.ours is None:
                yield f"frame {pair.number} cannot be decoded from the deliverable at its time"
            elif pair.theirs is None:
                self._counts["unread"] += 1
            else:
                verdict = self._verdict(pair, around)
                self._count(pair.number, verdict)
                suspects += [pair.number] if verdict.wrong else []
        yield from self._confirmed(suspects, again)

    @property
    def proof(self) -> SourceProof:
        """What it came to."""
        compared, frames = self._compared, len(self._compared)
        edges = sum(
            all(compared[max(0, edge - 1) : min(frames, edge + 1)])
            for edge in (*(one.start for one in self._cores), frames)
        )
        return SourceProof(
            compared=sum(compared),
            decoded=self._source.decoded,
            edges=edges,
            difference=round(self._difference, 4),
            difference_at=self._difference_at if self._difference else None,
            **self._counts,
        )

    def _verdict(self, pair: _Pair, around: dict[int, VideoFrame]) -> Verdict:
        assert pair.ours is not None
        assert pair.theirs is not None
        place = bisect_right(self._cores, pair.number, key=lambda core: core.start) - 1
        keeps = self._cores[place].keeps if place >= 0 else ""
        return self._judge.verdict(pair.ours, pair.theirs, around, keeps)

    def _count(self, number: int, verdict: Verdict) -> None:
        if verdict.how:
            self._counts[verdict.how] += 1
            self._compared[number] = 1
        if verdict.difference > self._difference:
            self._difference, self._difference_at = verdict.difference, number

    def _confirmed(self, suspects: Sequence[int], again: Pictures) -> Iterator[str]:
        """What is wrong, where a decoding from the film's beginning says so too: after a seek a demuxer may reckon other times."""
        few = suspects[:FEW]
        near = sorted({one for number in few for one in (number - 1, number, number + 1) if self._holds(one)})
        theirs = self._source.serially(near)
        ours = (again_at(again, number) if number in few else (number, None) for number in near)
        told = 0
        for pair, around in _with_neighbours(ours, theirs):
            if pair.ours is None:
                continue
            if pair.theirs is None:  # damaged: what it is nobody can say
                self._counts["unread"] += 1
                continue
            if wrong := self._verdict(pair, around).wrong:
                told += 1
                yield f"frame {pair.number} {wrong}"
        if told and len(suspects) > FEW:
            yield f"and {len(suspects) - FEW:,} more frames are not the source's"

    def _holds(self, number: int) -> bool:
        return 0 <= number < len(self._compared)


def again_at(pictures: Pictures, number: int) -> tuple[int, VideoFrame | None]:
    """One frame by itself."""
    return next(iter(pictures.runs([Range(number, number + 1)])))


def _with_neighbours(
    ours: Iterable[tuple[int, VideoFrame | None]], theirs: Numbered
) -> Iterator[tuple[_Pair, dict[int, VideoFrame]]]:
    """Each pair with the source's frames just before and after it, where these are among them."""
    before: _Pair | None = None
    now: _Pair | None = None
    pairs: Iterable[_Pair | None] = (_paired(one, other) for one, other in zip(ours, theirs, strict=False))
    for after in chain(pairs, (None,)):
        if now is not None:
            beside = (one for one in (before, after) if one is not None and abs(one.number - now.number) == 1)
            yield now, {one.number: one.theirs for one in beside if one.theirs is not None}
        before, now = now, after


def _paired(ours: tuple[int, VideoFrame | None], theirs: tuple[int, VideoFrame | None]) -> _Pair:
    assert ours[0] == theirs[0]
    return _Pair(ours[0], ours[1], theirs[1])
