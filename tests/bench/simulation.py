"""A fleet whose workers only take their time, by a clock of its own. Promises the real dispatch: the rosters and call sheets are the fleet's; knows no Ray and no film.

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
"""The crew whose workers have one device each: calls that one is at take turns there, and are read and written meanwhile."""

Step = tuple[float, Any]
"""Seconds that pass before a finding, and the finding; None is none."""
Work = Callable[[Call, int], Iterable[Step]]
"""What a call takes and brings, made by the so-manieth worker of its crew, counted from 0."""
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
    """What a crew's workers were there for, in seconds of all of them."""

    hired: float = 0.0
    busy: float = 0.0
    """At calls; of a device, at work."""


_END = object()


@dataclass(order=True)
class _Event:
    at: float
    number: int
    roster: WorkerPool = field(compare=False)
    hired: Worker = field(compare=False)
    doing: SimulatedCall | None = field(compare=False)
    """None: it has started."""


class SimulatedFleet:
    """Workers for a film that nobody makes."""

    def __init__(self, cluster: Cluster, work: Work, boot: Callable[[PoolSpec], float]) -> None:
        """`boot`: seconds from being hired until a worker of a crew can work."""
        self.cluster = cluster
        self.now = 0.0
        """Seconds since the beginning."""
        self.paid: dict[str, SimulatedUsage] = {}
        """By crew; whole once the fleet is closed."""
        self.findings: Counter[str] = Counter()
        """By crew: how many were heard."""
        self._work, self._boot = work, boot
        self._rosters: dict[str, WorkerPool] = {}
        self._events: list[_Event] = []
        self._numbers, self._order = count(), count()
        self._place: dict[int, int] = {}  # by worker: which of its crew it is
        self._since: dict[int, float] = {}  # by worker: when it was hired
        self._free: dict[int, float] = {}  # by worker: when its device is

    def hire(self, crews: Iterable[PoolSpec]) -> None:
        """As the fleet does."""
        for crew in crews:
            self._rosters[crew.name] = WorkerPool(crew, RetryPolicy(), self.now)
            self.paid[crew.name] = SimulatedUsage()

    def expect(self, crew: str, calls: int, *, sure: bool = False) -> None:
        """As the fleet does."""
        self._rosters[crew].expected, self._rosters[crew].sure = calls, sure

    def close(self) -> None:
        """Let everybody go."""
        for roster in self._rosters.values():
            self._let_go(roster, list(roster.hired))

    def run(self, calls: Iterable[Call], then: Then) -> Iterator[tuple[Call, Any]]:
        """As the fleet does, by the clock of the simulation."""
        for roster in self._rosters.values():
            roster.begin(self.now)
        self._add(calls)
        self._move(self._rosters.values())
        while any(roster.sheet.outstanding for roster in self._rosters.values()):
            moved: dict[str, WorkerPool] = {}
            for event in self._listen():
                moved[event.roster.crew.name] = event.roster
                if heard := self._hear(event):
                    more = list(then(*heard))
                    self._add(more)
                    moved |= {call.pool: self._rosters[call.pool] for call in more}
                    yield heard
            self._move(moved.values())

    def _add(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self._rosters[call.pool].sheet.add(call)

    def _move(self, rosters: Iterable[WorkerPool]) -> None:
        """Hire, let go and deal, where anything has changed."""
        for roster in rosters:
            self._let_go(roster, roster.dispensable(self.now, crowded=False))
            for _ in range(roster.wanting()):
                self._hire(roster)
            ready = {one.number: one for one in roster.ready}
            if all(len(one.streams) > 1 for one in ready.values()):
                continue
            for number, call in roster.sheet.deal(list(ready), len(ready), self.now):
                self._give(roster, ready[number], call)

    def _hire(self, roster: WorkerPool) -> None:
        taken = {self._place[one.number] for one in roster.hired}
        number = next(self._numbers)
        self._place[number] = next(place for place in count() if place not in taken)
        self._since[number] = self.now
        hired = Worker(number, roster.crew, None, None, True, self.now)
        roster.hired.append(hired)
        self._push(self.now + self._boot(roster.crew), roster, hired, None)

    def _let_go(self, roster: WorkerPool, those: list[Worker]) -> None:
        for one in those:
            roster.hired.remove(one)
            roster.sheet.give_back(one.number)
            self.paid[roster.crew.name].hired += self.now - self._since.pop(one.number)

    def _give(self, roster: WorkerPool, hired: Worker, call: Call) -> None:
        doing = SimulatedCall(call, iter(self._work(call, self._place[hired.number])))
        hired.streams.append(doing)
        if len(hired.streams) <= roster.crew.abreast:
            self._begin(roster, hired, doing, self.now)

    def _begin(self, roster: WorkerPool, hired: Worker, doing: SimulatedCall, at: float) -> None:
        if roster.crew.name == TURNS:
            steps = list(doing.steps)
            at = max(at, self._free.get(hired.number, 0.0))
            self._free[hired.number] = at + sum(seconds for seconds, _ in steps)
            doing.steps = iter(steps)
        self._next(roster, hired, doing, at)

    def _next(self, roster: WorkerPool, hired: Worker, doing: SimulatedCall, at: float) -> None:
        seconds, doing.finding = next(doing.steps, (0.0, _END))
        self.paid[roster.crew.name].busy += seconds
        self._push(at + seconds, roster, hired, doing)

    def _push(self, at: float, roster: WorkerPool, hired: Worker, doing: SimulatedCall | None) -> None:
        heappush(self._events, _Event(at, next(self._order), roster, hired, doing))

    def _listen(self) -> Iterator[_Event]:
        """Whoever speaks next, and all who have spoken while the driver was at something."""
        self.now = max(self.now, self._events[0].at)
        until = self.now
        while self._events and self._events[0].at <= until:
            yield heappop(self._events)

    def _hear(self, event: _Event) -> tuple[Call, Any] | None:
        roster, hired, doing = event.roster, event.hired, event.doing
        if hired.number not in self._since:
            return None  # let go meanwhile
        if doing is None:
            roster.started(hired, self.now)
            return None
        if doing.finding is _END:
            roster.finished(hired, doing, self.now)
            if len(hired.streams) >= roster.crew.abreast:
                self._begin(roster, hired, hired.streams[roster.crew.abreast - 1], event.at)
            return None
        found = doing.finding
        self._next(roster, hired, doing, event.at)
        if found is None:
            return None
        self.now += DRIVER_SECONDS
        self.findings[roster.crew.name] += 1
        return doing.call, found
