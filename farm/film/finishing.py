"""Tells the finishers of one film what is finished, in film order, and holds the film back where quality control fails it."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from farm.film.calls import FinishCall
from farm.film.review.measured import MeasuredFilm
from jobs.ledger.finished_prefix import FinishedPrefix, name_of
from jobs.plan.sampling import SampledCore
from jobs.records.quality import FilmQuality

if TYPE_CHECKING:
    from farm.film.film_run import FilmRun


class Finishing:
    """How one film's run comes to its deliverables."""

    def __init__(self, film: FilmRun) -> None:
        self._film = film
        self.measured = MeasuredFilm(film)
        self.quality: FilmQuality | None = None
        """What was measured, once everything is rendered."""
        self._prefix = FinishedPrefix(film.ledger)
        self._told = 0  # chunks, from the film's first on, whose segments the finishers have been told of
        self._called = False

    @property
    def run(self) -> str:
        """What this run is called in the output's claims, and for its finishers."""
        return self._prefix.run

    @property
    def held_back(self) -> bool:
        """Whether quality control keeps the film from being delivered."""
        return self.quality is not None and bool(self.quality.judged("fail"))

    def give_up(self) -> None:
        """Something will not be made: nothing is delivered."""
        self._prefix.give_up()

    def calls(self) -> list[FinishCall]:
        """A call for each deliverable, once; and pages for the finishers, as the finished prefix grows."""
        self._tell()
        film = self._film
        if self._called or self.held_back:
            return []
        self._called = True
        for one in film.deliverables:
            if one.container == "hls":
                where = f"{film.survey.spec.output}/{one.file}/index.html"
                film.console.note(f"{one.file} can be watched while it grows: {where}")
        source = film.survey.source_frames()
        return [
            FinishCall(film.film, one, film.survey.timing(one), self._prefix.run, source) for one in film.deliverables
        ]

    def _tell(self) -> None:
        film, states = self._film, self._film.states
        if self._prefix.whole:
            return
        later = (states[number] for number in range(self._told + 1, len(states) + 1))
        for state in takewhile(lambda state: not state.missing, later):
            self._told += 1
            segments = {name_of(one): list(film.names(state.chunk, one).values()) for one in film.encodings}
            self._prefix.add(segments, SampledCore.of(state.chunk))
        whole = film.survey.done and self._told == len(states)
        if whole:
            film.console.stage("stitch")
            self.measured.read()
            self.quality = self.measured.quality()
            film.console.measured(self.quality)
        if self.held_back:
            self._prefix.give_up()
        else:
            self._prefix.turn(whole=whole)
