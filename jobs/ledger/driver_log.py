"""The driver's log, kept as text in the job's folder, so that any machine that sees the store can read it.

A log that grows too long keeps its end.

logs/<began>-<random>.txt, one for each run of a job. Every line begins with the time (UTC) of what it says. An object in a
bucket cannot be appended to, so it is written anew about every ten seconds while it grows, and at its end.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex
from types import TracebackType
from typing import NamedTuple, Self

from jobs.errors import BadStore, FarmError, StoreDown, StoreFault
from jobs.ledger.ledger import Ledger
from jobs.untrusted import spoken

FOLDER = "logs/"
"""Where they lie in a job's folder; in order of their names as they began."""
WRITE_SECONDS = 10.0
"""Between two writings."""
MOST = 1 << 20
"""Bytes that are kept: earlier lines go first."""

_LEFT_OUT = re.compile(r"\[(\d{1,15}) earlier lines are left out\]")
_ENDED = re.compile(r"\S+ \S+ ended with exit code (0|1|2|130)")
_STOPPED = 130


class DriverLog:
    """One run's; a context manager, whose last words are how the run ended. A store that fails ends no film: the next writing has it all."""

    def __init__(self, ledger: Ledger, *, clock: Callable[[], float] = time.time, most: int = MOST) -> None:
        """`clock`: Unix time in seconds."""
        self._ledger, self._clock, self._most = ledger, clock, most
        self.name = f"{FOLDER}{datetime.fromtimestamp(clock(), UTC):%Y%m%dT%H%M%SZ}-{token_hex(2)}.txt"
        self._lines: deque[bytes] = deque()
        self._bytes = self._left_out = 0
        self._grown = False
        self._written = float("-inf")

    def note(self, sentence: str) -> None:
        """Some lines more, at the time that it is; without credentials, and with nothing that steers a terminal."""
        stamp = f"{datetime.fromtimestamp(self._clock(), UTC):%Y-%m-%d %H:%M:%S}"
        for said in sentence.splitlines():
            line = f"{stamp} {spoken(said)}\n".encode("utf-8", "replace")
            self._lines.append(line)
            self._bytes += len(line)
        while self._bytes > self._most:
            self._bytes -= len(self._lines.popleft())
            self._left_out += 1
        self._grown = True

    @property
    def due(self) -> bool:
        """It is time to write again."""
        return abs(self._clock() - self._written) >= WRITE_SECONDS  # a clock may be set back

    def write(self) -> None:
        """Put it into the store, where it has grown."""
        if self._grown:
            head = f"[{self._left_out} earlier lines are left out]\n".encode() if self._left_out else b""
            self._written = self._clock()
            with suppress(BadStore, StoreDown, StoreFault):
                self._ledger.store.write(self._ledger.key(self.name), head + b"".join(self._lines))
                self._grown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        code = 0
        if isinstance(error, FarmError):
            code = error.exit_code
            self.note(str(error))
        elif isinstance(error, KeyboardInterrupt):
            code = _STOPPED
            self.note("Stopped. Finished work is kept; the same command resumes from here.")
        elif error is not None:
            code = 1
            self.note(f"{type(error).__name__}: a fault of the farm's own; the driver has told more on its screen.")
        self.note(f"ended with exit code {code}")
        self.write()


class LogText(NamedTuple):
    """A logbook as it lies in the store."""

    name: str
    first: int
    """Number of its first line, from 0: how many are left out before it."""
    lines: tuple[str, ...]

    @property
    def exit_code(self) -> int | None:
        """How the run ended; None where it has not, or was killed."""
        found = _ENDED.fullmatch(self.lines[-1]) if self.lines else None
        return int(found[1]) if found else None


def last_log(ledger: Ledger) -> LogText | None:
    """The log of a job's last run that has written one."""
    name = max(ledger.names(FOLDER), default=None)
    data = ledger.read(name) if name else None
    if name is None or data is None:
        return None
    lines = data.decode("utf-8", "replace").splitlines()
    left_out = _LEFT_OUT.fullmatch(lines[0]) if lines else None
    return LogText(name, int(left_out[1]) if left_out else 0, tuple(lines[1:] if left_out else lines))
