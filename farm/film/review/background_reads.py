"""Reads, or copies, small files by name in threads, each once, so that nobody waits for a distant bucket who has other work."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
        self._begun: dict[Future[Found], str] = {}

    def ask(self, names: Iterable[str]) -> None:
        """Have these read, those that were not asked for yet."""
        fresh = [name for name in dict.fromkeys(names) if name not in self._asked]
        self._asked.update(fresh)
        self._waiting.extend(fresh)

    def go_on(self, seconds: float = 0.0) -> None:
        """Take what has come, begin what comes next, and wait so long for what is asked for. Raises what reading raised."""
        until = time.monotonic() + seconds
        self._take()
        while self._begun and (left := until - time.monotonic()) > 0:
            wait(self._begun, None if left == float("inf") else left, FIRST_COMPLETED)
            self._take()

    def _take(self) -> None:
        for future in [one for one in self._begun if one.done()]:
            name = self._begun.pop(future)
            self._asked.discard(name)  # one that failed, or was not there yet, may be asked for again
            self.found[name] = future.result()
        while self._waiting and len(self._begun) < AHEAD:
            name = self._waiting.popleft()
            self._begun[self._pool.submit(self._read, name)] = name
