"""Shows how many frames a command has come to, where their number is not known before: `farm inspect` of two films, `farm qc`, `farm sample`."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from farm.progress.console import LINE_SECONDS, REFRESH_SECONDS
from farm.progress.plain_console import PlainConsole, ProgressBar
from jobs.errors import number_of


class FramesProgress:
    """A bar on a terminal, a line every few seconds elsewhere, on standard error; a context manager."""

    def __init__(
        self, verb: str, console: PlainConsole | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`verb`: what is done to the frames."""
        self._verb, self._clock = verb, clock
        self._console = console or PlainConsole()
        self._bar = ProgressBar(self._console, verb)
        self._began = self._shown_at = clock()

    def done(self, frames: int) -> None:
        """So many frames are."""
        now = self._clock()
        if now - self._shown_at < (REFRESH_SECONDS if self._bar else LINE_SECONDS):
            return
        self._shown_at = now
        said = f"{number_of(frames, 'frame')}, {frames / (now - self._began):,.1f} frames/s"
        if self._bar:
            self._bar.show(self._verb, said, done=0, total=None)
        else:
            self._console.note(f"{self._verb}: {said}")

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.__exit__(kind, error, at)
