"""The clock of the benchmarks: wall time, processor time and memory of a process and of all it has started. Promises to count what has died; knows no film.

It reads Linux's /proc five times a second. Ray's raylet ignores SIGCHLD, so its workers' times are in nobody's sums after
their death: what was last seen of them counts, which loses at most the last fifth of a second. Where a parent does
collect its children's times, whatever of them was never seen is added.
"""

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

LOOK_SECONDS = 0.2
QUIET_SECONDS = 0.5
QUIET_SHARE = 0.06
"""Processor time per second below which a tree is quiet: Ray's own processes are never quite still."""
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_SHARED = "/dev/shm"

Key = tuple[int, int]
"""Process number and time of birth: numbers come again."""


@dataclass(frozen=True)
class Seen:
    """One process, as it was seen last."""

    parent: int
    own: float
    """Processor seconds of its own, user and system."""
    collected: float
    """Processor seconds of its children that have ended and that it has waited for."""
    born: int


@dataclass
class Reading:
    """What was measured between begin and end."""

    wall: float = 0.0
    """Seconds."""
    cpu: float = 0.0
    """Processor seconds, user and system, of the whole tree."""
    peak: int = 0
    """Bytes: anonymous memory of all processes, and shared memory (Ray's object store) once. Highest of all looks."""
    cpu_by: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Processor seconds by what the process called itself meanwhile."""
    peak_by: Counter[str] = field(default_factory=Counter)
    """Highest anonymous bytes of all processes of one pool together."""


class Meter:
    """Watches one tree from a thread of its own. A context: counts from its beginning to its end."""

    def __init__(self, root: int) -> None:
        self.reading = Reading()
        self._root = root
        self._shared = _shared()
        self._seen: dict[Key, Seen] = dict(self._tree())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._seen = dict(self._tree())
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.reading.wall = time.perf_counter() - self._began
        self._stop.set()
        self._thread.join()
        self._look()
        self.reading.cpu = sum(self.reading.cpu_by.values())

    def wait_until_quiet(self, longest: float = 30.0) -> None:
        """Return when the tree has had nothing to do for half a second, or after `longest` seconds: Ray's first workers still start."""
        for _ in range(int(longest / QUIET_SECONDS)):
            before = sum(one.own for _, one in self._tree())
            self._stop.wait(QUIET_SECONDS)
            if sum(one.own for _, one in self._tree()) - before < QUIET_SHARE * QUIET_SECONDS:
                return

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        now = dict(self._tree())
        ended: defaultdict[int, float] = defaultdict(float)
        for (pid, born), one in self._seen.items():
            if (pid, born) not in now:
                ended[one.parent] += one.own + one.collected
        memory: Counter[str] = Counter()
        for (pid, born), one in now.items():
            before = self._seen.get((pid, born), Seen(0, 0.0, 0.0, born))
            # A child that ended is in its parent's sum whole, and has been counted as far as it was seen.
            unseen = max(0.0, one.collected - before.collected - ended[pid])
            name = "main" if pid == self._root else name_of(pid)
            self.reading.cpu_by[name] += one.own - before.own + unseen
            memory[pool_of(name)] += anonymous_bytes(pid)
        self.reading.peak = max(self.reading.peak, sum(memory.values()) + max(0, _shared() - self._shared))
        for name, size in memory.items():
            self.reading.peak_by[name] = max(self.reading.peak_by[name], size)
        self._seen = now

    def _tree(self) -> Iterator[tuple[Key, Seen]]:
        everybody = dict(_processes())
        children: defaultdict[int, list[int]] = defaultdict(list)
        for pid, one in everybody.items():
            children[one.parent].append(pid)
        waiting = [self._root]
        while waiting:
            pid = waiting.pop()
            waiting += children[pid]
            if found := everybody.get(pid):
                yield (pid, found.born), found


def _processes() -> Iterator[tuple[int, Seen]]:
    for name in os.listdir("/proc"):
        if name.isdigit() and (text := _read(f"/proc/{name}/stat")):
            yield int(name), parse_stat(text)


def parse_stat(text: str) -> Seen:
    """One line of /proc/PID/stat (proc(5)): its second field is a name in brackets, which may hold anything."""
    fields = text.rpartition(")")[2].split()
    user, system, of_children, system_of_children = (int(one) * _TICK for one in fields[11:15])
    return Seen(int(fields[1]), user + system, of_children + system_of_children, int(fields[19]))


def anonymous_bytes(pid: int) -> int:
    """Memory that is a process's own, in bytes: libraries and files, which it shares, are not counted; 0 where it has ended."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def name_of(pid: int) -> str:
    """What a process calls itself: Ray's workers carry the name of what they are at, others that of their program or script."""
    words = _read(f"/proc/{pid}/cmdline").replace("\0", " ").split()
    if not words:
        return "ended"
    if words[0].startswith("ray::"):
        return " ".join(words).removeprefix("ray::")
    scripts = [Path(word).stem for word in words if word.endswith(".py")]
    return scripts[0] if scripts else Path(words[0]).name


def pool_of(name: str) -> str:
    """Who a process is, whatever it is at: "renderer" for "Renderer.boot" and "renderer.render"."""
    return name.partition(".")[0].lower()


def _shared() -> int:
    if not os.path.isdir(_SHARED):
        return 0
    disk = os.statvfs(_SHARED)
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # it has ended meanwhile
        return ""
