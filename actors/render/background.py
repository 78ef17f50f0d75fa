"""Runs one piece of work in a thread of its own, and hands its answer or its error to whoever asks."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundWork(Generic[T]):
    """Work that goes on from now on, beside the thread that will want its answer."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._made: list[T] = []
        self._error: BaseException | None = None
        # A daemon, so that a process told to end need not wait for an upload that hangs.
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether there is an answer, or an error, and no thread any more."""
        return not self._thread.is_alive()

    def answer(self) -> T:
        """What the work gave; waits for it. Raises what it raised, as it was. To be asked once."""
        self._thread.join()
        error, self._error = self._error, None
        if error is None:
            return self._made.pop()
        try:
            raise error
        finally:
            del error  # as in `Prefetch.__next__`: this frame is in the error's traceback

    def _run(self) -> None:
        try:
            self._made.append(self._work())
        except BaseException as error:  # whatever it is, it is for whoever asks
            self._error = error
