"""Handles Ctrl-C and SIGTERM: the command ends within ten seconds of the first signal, and at once at the second.

The first raises KeyboardInterrupt in the main thread, as Python does for Ctrl-C, and lets no store be waited for any more.
"""

import os
import signal
import threading
import time
from types import FrameType

from farm.progress.plain_output import flush
from jobs.processes import ENDING, kill_descendants, remember_descendants

CODE = 130
SENTENCE = "Stopped. Finished work is kept; the same command resumes from here."
STOP_SECONDS = 9.0
"""What closing may take: whoever has not come to an end by then is ended."""
WATCH_SECONDS = 0.1
"""Between two looks, on the way out, at what this process began: what Ray has ended leaves agents behind."""
SAME_SECONDS = 0.5
"""A second signal that comes sooner is the first one's other half: `timeout` sends one to a process and one to its group."""


class _Stop:
    """When this process was asked to stop, by the monotonic clock; None: it was not."""

    since: float | None = None
    said = False
    """People were told."""
    sentence = SENTENCE


def listen() -> None:
    """Take Ctrl-C and SIGTERM for a wish to stop, in the main thread. What ignores Ctrl-C, as a job begun by `nohup`, goes on to."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def begun() -> bool:
    """Whether this process was asked to stop: then whatever else goes wrong on its way out is no news."""
    return _Stop.since is not None


def says(sentence: str) -> None:
    """What is said where this command is stopped: by default that it goes on from where it was."""
    _Stop.sentence = sentence


def sentence() -> str:
    """What is said where this command is stopped."""
    return _Stop.sentence


def told() -> None:
    """The command has said how it ends. Where it was asked to stop, its process ends here: a thread may still wait for a store."""
    if _Stop.since is not None:
        _Stop.said = True
        flush()
        _end()


def _stop(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _Stop.since is None:
        _Stop.since = now
        ENDING.set()
        _watch(now)
        raise KeyboardInterrupt
    if now - _Stop.since > SAME_SECONDS:
        _end()


def _watch(since: float) -> None:
    """Know what is to be ended with this process, and end it where its closing takes too long."""
    if time.monotonic() - since > STOP_SECONDS:
        _end()
    remember_descendants()
    again = threading.Timer(WATCH_SECONDS, _watch, (since,))
    again.daemon = True
    again.start()


def _end() -> None:
    """Now, with all that this process began: a Ray that was started here must not outlive it."""
    kill_descendants()
    if not _Stop.said:
        os.write(2, f"\nfarm: {_Stop.sentence}\n".encode())
    os._exit(CODE)
