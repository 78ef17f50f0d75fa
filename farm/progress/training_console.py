"""Shows a training's progress on standard error: a bar on a terminal, plain sentences elsewhere."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from farm.progress.console import LINE_SECONDS, REFRESH_SECONDS, duration
from farm.progress.plain_console import PlainConsole, ProgressBar
from farm.progress.progress import FramesPerSecond
from jobs.errors import number_of
from jobs.records.training import CheckpointSaved, StepDone, TrainingFinished, TrainingStarted, Word
from jobs.spec.training_recipe import Recipe


@dataclass
class TrainingProgress:
    """How far one training is."""

    recipe: Recipe
    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    step: int = 0
    phase: str = "starting"
    losses: dict[str, float] = field(default_factory=dict)
    """Of the last step told."""
    last: CheckpointSaved | None = None
    best_verdict: float | None = None
    """Of this run."""
    pictures_per_second: float | None = None
    """Crops, over the minute before the last step told."""
    restarts: int = 0
    last_progress: float = field(default_factory=time.time)
    """Unix time of the last step, or of the start."""

    def __post_init__(self) -> None:
        self.began = self.last_progress
        self._speed = FramesPerSecond(self.clock)

    def started(self, message: TrainingStarted) -> None:
        """Workers go on after a step."""
        self.step = message.step
        self._speed = FramesPerSecond(self.clock)

    def step_done(self, message: StepDone) -> None:
        """A step is done."""
        self._speed.add((message.step - self.step) * self.recipe.batch)
        self.step, self.phase, self.losses = message.step, message.phase, message.losses
        self.pictures_per_second = self.rate() or self.pictures_per_second
        self.last_progress = time.time()

    def saved(self, message: CheckpointSaved) -> None:
        """A checkpoint is kept."""
        self.last = message
        if message.best:
            self.best_verdict = message.verdict

    def lost(self) -> None:
        """Workers were lost; they begin again."""
        self.restarts += 1
        self.phase = "starting"

    def rate(self) -> float | None:
        """Crops a second of this run, over the last minute; None before the first."""
        return self._speed.rate()

    def seconds_left(self) -> float | None:
        """Until the last step is done, at this rate; None where nothing is known."""
        rate = self.rate()
        return (self.recipe.steps - self.step) * self.recipe.batch / rate if rate else None


class TrainingConsole:
    """Whom a training's driver tells: shows people its progress. A context manager."""

    def __init__(self, progress: TrainingProgress, *, console: PlainConsole | None = None) -> None:
        self.progress = progress
        self.console = console or PlainConsole()
        self._bar = ProgressBar(self.console, progress.phase, total=progress.recipe.steps, width=11)
        self._shown_at = progress.clock()

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)

    def hear(self, message: Word) -> None:
        """What the first worker tells."""
        match message:
            case TrainingStarted():
                self.progress.started(message)
                going_on = f", going on after step {message.step:,}" if message.step else ""
                self.note(
                    f"{number_of(message.learnt, 'picture')} to learn from, {message.held_out:,} held out{going_on}"
                )
            case StepDone():
                self.progress.step_done(message)
                self.tick()
            case CheckpointSaved():
                self.progress.saved(message)
                figures = ", ".join(f"{name} {value:.4g}" for name, value in message.figures.items())
                best = ", the best so far" if message.best else ""
                self.note(f"checkpoint {message.step:,}: verdict {message.verdict:.4g}{best}; {figures}")
            case TrainingFinished():
                self.note(f"made {message.place}, of step {message.step:,} (verdict {message.verdict:.4g})")

    def lost(self, reason: str) -> None:
        """Workers were lost; they begin again."""
        self.progress.lost()
        self.note(f"a worker is lost ({reason}); all begin again from the last checkpoint")

    def note(self, sentence: str) -> None:
        """A sentence for people, at once."""
        self.console.note(sentence)

    def tick(self) -> None:
        """Time passes: shows what has changed, not too often."""
        if self.progress.clock() - self._shown_at >= (REFRESH_SECONDS if self._bar else LINE_SECONDS):
            self._show()

    def sentence(self) -> str:
        """How the training is getting on, in one line."""
        progress, steps = self.progress, self.progress.recipe.steps
        parts = [f"{progress.step:,} of {steps:,} steps ({100 * progress.step // steps} %)", *self._speed(1)]
        parts += [f"{name} {value:.4g}" for name, value in progress.losses.items()]
        return ", ".join(parts + ([f"verdict {progress.last.verdict:.4g}"] if progress.last else []))

    def brief(self) -> str:
        """The same beside a bar, short enough for a terminal of 80 columns."""
        progress = self.progress
        parts = [f"{progress.step:,}/{progress.recipe.steps:,}", *self._speed(0)]
        return ", ".join(parts + [f"{name} {value:.3g}" for name, value in list(progress.losses.items())[:1]])

    def _speed(self, digits: int) -> list[str]:
        rate, left = self.progress.rate(), self.progress.seconds_left()
        parts = [f"{rate:.{digits}f} pictures/s"] if rate is not None else []
        return parts + ([f"{duration(left)} left"] if left else [])

    def _show(self) -> None:
        progress = self.progress
        self._shown_at = progress.clock()
        if self._bar:
            self._bar.show(progress.phase, self.brief(), done=progress.step, total=progress.recipe.steps)
        else:
            self.note(f"{progress.phase}: {self.sentence()}")
