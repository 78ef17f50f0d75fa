"""Shows the progress of work on single pictures: evaluations, contact sheets, exported stills."""

import time
from collections.abc import Callable

from farm.fleet.calls import NoListener
from farm.progress.console import LINE_SECONDS, duration
from farm.progress.plain_console import PlainConsole


class EvaluationProgress(NoListener):
    """Tells people how far an evaluation is, or other work on pictures, and what goes wrong on the way, on standard error."""

    def __init__(
        self, console: PlainConsole | None = None, clock: Callable[[], float] = time.monotonic, done: str = "judged"
    ) -> None:
        """`done`: what becomes of a picture."""
        self.console = console or PlainConsole()
        self._clock = clock
        self._word = done
        self._began = self._said = clock()
        self._done = self._total = 0

    def begin(self, total: int, done: str | None = None) -> None:
        """So many pictures are to come. `done`: what becomes of them from now on."""
        self._total, self._began = total, self._clock()
        self._word = done or self._word

    def judged(self, done: int) -> None:
        """So many are, by now."""
        self._done = done
        if self._clock() - self._said >= LINE_SECONDS:
            self.say()

    def say(self) -> None:
        """How far it is."""
        self._said = self._clock()
        took = self._said - self._began
        left = (
            f", {duration(took / self._done * (self._total - self._done))} left" if 0 < self._done < self._total else ""
        )
        self.note(f"{self._word} {self._done:,} of {self._total:,} pictures in {duration(took)}{left}")

    def note(self, sentence: str) -> None:
        """A sentence for people."""
        self.console.note(sentence)

    def retried(self, pool: str, what: str, error: BaseException, tries: int) -> None:
        """A call has raised an error and is made again."""
        first = (str(error).strip().splitlines() or ["no message"])[0]
        self.note(f"{what}: {type(error).__name__}: {first} (error {tries}); trying again")

    def faulted(self, pool: str, what: str, fault: str, left_alone: bool) -> None:
        """A worker's machine is at fault, and what it was at is made elsewhere."""
        self.note(f"{what}: {fault}{'; the node is left alone' if left_alone else ''}; another {pool} takes over")

    def lost(self, pool: str, what: str, reason: str, free: bool) -> None:
        """A worker is gone, and what it was at is made again."""
        self.note(f"{what}: its {pool} {'was preempted' if free else f'is lost ({reason})'}; another one takes over")
