"""Reads, or copies, small files by name in threads, each once, so that nobody waits for a distant bucket who has other work."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf
from typing import Generic, TypeVar

ABREAST = 8
"""Files at a time: a bucket answers each in a tenth of a second."""
AHEAD = 4 * ABREAST
"""Files that are begun, at most: so many are still seen to where a film's run ends before all were asked for."""
Found = TypeVar("Found")


class BackgroundReads(Generic[Found]):
    """What is read of each name. Go on with it often: nothing is begun in between."""

    def __init__(self, read: Callable[[str], Found]) -> None:
        self.found: dict[str, Found] = {}
        self._read = read
        self._pool = ThreadPoolExecutor(ABREAST)
        self._asked: set[str] = set()
        self._waiting: deque[str] = deque()
        self._begun: deque[tuple[str, Future[Found]]] = deque()

    def ask(self, names: Iterable[str]) -> None:
        """Have these read, those that were not asked for yet."""
        fresh = [name for name in dict.fromkeys(names) if name not in self._asked]
        self._asked.update(fresh)
        self._waiting.extend(fresh)

    def go_on(self, seconds: float = 0.0) -> None:
        """Take what has come, in the order in which it was asked for, begin what comes next, and wait so long for what is asked for. Raises what reading raised."""
        until = time.monotonic() + seconds
        self._begin()
        while self._begun:
            name, reading = self._begun[0]
            left = max(0.0, until - time.monotonic())
            try:
                reading.exception(None if left == inf else left)
            except TimeoutError:
                return
            self._begun.popleft()
            self._asked.discard(name)  # one that failed, or was not there yet, may be asked for again
            self._begin()
            self.found[name] = reading.result()

    def _begin(self) -> None:
        while self._waiting and len(self._begun) < AHEAD:
            name = self._waiting.popleft()
            self._begun.append((name, self._pool.submit(self._read, name)))
