"""A driver's client of the cluster's fair share arbiter: reports its demand and keeps its pools within their quota.

It never waits for the arbiter; a film that gets no answer works as if it were alone on the cluster.
"""

from collections.abc import Callable, Iterable
from typing import Any

import ray
from ray.exceptions import RayError

from farm.cluster.local_ray import QUIETLY
from farm.fleet.calls import Cluster
from farm.fleet.fair_share import ClusterCapacity, Demand, Quota, Shares, SharingJob
from farm.fleet.worker_pool import WorkerPool

OFFICE = "shares"
"""The office's name among a cluster's detached actors, in every session's namespace."""
HEAD = {"node:__internal_head__": 0.001}
"""Ray's own resource of a cluster's head: an actor without resources would elsewhere keep a node from scaling in."""
CLAIM_SECONDS = 1.0
"""Between two claims."""
DEAF_SECONDS = 5.0
"""After so long without an answer the office is looked for again, or made anew."""
ALONE_SECONDS = 15.0
"""After so long without an answer a film takes itself for the only one."""
FIRST = Quota(1)
"""Before the first answer, which comes in a second or two: on a full cluster more would stand in others' way."""


class FairShareClient:
    """One job's claims: a question on its way, and what was answered last."""

    def __init__(self, job: SharingJob, now: float) -> None:
        self.job = job
        self.allowance = FIRST
        self._office: Any = None
        self._answer: Any = None
        self._asked = float("-inf")
        self._unheard_since: float | None = None
        self._served = now

    def apply(self, pools: Iterable[WorkerPool], cluster: Callable[[], Cluster], now: float) -> bool:
        """Claim for the pools of a fleet, about once a second, and hold those that are shared to what was last answered.

        Gives whether that has changed.
        """
        pools, before = list(pools), self.allowance
        self._listen(now)
        if self._answer is None and now - self._asked >= CLAIM_SECONDS:
            self._ask(self._claim(pools, now), cluster(), now)
        for pool in pools:
            if pool.spec.shared:
                pool.quota = self.allowance
        return self.allowance != before

    def leave(self) -> None:
        """Tell the office that the job is over, and do not wait to hear that it has understood."""
        if self._office is not None:
            self._office.leave.remote(self.job.key)

    def _claim(self, pools: list[WorkerPool], now: float) -> Demand:
        shared = [pool for pool in pools if pool.spec.shared]
        wanted = sum(pool.wanted for pool in shared)
        if not wanted or any(worker.streams for pool in shared for worker in pool.workers):
            self._served = now
        return Demand(
            self.job,
            ClusterCapacity(shared[0].spec.cpus, shared[0].spec.gpus) if shared else ClusterCapacity(0, 0),
            wanted,
            sum(len(pool.workers) for pool in shared),
            sum(len(pool.workers) - len(pool.pending) for pool in shared),
            now - self._served,
            sum(pool.spec.cpus * len(pool.workers) for pool in pools if not pool.spec.shared),
            None if self.allowance is FIRST else self.allowance.renderers,
        )

    def _ask(self, claim: Demand, cluster: Cluster, now: float) -> None:
        self._asked = now
        self._unheard_since = now if self._unheard_since is None else self._unheard_since
        try:
            if self._office is None:
                self._office = _office()
            self._answer = self._office.claim.remote(
                claim, ClusterCapacity(cluster.most_cpus, cluster.most_gpus), not cluster.bounded
            )
        except (RayError, ValueError):  # a name whose actor has just died
            self._office = None

    def _listen(self, now: float) -> None:
        if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
            try:
                self.allowance = ray.get(self._answer) or self.allowance
                self._unheard_since = None
            except RayError:
                self._office = None
            self._answer = None
        elif self._answer is not None and now - self._asked >= DEAF_SECONDS:
            self._office = self._answer = None
        patience = DEAF_SECONDS if self.allowance is FIRST else ALONE_SECONDS
        if self._unheard_since is not None and now - self._unheard_since >= patience:
            self.allowance = Quota(None)


def _office() -> Any:
    """The cluster's office; it is made where there is none, and stays when all films are over: it needs next to nothing."""
    arbiter: Any = ray.remote(num_cpus=0, resources=HEAD, max_restarts=-1)(Shares)
    return arbiter.options(
        name=OFFICE, namespace=QUIETLY["namespace"], lifetime="detached", get_if_exists=True
    ).remote()
