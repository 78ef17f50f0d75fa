"""Calls: what is asked of which crew, in which order, and how often again. Promises that no call is lost and none is tried for ever; knows no Ray.

CallSheet   one crew's calls: waiting (a heap, lowest rank first) or held by a worker, two at most
Luck        how often one call, or a crew's start, has gone wrong, against two budgets: errors raised, workers lost
Spent       what is found in place of a call's own findings, where its budget is spent and it was to fail alone
Roster      one crew's workers, and the decisions about them: how many are wanted, who goes, who has been late
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, islice
from typing import Any, NamedTuple, Protocol

from jobs.errors import BadInput, ChunkFailed, FilmFailed, StoreDown
from jobs.store.traffic import Traffic


@dataclass(frozen=True)
class Budget:
    """How often bad luck is forgiven, for each call and for each crew's start."""

    attempts: int = 3
    """Errors raised before the film fails."""
    losses: int = 8
    """Workers lost before the film fails; preempted ones are not counted."""


ONCE = Budget(attempts=1, losses=1)
"""Of what is several things in one: whichever of them is bad, it is found by asking for each."""


@dataclass(frozen=True)
class Call:
    """One piece of work asked of a crew. Whoever makes it must be harmless to call twice: its worker may be lost at the end."""

    crew: str
    verb: str
    """Method of the crew's class: a generator, whose findings arrive as they are made, or plain, with one (None is none)."""
    args: tuple[Any, ...] = ()
    rank: tuple[int, ...] = ()
    """Lower is begun first; equal ranks in the order they came."""
    what: str = ""
    """For people: "chunk 12"."""
    alone: bool = False
    """When its budget is spent it fails alone, with a finding `Spent`, and the run goes on; else the film fails with it."""
    budget: Budget | None = None
    """Its own, in the place of the fleet's."""


@dataclass(frozen=True)
class Spent:
    """The budget of a call is spent. A finding like any other: what follows from it may be called."""

    errors: int
    losses: int
    last: str
    """The last error, or how the last worker was lost, for people."""


@dataclass(frozen=True)
class Crew:
    """Workers of one kind: a plain class, how it is made, and what each of them needs."""

    name: str
    made_of: Callable[..., object]
    args: tuple[Any, ...] = ()
    limit: int = 1
    """Workers at most; no more are hired than there are calls outstanding."""
    cpus: float = 1.0
    gpus: float = 0.0
    memory: int | None = None
    """Bytes that Ray sets aside for each; None: none."""
    boot_seconds: float = 900.0
    """How long the crew may be without anyone who has started before the film fails."""
    idle_seconds: float = 30.0
    """How long one stays without a call. An idle worker keeps its node, and its node's bill, from scaling in."""
    hung_seconds: float | None = None
    """How long one that is at a call may say nothing, at least (farm/roster.py); None: as long as it takes."""
    abreast: int = 1
    """Calls that one worker is at, at a time: one, or two in two threads."""


@dataclass(frozen=True)
class Cluster:
    """What there is to work on now; an autoscaling cluster may grow."""

    local: bool
    """Ray was started here, for this fleet, and cannot grow."""
    cpus: float
    gpus: float


class Staff(NamedTuple):
    """Workers of one crew."""

    ready: int
    """Can work."""
    warming: int
    """Have their place on a node, and load what they work with."""
    pending: int
    """Wait for a place: what an autoscaler counts as demand."""


class Watcher(Protocol):
    """Who is told what happens to the fleet; the board is one. `what` is a call's, or "starting a <crew>"."""

    def staffed(self, crew: Crew, staff: Staff) -> None:
        """Someone was hired, has got a place, has started, or is gone: how many there are now."""

    def retried(self, crew: str, what: str, error: BaseException, tries: int) -> None:
        """An error was raised for the `tries`-th time, and it is tried again."""

    def lost(self, crew: str, what: str, reason: str, free: bool) -> None:
        """A worker is gone. `free`: it was preempted, and nobody is charged."""

    def moved(self, traffic: Traffic) -> None:
        """What has passed the stores of a worker's process since it last told, at the end of a call."""

    def tick(self) -> None:
        """At least once a second while the fleet works."""


class Unwatched:
    """A watcher that looks away."""

    def staffed(self, crew: Crew, staff: Staff) -> None: ...
    def retried(self, crew: str, what: str, error: BaseException, tries: int) -> None: ...
    def lost(self, crew: str, what: str, reason: str, free: bool) -> None: ...
    def moved(self, traffic: Traffic) -> None: ...
    def tick(self) -> None: ...


class BudgetSpent(FilmFailed):
    """One thing has gone wrong too often."""

    def __init__(self, sentence: str, spent: Spent) -> None:
        super().__init__(sentence)
        self.spent = spent


@dataclass
class Luck:
    """How often one thing has gone wrong."""

    budget: Budget
    errors: int = 0
    losses: int = 0

    def error(self, what: str, error: BaseException) -> None:
        """Charge an error. Raises BadInput, FilmFailed (but for ChunkFailed) and StoreDown as they are; BudgetSpent when there were too many."""
        passed_on = isinstance(error, BadInput | FilmFailed | StoreDown)  # of the last, patience has been had
        if passed_on and not isinstance(error, ChunkFailed):
            raise error from None
        self.errors += 1
        if self.errors >= self.budget.attempts:
            last = f"{type(error).__name__}: {_short(error)}"
            raise BudgetSpent(
                f"{what} failed {_times(self.errors)}, at last with {last}. "
                "What is finished is kept: mend the cause, and the same command goes on.",
                Spent(self.errors, self.losses, last),
            ) from error

    def loss(self, what: str, reason: str) -> None:
        """Charge a lost worker. Raises BudgetSpent when there were too many."""
        self.losses += 1
        if self.losses >= self.budget.losses:
            raise BudgetSpent(
                f"{what} lost its worker {_times(self.losses)}, at last so: {reason}. It may need more memory than there is "
                "(workers.memory_gib), or what it reads may be damaged so that it kills whoever reads it. What is finished is kept: "
                "the same command goes on.",
                Spent(self.errors, self.losses, reason),
            )


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return (text if len(text) <= 500 else text[:499] + "…").rstrip(".") or "no message"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


@dataclass(order=True)
class Ticket:
    """A call on its way, with its luck."""

    rank: tuple[int, ...]
    number: int
    call: Call = field(compare=False)
    luck: Luck = field(compare=False)


class CallSheet:
    """One crew's calls. A worker begins what it holds in order, so only the first `abreast` that it holds can have begun."""

    def __init__(self, budget: Budget, abreast: int = 1) -> None:
        self.budget = budget
        self.abreast = abreast
        self._waiting: list[Ticket] = []
        self._held: dict[int, deque[Ticket]] = {}
        self._spent: list[tuple[Call, Spent]] = []
        self._numbers = count()

    def add(self, call: Call) -> None:
        """One more call."""
        heappush(self._waiting, Ticket(call.rank, next(self._numbers), call, Luck(call.budget or self.budget)))

    @property
    def outstanding(self) -> int:
        """Calls that are not finished."""
        return len(self._waiting) + sum(map(len, self._held.values()))

    def deal(self, workers: Sequence[int], hired: int) -> list[tuple[int, Call]]:
        """Who of those that can work shall have which calls now: one for each who is idle, then a second.

        A second only while there are as many calls as workers `hired`, those still starting included: near the tail it
        would wait behind a long first one while somebody else is idle. Where a worker is at both, one that has lost a
        worker has one to itself from then on: the next loss is then its own, and nobody beside it is charged again.
        """
        dealt: list[tuple[int, Call]] = []
        for depth, least in ((1, 1), (2, max(1, hired))):
            for worker in workers:
                if len(self._waiting) < least:
                    break
                held = self._held.setdefault(worker, deque())
                if len(held) < depth and not (held and self._alone(held[0], self._waiting[0])):
                    held.append(heappop(self._waiting))
                    dealt.append((worker, held[-1].call))
        return dealt

    def begun(self, worker: int) -> list[Call]:
        """The calls that a worker is at, or may be."""
        return [ticket.call for ticket in islice(self._held[worker], self.abreast)]

    def call(self, worker: int, place: int) -> Call:
        """The call at a place among those that a worker holds."""
        return self._held[worker][place].call

    def finished(self, worker: int, place: int) -> None:
        """A worker has finished one of the calls it was at."""
        del self._held[worker][place]

    def raised(self, worker: int, place: int, error: BaseException) -> int:
        """A call that a worker was at raised an error: back it goes, charged. Gives its errors so far; raises as Luck.error."""
        ticket = self._held[worker][place]
        del self._held[worker][place]
        try:
            ticket.luck.error(ticket.call.what, error)
        except BudgetSpent as over:
            self._set_aside(ticket, over)
        else:
            heappush(self._waiting, ticket)
        return ticket.luck.errors

    def lost(self, worker: int, reason: str, free: bool) -> None:
        """A worker is gone: those it was at are charged unless `free`, and all it held go back. Raises as Luck.loss."""
        for ticket in list(self._held[worker])[: 0 if free else self.abreast]:
            try:
                ticket.luck.loss(ticket.call.what, reason)
            except BudgetSpent as over:
                self._set_aside(ticket, over)
                self._held[worker].remove(ticket)
        self.give_back(worker)

    def spent(self) -> list[tuple[Call, Spent]]:
        """Calls that have failed alone since this was last asked, with what is found in their place."""
        found, self._spent = self._spent, []
        return found

    def _set_aside(self, ticket: Ticket, over: BudgetSpent) -> None:
        if not ticket.call.alone:
            raise over from over.__cause__
        self._spent.append((ticket.call, over.spent))

    def give_back(self, worker: int) -> None:
        """What a worker held goes back to the queue, free of charge."""
        for ticket in self._held.pop(worker, ()):
            heappush(self._waiting, ticket)

    def _alone(self, *tickets: Ticket) -> bool:
        return self.abreast > 1 and any(ticket.luck.losses for ticket in tickets)
