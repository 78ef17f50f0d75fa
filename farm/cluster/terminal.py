"""Keeps processes that the farm or Ray starts from reading the terminal, and from being stopped by it.

A process in a background group of a terminal's session is stopped by the kernel (state T) as soon as it reads the terminal or
changes its settings, and with it all of its group. Ray's workers are such groups, and programs that libraries run in them may do both.
"""

import fcntl
import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_INPUT = 0


@contextmanager
def no_input() -> Iterator[None]:
    """What is started meanwhile has /dev/null as its standard input; this process has its own again afterwards."""
    try:
        kept: int | None = os.dup(_INPUT)
    except OSError:  # begun without any
        kept = None
    _read_nothing()
    try:
        yield
    finally:
        if kept is None:
            os.close(_INPUT)
        else:
            os.dup2(kept, _INPUT)
            os.close(kept)


def leave_terminal() -> None:
    """This process, and whatever it will start, reads /dev/null and has no terminal that could stop it. Harmless to call twice."""
    _read_nothing()
    if os.getsid(0) == os.getpid():
        return  # the terminal would be taken from the whole session; and a session's leader is stopped by none
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            fcntl.ioctl(terminal, termios.TIOCNOTTY)
        finally:
            os.close(terminal)


def _read_nothing() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing != _INPUT:
        os.dup2(nothing, _INPUT)
        os.close(nothing)
