"""Tempo: how fast things go just now. Promises the last minute's rate; knows not what is counted."""

from collections import deque

RATE_SECONDS = 60.0
"""Workers come and go: what was before says nothing of now."""


class FramesPerSecond:
    """Frames a second over the last minute."""

    def __init__(self, now: float) -> None:
        self._marks = deque([(now, 0)])
        self._frames = 0

    def begin(self, now: float) -> None:
        """Work begins: what was before counts for nothing."""
        if not self._frames:
            self._marks = deque([(now, 0)])

    def add(self, frames: int, now: float) -> None:
        """Some more frames."""
        self._frames += frames
        self._marks.append((now, self._frames))

    def rate(self, now: float) -> float | None:
        """Frames a second; None where there is nothing to go by yet."""
        while len(self._marks) > 2 and self._marks[1][0] <= now - RATE_SECONDS:
            self._marks.popleft()
        began, before = self._marks[0]
        made = self._frames - before
        return made / (now - began) if made and now > began else None
