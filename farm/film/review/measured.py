"""Reads what renderers measured of a film's segments, each once, and says what quality control makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from farm.film.review.background_reads import BackgroundReads
from jobs.ledger.ledger import figures_name
from jobs.plan.plan import Chunk, Range
from jobs.records.quality import FilmQuality
from jobs.review.figures import MeasuredShot, PieceFigures, quality_of
from jobs.review.plots import plots_of
from jobs.review.shown import ShownPlot

if TYPE_CHECKING:
    from farm.film.film_run import FilmRun


class MeasuredFilm:
    """The figures of one film's shots, as far as they are there."""

    def __init__(self, film: FilmRun) -> None:
        self._film = film
        self._figures = BackgroundReads(self._read)
        """By segment; None where nothing was measured."""

    def segments(self, chunk: Chunk) -> dict[Range, str]:
        """The segments that are shown of a chunk, and measured, by their frames."""
        return self._film.names(chunk, self._film.deliverables[0].encoding)

    def read(self, seconds: float = float("inf")) -> None:
        """Have the figures of what is finished by now read, and wait so long for them."""
        finished = [chunk for chunk in self._film.chunks if not self._film.states[chunk.number].missing]
        names = (name for chunk in finished for name in self.segments(chunk).values())
        self._figures.ask(name for name in names if name not in self._figures.found)
        self._figures.go_on(seconds)

    def go_on(self) -> None:
        """Read on in the background."""
        self._figures.go_on()

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
        known = [(frames, figures) for frames, name in names if (figures := self._figures.found.get(name))]
        measured = sum(frames.frames for frames, _ in known)
        frames = Range(chunks[0].core.start, chunks[-1].core.stop)
        pieces = [(frames.start, figures) for frames, figures in known]
        return MeasuredShot(number, frames, measured, pieces)

    def _read(self, segment: str) -> PieceFigures | None:
        return self._film.ledger.paper(figures_name(segment), PieceFigures)
