"""Hires plain classes as Ray actors and calls them. Every call is finished or fails with one error, and no worker is left running.

Findings are small (records, keys): frames never travel through Ray. A call whose worker was lost is
made again from its beginning, so a finding may arrive twice: whoever keeps findings must be harmless to call twice.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import count, islice
from types import TracebackType
from typing import Any, Self

import ray
from ray.exceptions import RayError, RayTaskError, UnserializableException

from farm.fleet.calls import Call, Cluster, FleetListener, NoListener, PoolSpec, RetryPolicy
from farm.fleet.capacity import places
from farm.fleet.fair_share import SharingJob
from farm.fleet.fair_share_client import FairShareClient
from farm.fleet.nodes import Node, Nodes
from farm.fleet.ray_session import RaySession
from farm.fleet.vantage import DriverView
from farm.fleet.worker_actor import WorkerActor
from farm.fleet.worker_pool import STOPPED, Worker, WorkerPool, reason_of, unmeetable
from jobs.errors import BadSpec, FarmError, FilmFailed, NodeFault
from jobs.ledger.lease import SYSTEM
from jobs.store.traffic import Traffic

LISTEN_SECONDS = 1.0
"""Longest wait for a finding before workers and clock are looked at again."""


class Fleet:
    """Workers for a film, on this machine or on a cluster; a context manager, which can be entered again.

    While it is open, SIGTERM raises KeyboardInterrupt in the main thread (Ray would exit the process there and then).
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        workers: int = 1,
        budget: RetryPolicy = RetryPolicy(),  # noqa: B008  frozen
        watcher: FleetListener | None = None,
        job: SharingJob | None = None,
        vantage: DriverView | None = None,
    ) -> None:
        """`address`: host:port or "auto" of a cluster; by default RAY_ADDRESS, else Ray is started here for `workers` renderers.

        `job`: who shares a cluster with other films; without one its workers are nobody else's business.
        `vantage`: what the driver sees, and each worker of a cluster must; without one they are believed.
        """
        self._session = RaySession(address, workers)
        self.budget = budget
        self.watcher: FleetListener = watcher or NoListener()
        self._pools: dict[str, WorkerPool] = {}
        self._numbers = count()
        self._scaled_at = time.monotonic()
        self._job = job
        self._fair_share: FairShareClient | None = None
        self._vantage = vantage
        self._nodes = Nodes()
        self._leaving = ExitStack()

    def __enter__(self) -> Self:
        """Start or join Ray. Raises BadSpec where there is no cluster at the address, or it does not let us in."""
        self._session.enter()
        with ExitStack() as undone:
            undone.callback(self._session.leave)
            if self._vantage and not self._session.local:
                undone.enter_context(self._vantage)
            self._fair_share = (
                FairShareClient(self._job, time.monotonic()) if self._job and not self._session.local else None
            )
            self._leaving = undone.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let everybody go, and leave Ray if it was this fleet that began it."""
        try:
            for name in list(self._pools):
                self.release(name)
            self._pools.clear()
            if self._fair_share:
                self._fair_share.leave()
        finally:
            self._leaving.__exit__(kind, error, at)

    @property
    def cluster(self) -> Cluster:
        """What there is to work on now, and what it may become."""
        return self._session.cluster

    def check(self) -> None:
        """Raises FilmFailed where Ray's head is lost, as `run` does on its own."""
        self._session.check()

    def ask_head(self) -> None:
        """Wait until Ray's head answers. Raises FilmFailed where it is lost."""
        self._session.ask_head()

    def hire(self, specs: Iterable[PoolSpec]) -> None:
        """Take on pools; their workers start when calls come. A pool of the same name is replaced.

        Raises BadSpec, before any work, for a pool that no node which is there or may come can ever place. Where a cluster
        does not tell what may come, the pool's boot_seconds are what bounds the wait.
        """
        cluster = self.cluster
        for spec in specs:
            self.release(spec.name)
            if cluster.bounded and (refusal := unmeetable(spec, cluster)):
                raise BadSpec(refusal)
            self._pools[spec.name] = WorkerPool(spec, self.budget, time.monotonic())

    def release(self, name: str) -> None:
        """Let a pool's workers go at once; they are hired again when calls come."""
        if pool := self._pools.get(name):
            self._let_go(pool, list(pool.workers))

    def expect(self, name: str, calls: int, *, sure: bool = False) -> None:
        """So many more calls will come for a pool: workers start, and stay, as if they were there.

        `sure`: not only about so many. Whoever is not needed for them then goes at once, and not after the pool's idle_seconds.
        """
        pool = self._pools[name]
        pool.expected, pool.sure = calls, sure

    def run(self, calls: Iterable[Call], then: Callable[[Call, Any], Iterable[Call]]) -> Iterator[tuple[Call, Any]]:
        """Make the calls, and those that `then` says follow from each finding. Gives each finding as it arrives, after `then`.

        Ends when no call is outstanding. Workers stay for the next run, but one with an unfinished call does not outlive
        this one. Raises BadInput and FilmFailed of a worker as they are; FilmFailed for a call that failed too often, but
        gives `RetriesExhausted` for one that fails alone.
        """
        for pool in self._pools.values():
            pool.begin(time.monotonic())
        self._add(calls)
        try:
            while any(pool.queue.outstanding for pool in self._pools.values()):
                self._scale()
                self._assign()
                for source in self._listen():
                    if heard := self._hear(*source):
                        self._add(then(*heard))
                        yield heard
                for spent in [spent for pool in self._pools.values() for spent in pool.queue.spent()]:
                    self._add(then(*spent))
                    yield spent
                self.watcher.tick()
        finally:
            for pool in self._pools.values():
                self._let_go(pool, [worker for worker in pool.workers if worker.streams])

    def _add(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self._pools[call.pool].queue.add(call)

    def _scale(self) -> None:
        now = time.monotonic()
        waited, self._scaled_at = (
            min(now - self._scaled_at, 2 * LISTEN_SECONDS),
            now,
        )  # held up itself, it heard nobody
        self.check()
        if (
            self._fair_share
            and self._session.answers
            and self._fair_share.apply(self._pools.values(), lambda: self.cluster, now)
        ):
            self.watcher.shared(self._fair_share.allowance)
        crowded = any(pool.crowded(now) for pool in self._pools.values())
        for pool in self._pools.values():
            for worker in pool.hung(waited):
                self._lose(pool, worker, f"hung: not a word for {worker.silent:.0f} s")
            for worker in pool.stopped(waited):
                self._lose(pool, worker, STOPPED)
            self._let_go(pool, pool.dispensable(now, crowded) + pool.late(now))
            wanting = pool.wanting()
            for _ in range(wanting):
                pool.workers.append(self._hire(pool.spec, now))
            if wanting:
                self._report_size(pool)
        if any(pool.pending for pool in self._pools.values()):
            self._session.check_raylet()
            self._refuse_hopeless()

    def _assign(self) -> None:
        now = time.monotonic()
        for pool in self._pools.values():
            ready = {worker.number: worker for worker in pool.ready}
            for number, call in pool.queue.assign(list(ready), pool.soon_ready(now), now):
                do = ready[number].actor.do.options(num_returns="streaming", name=f"{call.pool}.{call.method}")
                ready[number].streams.append(do.remote(call.method, call.arguments, call.ahead))

    def _listen(self) -> list[tuple[WorkerPool, Worker, Any]]:
        """Who has something to say, and of which start or call. A call that only waits behind others is not asked."""
        waits = {}
        for pool in self._pools.values():
            for worker in pool.workers:
                starting = worker.boot if worker.placed is None else worker.placed
                for stream in (
                    (starting,) if starting is not None else islice(worker.streams, pool.spec.max_concurrency)
                ):
                    waits[stream] = (pool, worker, stream)
        if not waits:  # other films have the whole cluster
            SYSTEM.wait(LISTEN_SECONDS)
            return []
        ready, rest = ray.wait(list(waits), num_returns=1, timeout=LISTEN_SECONDS)
        if ready and rest:
            # Whoever is early in the list would else be heard first, always.
            ready += ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        return [waits[stream] for stream in ready]

    def _hear(self, pool: WorkerPool, worker: Worker, stream: Any) -> tuple[Call, Any] | None:
        """One finding, or None where a start, an end, an error or a loss was heard of and seen to."""
        if worker not in pool.workers:
            return None  # let go for what its other call said, and this one goes back with it
        try:
            if worker.boot is None:
                call, found = pool.heard(worker, stream), ray.get(next(stream))
                if not isinstance(found, Traffic):
                    return call, found
                self.watcher.moved(found)
                return None
            found = ray.get(stream)
            if worker.placed is None:
                pool.started(worker, time.monotonic())
            else:
                worker.process, worker.node = found
                pool.placed(worker, time.monotonic())
            self._report_size(pool)
        except StopIteration:
            pool.finished(worker, stream, time.monotonic())
            if pool.excess:  # another film's turn; what else it was at goes back free of charge
                self._let_go(pool, [worker])
        except (RayTaskError, UnserializableException) as error:  # a RayError, but raised by the call itself
            self._see_to(pool, worker, stream, _cause(error))
        except RayError as error:
            self._lose(pool, worker, reason_of(error), getattr(error, "preempted", False))
        return None

    def _lose(self, pool: WorkerPool, worker: Worker, reason: str, free: bool = False) -> None:
        what = pool.what(worker)
        pool.lost(worker, reason, free)
        self._let_go(pool, [worker])
        self.watcher.lost(pool.spec.name, what, reason, free)

    def _see_to(self, pool: WorkerPool, worker: Worker, stream: Any, cause: BaseException) -> None:
        """A start or a call raised an error."""
        cause = self._vantage.judged(cause) if self._vantage else cause
        if isinstance(cause, NodeFault):
            self._leave(pool, worker, cause)
            return
        if starting := worker.boot is not None:
            what, tries = pool.what(worker), pool.failed_to_start(worker, cause)
        else:
            what, tries = pool.call(worker, stream).what, pool.raised(worker, stream, cause)
        self.watcher.retried(pool.spec.name, what, cause, tries)
        # What nobody foresaw may have left the process sick, as a fault does to a CUDA context. Then the call beside it may
        # not finish there either: it goes back free of charge. What is foreseen leaves it alone.
        if starting or not isinstance(cause, FarmError):
            self._let_go(pool, [worker])

    def _leave(self, pool: WorkerPool, worker: Worker, fault: NodeFault) -> None:
        """A worker's machine is at fault: what it held goes elsewhere free of charge, and a node that was often at fault is left alone."""
        node = fault.node if isinstance(fault.node, Node) else worker.node or Node("", "a node that is not known")
        what, newest = pool.what(worker), next(self._numbers)
        left = self._nodes.strike(node, worker.number, newest, fault.sentence, lasting=fault.lasting)
        if left or node.id not in self._nodes.left_alone:
            self.watcher.faulted(pool.spec.name, what, f"{node}: {fault.sentence}", left)
        self._let_go(pool, [worker])
        for other in self._pools.values() if left else ():
            self._let_go(other, list(other.pending))  # they might find their place there
        self._refuse_hopeless()

    def _refuse_hopeless(self) -> None:
        """Raises FilmFailed where every node that a pool could have a place on is left alone."""
        if not (left := self._nodes.left_alone):
            return
        standing, cluster = self._session.nodes, self.cluster
        for spec in (pool.spec for pool in self._pools.values() if pool.wanting()):
            fits = [node for node, kind in standing.items() if places(kind, spec.cpus, spec.gpus, spec.memory or 0.0)]
            most = sum(kind.most for kind in cluster.kinds if places(kind, spec.cpus, spec.gpus, spec.memory or 0.0))
            if all(node in left for node in fits) and most <= len(fits):
                raise FilmFailed(
                    f"No node is left for a {spec.name}: {'; '.join(left.values())}. Finished work is kept: correct that, and the "
                    "same command resumes."
                )

    def _let_go(self, pool: WorkerPool, those: list[Worker]) -> None:
        for worker in those:
            ray.kill(worker.actor)
            pool.workers.remove(worker)
            pool.queue.give_back(worker.number)
        if those:
            self._report_size(pool)

    def _hire(self, spec: PoolSpec, now: float) -> Worker:
        # A class of its own name, so that processes and Ray's own pages show who is who.
        kind = type(spec.class_name, (WorkerActor,), {})
        wants: dict[str, Any] = {"num_cpus": spec.cpus, "num_gpus": spec.gpus, "max_restarts": 0, "max_task_retries": 0}
        wants["max_concurrency"] = spec.max_concurrency
        if spec.memory:
            wants["memory"] = spec.memory
        if away := self._nodes.selector:
            wants["label_selector"] = away
        actor: Any = ray.remote(**wants)(kind).remote()
        seen = self._vantage.of(spec.name) if self._vantage else None
        boot = actor.boot.remote(spec, seen)
        return Worker(next(self._numbers), spec, actor, actor.place.remote(), boot, now)

    def _report_size(self, pool: WorkerPool) -> None:
        self.watcher.pool_resized(pool.spec, pool.size)


def _cause(error: RayError) -> BaseException:
    """What the call raised; where that cannot be unpickled here, the last line of what Ray says of it."""
    return error.cause if isinstance(error, RayTaskError) else RuntimeError(str(error).strip().splitlines()[-1])
