"""Calls and pools, without Ray: order, budgets, who holds what, who is hired and who goes."""

import pickle
import signal
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.film.calls import GivenCutsCall
from farm.fleet.calls import Cluster, NodeType, PoolSpec, RetryCount, RetryPolicy
from farm.fleet.fair_share import Quota
from farm.fleet.scheduler import CallQueue
from farm.fleet.worker_pool import (
    CROWDED_AFTER,
    LOOK_SECONDS,
    PENDING_GRACE,
    STOPPED_SECONDS,
    Worker,
    WorkerPool,
    unmeetable,
)
from jobs.errors import BadLook, BadMedia, Damaged, FilmFailed, NotConformed, StoreDown, StoreFault
from jobs.processes import identity, is_stopped
from tests.farm.plain_call import PlainCall
from tests.waiting import poll_until


def queue_of(*ranks: int, max_concurrency: int = 1, budget: RetryPolicy = RetryPolicy()) -> CallQueue:  # noqa: B008  frozen
    queue = CallQueue(budget, max_concurrency)
    for rank in ranks:
        queue.add(PlainCall("renderer", "render", (), (rank,), f"chunk {rank}"))
    return queue


def assigned(queue: CallQueue, *workers: int) -> list[tuple[int, str]]:
    return [(worker, call.what) for worker, call in queue.assign(workers, len(workers), 0.0)]


def test_lower_ranks_come_first_and_equal_ones_in_order() -> None:
    queue = CallQueue(RetryPolicy())
    for rank, what in [((2, 1), "c"), ((1,), "a"), ((2,), "b"), ((2, 1), "d")]:
        queue.add(PlainCall("renderer", "render", (), rank, what))
    assert assigned(queue, 1, 2, 3, 4) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_every_idle_worker_gets_one_before_anyone_gets_two() -> None:
    queue = queue_of(*range(8))
    assert assigned(queue, 1, 2, 3) == [
        (1, "chunk 0"),
        (2, "chunk 1"),
        (3, "chunk 2"),
        (1, "chunk 3"),
        (2, "chunk 4"),
        (3, "chunk 5"),
    ]


def test_near_the_tail_nobody_holds_a_second_call() -> None:
    queue = queue_of(*range(5))
    assert assigned(queue, 1, 2, 3) == [(1, "chunk 0"), (2, "chunk 1"), (3, "chunk 2")]
    queue.finished(2, 0, 1.0)
    assert assigned(queue, 1, 2, 3) == [(2, "chunk 3")]


def test_those_still_starting_keep_others_from_a_second_call() -> None:
    queue = queue_of(0, 1, 2)
    assert [worker for worker, _ in queue.assign([1], 3, 0.0)] == [1]
    assert [worker for worker, _ in queue.assign([1], 2, 0.0)] == [1]


def test_an_urgent_late_comer_overtakes_what_is_not_dealt() -> None:
    queue = queue_of(5, 6, 7)
    assert assigned(queue, 1) == [(1, "chunk 5"), (1, "chunk 6")]
    queue.add(PlainCall("renderer", "render", (), (1,), "urgent"))
    queue.finished(1, 0, 1.0)
    assert assigned(queue, 1) == [(1, "urgent")]


def test_an_error_is_charged_to_the_call_alone() -> None:
    queue = queue_of(0, 1, budget=RetryPolicy(attempts=2))
    queue.assign([1], 1, 0.0)
    assert queue.raised(1, 0, ValueError("odd")) == 1
    assert assigned(queue, 2) == [(2, "chunk 0")]
    with pytest.raises(
        FilmFailed, match=r"^chunk 0 failed 2 times, at last with ValueError: odd\. Finished work is kept"
    ):
        queue.raised(2, 0, ValueError("odd"))


@pytest.mark.parametrize("error", [BadLook("mend it"), FilmFailed("no"), NotConformed("one frame short")])
def test_what_no_retry_can_mend_is_raised_as_it_is(error: Exception) -> None:
    queue = queue_of(0)
    queue.assign([1], 1, 0.0)
    with pytest.raises(type(error)) as caught:
        queue.raised(1, 0, error)
    assert caught.value is error


@pytest.mark.parametrize("error", [StoreDown("It failed 9 times."), Damaged("it is cut", "abc")])
def test_what_another_try_does_not_mend_is_raised_as_it_is(error: Exception) -> None:
    retries = RetryCount(RetryPolicy(attempts=3))
    with pytest.raises(type(error)) as raised:
        retries.error("chunk 1", error)
    assert raised.value is error
    # As it comes home from a worker.
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_a_store_fault_is_worth_another_try() -> None:
    retries = RetryCount(RetryPolicy(attempts=2))
    retries.error("chunk 1", StoreFault("slow down"))
    with pytest.raises(FilmFailed, match="chunk 1 failed 2 times, at last with StoreFault: slow down"):
        retries.error("chunk 1", StoreFault("slow down"))


def test_a_loss_is_charged_to_the_call_that_can_have_begun() -> None:
    queue = queue_of(0, 1, 2, budget=RetryPolicy(losses=2))
    assert assigned(queue, 1) == [(1, "chunk 0"), (1, "chunk 1")]
    queue.lost(1, "killed", free=False)
    queue.assign([2], 1, 0.0)
    queue.finished(2, 0, 1.0)  # chunk 0
    queue.lost(2, "killed", free=False)  # chunk 1, its first: the loss before was none of its own
    queue.assign([3], 1, 0.0)
    with pytest.raises(FilmFailed, match="chunk 1 lost its worker 2 times, at last so: killed"):
        queue.lost(3, "killed", free=False)


DIED = "ActorDiedError: The actor is dead because its worker process has died."


def test_what_is_small_and_kills_its_third_reader_is_refused_in_one_sentence() -> None:
    call = GivenCutsCall("cuts.otio", None, None)  # type: ignore[arg-type]
    retries = RetryCount(RetryPolicy(losses=8))
    for reason in ("ActorDiedError: The actor died because its node has died.", "it stood still", DIED, DIED):
        retries.loss(call.what, reason, call.remedy)
    with pytest.raises(BadMedia) as refused:
        retries.loss(call.what, DIED, call.remedy)
    assert str(refused.value) == (
        f"The shot list killed 3 workers that read it, one after the other ({DIED}): export it again, or give a .csv, "
        "which is the plainest."
    )
    chunk = RetryCount(RetryPolicy(losses=8))
    for _ in range(7):
        chunk.loss("chunk 1", DIED, "")


def test_a_preempted_worker_costs_nobody() -> None:
    queue = queue_of(0, budget=RetryPolicy(losses=1))
    for worker in range(20):
        queue.assign([worker], 1, 0.0)
        queue.lost(worker, "preempted", free=True)
    assert queue.outstanding == 1


def test_of_two_at_a_time_the_second_may_end_first() -> None:
    queue = queue_of(0, 1, 2, max_concurrency=2)
    assert assigned(queue, 1) == [(1, "chunk 0"), (1, "chunk 1")]
    assert [call.what for call in queue.begun(1)] == ["chunk 0", "chunk 1"]
    queue.finished(1, 1, 1.0)
    assert assigned(queue, 1) == [(1, "chunk 2")]
    assert queue.raised(1, 1, ValueError("odd")) == 1
    assert [call.what for call in queue.begun(1)] == ["chunk 0"]


def test_after_a_loss_of_two_each_of_them_is_tried_alone() -> None:
    queue = queue_of(0, 1, 2, 3, 4, max_concurrency=2, budget=RetryPolicy(losses=2))
    assert assigned(queue, 1) == [(1, "chunk 0"), (1, "chunk 1")]
    queue.lost(1, "killed", free=False)
    assert assigned(queue, 2) == [(2, "chunk 0")]
    queue.finished(2, 0, 1.0)
    assert assigned(queue, 2) == [(2, "chunk 1")]
    with pytest.raises(FilmFailed, match="chunk 1 lost its worker 2 times"):
        queue.lost(2, "killed", free=False)
    queue.give_back(2)
    assert assigned(queue, 3, 4) == [(3, "chunk 1"), (4, "chunk 2"), (4, "chunk 3")]


def test_two_at_a_time_lost_free_of_charge_go_on_together() -> None:
    queue = queue_of(0, 1, max_concurrency=2, budget=RetryPolicy(losses=1))
    for worker in range(20):
        assert len(assigned(queue, worker)) == 2
        queue.lost(worker, "preempted", free=True)


@pytest.mark.parametrize("max_concurrency", [1, 2])
@given(st.lists(st.tuples(st.sampled_from(["assign", "finish", "raise", "lose"]), st.integers(0, 7)), max_size=80))
def test_no_call_is_lost_or_doubled_whatever_happens(max_concurrency: int, events: list[tuple[str, int]]) -> None:
    queue = queue_of(*range(12), max_concurrency=max_concurrency, budget=RetryPolicy(attempts=1000, losses=1000))
    held: dict[int, list[str]] = {worker: [] for worker in range(4)}
    finished: list[str] = []
    for event, number in events:
        worker = number % 4
        if event == "assign":
            for one, call in queue.assign(range(4), 4, 0.0):
                held[one].append(call.what)
        elif held[worker]:
            place = min(number // 4, max_concurrency - 1, len(held[worker]) - 1)
            ended = held[worker].pop(place)
            assert queue.call(worker, place).what == ended
            if event == "finish":
                queue.finished(worker, place, 1.0)
                finished.append(ended)
            elif event == "raise":
                queue.raised(worker, place, ValueError())
            else:
                queue.lost(worker, "", free=False)
                held[worker].clear()
        assert max(map(len, held.values())) <= 2
        assert queue.outstanding + len(finished) == 12
    queue.assign(range(4), 4, 0.0)
    assert len(finished) == len(set(finished))


# pools


def pool_of(limit: int = 4, calls: int = 0, hired: int = 0, warming: int = 0, pending: int = 0) -> WorkerPool:
    spec = PoolSpec("renderer", "builtins:object", limit=limit, boot_seconds=100, idle_seconds=30)
    pool = WorkerPool(spec, RetryPolicy(), now=0)
    for number in range(calls):
        pool.queue.add(PlainCall("renderer", "render", (), (number,)))
    for number in range(hired + warming + pending):
        begun, able = number < hired + warming, number < hired
        pool.workers.append(Worker(number, spec, None, None if begun else "placed", None if able else "boot", since=0))
    return pool


@pytest.mark.parametrize(("calls", "hired", "wanting"), [(0, 0, 0), (3, 0, 3), (9, 0, 4), (9, 3, 1), (2, 4, 0)])
def test_no_more_are_hired_than_calls_are_outstanding(calls: int, hired: int, wanting: int) -> None:
    assert pool_of(4, calls, hired).wanting() == wanting


def test_it_is_looked_once_a_second_who_stands() -> None:
    """A fleet turns many times a second, and a look reads files of each worker."""
    pool = pool_of(hired=1)
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            pool.workers[0].process = identity(process.pid)
            process.send_signal(signal.SIGSTOP)
            poll_until(lambda: is_stopped(pool.workers[0].process), 20)
            assert [pool.stopped(LOOK_SECONDS / 64) for _ in range(63)] == [[]] * 63
            assert pool.workers[0].stopped_for == 0
            assert pool.stopped(LOOK_SECONDS / 64) == []
            assert pool.workers[0].stopped_for == LOOK_SECONDS
            assert pool.stopped(STOPPED_SECONDS) == pool.workers
        finally:
            process.kill()


def test_those_without_a_place_go_first_but_not_for_a_flicker() -> None:
    pool = pool_of(calls=2, hired=1, pending=3)
    assert pool.dispensable(10, crowded=False) == []
    assert [one.number for one in pool.dispensable(10 + PENDING_GRACE, crowded=False)] == [3, 2]


def test_whoever_loads_stays_while_there_is_anything_to_do() -> None:
    pool = pool_of(calls=1, warming=2, pending=2)
    pool.dispensable(0, crowded=True)
    assert [one.number for one in pool.dispensable(1000, crowded=True)] == [3, 2]
    pool.queue.assign([0], 1, 0.0)
    pool.queue.finished(0, 0, 1.0)
    assert [one.number for one in pool.dispensable(1001, crowded=True)] == [3, 2, 1, 0]


def test_a_second_call_in_somebodys_hands_keeps_nobody_else() -> None:
    pool = pool_of(calls=4, hired=3)
    pool.sure = True
    for worker, call in pool.queue.assign([0, 1], 1, 0.0):
        pool.workers[worker].streams.append(call)
    assert [len(one.streams) for one in pool.workers] == [2, 2, 0]
    assert (pool.queue.outstanding, pool.wanted) == (4, 2)
    assert [one.number for one in pool.dispensable(0, crowded=False)] == [2]


def test_demand_that_comes_back_keeps_those_without_a_place() -> None:
    pool = pool_of(calls=0, pending=1)
    pool.dispensable(10, crowded=False)
    pool.queue.add(PlainCall("renderer", "render"))
    assert pool.dispensable(16, crowded=False) == []
    pool.queue.assign([0], 1, 0.0)
    pool.queue.finished(0, 0, 1.0)
    assert pool.dispensable(17, crowded=False) == []


def test_an_idle_worker_goes_after_its_time_or_at_once_where_it_is_crowded() -> None:
    pool = pool_of(hired=2)
    assert pool.dispensable(29, crowded=False) == []
    assert len(pool.dispensable(30, crowded=False)) == 2
    assert len(pool.dispensable(1, crowded=True)) == 2


def test_a_worker_with_a_call_stays() -> None:
    pool = pool_of(hired=1)
    pool.workers[0].streams.append("busy")
    assert pool.dispensable(1000, crowded=True) == []


def test_above_its_allowance_a_pool_lets_go_at_once_of_whoever_has_no_place_or_no_call() -> None:
    pool = pool_of(calls=9, hired=2, warming=1, pending=1)
    pool.workers[0].streams.append("busy")
    assert (pool.wanted, pool.demand, pool.excess) == (4, 4, False)
    pool.quota = Quota(1)
    assert (pool.wanted, pool.demand, pool.excess, pool.wanting()) == (4, 1, True, 0)
    # Whoever loads goes when it has loaded; whoever is at a chunk, at its end.
    assert [one.number for one in pool.dispensable(0, crowded=False)] == [3, 1]
    pool.quota = Quota(9)
    assert (pool.demand, pool.excess) == (4, False)


def test_where_a_cluster_may_grow_more_than_are_allowed_may_wait_for_a_place() -> None:
    pool = pool_of(calls=9, hired=2, pending=1)
    pool.quota = Quota(2, may_wait=True)
    assert (pool.demand, pool.excess, pool.wanting(), pool.dispensable(0, crowded=True)) == (4, False, 1, [])
    pool.placed(pool.workers[2], 1)
    assert pool.excess


def test_long_starting_means_crowded() -> None:
    assert not pool_of(hired=1).crowded(1000)
    assert not pool_of(pending=1).crowded(CROWDED_AFTER - 1)
    assert pool_of(pending=1).crowded(CROWDED_AFTER)
    assert not pool_of(warming=1).crowded(1000)


def test_those_who_wait_for_a_node_keep_nobody_from_a_second_call() -> None:
    pool = pool_of(hired=2, warming=1, pending=1)
    assert [pool.soon_ready(now) for now in (0, CROWDED_AFTER)] == [4, 3]


def test_a_film_fails_when_nobody_has_found_a_place_or_started_in_time() -> None:
    pool = pool_of(calls=1, pending=1)
    assert pool.late(100) == []
    with pytest.raises(FilmFailed, match=r"^No renderer has found a place within 100 s\. Each needs 1 CPU on one node"):
        pool.late(101)
    pool.placed(pool.workers[0], 101)  # loading has its own time
    assert pool.late(201) == []
    with pytest.raises(FilmFailed, match=r"^No renderer has started within 100 s of getting its place"):
        pool.late(202)


def test_one_that_lost_its_place_waits_for_another_as_long() -> None:
    pool = pool_of(calls=1, pending=1)
    pool.late(90)
    pool.placed(pool.workers[0], 90)
    pool.late(150)
    pool.workers = pool_of(calls=1, pending=1).workers
    assert pool.late(190) == []
    with pytest.raises(FilmFailed, match="found a place"):
        pool.late(191)


def test_a_late_one_goes_alone_while_others_work() -> None:
    pool = pool_of(calls=9, hired=1, warming=1, pending=1)
    assert [one.number for one in pool.late(101)] == [1]
    pool.workers.pop(0)
    assert pool.late(201) == []  # nobody can work since 101, and that may last 100 s


def test_unmeetable_needs_are_said_in_one_sentence() -> None:
    pool = PoolSpec("renderer", "builtins:object", cpus=2, gpus=1, memory=2**30)
    bare, small = NodeType(64, 0, 2.0**40, 1), NodeType(6, 0, 2.0**31, 1)
    assert unmeetable(pool, Cluster(True, 66, 1, (bare, NodeType(2, 1, 2.0**30, 1)))) is None
    assert unmeetable(pool, Cluster(True, 6, 0, (small,))) == (
        "Each renderer needs 2 CPU, 1 GPU, 1 GiB of memory, but this machine has 6 CPU, 0 GPU, 2 GiB to give: "
        "lower workers.cpus, workers.gpus or workers.memory_gib."
    )
    said = unmeetable(pool, Cluster(False, 6, 0, (small, small, bare)))
    assert said is not None
    assert (
        "this cluster has or may bring up have each 6 CPU, 0 GPU, 2 GiB; or 64 CPU, 0 GPU, 1.02e+03 GiB to give" in said
    )
