"""Dealing among fast and slow workers, by a clock that the tests turn: who gets which call near a film's end, and when several chunks are one call too many."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count

import pytest

from farm.fleet.calls import Call, RetryPolicy
from farm.fleet.scheduler import CallQueue
from tests.farm.plain_call import PlainCall

FRAMES = 100


def call(number: int, frames: int = FRAMES, parts: int = 0) -> Call:
    smaller = tuple(call(number + part, frames // parts) for part in range(parts))
    return PlainCall("renderer", "render", (), (number,), f"chunk {number}", frames=frames, parts=smaller)


def queue_of(calls: int, **more: int) -> CallQueue:
    queue = CallQueue(RetryPolicy(), **more)
    for number in range(calls):
        queue.add(call(number))
    return queue


def measured(queue: CallQueue, **paces: float) -> None:
    """Workers 1, 2, ... have each finished a call at a pace of their own, all by now: 0."""
    workers = range(1, 1 + len(paces))
    for worker, pace in zip(workers, paces.values(), strict=True):
        queue.add(call(-1))
        assert queue.assign([worker], 10**6, -FRAMES / pace)[0][0] == worker
        queue.finished(worker, 0, 0.0)


def whole_film(paces: dict[int, float], calls: int) -> tuple[float, dict[int, int]]:
    """Seconds that a film takes on workers of these paces (frames a second), and how many calls each of them made."""
    queue, events, order = queue_of(calls), list[tuple[float, int, int]](), count()
    queues: dict[int, list[float]] = {worker: [] for worker in paces}
    now, made = 0.0, dict.fromkeys(paces, 0)
    while queue.outstanding:
        for worker, one in queue.assign(list(paces), len(paces), now):
            queues[worker].append(one.frames / paces[worker])
            if len(queues[worker]) == 1:
                heappush(events, (now + queues[worker][0], next(order), worker))
        now, _, worker = heappop(events)
        queue.finished(worker, 0, now)
        made[worker] += 1
        queues[worker].pop(0)
        if queues[worker]:
            heappush(events, (now + queues[worker][0], next(order), worker))
    return now, made


@pytest.mark.parametrize(
    "paces",
    [(10.0, 10.0, 10.0), (40.0, 10.0, 1.0), (100.0, 1.0), (10.0, 9.0, 11.0, 10.5), (*[50.0] * 8, *[10.0] * 8, 0.5)],
)
def test_fast_and_slow_workers_end_together(paces: tuple[float, ...]) -> None:
    took, made = whole_film(dict(enumerate(paces)), 400)
    ideal = 400 * FRAMES / sum(paces)
    last = FRAMES / max(paces)
    # One call of the fastest more than the ideal, and what nobody could know: the first call of each.
    assert took <= max(ideal + 2 * last, FRAMES / min(paces) + last), (took, ideal, made)
    assert all(made.values())


def test_at_the_tail_a_slow_worker_gets_nothing_that_a_fast_one_ends_sooner() -> None:
    queue = queue_of(0)
    measured(queue, fast=10.0, slow=1.0)
    queue.add(call(0))
    queue.add(call(1))
    assert [(worker, one.what) for worker, one in queue.assign([1, 2], 2, 0.0)] == [(1, "chunk 0")]
    assert queue.assign([1, 2], 2, 5.0) == []
    queue.finished(1, 0, 10.0)
    assert [worker for worker, _ in queue.assign([1, 2], 2, 10.0)] == [1]


def test_a_slow_worker_gets_one_where_it_ends_in_time() -> None:
    queue = queue_of(0)
    measured(queue, fast=10.0, slow=6.0)
    queue.add(call(0))
    queue.add(call(1))
    assert [worker for worker, _ in queue.assign([1, 2], 2, 0.0)] == [1, 2]


def test_the_fastest_is_served_first_and_who_is_new_is_tried() -> None:
    queue = queue_of(0)
    measured(queue, slow=1.0, fast=10.0)
    queue.add(call(0))
    assert [worker for worker, _ in queue.assign([1, 2], 2, 0.0)] == [2]
    queue.add(call(1))
    assert [worker for worker, _ in queue.assign([1, 2, 3], 3, 0.0)] == [3]


def test_nobody_waits_for_ever_for_a_fast_one_that_is_late() -> None:
    queue = queue_of(0)
    measured(queue, fast=10.0, slow=1.0)
    queue.add(call(0))
    queue.add(call(1))
    assert len(queue.assign([1, 2], 2, 0.0)) == 1
    assert queue.assign([1, 2], 2, 90.0) == []
    assert [worker for worker, _ in queue.assign([1, 2], 2, 101.0)] == [2]


def test_a_fast_one_that_is_gone_is_not_waited_for() -> None:
    queue = queue_of(0)
    measured(queue, fast=10.0, slow=1.0)
    queue.add(call(0))
    assert [worker for worker, _ in queue.assign([1, 2], 2, 0.0)] == [1]
    queue.lost(1, "preempted", free=True)
    assert [worker for worker, _ in queue.assign([2], 1, 0.0)] == [2]


def test_several_chunks_are_dealt_apart_while_hands_are_idle() -> None:
    queue = CallQueue(RetryPolicy())
    queue.add(call(0))
    queue.add(call(10, frames=90, parts=3))
    queue.add(call(20, frames=90, parts=2))
    assigned = [(worker, one.what, one.frames) for worker, one in queue.assign(range(5), 5, 0.0)]
    assert assigned == [
        (0, "chunk 0", 100),
        (1, "chunk 10", 30),
        (2, "chunk 11", 30),
        (3, "chunk 12", 30),
        (4, "chunk 20", 90),
    ]
    assert queue.outstanding == 5


def test_several_chunks_stay_together_where_there_is_enough_to_do() -> None:
    queue = CallQueue(RetryPolicy())
    for number in range(0, 60, 10):
        queue.add(call(number, parts=2))
    assert [one.frames for _, one in queue.assign(range(3), 3, 0.0)] == [FRAMES] * 3
