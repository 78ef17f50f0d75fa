"""Runs a generator ahead of its consumer in a thread of its own, with a bound on how many results lie ready.

Errors are raised at their place among the results, and no thread is left over.
"""

import threading
from collections import deque
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """A generator that is asked before anyone needs the answer. Used as a context, and iterated within by one thread.

    The generator is asked and closed in the thread alone, so what it opens it closes where it opened it. What it raises
    is raised to the consumer, after all that came before it. Leaving the context ends it at its next `yield`, and joins.
    """

    def __init__(self, made: Generator[T, None, None], depth: int) -> None:
        """`depth`: how many may lie ready; beside these there is one that the consumer has, and none is being made meanwhile where all lie ready."""
        self._made = made
        self._depth = depth
        self._ready: deque[T] = deque()
        self._changed = threading.Condition()
        self._left = self._over = False
        self._error: BaseException | None = None
        # A daemon, so that a process told to end need not wait for a fetch that hangs.
        self._thread = threading.Thread(target=self._make, name="ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._left = True
            self._changed.notify_all()
        self._thread.join()
        self._ready.clear()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over)
            if self._ready:
                self._changed.notify_all()
                return self._ready.popleft()
        error, self._error = self._error, None
        if error is None:
            raise StopIteration
        try:
            raise error
        finally:
            # This frame is in the error's traceback: named here, both would live on together, and with them every
            # tensor of the frames that failed, until the garbage is collected. A call made again for want of memory
            # needs that memory at once.
            del error

    def _make(self) -> None:
        try:
            while self._room():
                self._put(next(self._made))
        except StopIteration:
            pass
        except BaseException as error:  # whatever it is, it is the consumer's
            self._error = error
        try:
            self._made.close()
        except BaseException as error:
            self._error = self._error or error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _room(self) -> bool:
        """Waits until one more may be made; False where none is wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._left or len(self._ready) < self._depth)
            return not self._left

    def _put(self, one: T) -> None:
        with self._changed:
            self._ready.append(one)
            self._changed.notify_all()


class TurnLock:
    """One at a time, in the order in which they asked. (A Lock wakes whom it likes.)"""

    def __init__(self) -> None:
        self._line: deque[object] = deque()
        self._moved = threading.Condition()

    def __enter__(self) -> None:
        place = object()
        with self._moved:
            self._line.append(place)
            self._moved.wait_for(lambda: self._line[0] is place)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._moved:
            self._line.popleft()
            self._moved.notify_all()
