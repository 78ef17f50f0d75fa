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
"""Longest wait for a finding before staff and clock are looked at again."""


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
        self._rosters: dict[str, WorkerPool] = {}
        self._numbers = count()
        self._staffed_at = time.monotonic()
        self._job = job
        self._claims: FairShareClient | None = None
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
            self._claims = (
                FairShareClient(self._job, time.monotonic()) if self._job and not self._session.local else None
            )
            self._leaving = undone.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let everybody go, and leave Ray if it was this fleet that began it."""
        try:
            for name in list(self._rosters):
                self.release(name)
            self._rosters.clear()
            if self._claims:
                self._claims.leave()
        finally:
            self._leaving.__exit__(kind, error, at)

    @property
    def cluster(self) -> Cluster:
        """What there is to work on now, and what it may become."""
        return self._session.cluster

    def hire(self, crews: Iterable[PoolSpec]) -> None:
        """Take on crews; their workers start when calls come. A crew of the same name is replaced.

        Raises BadSpec, before any work, for a crew that no node which is there or may come can ever place. Where a cluster
        does not tell what may come, the crew's boot_seconds are what bounds the wait.
        """
        cluster = self.cluster
        for crew in crews:
            self.release(crew.name)
            if cluster.bounded and (refusal := unmeetable(crew, cluster)):
                raise BadSpec(refusal)
            self._rosters[crew.name] = WorkerPool(crew, self.budget, time.monotonic())

    def release(self, name: str) -> None:
        """Let a crew's workers go at once; they are hired again when calls come."""
        if roster := self._rosters.get(name):
            self._let_go(roster, list(roster.hired))

    def expect(self, crew: str, calls: int, *, sure: bool = False) -> None:
        """So many more calls will come for a crew: workers start, and stay, as if they were there.

        `sure`: not only about so many. Whoever is not needed for them then goes at once, and not after the crew's idle_seconds.
        """
        roster = self._rosters[crew]
        roster.expected, roster.sure = calls, sure

    def run(self, calls: Iterable[Call], then: Callable[[Call, Any], Iterable[Call]]) -> Iterator[tuple[Call, Any]]:
        """Make the calls, and those that `then` says follow from each finding. Gives each finding as it arrives, after `then`.

        Ends when no call is outstanding. Workers stay for the next run, but one with an unfinished call does not outlive
        this one. Raises BadInput and FilmFailed of a worker as they are; FilmFailed for a call that failed too often, but
        gives `Spent` for one that fails alone.
        """
        for roster in self._rosters.values():
            roster.begin(time.monotonic())
        self._add(calls)
        try:
            while any(roster.sheet.outstanding for roster in self._rosters.values()):
                self._staff()
                self._deal()
                for said in self._listen():
                    if heard := self._hear(*said):
                        self._add(then(*heard))
                        yield heard
                for spent in [one for roster in self._rosters.values() for one in roster.sheet.spent()]:
                    self._add(then(*spent))
                    yield spent
                self.watcher.tick()
        finally:
            for roster in self._rosters.values():
                self._let_go(roster, [one for one in roster.hired if one.streams])

    def _add(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self._rosters[call.pool].sheet.add(call)

    def _staff(self) -> None:
        now = time.monotonic()
        waited, self._staffed_at = (
            min(now - self._staffed_at, 2 * LISTEN_SECONDS),
            now,
        )  # held up itself, it heard nobody
        self._session.check()
        if (
            self._claims
            and self._session.answers
            and self._claims.apply(self._rosters.values(), lambda: self.cluster, now)
        ):
            self.watcher.shared(self._claims.allowance)
        crowded = any(roster.crowded(now) for roster in self._rosters.values())
        for roster in self._rosters.values():
            for one in roster.hung(waited):
                self._lose(roster, one, f"hung: not a word for {one.silent:.0f} s")
            for one in roster.stopped(waited):
                self._lose(roster, one, STOPPED)
            self._let_go(roster, roster.dispensable(now, crowded) + roster.late(now))
            wanting = roster.wanting()
            for _ in range(wanting):
                roster.hired.append(self._hire(roster.crew, now))
            if wanting:
                self._tell_staff(roster)
        if any(roster.pending for roster in self._rosters.values()):
            self._session.check_raylet()
            self._refuse_hopeless()

    def _deal(self) -> None:
        now = time.monotonic()
        for roster in self._rosters.values():
            ready = {one.number: one for one in roster.ready}
            for number, call in roster.sheet.deal(list(ready), roster.hands(now), now):
                do = ready[number].actor.do.options(num_returns="streaming", name=f"{call.pool}.{call.method}")
                ready[number].streams.append(do.remote(call.method, call.arguments))

    def _listen(self) -> list[tuple[WorkerPool, Worker, Any]]:
        """Who has something to say, and of which start or call. A call that only waits behind others is not asked."""
        waits = {}
        for roster in self._rosters.values():
            for one in roster.hired:
                starting = one.boot if one.placed is None else one.placed
                for said in (starting,) if starting is not None else islice(one.streams, roster.crew.abreast):
                    waits[said] = (roster, one, said)
        if not waits:  # other films have the whole cluster
            SYSTEM.wait(LISTEN_SECONDS)
            return []
        ready, rest = ray.wait(list(waits), num_returns=1, timeout=LISTEN_SECONDS)
        if ready and rest:
            # Whoever is early in the list would else be heard first, always.
            ready += ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        return [waits[one] for one in ready]

    def _hear(self, roster: WorkerPool, hired: Worker, said: Any) -> tuple[Call, Any] | None:
        """One finding, or None where a start, an end, an error or a loss was heard of and seen to."""
        if hired not in roster.hired:
            return None  # let go for what its other call said, and this one goes back with it
        try:
            if hired.boot is None:
                call, found = roster.heard(hired, said), ray.get(next(said))
                if not isinstance(found, Traffic):
                    return call, found
                self.watcher.moved(found)
                return None
            found = ray.get(said)
            if hired.placed is None:
                roster.started(hired, time.monotonic())
            else:
                hired.process, hired.node = found
                roster.placed(hired, time.monotonic())
            self._tell_staff(roster)
        except StopIteration:
            roster.finished(hired, said, time.monotonic())
            if roster.excess:  # another film's turn; what else it was at goes back free of charge
                self._let_go(roster, [hired])
        except (RayTaskError, UnserializableException) as error:  # a RayError, but raised by the call itself
            self._see_to(roster, hired, said, _cause(error))
        except RayError as error:
            self._lose(roster, hired, reason_of(error), getattr(error, "preempted", False))
        return None

    def _lose(self, roster: WorkerPool, hired: Worker, reason: str, free: bool = False) -> None:
        what = roster.what(hired)
        roster.lost(hired, reason, free)
        self._let_go(roster, [hired])
        self.watcher.lost(roster.crew.name, what, reason, free)

    def _see_to(self, roster: WorkerPool, hired: Worker, said: Any, cause: BaseException) -> None:
        """A start or a call raised an error."""
        cause = self._vantage.judged(cause) if self._vantage else cause
        if isinstance(cause, NodeFault):
            self._leave(roster, hired, cause)
            return
        if starting := hired.boot is not None:
            what, tries = roster.what(hired), roster.failed_to_start(hired, cause)
        else:
            what, tries = roster.call(hired, said).what, roster.raised(hired, said, cause)
        self.watcher.retried(roster.crew.name, what, cause, tries)
        # What nobody foresaw may have left the process sick, as a fault does to a CUDA context. Then the call beside it may
        # not finish there either: it goes back free of charge. What is foreseen leaves it alone.
        if starting or not isinstance(cause, FarmError):
            self._let_go(roster, [hired])

    def _leave(self, roster: WorkerPool, hired: Worker, fault: NodeFault) -> None:
        """A worker's machine is at fault: what it held goes elsewhere free of charge, and a node that was often at fault is left alone."""
        node = fault.node if isinstance(fault.node, Node) else hired.node or Node("", "a node that is not known")
        what, newest = roster.what(hired), next(self._numbers)
        left = self._nodes.strike(node, hired.number, newest, fault.sentence, lasting=fault.lasting)
        if left or node.id not in self._nodes.left_alone:
            self.watcher.faulted(roster.crew.name, what, f"{node}: {fault.sentence}", left)
        self._let_go(roster, [hired])
        for one in self._rosters.values() if left else ():
            self._let_go(one, list(one.pending))  # they might find their place there
        self._refuse_hopeless()

    def _refuse_hopeless(self) -> None:
        """Raises FilmFailed where every node that a crew could have a place on is left alone."""
        if not (left := self._nodes.left_alone):
            return
        standing, cluster = self._session.nodes, self.cluster
        for crew in (roster.crew for roster in self._rosters.values() if roster.wanting()):
            fits = [one for one, kind in standing.items() if places(kind, crew.cpus, crew.gpus, crew.memory or 0.0)]
            most = sum(kind.most for kind in cluster.kinds if places(kind, crew.cpus, crew.gpus, crew.memory or 0.0))
            if all(one in left for one in fits) and most <= len(fits):
                raise FilmFailed(
                    f"No node is left for a {crew.name}: {'; '.join(left.values())}. What is finished is kept: mend that, and the "
                    "same command goes on."
                )

    def _let_go(self, roster: WorkerPool, those: list[Worker]) -> None:
        for one in those:
            ray.kill(one.actor)
            roster.hired.remove(one)
            roster.sheet.give_back(one.number)
        if those:
            self._tell_staff(roster)

    def _hire(self, crew: PoolSpec, now: float) -> Worker:
        # A class of its own name, so that processes and Ray's own pages show who is who.
        kind = type(crew.class_name, (WorkerActor,), {})
        wants: dict[str, Any] = {"num_cpus": crew.cpus, "num_gpus": crew.gpus, "max_restarts": 0, "max_task_retries": 0}
        wants["max_concurrency"] = crew.abreast
        if crew.memory:
            wants["memory"] = crew.memory
        if away := self._nodes.selector:
            wants["label_selector"] = away
        actor: Any = ray.remote(**wants)(kind).remote()
        seen = self._vantage.of(crew.name) if self._vantage else None
        boot = actor.boot.remote(crew, seen)
        return Worker(next(self._numbers), crew, actor, actor.place.remote(), boot, now)

    def _tell_staff(self, roster: WorkerPool) -> None:
        self.watcher.staffed(roster.crew, roster.staff)


def _cause(error: RayError) -> BaseException:
    """What the call raised; where that cannot be unpickled here, the last line of what Ray says of it."""
    return error.cause if isinstance(error, RayTaskError) else RuntimeError(str(error).strip().splitlines()[-1])
