"""Clocks for tests of the lease. Promises that no time passes but by waiting."""

from collections.abc import Callable

from jobs.ledger.lease import Clock


class FakeClock(Clock):
    """Clocks as the test has them: time passes when somebody waits, and whoever is `awake` then does something."""

    def __init__(self, unix: float = 1_000_000.0) -> None:
        self.unix = unix
        """What this machine takes the time to be; may be set."""
        self.seconds = 0.0
        self.awake: Callable[[], object] = lambda: None

    def now(self) -> float:
        return self.unix

    def steady(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.go(seconds)
        self.awake()

    def go(self, seconds: float) -> None:
        """So many seconds pass."""
        self.unix += seconds
        self.seconds += seconds
