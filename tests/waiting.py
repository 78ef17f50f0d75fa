"""Waits of the tests for what other processes do: the only place where tests may sleep. Imported by Ray's workers too."""

import time
from collections.abc import Callable

PAUSE = 0.02
"""Seconds between two looks."""


def poll_until(happened: Callable[[], object], seconds: float, otherwise: Callable[[], str] = str) -> None:
    """Look again and again until something is true that another process brings about, and cannot tell this one.

    Fails after so many seconds, with what `otherwise` says.
    """
    stop = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < stop, f"not within {seconds:g} s: {otherwise()}"
        time.sleep(PAUSE)


def take_time(seconds: float) -> None:
    """Stands for work that takes so long and costs the processor nothing, as on a GPU."""
    time.sleep(seconds)


def hang() -> None:
    """Stands for work that never ends."""
    while True:
        time.sleep(3600)
