"""A fleet whose workers only take their time, by a clock of its own. Promises the real dispatch: the pools and call sheets are the fleet's; knows no Ray and no film.

It is what `farm/fleet/fleet.py` is to the driver: calls in, findings out, in the order in which they would come. A driver that
is at something hears nobody meanwhile: every finding costs it DRIVER_SECONDS, and what comes in the meantime waits.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

from farm.fleet.calls import Call, Cluster, PoolSpec, RetryPolicy
from farm.fleet.worker_pool import Worker, WorkerPool

DRIVER_SECONDS = 0.001
"""What one finding costs the driver: to hear of it, to put it down and to ask for what follows (docs/log.md)."""
TURNS = "renderer"
"""The pool whose workers have one device each: calls that one is at take turns there, and are read and written meanwhile."""

Step = tuple[float, Any]
"""Seconds that pass before a finding, and the finding; None is none."""
Work = Callable[[Call, int], Iterable[Step]]
"""What a call takes and brings, made by the so-manieth worker of its pool, counted from 0."""
Then = Callable[[Call, Any], Iterable[Call]]


@dataclass
class SimulatedCall:
    """A call that a worker was given."""

    call: Call
    steps: Iterator[Step]
    finding: Any = None
    """What is told next; when `steps` are at their end, that it is finished."""


@dataclass
class SimulatedUsage:
    """What a pool's workers were there for, in seconds of all of them."""

    hired: float = 0.0
    busy: float = 0.0
    """At calls; of a device, at work."""


_END = object()


@dataclass(order=True)
class _Event:
    at: float
    number: int
    pool: WorkerPool = field(compare=False)
    hired: Worker = field(compare=False)
    doing: SimulatedCall | None = field(compare=False)
    """None: it has started."""


class SimulatedFleet:
    """Workers for a film that nobody makes."""

    def __init__(self, cluster: Cluster, work: Work, boot: Callable[[PoolSpec], float]) -> None:
        """`boot`: seconds from being hired until a worker of a pool can work."""
        self.cluster = cluster
        self.now = 0.0
        """Seconds since the beginning."""
        self.paid: dict[str, SimulatedUsage] = {}
        """By pool; whole once the fleet is closed."""
        self.findings: Counter[str] = Counter()
        """By pool: how many were heard."""
        self._work, self._boot = work, boot
        self._pools: dict[str, WorkerPool] = {}
        self._events: list[_Event] = []
        self._numbers, self._order = count(), count()
        self._place: dict[int, int] = {}  # by worker: which of its pool it is
        self._since: dict[int, float] = {}  # by worker: when it was hired
        self._free: dict[int, float] = {}  # by worker: when its device is

    def hire(self, specs: Iterable[PoolSpec]) -> None:
        """As the fleet does."""
        for spec in specs:
            self._pools[spec.name] = WorkerPool(spec, RetryPolicy(), self.now)
            self.paid[spec.name] = SimulatedUsage()

    def expect(self, pool: str, calls: int, *, sure: bool = False) -> None:
        """As the fleet does."""
        self._pools[pool].expected, self._pools[pool].sure = calls, sure

    def close(self) -> None:
        """Let everybody go."""
        for pool in self._pools.values():
            self._let_go(pool, list(pool.workers))

    def run(self, calls: Iterable[Call], then: Then) -> Iterator[tuple[Call, Any]]:
        """As the fleet does, by the clock of the simulation."""
        for pool in self._pools.values():
            pool.begin(self.now)
        self._add(calls)
        self._move(self._pools.values())
        while any(pool.queue.outstanding for pool in self._pools.values()):
            moved: dict[str, WorkerPool] = {}
            for event in self._listen():
                moved[event.pool.spec.name] = event.pool
                if heard := self._hear(event):
                    more = list(then(*heard))
                    self._add(more)
                    moved |= {call.pool: self._pools[call.pool] for call in more}
                    yield heard
            self._move(moved.values())

    def _add(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self._pools[call.pool].queue.add(call)

    def _move(self, pools: Iterable[WorkerPool]) -> None:
        """Hire, let go and assign, where anything has changed."""
        for pool in pools:
            self._let_go(pool, pool.dispensable(self.now, crowded=False))
            for _ in range(pool.wanting()):
                self._hire(pool)
            ready = {one.number: one for one in pool.ready}
            if all(len(one.streams) > 1 for one in ready.values()):
                continue
            for number, call in pool.queue.assign(list(ready), len(ready), self.now):
                self._give(pool, ready[number], call)

    def _hire(self, pool: WorkerPool) -> None:
        taken = {self._place[one.number] for one in pool.workers}
        number = next(self._numbers)
        self._place[number] = next(place for place in count() if place not in taken)
        self._since[number] = self.now
        hired = Worker(number, pool.spec, None, None, True, self.now)
        pool.workers.append(hired)
        self._push(self.now + self._boot(pool.spec), pool, hired, None)

    def _let_go(self, pool: WorkerPool, those: list[Worker]) -> None:
        for one in those:
            pool.workers.remove(one)
            pool.queue.give_back(one.number)
            self.paid[pool.spec.name].hired += self.now - self._since.pop(one.number)

    def _give(self, pool: WorkerPool, hired: Worker, call: Call) -> None:
        doing = SimulatedCall(call, iter(self._work(call, self._place[hired.number])))
        hired.streams.append(doing)
        if len(hired.streams) <= pool.spec.max_concurrency:
            self._begin(pool, hired, doing, self.now)

    def _begin(self, pool: WorkerPool, hired: Worker, doing: SimulatedCall, at: float) -> None:
        if pool.spec.name == TURNS:
            steps = list(doing.steps)
            at = max(at, self._free.get(hired.number, 0.0))
            self._free[hired.number] = at + sum(seconds for seconds, _ in steps)
            doing.steps = iter(steps)
        self._next(pool, hired, doing, at)

    def _next(self, pool: WorkerPool, hired: Worker, doing: SimulatedCall, at: float) -> None:
        seconds, doing.finding = next(doing.steps, (0.0, _END))
        self.paid[pool.spec.name].busy += seconds
        self._push(at + seconds, pool, hired, doing)

    def _push(self, at: float, pool: WorkerPool, hired: Worker, doing: SimulatedCall | None) -> None:
        heappush(self._events, _Event(at, next(self._order), pool, hired, doing))

    def _listen(self) -> Iterator[_Event]:
        """Whoever speaks next, and all who have spoken while the driver was at something."""
        self.now = max(self.now, self._events[0].at)
        until = self.now
        while self._events and self._events[0].at <= until:
            yield heappop(self._events)

    def _hear(self, event: _Event) -> tuple[Call, Any] | None:
        pool, hired, doing = event.pool, event.hired, event.doing
        if hired.number not in self._since:
            return None  # let go meanwhile
        if doing is None:
            pool.started(hired, self.now)
            return None
        if doing.finding is _END:
            pool.finished(hired, doing, self.now)
            if len(hired.streams) >= pool.spec.max_concurrency:
                self._begin(pool, hired, hired.streams[pool.spec.max_concurrency - 1], event.at)
            return None
        found = doing.finding
        self._next(pool, hired, doing, event.at)
        if found is None:
            return None
        self.now += DRIVER_SECONDS
        self.findings[pool.spec.name] += 1
        return doing.call, found
