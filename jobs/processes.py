"""Processes of this machine, by /proc: which is which, whether one is gone or stopped, what it began, how to kill those, and how to give way to others."""

import os
import re
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event

ENDING = Event()
"""Set once this process is to end: whoever waits stops waiting."""
_remembered: dict[int, str] = {}
"""What this process began, by number: the identity of each."""


_IDENTITY = re.compile(r"\S+ \S+ [0-9]{1,10} [0-9]{1,20}")
"""As `identity` writes it; a lease of somebody else may say anything."""


def identity(pid: int) -> str:
    """What tells a process of this machine, and of this container, from any other that there ever was: boot, name space, number, start.

    Empty where it is gone, or where the system does not say.
    """
    try:
        state, *rest = _stat(pid)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return "" if state in "ZX" else f"{boot} {os.readlink('/proc/self/ns/pid')} {pid} {rest[18]}"
    except OSError:
        return ""


def is_gone(process: str) -> bool:
    """A process, by its `identity`, that is certainly gone. Of those on other machines nothing is known."""
    return _is_here(process) and identity(_number(process)) != process


def is_stopped(process: str) -> bool:
    """A process, by its `identity`, that stands still: stopped by SIGSTOP, or by the job control of a terminal that it touched.

    Of those on other machines nothing is known.
    """
    if not _is_here(process) or identity(_number(process)) != process:
        return False
    with suppress(OSError):
        return _stat(_number(process))[0] == "T"
    return False


LOWEST = 19
"""Niceness of what gives way: it takes less than half of what Ray's workers do, which have 15."""


def give_way() -> None:
    """From now on the calling thread, and those that it begins, have the lowest niceness."""
    # Of Linux alone: elsewhere it is the process. SCHED_IDLE would starve on a busy machine until it is taken for hung.
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST)


def descendants(pid: int) -> list[int]:
    """The processes that a process began, those that they began, and so on, as far as their parents live."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(int(place.name))[1]), []).append(int(place.name))
    found = list(children.get(pid, ()))
    for one in found:
        found += children.get(one, ())
    return found


def remember_descendants() -> None:
    """Know what this process began even when the parents of some have ended: from then on they are nobody's descendants."""
    for pid in descendants(os.getpid()):
        if known := identity(pid):
            _remembered[pid] = known


def kill_descendants() -> None:
    """Kill all that this process began, and all that is remembered. They are stopped first: what stands still begins nothing more."""
    remember_descendants()
    stopped = set[int]()
    while fresh := {pid for pid, known in list(_remembered.items()) if identity(pid) == known} - stopped:
        _signal(fresh, signal.SIGSTOP)
        stopped |= fresh
        remember_descendants()
    _signal(stopped, signal.SIGKILL)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; a process's name may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _number(process: str) -> int:
    return int(process.split()[2])


def _is_here(process: str) -> bool:
    here = identity(os.getpid()).split()[:2]
    return bool(here) and bool(_IDENTITY.fullmatch(process)) and process.split()[:2] == here
