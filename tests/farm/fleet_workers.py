"""Plain classes for the fleet's tests: each goes wrong in one way. Promises to be importable by Ray's workers; knows no Ray."""

import errno
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from jobs.errors import BadLook, BadMedia, StoreFault
from jobs.store import open_store
from tests.waiting import hang, poll_until, take_time


def _times(marker: Path) -> int:
    """How often this has been called with one marker, over all processes."""
    with marker.open("ab") as file:
        file.write(b".")
    return marker.stat().st_size


class Clerk:
    """Does what it is asked."""

    def __init__(self, greeting: str = "hello") -> None:
        self.greeting = greeting

    def greet(self, name: str) -> str:
        return f"{self.greeting} {name}"

    def say_nothing(self) -> None:
        return None

    def setting(self, name: str) -> str | None:
        return os.environ.get(name)

    def store_at(self, place: str) -> str:
        """The place of a store, as this process may open it."""
        return open_store(place).url

    def count(self, number: int) -> Iterator[int]:
        yield from range(number)

    def who(self) -> Iterator[int]:
        yield os.getpid()

    def niceness(self) -> Iterator[int]:
        yield os.getpriority(os.PRIO_PROCESS, 0)

    def rest(self, seconds: float) -> Iterator[int]:
        take_time(seconds)
        yield os.getpid()

    def note(self, line: str, paper: Path) -> Iterator[str]:
        with paper.open("a") as file:
            file.write(line + "\n")
        yield line

    def meet(self, own: Path, other: Path) -> Iterator[bool]:
        """Says it is here, and waits until the other is."""
        own.touch()
        poll_until(other.exists, 30)
        yield True


class Unlucky:
    """Goes wrong, some times or always."""

    def raise_until(self, good: int, marker: Path) -> Iterator[int]:
        """Raises before the `good`-th time; a finding comes first."""
        tries = _times(marker)
        yield -tries
        if tries < good:
            raise ValueError(f"no luck at try {tries}")
        yield tries

    def fault_until(self, good: int, marker: Path) -> Iterator[int]:
        tries = _times(marker)
        if tries < good:
            raise StoreFault("slow down")
        yield os.getpid()

    def refuse(self, marker: Path) -> Iterator[int]:
        yield _times(marker)
        raise BadMedia("This is not a film: give another.")

    def die_until(self, good: int, marker: Path) -> Iterator[int]:
        """Loses its process before the `good`-th time, after one finding."""
        tries = _times(marker)
        yield -tries
        if tries < good:
            os.kill(os.getpid(), signal.SIGKILL)
        yield tries

    def hang_until(self, good: int, marker: Path) -> Iterator[int]:
        """Before the `good`-th time says nothing more, for good, as one does whose disk has gone."""
        tries = _times(marker)
        yield -tries
        if tries < good:
            hang()
        yield tries

    def raise_strangely(self) -> Iterator[int]:
        raise StrangeError(1, 2)
        yield 0


class Pair:
    """Is at two calls at a time."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2)
        self._seated, self._relieved = threading.Event(), threading.Event()

    def meet(self) -> Iterator[int]:
        """Ends only where two are at it in one process."""
        self._both.wait(60)
        yield os.getpid()

    def sit(self, marker: Path) -> Iterator[int]:
        """The first time sits there until its neighbour is at its end. Tells how often it was called."""
        tries = _times(marker)
        self._seated.set()
        if tries == 1:
            self._relieved.wait(600)
        yield tries

    def go_wrong(self, how: str, good: int, marker: Path) -> Iterator[int]:
        """Goes wrong before the `good`-th time; the first time only once a neighbour sits there. Tells how often it was called."""
        if (tries := _times(marker)) == 1:
            self._seated.wait(60)
        if tries < good:
            if how == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            raise StoreFault("slow down") if how == "fault" else ValueError("no luck")
        yield tries
        self._relieved.set()


class Crammed:
    """Has no room on its machine's disk."""

    def __init__(self, good: int, marker: Path) -> None:
        self._good, self._marker = good, marker

    def work(self) -> Iterator[int]:
        """Fails before the `good`-th time."""
        if (tries := _times(self._marker)) < self._good:
            raise OSError(errno.ENOSPC, "No space left on device", "/spool/a")
        yield tries


class StrangeError(Exception):
    """Cannot be unpickled: its constructor takes what its args do not hold."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Unfit:
    """Cannot be made: its weights are broken."""

    def __init__(self) -> None:
        raise BadLook("The weights are broken: fetch them again.")


class Doomed:
    """Cannot be made, for a reason nobody foresaw."""

    def __init__(self, marker: Path) -> None:
        raise RuntimeError(f"out of luck {_times(marker)}")


class Mortal:
    """Loses its process while it is made."""

    def __init__(self, marker: Path) -> None:
        _times(marker)
        os.kill(os.getpid(), signal.SIGKILL)


class LateRiser:
    """Takes long to be made, the first time."""

    def __init__(self, seconds: float) -> None:
        take_time(seconds)


class Toucher:
    """Runs a program that reads its input and changes the terminal, as `ffmpeg` does: in a background job of a terminal both are stopped."""

    def touch(self) -> tuple[bytes, bool]:
        """What its input had, and whether there was a terminal."""
        found = subprocess.run(["stty", "-F", "/dev/tty", "sane"], stderr=subprocess.DEVNULL, check=False)
        return subprocess.run(["cat"], stdout=subprocess.PIPE, check=True).stdout, found.returncode == 0


class Standing:
    """Its process stops at its first call, as by SIGSTOP."""

    def stand_until(self, good: int, marker: Path) -> int:
        tries = _times(marker)
        if tries < good:
            os.kill(os.getpid(), signal.SIGSTOP)
        return tries
