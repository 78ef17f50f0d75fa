"""Asks the head of a Ray cluster again and again whether it is alive, while other work goes on.

A head that does not answer is reported lost before Ray would end this process without a message.
"""

import threading
import time
from collections.abc import Callable
from queue import Empty, Queue
from typing import TypeVar

from jobs.errors import FilmFailed

ASK_SECONDS = 5.0
"""Between two questions, and what an answer may take."""
MISSED = 6
"""Questions without an answer, one after another, after which the head is lost: half a minute. After a whole one Ray itself would end
this process, without a word. For how long this process itself was stopped does not count."""
_LOOK_SECONDS = 0.5

Found = TypeVar("Found")


class Heartbeat:
    """Asks in a thread of its own until it is ended. `ask` raises where the head does not answer in time."""

    def __init__(self, ask: Callable[[], object], what: str, pause: float = ASK_SECONDS) -> None:
        """`what`: the head, for people. `pause`: seconds between two questions."""
        self._ask, self._what, self._pause = ask, what, pause
        self._missed = 0
        self._ended = threading.Event()
        self._asking: threading.Thread | None = None
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="heartbeat")
        self._thread.start()

    @property
    def missed(self) -> bool:
        """The last question was not answered: whatever else is asked of the head may not be either."""
        return self._missed > 0

    @property
    def lost(self) -> bool:
        """The head is taken for gone."""
        return self._missed >= MISSED

    def check(self) -> None:
        """Raises FilmFailed where the head is lost."""
        if self.lost:
            raise FilmFailed(
                f"{self._what} has not answered for {MISSED * self._pause:.0f} s: it has ended or cannot be reached, and its cluster "
                "cannot be worked with. Finished work is kept; once there is a cluster again, the same command resumes from here."
            )

    def asked(self, question: Callable[[], Found]) -> Found:
        """What a question to the head brings that Ray itself would wait for without end. Raises as it does, and as `check`."""
        found: Queue[Callable[[], Found]] = Queue()
        self._asking = threading.Thread(target=lambda: found.put(_outcome(question)), daemon=True)
        self._asking.start()
        while True:
            try:
                return found.get(timeout=_LOOK_SECONDS)()
            except Empty:
                self.check()

    def end(self) -> None:
        """Ask no more. What is asked already, and by whoever has given up since, is waited for, where the head answers."""
        self._ended.set()
        for thread in (self._thread, self._asking):
            if thread:
                thread.join(0.0 if self.missed else ASK_SECONDS)

    def _go_on(self) -> None:
        took = 0.0
        while not self._ended.wait(max(0.0, self._pause - took)):
            began = time.monotonic()
            try:
                self._ask()
                self._missed = 0
            except Exception:
                self._missed += 1
            took = time.monotonic() - began if self._missed else 0.0


def _outcome(question: Callable[[], Found]) -> Callable[[], Found]:
    try:
        found = question()
    except Exception as error:
        raised = error

        def again() -> Found:
            raise raised

        return again
    return lambda: found
