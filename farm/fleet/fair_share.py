"""Decides how many renderers each film on a cluster gets, by priority and fair share.

No film starves, and no capacity that a film could use stays idle.

SharingJob  a film that takes part: what it is called, and how urgent it is
Demand      what one driver says about once a second: what it wants, what it has
allot       who gets how many: the whole policy, a function of demands and room
Shares      the arbiter that hears demands and answers with quotas. All it knows it is told again within seconds
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

FORGOTTEN_SECONDS = 15.0
"""A job that has claimed nothing for so long is gone: its driver was killed, or has left the cluster."""
STARVED_SECONDS = 300.0
"""A job none of whose renderers has been at a chunk for so long comes first, until one of them is."""
SETTLING_SECONDS = 3.0
"""A new office waits so long for everybody's claims before it changes what anybody was told by the one before it."""
PARTS = 10_000
"""Ray counts CPUs and GPUs in ten-thousandths; so does this, in integers."""


class SharingJob(NamedTuple):
    """A film that shares a cluster with others."""

    key: str
    """No other job's: where its work is kept."""
    title: str
    """For people."""
    priority: int
    """Higher is more urgent."""


class ClusterCapacity(NamedTuple):
    """What a cluster has for workers, or may come to have."""

    cpus: float
    gpus: float


@dataclass(frozen=True)
class Demand:
    """What one job wants of a cluster, and what it has."""

    job: SharingJob
    each: ClusterCapacity
    """What one renderer needs."""
    wanted: int
    """Renderers that there is work for, up to the job's own limit."""
    has: int
    """Renderers it has, those still starting included."""
    placed: int = 0
    """Those among them that have a place on some node."""
    without: float = 0.0
    """Seconds since one of its renderers was last at a chunk, or since it has wanted one."""
    beside: float = 0.0
    """CPUs of its other workers, those still starting included."""
    held_to: int | None = None
    """Renderers it was last allowed; None: any number."""


class Quota(NamedTuple):
    """What a job is answered."""

    renderers: int | None
    """It may hire so many; None: any number, for nobody else is there, or there is nothing to share."""
    says: str = ""
    """Where that is less than it wants, what and why, for people: "2 of 8 renderers: the-kid is more urgent"."""
    may_wait: bool = False
    """More may wait for a place, so that the cluster grows: nobody else waits for one that is theirs."""


def allot(claims: Sequence[Demand], room: ClusterCapacity) -> dict[str, int]:
    """Renderers for each job, by its key: never more than it wants, and all together never more than there is room for.

    First one for each, as far as there is room: for those that starve, then by priority, and among equals for those that
    have one already, so that nobody's weights are loaded for nothing. Then by priority, each up to what it wants. Equals
    get one after another, always whoever has the smallest part of the cluster so far, measured by the resource it takes
    most of: dominant resource fairness (Ghodsi et al., NSDI 2011), in whole renderers.
    """
    left = _parts(_for_renderers(claims, room))
    whole = left[:]
    allotted = {claim.job.key: 0 for claim in claims}

    def give(claim: Demand) -> bool:
        each = _parts(claim.each)
        if allotted[claim.job.key] >= claim.wanted or any(need > has for need, has in zip(each, left, strict=True)):
            return False
        left[:] = [has - need for need, has in zip(each, left, strict=True)]
        allotted[claim.job.key] += 1
        return True

    def smallest_first(claim: Demand) -> tuple[float, bool, str]:
        got = allotted[claim.job.key]
        parts = (got * need / has for need, has in zip(_parts(claim.each), whole, strict=True) if has)
        return max(parts, default=0.0), got >= claim.has, claim.job.key

    for claim in sorted(claims, key=_one_each):
        give(claim)
    for _, equals in groupby(sorted(claims, key=_urgency), key=_urgency):
        wanting = list(equals)
        while wanting:
            claim = min(wanting, key=smallest_first)
            if not give(claim):
                wanting.remove(claim)
    return allotted


def _parts(room: ClusterCapacity) -> list[int]:
    return [round(amount * PARTS) for amount in room]


def _for_renderers(claims: Sequence[Demand], room: ClusterCapacity) -> ClusterCapacity:
    """The room that is left beside the jobs' other workers: without a surveyor a film never comes to want a renderer.

    At least half of the CPUs, lest many finishers, which wait for renderers, leave none for them.
    """
    return ClusterCapacity(max(room.cpus / 2, room.cpus - sum(claim.beside for claim in claims)), room.gpus)


def _urgency(claim: Demand) -> int:
    return -claim.job.priority


def _starves(claim: Demand) -> bool:
    return claim.without >= STARVED_SECONDS


def _one_each(claim: Demand) -> tuple[bool, int, bool, float, str]:
    return not _starves(claim), _urgency(claim), claim.has == 0, -claim.without, claim.job.key


def reason(claim: Demand, claims: Sequence[Demand], allotted: Mapping[str, int]) -> str:
    """Why a job may have fewer renderers than it wants, for people."""
    rivals = [one for one in claims if one.job.key != claim.job.key and allotted[one.job.key]]
    urgent = [one.job.title for one in rivals if one.job.priority > claim.job.priority]
    starving = [one.job.title for one in rivals if _starves(one)]
    if urgent or starving:
        return _named(urgent, "more urgent") if urgent else f"{_named(starving, 'next')}, after a long wait"
    return f"shared with {_listed([one.job.title for one in rivals])}" if rivals else "the cluster has no more"


def _named(titles: list[str], what: str) -> str:
    return f"{_listed(titles)} {'is' if len(titles) == 1 else 'are'} {what}"


def _listed(titles: list[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{titles[0]} and {len(titles) - 1} more"


class Shares:
    """The office. A cluster has one; it keeps nothing, and may be lost and made anew at any time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._claims: dict[str, tuple[float, Demand]] = {}

    def claim(self, claim: Demand, room: ClusterCapacity, grows: bool = False) -> Quota | None:
        """What a job may have, of a cluster with this room. None: nothing is said yet, and what was said before holds.

        `grows`: there may come to be more room than that, nobody knows how much.
        """
        now = self._clock()
        self._claims[claim.job.key] = now, claim
        heard = {key: (at, one) for key, (at, one) in self._claims.items() if now - at < FORGOTTEN_SECONDS}
        self._claims = heard
        if claim.held_to is not None and now - self._since < SETTLING_SECONDS:
            return None
        claims = [one for _, one in heard.values()]
        allotted = allot(claims, room)
        if len(claims) == 1 or not any(
            allotted.values()
        ):  # a cluster that does not tell what it may grow to has no room yet
            return Quota(None)
        mine = allotted[claim.job.key]
        says = f"{mine} of {claim.wanted} renderers: {reason(claim, claims, allotted)}" if mine < claim.wanted else ""
        waiting = (one.placed < min(one.has, allotted[one.job.key]) for one in claims if one.job.key != claim.job.key)
        return Quota(mine, says, grows and not any(waiting))

    def leave(self, key: str) -> None:
        """A job is over: what it had is for others."""
        self._claims.pop(key, None)
