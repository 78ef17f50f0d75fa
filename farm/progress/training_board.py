"""The training board: shows people how a training is getting on, and keeps its metrics. Promises a bar on a terminal and plain sentences elsewhere; decides nothing.

All of it goes to standard error: standard output belongs to the command's own answer.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console

from farm.progress.bar import ProgressBar
from farm.progress.console import LINE_SECONDS, REFRESH_SECONDS, duration
from farm.progress.pace import FramesPerSecond
from farm.progress.training_metrics import TrainingMetrics
from jobs.records.training import CheckpointSaved, StepDone, TrainingFinished, TrainingStarted, Word
from jobs.spec.training_recipe import Recipe


class TrainingConsole:
    """One training's progress; a context manager."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        metrics: TrainingMetrics | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recipe = recipe
        self.metrics = metrics
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._clock = clock
        self._bar = ProgressBar(self.console, "starting", total=recipe.steps, width=11)
        self._shown_at = clock()
        self._tempo = FramesPerSecond(clock())
        self.step = 0
        self._phase = "starting"
        self._losses: dict[str, float] = {}
        self._last: CheckpointSaved | None = None

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)

    def hear(self, word: Word) -> None:
        """What the first worker tells."""
        match word:
            case TrainingStarted():
                self._began(word)
            case StepDone():
                self._learnt(word)
            case CheckpointSaved():
                self._kept(word)
            case TrainingFinished():
                self.note(f"made {word.place}, of step {word.step:,} (verdict {word.verdict:.4g})")

    def lost(self, reason: str) -> None:
        """Workers were lost; they begin again."""
        if self.metrics:
            self.metrics.restarted()
        self._phase = "starting"
        self.note(f"a worker is lost ({reason}); all begin again from the last checkpoint")

    def note(self, sentence: str) -> None:
        """A sentence for people, at once."""
        self.console.print(sentence, markup=False)

    def tick(self) -> None:
        """Time passes: shows what has changed, not too often."""
        if self._clock() - self._shown_at >= (REFRESH_SECONDS if self._bar else LINE_SECONDS):
            self._show()

    def rate(self) -> float | None:
        """Crops a second of this run, over the last minute; None before the first."""
        return self._tempo.rate(self._clock())

    def seconds_left(self) -> float | None:
        """Until the last step is done, at this pace; None where nothing is known."""
        rate = self.rate()
        return (self.recipe.steps - self.step) * self.recipe.batch / rate if rate else None

    def sentence(self) -> str:
        """How the training is getting on, in one line."""
        steps = self.recipe.steps
        parts = [f"{self.step:,} of {steps:,} steps ({100 * self.step // steps} %)"]
        rate, left = self.rate(), self.seconds_left()
        parts += [f"{rate:.1f} pictures/s"] if rate is not None else []
        parts += [f"{duration(left)} left"] if left else []
        parts += [f"{name} {value:.4g}" for name, value in self._losses.items()]
        parts += [f"verdict {self._last.verdict:.4g}"] if self._last else []
        return ", ".join(parts)

    def brief(self) -> str:
        """The same beside a bar, short enough for a terminal of 80 columns."""
        rate, left = self.rate(), self.seconds_left()
        parts = [f"{self.step:,}/{self.recipe.steps:,}"]
        parts += [f"{rate:.0f} pictures/s"] if rate is not None else []
        parts += [f"{duration(left)} left"] if left else []
        return ", ".join(parts + [f"{name} {value:.3g}" for name, value in list(self._losses.items())[:1]])

    def _began(self, word: TrainingStarted) -> None:
        self.step = word.step
        self._tempo = FramesPerSecond(self._clock())
        if self.metrics:
            self.metrics.began(word.step)
        going_on = f", going on after step {word.step:,}" if word.step else ""
        self.note(f"{word.learnt:,} pictures to learn from, {word.held_out:,} held out{going_on}")

    def _learnt(self, word: StepDone) -> None:
        self._tempo.add((word.step - self.step) * self.recipe.batch, self._clock())
        self.step, self._phase, self._losses = word.step, word.phase, word.losses
        if self.metrics:
            self.metrics.learnt(word, self.rate())
        self.tick()

    def _kept(self, word: CheckpointSaved) -> None:
        self._last = word
        if self.metrics:
            self.metrics.kept(word)
        figures = ", ".join(f"{name} {value:.4g}" for name, value in word.figures.items())
        best = ", the best so far" if word.best else ""
        self.note(f"checkpoint {word.step:,}: verdict {word.verdict:.4g}{best}; {figures}")

    def _show(self) -> None:
        self._shown_at = self._clock()
        if self._bar:
            self._bar.show(self._phase, self.brief(), done=self.step, total=self.recipe.steps)
        else:
            self.note(f"{self._phase}: {self.sentence()}")
