"""Quarantines chunks that failed too often, with a report for each, and decides what then becomes of the film.

By the spec's `on_error`: fail and hold make the rest and deliver nothing; passthrough has the source's own frames stand in
for the chunk, and grey where even these go wrong.
"""

import shlex

from actors.looks import fit
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import RetriesExhausted
from farm.progress.console import ProgressConsole
from jobs.errors import FilmFailed, number_of
from jobs.ledger.quarantine import Quarantine, quarantine_digest
from jobs.plan.plan import Chunk
from jobs.records.report import Quarantined
from jobs.spec.job import LookChoice

HOPELESS = 3
"""Chunks set aside while none was ever made: then it is the look, or the machines, and trying all the others would only cost."""


class QuarantinedChunks:
    """The chunks of one film that were set aside, by this run or by others before it."""

    def __init__(self, survey: SurveyRun, console: ProgressConsole) -> None:
        self.survey = survey
        self.console = console
        self.passes = survey.spec.on_error == "passthrough"
        self.reports: dict[int, Quarantined] = {}
        """By chunk of the plan."""
        none = fit(LookChoice(name="none")) if self.passes else None
        self._quarantine = Quarantine(survey.ledger, survey.film, none)
        self._now = 0  # by this run

    @property
    def held(self) -> set[int]:
        """Chunks that are not made, and without which nothing is delivered."""
        return set() if self.passes else set(self.reports)

    def standing(self, number: int) -> Chunk:
        """What is made in the place of a chunk of the plan: itself, unless it was set aside."""
        planned = self.survey.plan.chunks
        report = self._quarantine.report_of(planned[number - 1])
        if report and number not in self.reports:
            self._tell(number, report)
        return self._quarantine.standing(planned, number)

    def add(self, chunk: Chunk, spent: RetriesExhausted, made: int) -> None:
        """A chunk's budget is spent, `made` others are there: put it on paper. Raises FilmFailed where there is no use in going on."""
        planned = self.survey.plan.chunks[chunk.number - 1]
        if chunk.look.stand_in == "grey":
            raise FilmFailed(
                f"Not even grey can stand in for chunk {chunk.number}: {spent.last}. Finished work is kept: correct that, and the same command resumes."
            )
        report = Quarantined(
            digest=quarantine_digest(self.survey.film, planned),
            chunk=planned.number,
            shot=planned.shot,
            frames=planned.core,
            look=planned.look.title,
            error=spent.last,
            attempts=spent.errors,
            losses=spent.losses,
            stand_in="grey" if chunk.look.stand_in else "source",
        )
        if chunk.look.stand_in:  # why the chunk itself failed is what matters
            first = self.reports[chunk.number]
            report = first.model_copy(update={"stand_in": "grey"})
        self._quarantine.keep(report)
        self._tell(chunk.number, report)
        self._now += 1
        if self._now >= HOPELESS and not made:
            raise FilmFailed(
                f"{number_of(self._now, 'chunk')} set aside and none could be made, at last {report.sentence}. "
                f"Correct the cause, then {self._retry}, and run the job again."
            )

    def refuse(self) -> None:
        """Raises FilmFailed where the film is not delivered for what was set aside."""
        if not self.held:
            return
        first = self.reports[min(self.reports)]
        others = f", and {len(self.reports) - 1} more" if len(self.reports) > 1 else ""
        verdict = "is held" if self.survey.spec.on_error == "hold" else "failed"
        raise FilmFailed(
            f"The film {verdict}: {first.sentence}{others}. Everything else is made and kept: correct the cause, then "
            f"{self._retry}, and run the job again; or set on_error: passthrough to have the source's own frames there."
        )

    @property
    def _retry(self) -> str:
        return f"`farm retry {shlex.quote(self.survey.spec.store)} --job {shlex.quote(self.survey.spec.key)}`"

    def _tell(self, number: int, report: Quarantined) -> None:
        self.reports[number] = report
        flagged = self.reports.values()
        frames = sum(one.frames.frames for one in flagged) if self.passes else 0
        self.console.quarantined(len(self.reports), frames, report.sentence)
