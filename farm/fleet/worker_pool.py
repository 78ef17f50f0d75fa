"""The workers of one pool: how many are wanted, which are idle, late, hung or stopped. It never wants more workers than there are calls."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from farm.fleet.calls import Call, Cluster, PoolSize, PoolSpec, RetryCount, RetryPolicy
from farm.fleet.capacity import in_words, places
from farm.fleet.fair_share import Quota
from farm.fleet.nodes import Node
from farm.fleet.scheduler import CallQueue
from jobs.errors import FilmFailed
from jobs.processes import is_stopped

PENDING_GRACE = 5.0
"""Seconds that demand must have been lower before a worker that is still starting goes: demand flickers, starts are dear."""
HUNG_TIMES = 20
"""A worker that has been silent for so many times the longest wait for another's word, or its own, is taken for hung."""
STOPPED_SECONDS = 10.0
"""A worker whose process stands still for so long is replaced: nothing tells when anyone will let it go on."""
STOPPED = f"its process was stopped for {STOPPED_SECONDS:g} s (state T), as by SIGSTOP or by a terminal that it touched"
CROWDED_AFTER = 10.0
"""Seconds after which a worker that has not started may be waiting for room that an idle one takes."""


@dataclass(eq=False)
class Worker:
    """One worker, as the driver sees it."""

    number: int
    crew: PoolSpec
    actor: Any
    placed: Any
    """What resolves when its process has been made on some node; None when it has."""
    boot: Any
    """What resolves when it has started; None when it has."""
    since: float
    """When it was hired; once it has started, when it last had a call."""
    process: str = ""
    """The identity of its process, once it has a place (jobs/processes.py)."""
    stood: float = 0.0
    """Seconds for which that process has been stopped."""
    silent: float = 0.0
    """Seconds for which it has been at calls and said nothing."""
    node: Node | None = None
    """Where it runs; None until it has a place."""
    streams: deque[Any] = field(default_factory=deque)
    """What its calls bring, in the order they were dealt; only those it is at can bring anything."""


class WorkerPool:
    """One crew's workers."""

    def __init__(self, crew: PoolSpec, budget: RetryPolicy, now: float) -> None:
        self.crew = crew
        self.budget = budget
        self.hired: list[Worker] = []
        self.expected = 0
        """Calls that are still to come: workers start, and stay, as if they were there."""
        self.sure = False
        """So many exactly: whoever is not needed for them is not needed any more."""
        self.allowance = Quota(None)
        """What other films on the cluster leave it."""
        self._longest: float | None = (
            None  # seconds that someone at a call was silent before the next word, if there was one
        )
        self.begin(now)

    def begin(self, now: float) -> None:
        """A new run: an empty sheet, and the crew's luck forgotten."""
        self.sheet = CallQueue(self.budget, self.crew.abreast)
        self.luck = RetryCount(self.budget)
        self._enough_since: float | None = None
        self._bare_since = self._loading_since = now

    @property
    def ready(self) -> list[Worker]:
        """Those who can work."""
        return [one for one in self.hired if one.boot is None]

    @property
    def warming(self) -> list[Worker]:
        """Those who have a place, and load what they work with."""
        return [one for one in self.hired if one.placed is None and one.boot is not None]

    @property
    def pending(self) -> list[Worker]:
        """Those who wait for a place."""
        return [one for one in self.hired if one.placed is not None]

    @property
    def staff(self) -> PoolSize:
        """How many there are of each."""
        return PoolSize(len(self.ready), len(self.warming), len(self.pending))

    def hands(self, now: float) -> int:
        """How many can work now or will soon: not those who may be waiting for a node."""
        return len(self.hired) - sum(now - one.since >= CROWDED_AFTER for one in self.pending)

    def what(self, hired: Worker) -> str:
        """What someone is at: the calls' own words for it, or starting."""
        if hired.boot is not None:
            return f"Starting a {self.crew.name}"
        return ", ".join(call.what for call in self.sheet.begun(hired.number))

    def call(self, hired: Worker, stream: Any) -> Call:
        """The call that a stream brings findings of."""
        return self.sheet.call(hired.number, hired.streams.index(stream))

    def placed(self, hired: Worker, now: float) -> None:
        """Someone has a place, and begins to load."""
        hired.placed, hired.since, self._bare_since = None, now, now

    def started(self, hired: Worker, now: float) -> None:
        """Someone can work."""
        hired.boot, hired.since = None, now
        self.luck = RetryCount(self.budget)

    def finished(self, hired: Worker, stream: Any, now: float) -> None:
        """Someone has finished a call."""
        self.sheet.finished(hired.number, self._drop(hired, stream), now)
        hired.since, hired.silent = now, 0.0

    def failed_to_start(self, hired: Worker, error: BaseException) -> int:
        """Someone's start raised an error. Gives how many starts have in a row; raises as RetryCount.error."""
        self.luck.error(self.what(hired), error)
        return self.luck.errors

    def raised(self, hired: Worker, stream: Any, error: BaseException) -> int:
        """Someone's call raised an error. Gives how many it has raised so far; raises as RetryCount.error."""
        return self.sheet.raised(hired.number, self._drop(hired, stream), error)

    def _drop(self, hired: Worker, stream: Any) -> int:
        place = hired.streams.index(stream)
        del hired.streams[place]
        return place

    def lost(self, hired: Worker, reason: str, free: bool) -> None:
        """Someone is gone, and all that they were at is charged unless `free`. Raises as RetryCount.loss."""
        if hired.boot is None:
            self.sheet.lost(hired.number, reason, free)
        elif not free:
            self.luck.loss(self.what(hired), reason)

    def heard(self, hired: Worker, stream: Any) -> Call:
        """Someone at a call has said something. Gives the call."""
        self._longest = max(self._longest or 0.0, hired.silent)
        hired.silent = 0.0
        return self.call(hired, stream)

    def hung(self, waited: float) -> list[Worker]:
        """Who, after everyone was listened to for so many more seconds, has been silent for too long.

        Before the first word of all, while networks are warmed up, the crew's boot_seconds are allowed.
        """
        if self.crew.hung_seconds is None:
            return []
        for one in self.ready:
            one.silent = one.silent + waited if one.streams else 0.0
        patience = self.crew.boot_seconds if self._longest is None else HUNG_TIMES * self._longest
        return [one for one in self.ready if one.silent > max(self.crew.hung_seconds, patience)]

    def stopped(self, waited: float) -> list[Worker]:
        """Who, after so many more seconds, has been stopped for too long, as far as it runs on this machine: it is not busy, it stands."""
        for one in self.hired:
            one.stood = one.stood + waited if is_stopped(one.process) else 0.0
        return [one for one in self.hired if one.stood >= STOPPED_SECONDS]

    @property
    def wanted(self) -> int:
        """How many workers there is work for, up to the limit."""
        return min(self.crew.limit, self.sheet.hands + self.expected)

    @property
    def demand(self) -> int:
        """How many workers there shall be: those wanted, as far as they are allowed."""
        allowed = self.allowance.renderers
        return self.wanted if allowed is None or self.allowance.may_wait else min(self.wanted, allowed)

    @property
    def excess(self) -> bool:
        """There are more than are allowed: without a place or a call one goes at once, at work when a call of its is finished."""
        counted = len(self.hired) - (len(self.pending) if self.allowance.may_wait else 0)
        return self.allowance.renderers is not None and counted > self.allowance.renderers

    def wanting(self) -> int:
        """How many are to be hired."""
        return max(0, self.demand - len(self.hired))

    def dispensable(self, now: float, crowded: bool) -> list[Worker]:
        """Who may go: those still starting first, then the idle. `crowded`: someone of some crew may be waiting for room."""
        surplus = len(self.hired) - self.demand
        if surplus <= 0:
            self._enough_since = None
            return []
        self._enough_since = now if self._enough_since is None else self._enough_since
        graced = self.sure or now - self._enough_since >= PENDING_GRACE
        go = self.pending[::-1] if graced or self.excess else []
        # Loading is dear: whoever has begun it ends it, while there is anything to do.
        go += self.warming[::-1] if graced and not self.wanted else []
        patience = 0.0 if crowded or self.sure or self.excess else self.crew.idle_seconds
        go += [one for one in self.ready if not one.streams and now - one.since >= patience]
        return go[:surplus]

    def crowded(self, now: float) -> bool:
        """Someone has been without a place for so long that room may be lacking."""
        return self.hands(now) < len(self.hired)

    def late(self, now: float) -> list[Worker]:
        """Who has been loading for too long while others work. Raises FilmFailed where there are no others.

        One that waits for a place waits on while others work: hired again it would wait for the same place.
        """
        patience = self.crew.boot_seconds
        if self.ready or not self.hired:
            self._bare_since = now
        if self.ready or not self.warming:
            self._loading_since = now
        if now - self._loading_since > patience:
            raise FilmFailed(
                f"No {self.crew.name} has started within {patience:g} s of getting its place: see whether its weights load there "
                "(the worker's log tells), or raise workers.boot_seconds."
            )
        if not self.warming and now - self._bare_since > patience:
            raise FilmFailed(
                f"No {self.crew.name} has found a place within {patience:g} s. Each needs {needs(self.crew)} on one node: see whether "
                "the cluster has that to give and whether nodes come (ray status), or raise workers.boot_seconds."
            )
        return [one for one in self.warming if now - one.since > patience] if self.ready else []


def needs(crew: PoolSpec) -> str:
    """What each of a crew needs, for people."""
    parts = [f"{crew.cpus:g} CPU"] if crew.cpus else []
    parts += [f"{crew.gpus:g} GPU"] if crew.gpus else []
    parts += [f"{crew.memory / 2**30:.3g} GiB of memory"] if crew.memory else []
    return ", ".join(parts) or "nothing"


def unmeetable(crew: PoolSpec, cluster: Cluster) -> str | None:
    """A sentence where no node that there is, or may come to be, can ever place one of the crew; else None."""
    if any(places(kind, crew.cpus, crew.gpus, crew.memory or 0.0) for kind in cluster.kinds):
        return None
    has = "; or ".join(dict.fromkeys(map(in_words, cluster.kinds))) or "nothing"
    where = "this machine has" if cluster.local else "the nodes that this cluster has or may bring up have each"
    return (
        f"Each {crew.name} needs {needs(crew)}, but {where} {has} to give: "
        "lower workers.cpus, workers.gpus or workers.memory_gib."
    )


def reason_of(error: Exception) -> str:
    """Why a worker was lost, in few words: Ray's own begin with lines of identity and end in advice."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("\t")]
    return f"{type(error).__name__}: {(lines[-1] if lines else '').strip()[:200]}"
