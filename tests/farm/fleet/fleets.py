"""What tests of fleets share: a watcher that writes down, pools and calls of one line, and which processes are there."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from farm.fleet.calls import Call, PoolSize, PoolSpec
from farm.fleet.fair_share import Quota
from farm.fleet.fleet import Fleet
from jobs.store.traffic import Traffic
from tests.farm.plain_call import PlainCall

LITTLE = 0.01
"""CPUs of each worker: two cores are enough for all."""


class Diary:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.sizes: list[tuple[str, int, int, int]] = []
        self.retries: list[tuple[str, str, int]] = []
        self.losses: list[tuple[str, str, bool]] = []
        self.faults: list[tuple[str, str, bool]] = []
        self.traffic = Traffic()
        self.ticks = 0
        self.at_tick: Callable[[], None] = lambda: None

    def pool_resized(self, pool: PoolSpec, size: PoolSize) -> None:
        self.sizes.append((pool.name, *size))

    def retried(self, pool: str, what: str, error: BaseException, tries: int) -> None:
        self.retries.append((what, type(error).__name__, tries))

    def lost(self, pool: str, what: str, reason: str, free: bool) -> None:
        self.losses.append((what, reason, free))

    def faulted(self, pool: str, what: str, fault: str, left_alone: bool) -> None:
        self.faults.append((what, fault, left_alone))

    def moved(self, traffic: Traffic) -> None:
        self.traffic += traffic

    def shared(self, allowance: Quota) -> None:
        raise AssertionError("these fleets share with nobody")

    def tick(self) -> None:
        self.ticks += 1
        self.at_tick()


def diary(fleet: Fleet) -> Diary:
    assert isinstance(fleet.watcher, Diary)
    return fleet.watcher


def nothing(call: Call, found: object) -> Iterable[Call]:
    return ()


def pool(made_of: type, *args: Any, limit: int = 1, name: str = "clerk", **more: Any) -> PoolSpec:
    return PoolSpec(name, f"{made_of.__module__}:{made_of.__name__}", args, limit=limit, cpus=LITTLE, **more)


def call(verb: str, *args: Any, rank: int = 0, what: str = "chunk 1", name: str = "clerk") -> Call:
    return PlainCall(name, verb, args, (rank,), what)


def findings(fleet: Fleet, *calls: Call) -> list[Any]:
    return [found for _, found in fleet.run(calls, nothing)]


def alive(pid: int) -> bool:
    """Still there, and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def below_this() -> set[int]:
    """All processes that this one has begun, and those that they have."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, mine = set[int](), {os.getpid()}
    while mine:
        mine = {pid for pid, parent in parents.items() if parent in mine}
        found |= mine
    return found
