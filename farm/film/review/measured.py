"""Reads what renderers measured of a film's segments, each once, and says what quality control makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from jobs.ledger.ledger import figures_name
from jobs.plan.plan import Chunk, Range
from jobs.records.quality import FilmQuality
from jobs.review.figures import MeasuredShot, PieceFigures, quality_of
from jobs.review.plots import plots_of
from jobs.review.shown import ShownPlot

if TYPE_CHECKING:
    from farm.film.film_run import FilmRun

ABREAST = 8
"""Documents and pictures read at a time: a bucket answers each in a tenth of a second."""
Found = TypeVar("Found")


def in_time(read: Callable[[str], Found], names: Sequence[str], seconds: float) -> Iterator[tuple[str, Found]]:
    """What is read of each name, in order, for about so many seconds; some are read even where there are none left."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(ABREAST) as pool:
        for first in range(0, len(names), 4 * ABREAST):
            some = names[first : first + 4 * ABREAST]
            yield from zip(some, pool.map(read, some), strict=True)
            if time.monotonic() > until:
                break


class MeasuredFilm:
    """The figures of one film's shots, as far as they are there."""

    def __init__(self, film: FilmRun) -> None:
        self._film = film
        self._figures: dict[str, PieceFigures | None] = {}
        """By segment; None where nothing was measured."""

    def segments(self, chunk: Chunk) -> dict[Range, str]:
        """The segments that are shown of a chunk, and measured, by their frames."""
        return self._film.names(chunk, self._film.deliverables[0].encoding)

    def read(self, seconds: float = float("inf")) -> None:
        """Read the figures of what is finished by now, for about so many seconds."""
        finished = [chunk for chunk in self._film.chunks if not self._film.states[chunk.number].missing]
        unread = [name for chunk in finished for name in self.segments(chunk).values() if name not in self._figures]
        self._figures.update(in_time(self._read, unread, seconds))

    def quality(self) -> FilmQuality:
        """Of all shots that are planned, as far as their figures are read."""
        return quality_of(self._shots(), self._film.survey.spec.qc)

    def plots(self) -> tuple[ShownPlot, ...]:
        """The same as curves over the film."""
        return tuple(plots_of(self._shots(), self._film.survey.spec.qc))

    def _shots(self) -> list[MeasuredShot]:
        grouped = groupby(self._film.chunks, key=lambda chunk: chunk.shot)
        return [self._shot(number, list(chunks)) for number, chunks in grouped]

    def _shot(self, number: int, chunks: Sequence[Chunk]) -> MeasuredShot:
        names = [found for chunk in chunks for found in self.segments(chunk).items()]
        known = [(frames, figures) for frames, name in names if (figures := self._figures.get(name))]
        measured = sum(frames.frames for frames, _ in known)
        frames = Range(chunks[0].core.start, chunks[-1].core.stop)
        pieces = [(frames.start, figures) for frames, figures in known]
        return MeasuredShot(number, frames, measured, pieces)

    def _read(self, segment: str) -> PieceFigures | None:
        return self._film.ledger.paper(figures_name(segment), PieceFigures)
