"""Base types of the worker fleet: calls, pools of workers, retry budgets, cluster size, and listeners."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from farm.fleet.fair_share import Quota
from jobs.errors import BadInput, BadMedia, ChunkFailed, FilmFailed, StoreDown
from jobs.store.traffic import Traffic


@dataclass(frozen=True)
class RetryPolicy:
    """How often a failure is forgiven, for each call and for the starts of each pool's workers."""

    attempts: int = 3
    """Errors raised before the film fails."""
    losses: int = 8
    """Workers lost before the film fails; preempted ones are not counted."""


DIED = "worker process has died"
"""Ray's words for a process that ended by itself, or was killed, where its node lives on."""
MOST_DEATHS = 3
"""Of workers at one and the same small thing: two may be chance, as where a neighbour takes the memory."""

ONCE = RetryPolicy(attempts=1, losses=1)
"""Of what is several things in one: whichever of them is bad, it is found by asking for each."""


@dataclass(frozen=True)
class Call(ABC):
    """One piece of work asked of a pool; each kind is a class of its own. It must be harmless to make twice: its worker may be lost at the end."""

    @property
    @abstractmethod
    def pool(self) -> str:
        """Whose workers make it."""

    @property
    @abstractmethod
    def method(self) -> str:
        """Of the pool's class: a generator, whose findings arrive as they are made, or plain, with one (None is none)."""

    @property
    def arguments(self) -> tuple[object, ...]:
        """What the method is given: the call's own fields, but for those that are set by keyword alone."""
        return tuple(getattr(self, one.name) for one in fields(self) if not one.kw_only)

    @property
    def priority(self) -> tuple[int, ...]:
        """Lower is begun first; equal ones in the order they came."""
        return (0,)

    @property
    def what(self) -> str:
        """For people: "chunk 12"."""
        return ""

    @property
    def ahead(self) -> bool:
        """It prepares what is needed later: where processors are scarce it gives way to calls that are waited for."""
        return False

    @property
    def alone(self) -> bool:
        """When its budget is spent it fails alone, with a finding `RetriesExhausted`, and the run goes on; else the film fails with it."""
        return False

    @property
    def budget(self) -> RetryPolicy | None:
        """Its own, in the place of the fleet's."""
        return None

    @property
    def remedy(self) -> str:
        """What to do with what it reads, where that kills its reader. It is small: the second worker that dies at it has died of it.

        Empty: deaths are chance, up to the budget.
        """
        return ""

    @property
    def frames(self) -> int:
        """Its size: frames that it reads and renders. 0: not known, and no worker is measured by it."""
        return 0

    @property
    def parts(self) -> Sequence["Call"]:
        """The same work as several smaller calls, for when there are more idle workers than calls."""
        return ()


@dataclass(frozen=True)
class RetriesExhausted:
    """The budget of a call is spent. A finding like any other: what follows from it may be called."""

    errors: int
    losses: int
    last: str
    """The last error, or how the last worker was lost, for people."""


@dataclass(frozen=True)
class PoolSpec:
    """Workers of one kind: a plain class, how it is made, and what each of them needs."""

    name: str
    made_of: str
    """The class as "module:Class": it is imported where the worker runs, so that a driver loads no pixel library."""
    args: tuple[Any, ...] = ()
    limit: int = 1
    """Workers at most; no more are hired than there are calls outstanding."""
    cpus: float = 1.0
    gpus: float = 0.0
    memory: int | None = None
    """Bytes that Ray sets aside for each; None: none."""
    boot_seconds: float = 900.0
    """How long the pool may be without anyone who has started before the film fails."""
    idle_seconds: float = 30.0
    """How long one stays without a call. An idle worker keeps its node, and its node's bill, from scaling in."""
    hung_seconds: float | None = None
    """How long one that is at a call may say nothing, at least (farm/fleet/worker_pool.py); None: as long as it takes."""
    max_concurrency: int = 1
    """Calls that one worker is at, at a time: one, or two in two threads."""
    shared: bool = False
    """On a cluster, films share out its workers among them (farm/fleet/fair_share.py)."""

    @property
    def class_name(self) -> str:
        """The class without its module."""
        return self.made_of.partition(":")[2]

    def make(self) -> object:
        """The worker itself, in this process."""
        module = import_module(self.made_of.partition(":")[0])
        return getattr(module, self.class_name)(*self.args)


@dataclass(frozen=True)
class NodeType:
    """Nodes of one kind: what each of them has, and how many there are, or may come to be."""

    cpus: float
    gpus: float
    memory: float
    """Bytes."""
    most: int
    gpu_memory: float = 0.0
    """Bytes of each GPU; 0: not known."""


@dataclass(frozen=True)
class Cluster:
    """What there is to work on, and what it may become."""

    local: bool
    """Ray was started here, for this fleet, and cannot grow."""
    cpus: float
    """There now; so are the GPUs."""
    gpus: float
    kinds: tuple[NodeType, ...] = ()
    """The nodes there may be. Where the cluster does not tell what it may grow to, those there are."""
    bounded: bool = True
    """`kinds` are all that there can ever be."""

    @property
    def most_cpus(self) -> float:
        """CPUs that there may be."""
        return max(self.cpus, sum(kind.cpus * kind.most for kind in self.kinds))

    @property
    def most_gpus(self) -> float:
        """GPUs that there may be."""
        return max(self.gpus, sum(kind.gpus * kind.most for kind in self.kinds))


class PoolSize(NamedTuple):
    """Workers of one pool."""

    ready: int
    """Can work."""
    warming: int
    """Have their place on a node, and load what they work with."""
    pending: int
    """Wait for a place: what an autoscaler counts as demand."""


class FleetListener(Protocol):
    """Who is told what happens to the fleet; the progress console is one. `what` is a call's, or "starting a <pool>"."""

    def pool_resized(self, pool: PoolSpec, size: PoolSize) -> None:
        """Someone was hired, has got a place, has started, or is gone: how many there are now."""

    def retried(self, pool: str, what: str, error: BaseException, tries: int) -> None:
        """An error was raised for the `tries`-th time, and it is tried again."""

    def lost(self, pool: str, what: str, reason: str, free: bool) -> None:
        """A worker is gone. `free`: it was preempted, and nobody is charged."""

    def faulted(self, pool: str, what: str, fault: str, left_alone: bool) -> None:
        """A worker's machine is at fault, named in `fault`; what it was at is made elsewhere, and nobody is charged.

        `left_alone`: no more workers are hired there for this film.
        """

    def moved(self, traffic: Traffic) -> None:
        """What has passed the stores of a worker's process since it last told, at the end of a call."""

    def shared(self, allowance: Quota) -> None:
        """Other films on the cluster leave it more workers, or fewer, or do so for another reason."""

    def tick(self) -> None:
        """At least once a second while the fleet works."""


class NoListener:
    """A watcher that looks away."""

    def pool_resized(self, pool: PoolSpec, size: PoolSize) -> None: ...
    def retried(self, pool: str, what: str, error: BaseException, tries: int) -> None: ...
    def lost(self, pool: str, what: str, reason: str, free: bool) -> None: ...
    def faulted(self, pool: str, what: str, fault: str, left_alone: bool) -> None: ...
    def moved(self, traffic: Traffic) -> None: ...
    def shared(self, allowance: Quota) -> None: ...
    def tick(self) -> None: ...


class RetriesExhaustedError(FilmFailed):
    """One thing has gone wrong too often."""

    def __init__(self, sentence: str, spent: RetriesExhausted) -> None:
        super().__init__(sentence)
        self.spent = spent


@dataclass
class RetryCount:
    """How often one thing has gone wrong."""

    budget: RetryPolicy
    errors: int = 0
    losses: int = 0
    deaths: int = 0
    """Of the losses: processes that died while their node lived on."""

    def error(self, what: str, error: BaseException) -> None:
        """Charge an error. Raises BadInput, FilmFailed (but for ChunkFailed) and StoreDown as they are; BudgetSpent when there were too many."""
        passed_on = isinstance(error, BadInput | FilmFailed | StoreDown)  # of the last, patience has been had
        if passed_on and not isinstance(error, ChunkFailed):
            raise error from None
        self.errors += 1
        if self.errors >= self.budget.attempts:
            last = f"{type(error).__name__}: {_short(error)}"
            raise RetriesExhaustedError(
                f"{what} failed {_times(self.errors)}, at last with {last}. "
                "Finished work is kept: correct the cause, and the same command resumes.",
                RetriesExhausted(self.errors, self.losses, last),
            ) from error

    def loss(self, what: str, reason: str, remedy: str = "") -> None:
        """Charge a lost worker. Raises RetriesExhaustedError when there were too many, BadMedia where what it read has a `remedy` and killed MOST_DEATHS readers."""
        self.losses += 1
        self.deaths += DIED in reason
        if remedy and self.deaths >= MOST_DEATHS:
            raise BadMedia(
                f"{what[:1].upper()}{what[1:]} killed {MOST_DEATHS} workers that read it, one after the other ({reason}): {remedy}."
            )
        if self.losses >= self.budget.losses:
            raise RetriesExhaustedError(
                f"{what} lost its worker {_times(self.losses)}, at last so: {reason}. It may need more memory than there is "
                "(workers.memory_gib), or what it reads may be damaged so that it kills whoever reads it. Finished work is kept: "
                "the same command resumes.",
                RetriesExhausted(self.errors, self.losses, reason),
            )


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return (text if len(text) <= 500 else text[:499] + "…").rstrip(".") or "no message"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
