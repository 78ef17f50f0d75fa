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
LOOK_SECONDS = 1.0
"""Between two looks at the processes here: each look reads three files of each worker, and a fleet turns many times a second."""
STOPPED = f"its process was stopped for {STOPPED_SECONDS:g} s (state T), as by SIGSTOP or by a terminal that it touched"
CROWDED_AFTER = 10.0
"""Seconds after which a worker that has not started may be waiting for room that an idle one takes."""


@dataclass(eq=False)
class Worker:
    """One worker, as the driver sees it."""

    number: int
    spec: PoolSpec
    actor: Any
    placed: Any
    """What resolves when its process has been made on some node; None when it has."""
    boot: Any
    """What resolves when it has started; None when it has."""
    since: float
    """When it was hired; once it has started, when it last had a call."""
    process: str = ""
    """The identity of its process, once it has a place (jobs/processes.py)."""
    stopped_for: float = 0.0
    """Seconds for which that process has been stopped."""
    silent: float = 0.0
    """Seconds for which it has been at calls and said nothing."""
    node: Node | None = None
    """Where it runs; None until it has a place."""
    streams: deque[Any] = field(default_factory=deque)
    """What its calls bring, in the order they were assigned; only those it is at can bring anything."""


class WorkerPool:
    """One pool's workers."""

    def __init__(self, spec: PoolSpec, budget: RetryPolicy, now: float) -> None:
        self.spec = spec
        self.budget = budget
        self.workers: list[Worker] = []
        self.expected = 0
        """Calls that are still to come: workers start, and stay, as if they were there."""
        self.sure = False
        """So many exactly: whoever is not needed for them is not needed any more."""
        self.quota = Quota(None)
        """What other films on the cluster leave it."""
        self._longest: float | None = (
            None  # seconds that someone at a call was silent before the next word, if there was one
        )
        self._unlooked = 0.0  # seconds since it was last looked who stands
        self.begin(now)

    def begin(self, now: float) -> None:
        """A new run: an empty queue, and failed starts forgotten."""
        self.queue = CallQueue(self.budget, self.spec.max_concurrency)
        self.retries = RetryCount(self.budget)
        self._enough_since: float | None = None
        self._bare_since = self._loading_since = now

    @property
    def ready(self) -> list[Worker]:
        """Those who can work."""
        return [worker for worker in self.workers if worker.boot is None]

    @property
    def warming(self) -> list[Worker]:
        """Those who have a place, and load what they work with."""
        return [worker for worker in self.workers if worker.placed is None and worker.boot is not None]

    @property
    def pending(self) -> list[Worker]:
        """Those who wait for a place."""
        return [worker for worker in self.workers if worker.placed is not None]

    @property
    def size(self) -> PoolSize:
        """How many there are of each."""
        return PoolSize(len(self.ready), len(self.warming), len(self.pending))

    def soon_ready(self, now: float) -> int:
        """How many can work now or will soon: not those who may be waiting for a node."""
        return len(self.workers) - sum(now - worker.since >= CROWDED_AFTER for worker in self.pending)

    def what(self, worker: Worker) -> str:
        """What someone is at: the calls' own words for it, or starting."""
        if worker.boot is not None:
            return f"Starting a {self.spec.name}"
        return ", ".join(call.what for call in self.queue.begun(worker.number))

    def call(self, worker: Worker, stream: Any) -> Call:
        """The call that a stream brings findings of."""
        return self.queue.call(worker.number, worker.streams.index(stream))

    def placed(self, worker: Worker, now: float) -> None:
        """Someone has a place, and begins to load."""
        worker.placed, worker.since, self._bare_since = None, now, now

    def started(self, worker: Worker, now: float) -> None:
        """Someone can work."""
        worker.boot, worker.since = None, now
        self.retries = RetryCount(self.budget)

    def finished(self, worker: Worker, stream: Any, now: float) -> None:
        """Someone has finished a call."""
        self.queue.finished(worker.number, self._drop(worker, stream), now)
        worker.since, worker.silent = now, 0.0

    def failed_to_start(self, worker: Worker, error: BaseException) -> int:
        """Someone's start raised an error. Gives how many starts have in a row; raises as RetryCount.error."""
        self.retries.error(self.what(worker), error)
        return self.retries.errors

    def raised(self, worker: Worker, stream: Any, error: BaseException) -> int:
        """Someone's call raised an error. Gives how many it has raised so far; raises as RetryCount.error."""
        return self.queue.raised(worker.number, self._drop(worker, stream), error)

    def _drop(self, worker: Worker, stream: Any) -> int:
        place = worker.streams.index(stream)
        del worker.streams[place]
        return place

    def lost(self, worker: Worker, reason: str, free: bool) -> None:
        """Someone is gone, and all that they were at is charged unless `free`. Raises as RetryCount.loss."""
        if worker.boot is None:
            self.queue.lost(worker.number, reason, free)
        elif not free:
            self.retries.loss(self.what(worker), reason)

    def heard(self, worker: Worker, stream: Any) -> Call:
        """Someone at a call has said something. Gives the call."""
        self._longest = max(self._longest or 0.0, worker.silent)
        worker.silent = 0.0
        return self.call(worker, stream)

    def hung(self, waited: float) -> list[Worker]:
        """Who, after everyone was listened to for so many more seconds, has been silent for too long.

        Before the first word of all, while networks are warmed up, the pool's boot_seconds are allowed.
        """
        if self.spec.hung_seconds is None:
            return []
        for worker in self.ready:
            worker.silent = worker.silent + waited if worker.streams else 0.0
        timeout = self.spec.boot_seconds if self._longest is None else HUNG_TIMES * self._longest
        return [worker for worker in self.ready if worker.silent > max(self.spec.hung_seconds, timeout)]

    def stopped(self, waited: float) -> list[Worker]:
        """Who, after so many more seconds, has been stopped for too long, as far as it runs on this machine: it is not busy, it stands."""
        self._unlooked += waited
        if self._unlooked >= LOOK_SECONDS:
            for worker in self.workers:
                worker.stopped_for = worker.stopped_for + self._unlooked if is_stopped(worker.process) else 0.0
            self._unlooked = 0.0
        return [worker for worker in self.workers if worker.stopped_for >= STOPPED_SECONDS]

    @property
    def wanted(self) -> int:
        """How many workers there is work for, up to the limit."""
        return min(self.spec.limit, self.queue.workers_kept + self.expected)

    @property
    def demand(self) -> int:
        """How many workers there shall be: those wanted, as far as they are allowed."""
        allowed = self.quota.renderers
        return self.wanted if allowed is None or self.quota.may_wait else min(self.wanted, allowed)

    @property
    def excess(self) -> bool:
        """There are more than are allowed: without a place or a call one goes at once, at work when a call of its is finished."""
        counted = len(self.workers) - (len(self.pending) if self.quota.may_wait else 0)
        return self.quota.renderers is not None and counted > self.quota.renderers

    def wanting(self) -> int:
        """How many are to be hired."""
        return max(0, self.demand - len(self.workers))

    def dispensable(self, now: float, crowded: bool) -> list[Worker]:
        """Who may go: those still starting first, then the idle. `crowded`: someone of some pool may be waiting for room."""
        surplus = len(self.workers) - self.demand
        if surplus <= 0:
            self._enough_since = None
            return []
        self._enough_since = now if self._enough_since is None else self._enough_since
        graced = self.sure or now - self._enough_since >= PENDING_GRACE
        go = self.pending[::-1] if graced or self.excess else []
        # Loading is dear: whoever has begun it ends it, while there is anything to do.
        go += self.warming[::-1] if graced and not self.wanted else []
        timeout = 0.0 if crowded or self.sure or self.excess else self.spec.idle_seconds
        go += [worker for worker in self.ready if not worker.streams and now - worker.since >= timeout]
        return go[:surplus]

    def crowded(self, now: float) -> bool:
        """Someone has been without a place for so long that room may be lacking."""
        return self.soon_ready(now) < len(self.workers)

    def late(self, now: float) -> list[Worker]:
        """Who has been loading for too long while others work. Raises FilmFailed where there are no others.

        One that waits for a place waits on while others work: hired again it would wait for the same place.
        """
        timeout = self.spec.boot_seconds
        if self.ready or not self.workers:
            self._bare_since = now
        if self.ready or not self.warming:
            self._loading_since = now
        if now - self._loading_since > timeout:
            raise FilmFailed(
                f"No {self.spec.name} has started within {timeout:g} s of getting its place: see whether its weights load there "
                "(the worker's log tells), or raise workers.boot_seconds."
            )
        if not self.warming and now - self._bare_since > timeout:
            raise FilmFailed(
                f"No {self.spec.name} has found a place within {timeout:g} s. Each needs {needs(self.spec)} on one node: see whether "
                "the cluster has that to give and whether nodes come (ray status), or raise workers.boot_seconds."
            )
        return [worker for worker in self.warming if now - worker.since > timeout] if self.ready else []


def needs(spec: PoolSpec) -> str:
    """What each of a pool needs, for people."""
    parts = [f"{spec.cpus:g} CPU"] if spec.cpus else []
    parts += [f"{spec.gpus:g} GPU"] if spec.gpus else []
    parts += [f"{spec.memory / 2**30:.3g} GiB of memory"] if spec.memory else []
    return ", ".join(parts) or "nothing"


def unmeetable(spec: PoolSpec, cluster: Cluster) -> str | None:
    """A sentence where no node that there is, or may come to be, can ever place one of the pool; else None."""
    if any(places(kind, spec.cpus, spec.gpus, spec.memory or 0.0) for kind in cluster.kinds):
        return None
    has = "; or ".join(dict.fromkeys(map(in_words, cluster.kinds))) or "nothing"
    where = "this machine has" if cluster.local else "the nodes that this cluster has or may bring up have each"
    return (
        f"Each {spec.name} needs {needs(spec)}, but {where} {has} to give: "
        "lower workers.cpus, workers.gpus or workers.memory_gib."
    )


def reason_of(error: Exception) -> str:
    """Why a worker was lost, in few words: Ray's own begin with lines of identity and end in advice."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("\t")]
    return f"{type(error).__name__}: {(lines[-1] if lines else '').strip()[:200]}"
