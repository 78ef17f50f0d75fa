"""A board whose sentences are kept: what it tells people goes into the job's logbook too. Promises a line about the film's progress at each writing; decides nothing."""

from __future__ import annotations

from rich.console import Console

from farm.progress.console import ProgressConsole
from farm.progress.metrics import FilmMetrics
from jobs.ledger.driver_log import DriverLog


class LoggedConsole(ProgressConsole):
    """A board with a logbook, which its owner closes."""

    def __init__(self, log: DriverLog, *, metrics: FilmMetrics | None = None, console: Console | None = None) -> None:
        super().__init__(metrics=metrics, console=console)
        self._log = log
        self._logged = ""

    def note(self, sentence: str) -> None:
        super().note(sentence)
        self._log.note(sentence)

    def tick(self) -> None:
        super().tick()
        if self._log.due:
            if self.progress != self._logged:
                self._logged = self.progress
                self._log.note(self.progress)
            self._log.write()
