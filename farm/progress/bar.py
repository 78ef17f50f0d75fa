"""The bar: how far something is, in one line of a terminal that is drawn anew. Promises to show nothing elsewhere; knows not what it counts."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


class ProgressBar:
    """A context manager. True where there is a terminal to show it on."""

    def __init__(self, console: Console, stage: str, *, total: int | None = None, width: int = 8) -> None:
        """`stage`: the word before it, `width` its place in characters. `total`: None while it is not known."""
        self._progress: Progress | None = None
        if console.is_terminal:
            parts = (TextColumn(f"{{task.description:{width}}}"), BarColumn(16), TextColumn("{task.fields[says]}"))
            self._progress = Progress(*parts, console=console, auto_refresh=False, transient=True, expand=True)
            self._line = self._progress.add_task(stage, total=total, says="")

    def __bool__(self) -> bool:
        return self._progress is not None

    def show(self, stage: str, says: str, *, done: int, total: int | None) -> None:
        """How far it is now, and what is said beside it."""
        if self._progress:
            self._progress.update(self._line, description=stage, total=total, completed=done, says=says, refresh=True)

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress:
            self._progress.stop()
