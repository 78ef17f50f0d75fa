"""Calls and rosters, without Ray: order, budgets, who holds what, who is hired and who goes."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.film.calls import GivenCutsCall
from farm.fleet.calls import Cluster, NodeType, PoolSpec, RetryCount, RetryPolicy
from farm.fleet.fair_share import Quota
from farm.fleet.scheduler import CallQueue
from farm.fleet.worker_pool import CROWDED_AFTER, PENDING_GRACE, Worker, WorkerPool, unmeetable
from jobs.errors import BadLook, BadMedia, Damaged, FilmFailed, NotConformed, StoreDown, StoreFault
from tests.farm.plain_call import PlainCall


def sheet_of(*ranks: int, abreast: int = 1, budget: RetryPolicy = RetryPolicy()) -> CallQueue:  # noqa: B008  frozen
    sheet = CallQueue(budget, abreast)
    for rank in ranks:
        sheet.add(PlainCall("renderer", "render", (), (rank,), f"chunk {rank}"))
    return sheet


def dealt(sheet: CallQueue, *workers: int) -> list[tuple[int, str]]:
    return [(worker, call.what) for worker, call in sheet.deal(workers, len(workers), 0.0)]


def test_lower_ranks_come_first_and_equal_ones_in_order() -> None:
    sheet = CallQueue(RetryPolicy())
    for rank, what in [((2, 1), "c"), ((1,), "a"), ((2,), "b"), ((2, 1), "d")]:
        sheet.add(PlainCall("renderer", "render", (), rank, what))
    assert dealt(sheet, 1, 2, 3, 4) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_every_idle_worker_gets_one_before_anyone_gets_two() -> None:
    sheet = sheet_of(*range(8))
    assert dealt(sheet, 1, 2, 3) == [
        (1, "chunk 0"),
        (2, "chunk 1"),
        (3, "chunk 2"),
        (1, "chunk 3"),
        (2, "chunk 4"),
        (3, "chunk 5"),
    ]


def test_near_the_tail_nobody_holds_a_second_call() -> None:
    sheet = sheet_of(*range(5))
    assert dealt(sheet, 1, 2, 3) == [(1, "chunk 0"), (2, "chunk 1"), (3, "chunk 2")]
    sheet.finished(2, 0, 1.0)
    assert dealt(sheet, 1, 2, 3) == [(2, "chunk 3")]


def test_those_still_starting_keep_others_from_a_second_call() -> None:
    sheet = sheet_of(0, 1, 2)
    assert [worker for worker, _ in sheet.deal([1], 3, 0.0)] == [1]
    assert [worker for worker, _ in sheet.deal([1], 2, 0.0)] == [1]


def test_an_urgent_late_comer_overtakes_what_is_not_dealt() -> None:
    sheet = sheet_of(5, 6, 7)
    assert dealt(sheet, 1) == [(1, "chunk 5"), (1, "chunk 6")]
    sheet.add(PlainCall("renderer", "render", (), (1,), "urgent"))
    sheet.finished(1, 0, 1.0)
    assert dealt(sheet, 1) == [(1, "urgent")]


def test_an_error_is_charged_to_the_call_alone() -> None:
    sheet = sheet_of(0, 1, budget=RetryPolicy(attempts=2))
    sheet.deal([1], 1, 0.0)
    assert sheet.raised(1, 0, ValueError("odd")) == 1
    assert dealt(sheet, 2) == [(2, "chunk 0")]
    with pytest.raises(
        FilmFailed, match=r"^chunk 0 failed 2 times, at last with ValueError: odd\. What is finished is kept"
    ):
        sheet.raised(2, 0, ValueError("odd"))


@pytest.mark.parametrize("error", [BadLook("mend it"), FilmFailed("no"), NotConformed("one frame short")])
def test_what_no_retry_can_mend_is_raised_as_it_is(error: Exception) -> None:
    sheet = sheet_of(0)
    sheet.deal([1], 1, 0.0)
    with pytest.raises(type(error)) as caught:
        sheet.raised(1, 0, error)
    assert caught.value is error


@pytest.mark.parametrize("error", [StoreDown("It failed 9 times."), Damaged("it is cut", "abc")])
def test_what_another_try_does_not_mend_is_raised_as_it_is(error: Exception) -> None:
    luck = RetryCount(RetryPolicy(attempts=3))
    with pytest.raises(type(error)) as raised:
        luck.error("chunk 1", error)
    assert raised.value is error
    # As it comes home from a worker.
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_a_store_fault_is_worth_another_try() -> None:
    luck = RetryCount(RetryPolicy(attempts=2))
    luck.error("chunk 1", StoreFault("slow down"))
    with pytest.raises(FilmFailed, match="chunk 1 failed 2 times, at last with StoreFault: slow down"):
        luck.error("chunk 1", StoreFault("slow down"))


def test_a_loss_is_charged_to_the_call_that_can_have_begun() -> None:
    sheet = sheet_of(0, 1, 2, budget=RetryPolicy(losses=2))
    assert dealt(sheet, 1) == [(1, "chunk 0"), (1, "chunk 1")]
    sheet.lost(1, "killed", free=False)
    sheet.deal([2], 1, 0.0)
    sheet.finished(2, 0, 1.0)  # chunk 0
    sheet.lost(2, "killed", free=False)  # chunk 1, its first: the loss before was none of its own
    sheet.deal([3], 1, 0.0)
    with pytest.raises(FilmFailed, match="chunk 1 lost its worker 2 times, at last so: killed"):
        sheet.lost(3, "killed", free=False)


DIED = "ActorDiedError: The actor is dead because its worker process has died."


def test_what_is_small_and_kills_its_third_reader_is_refused_in_one_sentence() -> None:
    call = GivenCutsCall("cuts.otio", None, None)  # type: ignore[arg-type]
    luck = RetryCount(RetryPolicy(losses=8))
    for reason in ("ActorDiedError: The actor died because its node has died.", "it stood still", DIED, DIED):
        luck.loss(call.what, reason, call.remedy)
    with pytest.raises(BadMedia) as refused:
        luck.loss(call.what, DIED, call.remedy)
    assert str(refused.value) == (
        f"The shot list killed 3 workers that read it, one after the other ({DIED}): export it again, or give a .csv, "
        "which is the plainest."
    )
    chunk = RetryCount(RetryPolicy(losses=8))
    for _ in range(7):
        chunk.loss("chunk 1", DIED, "")


def test_a_preempted_worker_costs_nobody() -> None:
    sheet = sheet_of(0, budget=RetryPolicy(losses=1))
    for worker in range(20):
        sheet.deal([worker], 1, 0.0)
        sheet.lost(worker, "preempted", free=True)
    assert sheet.outstanding == 1


def test_of_two_at_a_time_the_second_may_end_first() -> None:
    sheet = sheet_of(0, 1, 2, abreast=2)
    assert dealt(sheet, 1) == [(1, "chunk 0"), (1, "chunk 1")]
    assert [call.what for call in sheet.begun(1)] == ["chunk 0", "chunk 1"]
    sheet.finished(1, 1, 1.0)
    assert dealt(sheet, 1) == [(1, "chunk 2")]
    assert sheet.raised(1, 1, ValueError("odd")) == 1
    assert [call.what for call in sheet.begun(1)] == ["chunk 0"]


def test_after_a_loss_of_two_each_of_them_is_tried_alone() -> None:
    sheet = sheet_of(0, 1, 2, 3, 4, abreast=2, budget=RetryPolicy(losses=2))
    assert dealt(sheet, 1) == [(1, "chunk 0"), (1, "chunk 1")]
    sheet.lost(1, "killed", free=False)
    assert dealt(sheet, 2) == [(2, "chunk 0")]
    sheet.finished(2, 0, 1.0)
    assert dealt(sheet, 2) == [(2, "chunk 1")]
    with pytest.raises(FilmFailed, match="chunk 1 lost its worker 2 times"):
        sheet.lost(2, "killed", free=False)
    sheet.give_back(2)
    assert dealt(sheet, 3, 4) == [(3, "chunk 1"), (4, "chunk 2"), (4, "chunk 3")]


def test_two_at_a_time_lost_free_of_charge_go_on_together() -> None:
    sheet = sheet_of(0, 1, abreast=2, budget=RetryPolicy(losses=1))
    for worker in range(20):
        assert len(dealt(sheet, worker)) == 2
        sheet.lost(worker, "preempted", free=True)


@pytest.mark.parametrize("abreast", [1, 2])
@given(st.lists(st.tuples(st.sampled_from(["deal", "finish", "raise", "lose"]), st.integers(0, 7)), max_size=80))
def test_no_call_is_lost_or_doubled_whatever_happens(abreast: int, events: list[tuple[str, int]]) -> None:
    sheet = sheet_of(*range(12), abreast=abreast, budget=RetryPolicy(attempts=1000, losses=1000))
    held: dict[int, list[str]] = {worker: [] for worker in range(4)}
    finished: list[str] = []
    for event, number in events:
        worker = number % 4
        if event == "deal":
            for one, call in sheet.deal(range(4), 4, 0.0):
                held[one].append(call.what)
        elif held[worker]:
            place = min(number // 4, abreast - 1, len(held[worker]) - 1)
            ended = held[worker].pop(place)
            assert sheet.call(worker, place).what == ended
            if event == "finish":
                sheet.finished(worker, place, 1.0)
                finished.append(ended)
            elif event == "raise":
                sheet.raised(worker, place, ValueError())
            else:
                sheet.lost(worker, "", free=False)
                held[worker].clear()
        assert max(map(len, held.values())) <= 2
        assert sheet.outstanding + len(finished) == 12
    sheet.deal(range(4), 4, 0.0)
    assert len(finished) == len(set(finished))


# rosters


def roster_of(limit: int = 4, calls: int = 0, hired: int = 0, warming: int = 0, pending: int = 0) -> WorkerPool:
    crew = PoolSpec("renderer", "builtins:object", limit=limit, boot_seconds=100, idle_seconds=30)
    roster = WorkerPool(crew, RetryPolicy(), now=0)
    for number in range(calls):
        roster.sheet.add(PlainCall("renderer", "render", (), (number,)))
    for number in range(hired + warming + pending):
        begun, able = number < hired + warming, number < hired
        roster.hired.append(Worker(number, crew, None, None if begun else "placed", None if able else "boot", since=0))
    return roster


@pytest.mark.parametrize(("calls", "hired", "wanting"), [(0, 0, 0), (3, 0, 3), (9, 0, 4), (9, 3, 1), (2, 4, 0)])
def test_no_more_are_hired_than_calls_are_outstanding(calls: int, hired: int, wanting: int) -> None:
    assert roster_of(4, calls, hired).wanting() == wanting


def test_those_without_a_place_go_first_but_not_for_a_flicker() -> None:
    roster = roster_of(calls=2, hired=1, pending=3)
    assert roster.dispensable(10, crowded=False) == []
    assert [one.number for one in roster.dispensable(10 + PENDING_GRACE, crowded=False)] == [3, 2]


def test_whoever_loads_stays_while_there_is_anything_to_do() -> None:
    roster = roster_of(calls=1, warming=2, pending=2)
    roster.dispensable(0, crowded=True)
    assert [one.number for one in roster.dispensable(1000, crowded=True)] == [3, 2]
    roster.sheet.deal([0], 1, 0.0)
    roster.sheet.finished(0, 0, 1.0)
    assert [one.number for one in roster.dispensable(1001, crowded=True)] == [3, 2, 1, 0]


def test_a_second_call_in_somebodys_hands_keeps_nobody_else() -> None:
    roster = roster_of(calls=4, hired=3)
    roster.sure = True
    for worker, call in roster.sheet.deal([0, 1], 1, 0.0):
        roster.hired[worker].streams.append(call)
    assert [len(one.streams) for one in roster.hired] == [2, 2, 0]
    assert (roster.sheet.outstanding, roster.wanted) == (4, 2)
    assert [one.number for one in roster.dispensable(0, crowded=False)] == [2]


def test_demand_that_comes_back_keeps_those_without_a_place() -> None:
    roster = roster_of(calls=0, pending=1)
    roster.dispensable(10, crowded=False)
    roster.sheet.add(PlainCall("renderer", "render"))
    assert roster.dispensable(16, crowded=False) == []
    roster.sheet.deal([0], 1, 0.0)
    roster.sheet.finished(0, 0, 1.0)
    assert roster.dispensable(17, crowded=False) == []


def test_an_idle_worker_goes_after_its_time_or_at_once_where_it_is_crowded() -> None:
    roster = roster_of(hired=2)
    assert roster.dispensable(29, crowded=False) == []
    assert len(roster.dispensable(30, crowded=False)) == 2
    assert len(roster.dispensable(1, crowded=True)) == 2


def test_a_worker_with_a_call_stays() -> None:
    roster = roster_of(hired=1)
    roster.hired[0].streams.append("busy")
    assert roster.dispensable(1000, crowded=True) == []


def test_above_its_allowance_a_crew_lets_go_at_once_of_whoever_has_no_place_or_no_call() -> None:
    roster = roster_of(calls=9, hired=2, warming=1, pending=1)
    roster.hired[0].streams.append("busy")
    assert (roster.wanted, roster.demand, roster.excess) == (4, 4, False)
    roster.allowance = Quota(1)
    assert (roster.wanted, roster.demand, roster.excess, roster.wanting()) == (4, 1, True, 0)
    # Whoever loads goes when it has loaded; whoever is at a chunk, at its end.
    assert [one.number for one in roster.dispensable(0, crowded=False)] == [3, 1]
    roster.allowance = Quota(9)
    assert (roster.demand, roster.excess) == (4, False)


def test_where_a_cluster_may_grow_more_than_are_allowed_may_wait_for_a_place() -> None:
    roster = roster_of(calls=9, hired=2, pending=1)
    roster.allowance = Quota(2, may_wait=True)
    assert (roster.demand, roster.excess, roster.wanting(), roster.dispensable(0, crowded=True)) == (4, False, 1, [])
    roster.placed(roster.hired[2], 1)
    assert roster.excess


def test_long_starting_means_crowded() -> None:
    assert not roster_of(hired=1).crowded(1000)
    assert not roster_of(pending=1).crowded(CROWDED_AFTER - 1)
    assert roster_of(pending=1).crowded(CROWDED_AFTER)
    assert not roster_of(warming=1).crowded(1000)


def test_those_who_wait_for_a_node_keep_nobody_from_a_second_call() -> None:
    roster = roster_of(hired=2, warming=1, pending=1)
    assert [roster.hands(now) for now in (0, CROWDED_AFTER)] == [4, 3]


def test_a_film_fails_when_nobody_has_found_a_place_or_started_in_time() -> None:
    roster = roster_of(calls=1, pending=1)
    assert roster.late(100) == []
    with pytest.raises(FilmFailed, match=r"^No renderer has found a place within 100 s\. Each needs 1 CPU on one node"):
        roster.late(101)
    roster.placed(roster.hired[0], 101)  # loading has its own time
    assert roster.late(201) == []
    with pytest.raises(FilmFailed, match=r"^No renderer has started within 100 s of getting its place"):
        roster.late(202)


def test_one_that_lost_its_place_waits_for_another_as_long() -> None:
    roster = roster_of(calls=1, pending=1)
    roster.late(90)
    roster.placed(roster.hired[0], 90)
    roster.late(150)
    roster.hired = roster_of(calls=1, pending=1).hired
    assert roster.late(190) == []
    with pytest.raises(FilmFailed, match="found a place"):
        roster.late(191)


def test_a_late_one_goes_alone_while_others_work() -> None:
    roster = roster_of(calls=9, hired=1, warming=1, pending=1)
    assert [one.number for one in roster.late(101)] == [1]
    roster.hired.pop(0)
    assert roster.late(201) == []  # nobody can work since 101, and that may last 100 s


def test_unmeetable_needs_are_said_in_one_sentence() -> None:
    crew = PoolSpec("renderer", "builtins:object", cpus=2, gpus=1, memory=2**30)
    bare, small = NodeType(64, 0, 2.0**40, 1), NodeType(6, 0, 2.0**31, 1)
    assert unmeetable(crew, Cluster(True, 66, 1, (bare, NodeType(2, 1, 2.0**30, 1)))) is None
    assert unmeetable(crew, Cluster(True, 6, 0, (small,))) == (
        "Each renderer needs 2 CPU, 1 GPU, 1 GiB of memory, but this machine has 6 CPU, 0 GPU, 2 GiB to give: "
        "lower workers.cpus, workers.gpus or workers.memory_gib."
    )
    said = unmeetable(crew, Cluster(False, 6, 0, (small, small, bare)))
    assert said is not None
    assert (
        "this cluster has or may bring up have each 6 CPU, 0 GPU, 2 GiB; or 64 CPU, 0 GPU, 1.02e+03 GiB to give" in said
    )
