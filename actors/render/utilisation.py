"""Measures how a generator's device spends its time. Each second is counted once, as work or as waiting for something."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, get_args

import torch

from jobs.records.orders import DeviceUsage, Starved


class DeviceClock(Protocol):
    """The time of one device. A mark is passed when the device has done all that it was given before."""

    def mark(self) -> Any:
        """Now, behind what the device was given until now."""

    def seconds(self, begin: Any, end: Any) -> float | None:
        """Between two marks; None where the device has not passed the later one."""


class ProcessorClock:
    """A processor works while it is asked: its marks are passed as they are made."""

    def mark(self) -> float:
        return time.perf_counter()

    def seconds(self, begin: float, end: float) -> float:
        return end - begin


class StreamClock:
    """A GPU works on long after it was asked: its marks are CUDA events, and seconds are its own.

    So a wait of the host's that the GPU did not notice, because it still had work, counts as nothing.
    """

    def __init__(self, stream: torch.cuda.Stream) -> None:
        self._stream = stream

    def mark(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(self._stream)
        return event

    def seconds(self, begin: torch.cuda.Event, end: torch.cuda.Event) -> float | None:
        return begin.elapsed_time(end) / 1000 if end.query() else None  # type: ignore[no-untyped-call]


class UtilisationMeter:
    """One device's account. Who has the generator keeps it, one at a time; anyone may ask for a word."""

    def __init__(self, clock: DeviceClock) -> None:
        """From now on every second counts."""
        self._clock = clock
        self._last = clock.mark()
        self._laps: deque[tuple[Literal[Starved, "busy"], Any, Any]] = deque()
        self._asking = threading.Lock()

    @contextmanager
    def working(self) -> Iterator[None]:
        """The device has a call to work on while the block lasts; what was before it was waiting for one."""
        self._lap("call")
        try:
            yield
        finally:
            self._lap("busy")

    @contextmanager
    def waiting(self, reason: Starved) -> Iterator[None]:
        """The device is given nothing while the block lasts."""
        self._lap("busy")
        try:
            yield
        finally:
            self._lap(reason)

    def word(self) -> DeviceUsage:
        """What the device has done since the last word, as far as it has come."""
        sums: dict[str, float] = dict.fromkeys(("busy", *get_args(Starved)), 0.0)
        with self._asking:
            while self._laps:
                what, begin, end = self._laps[0]
                if (seconds := self._clock.seconds(begin, end)) is None:
                    break
                sums[what] += seconds
                self._laps.popleft()
        return DeviceUsage(busy=sums["busy"], starved={reason: sums[reason] for reason in get_args(Starved)})

    def _lap(self, what: Literal[Starved, "busy"]) -> None:
        now = self._clock.mark()
        self._laps.append((what, self._last, now))
        self._last = now
