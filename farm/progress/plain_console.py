"""Sentences, tables and a bar for people, on standard error: every text is shown as plain text in bounds, never as markup.

Nothing else in the farm imports rich (tests/test_architecture.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from rich import progress as rich_progress
from rich.console import Console
from rich.table import Table
from rich.text import Text

from farm.progress.plain_output import plain

LONGEST_CELL = 2048
"""Characters of a line in a table's cell."""
MOST_ROWS = 20_000
"""Of one table: the shots of a long film are far fewer."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and whether it holds figures, which stand to the right."""

    head: str
    right: bool = False


class PlainConsole:
    """A terminal, or a file, that people read; standard error by default."""

    def __init__(
        self,
        file: IO[str] | None = None,
        *,
        terminal: bool | None = None,
        width: int | None = None,
        quiet: bool = False,
    ) -> None:
        """`terminal`: whether it is one; None: found out. `width`: in characters, of what is no terminal with a width of its own. `quiet`: nothing is shown."""
        self._console = Console(file=file, stderr=file is None, force_terminal=terminal, quiet=quiet, highlight=False)
        if width and (terminal or not self._console.is_terminal):
            self._console.width = width

    @property
    def is_terminal(self) -> bool:
        """Whether people see it as it is written."""
        return self._console.is_terminal

    @property
    def width(self) -> int:
        """In characters."""
        return self._console.width

    @property
    def encoding(self) -> str:
        """Of what is written, as in utf-8."""
        return self._console.encoding

    def note(self, sentence: str) -> None:
        """A sentence, or some lines, at once; broken nowhere."""
        self._console.print(Text(plain(sentence)), soft_wrap=True)

    def table(
        self,
        title: str,
        rows: Iterable[Sequence[str]],
        columns: Sequence[Column] = (),
        *,
        ruled: bool = False,
    ) -> None:
        """A table; without `columns` each row is a name and a value. `ruled`: lines between rows."""
        table = Table(title=Text(plain(title, LONGEST_CELL)), show_header=bool(columns), show_lines=ruled)
        for column in columns or (Column("name"), Column("value")):
            head = Text(plain(column.head, LONGEST_CELL))
            table.add_column(head, justify="right" if column.right else "left", overflow="fold")
        for row, _ in zip(rows, range(MOST_ROWS), strict=False):
            table.add_row(*(Text(plain(cell, LONGEST_CELL)) for cell in row))
        self._console.print(table)


class ProgressBar:
    """One line of a terminal that is drawn anew, twice a second at least, and nothing elsewhere; a context manager. True where there is a terminal."""

    def __init__(self, console: PlainConsole, stage: str, *, total: int | None = None, width: int = 8) -> None:
        """`stage`: the word before it, `width` its place in characters. `total`: None while it is not known."""
        self._progress: rich_progress.Progress | None = None
        if console.is_terminal:
            stage_column = rich_progress.TextColumn(f"{{task.description:{width}}}", markup=False)
            says_column = rich_progress.TextColumn("{task.fields[says]}", markup=False)
            self._progress = rich_progress.Progress(
                stage_column,
                rich_progress.BarColumn(16),
                says_column,
                console=console._console,
                refresh_per_second=2,
                transient=True,
                expand=True,
            )
            self._line = self._progress.add_task(plain(stage), total=total, says="")

    def __bool__(self) -> bool:
        return self._progress is not None

    def show(self, stage: str, says: str, *, done: int, total: int | None) -> None:
        """How far it is now, and what is said beside it."""
        if self._progress:
            said = plain(says, LONGEST_CELL)
            self._progress.update(
                self._line, description=plain(stage), total=total, completed=done, says=said, refresh=True
            )

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress:
            self._progress.stop()
