"""How far a command is that counts frames."""

from __future__ import annotations

from io import StringIO

from farm.progress.frames_console import FramesProgress
from farm.progress.plain_console import PlainConsole


class Clock:
    """It stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(*, terminal: bool) -> str:
    clock, paper = Clock(), StringIO()
    with FramesProgress("compare", PlainConsole(file=paper, terminal=terminal, width=80), clock) as progress:
        for frame in range(1, 1301):
            clock.now += 1 / 64
            progress.done(frame)
    return paper.getvalue()


def test_a_line_every_five_seconds() -> None:
    assert told(terminal=False).splitlines() == [
        "compare: 320 frames, 64.0 frames/s",
        "compare: 640 frames, 64.0 frames/s",
        "compare: 960 frames, 64.0 frames/s",
        "compare: 1,280 frames, 64.0 frames/s",
    ]


def test_a_bar_on_a_terminal() -> None:
    text = told(terminal=True)
    assert "1,300 frames, 64.0 frames/s" in text
    assert text.count("frames/s") > 40
