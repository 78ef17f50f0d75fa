"""Schedules a pool's calls on its workers, so that fast and slow workers end together. No call is lost.

A worker's pace is measured by the calls it finishes. While there is enough for everyone, whoever has room gets the next
call. Near the end one that is slow gets none that another would end sooner: earliest-finish-time list scheduling for
machines of different speeds (Ibarra and Kim 1977), decided call by call, and by the fluid bound where many calls wait.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count, islice

from farm.fleet.calls import Call, RetriesExhausted, RetriesExhaustedError, RetryCount, RetryPolicy

FADE = 0.6
"""What an earlier call still counts for in a worker's pace, when the next one is finished: about the last three tell."""


@dataclass(order=True)
class QueuedCall:
    """A call on its way, and how often it has failed."""

    priority: tuple[int, ...]
    number: int
    call: Call = field(compare=False)
    retries: RetryCount = field(compare=False)


@dataclass
class WorkerThroughput:
    """How fast one worker is, by the calls it has finished."""

    since: float
    """When it last finished a call; after idleness, when it got the next."""
    frames: float = 0.0
    seconds: float = 0.0

    @property
    def pace(self) -> float | None:
        """Frames a second; None before its first call's end."""
        return self.frames / self.seconds if self.frames and self.seconds > 0 else None

    def finished(self, frames: int, now: float) -> None:
        """A call of so many frames has ended."""
        if frames:
            self.frames = FADE * self.frames + frames
            self.seconds = FADE * self.seconds + now - self.since
        self.since = now


class FinishTimes:
    """At one moment, until when each worker is busy, and who would end one more call soonest."""

    def __init__(
        self, speeds: Mapping[int, WorkerThroughput], held: Mapping[int, Sequence[QueuedCall]], now: float
    ) -> None:
        known = {worker: pace for worker, speed in speeds.items() if (pace := speed.pace)}
        mean = sum(known.values()) / len(known) if known else 0.0
        self._known = known.keys()
        self.paces = {worker: known.get(worker, mean) for worker in speeds}
        """Frames a second of each; of one that is not known yet, the mean of the others; 0 where none is."""
        self._pace = sum(self.paces.values())
        self._held = {worker for worker in speeds if held.get(worker)}
        # One that is overdue is taken to need as long again as it is late.
        self._busy = {
            worker: abs(
                sum(queued.call.frames for queued in held[worker]) / self.paces[worker] - (now - speeds[worker].since)
            )
            for worker in (self._held if known else ())
        }
        self._work = sum(seconds * self.paces[worker] for worker, seconds in self._busy.items())
        self._soonest: dict[int, float] = {}

    def suits(self, worker: int, frames: int, waiting: int) -> bool:
        """Whether a worker may have a call of so many frames: nobody else would end it sooner, or all that waits keeps the others busy for longer."""
        if not frames or len(self.paces) == 1:
            return True
        if worker not in self._known:
            return worker not in self._held
        own, busy = self.paces[worker], self._busy.get(worker, 0.0)
        end = busy + frames / own
        if end <= self._soonest_end(frames):
            return True
        others = self._pace - own
        return end <= (waiting + self._work - busy * own) / others

    def give(self, worker: int, frames: int) -> None:
        """A worker gets a call of so many frames."""
        self._held.add(worker)
        if self._known:
            self._busy[worker] = self._busy.get(worker, 0.0) + frames / self.paces[worker]
        self._work += frames
        self._soonest.clear()

    def _soonest_end(self, frames: int) -> float:
        if frames not in self._soonest:
            ends = (self._busy.get(worker, 0.0) + frames / pace for worker, pace in self.paces.items())
            self._soonest[frames] = min(ends)
        return self._soonest[frames]


class CallQueue:
    """One pool's calls. A worker begins what it holds in order, so only the first `max_concurrency` that it holds can have begun."""

    def __init__(self, budget: RetryPolicy, max_concurrency: int = 1) -> None:
        self.budget = budget
        self.max_concurrency = max_concurrency
        self._waiting: list[QueuedCall] = []
        self._held: dict[int, deque[QueuedCall]] = {}
        self._exhausted: list[tuple[Call, RetriesExhausted]] = []
        self._numbers = count()
        self._frames = 0  # of the waiting calls
        self._speeds: dict[int, WorkerThroughput] = {}

    def add(self, call: Call) -> None:
        """One more call."""
        self._push(QueuedCall(call.priority, next(self._numbers), call, RetryCount(call.budget or self.budget)))

    @property
    def outstanding(self) -> int:
        """Calls that are not finished."""
        return len(self._waiting) + sum(map(len, self._held.values()))

    @property
    def workers_kept(self) -> int:
        """Workers that these calls keep: all who hold any, and one for each that waits."""
        return len(self._waiting) + sum(map(bool, self._held.values()))

    def assign(self, workers: Sequence[int], ready_soon: int, now: float) -> list[tuple[int, Call]]:
        """Who of those that can work shall have which calls now: one for each who is idle, the fastest first, then a second.

        A second only while there are as many calls as `ready_soon`, those that will soon be able to work included: near the tail it would
        wait behind a long first one while somebody else is idle; and for none whose pace is not known yet. Where a worker
        is at both, one that has lost a worker has one to itself from then on: the next loss is then its own, and nobody
        beside it is charged again.
        """
        assigned: list[tuple[int, Call]] = []
        if not self._waiting or all(len(self._held.get(worker, ())) > 1 for worker in workers):
            return assigned
        self._take_apart(sum(not self._held.get(worker) for worker in workers))
        finish_times = FinishTimes(
            {worker: self._speeds.get(worker, WorkerThroughput(now)) for worker in workers}, self._held, now
        )
        for depth, least in ((1, 1), (2, max(1, ready_soon))):
            for worker in sorted(workers, key=lambda worker: -finish_times.paces[worker]):
                if len(self._waiting) < least:
                    break
                held, first = self._held.setdefault(worker, deque()), self._waiting[0]
                if len(held) >= depth or (held and self._alone(held[0], first)):
                    continue
                if finish_times.suits(worker, first.call.frames, self._frames):
                    finish_times.give(worker, first.call.frames)
                    assigned.append((worker, self._give(worker, now)))
        return assigned

    def _take_apart(self, idle: int) -> None:
        """While there are more idle workers than calls, those that have parts are given out as their parts."""
        while (
            len(self._waiting) < idle
            and (whole := max(self._waiting, key=lambda queued: len(queued.call.parts))).call.parts
        ):
            self._waiting.remove(whole)
            heapify(self._waiting)
            self._frames -= whole.call.frames
            for part in whole.call.parts:
                self.add(part)

    def _give(self, worker: int, now: float) -> Call:
        speed = self._speeds.setdefault(worker, WorkerThroughput(now))
        if not self._held[worker]:
            speed.since = now
        queued = heappop(self._waiting)
        self._frames -= queued.call.frames
        self._held[worker].append(queued)
        return queued.call

    def _push(self, queued: QueuedCall) -> None:
        heappush(self._waiting, queued)
        self._frames += queued.call.frames

    def begun(self, worker: int) -> list[Call]:
        """The calls that a worker is at, or may be."""
        return [queued.call for queued in islice(self._held[worker], self.max_concurrency)]

    def call(self, worker: int, place: int) -> Call:
        """The call at a place among those that a worker holds."""
        return self._held[worker][place].call

    def finished(self, worker: int, place: int, now: float) -> None:
        """A worker has finished one of the calls it was at."""
        self._speeds[worker].finished(self._held[worker][place].call.frames, now)
        del self._held[worker][place]

    def raised(self, worker: int, place: int, error: BaseException) -> int:
        """A call that a worker was at raised an error: back it goes, charged. Gives its errors so far; raises as RetryCount.error."""
        queued = self._held[worker][place]
        del self._held[worker][place]
        try:
            queued.retries.error(queued.call.what, error)
        except RetriesExhaustedError as over:
            self._give_up(queued, over)
        else:
            self._push(queued)
        return queued.retries.errors

    def lost(self, worker: int, reason: str, free: bool) -> None:
        """A worker is gone: those it was at are charged unless `free`, and all it held go back. Raises as RetryCount.loss."""
        for queued in list(self._held[worker])[: 0 if free else self.max_concurrency]:
            try:
                queued.retries.loss(queued.call.what, reason, queued.call.remedy)
            except RetriesExhaustedError as over:
                self._give_up(queued, over)
                self._held[worker].remove(queued)
        self.give_back(worker)

    def spent(self) -> list[tuple[Call, RetriesExhausted]]:
        """Calls that have failed alone since this was last asked, with what is found in their place."""
        found, self._exhausted = self._exhausted, []
        return found

    def _give_up(self, queued: QueuedCall, over: RetriesExhaustedError) -> None:
        if not queued.call.alone:
            raise over from over.__cause__
        self._exhausted.append((queued.call, over.spent))

    def give_back(self, worker: int) -> None:
        """What a worker held goes back to the queue, free of charge."""
        self._speeds.pop(worker, None)
        for queued in self._held.pop(worker, ()):
            self._push(queued)

    def _alone(self, *calls: QueuedCall) -> bool:
        return self.max_concurrency > 1 and any(queued.retries.losses for queued in calls)
