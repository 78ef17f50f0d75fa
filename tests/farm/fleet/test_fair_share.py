"""Shares: who gets how many renderers, whatever is claimed; and an office that may forget everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.fleet.fair_share import (
    FORGOTTEN_SECONDS,
    SETTLING_SECONDS,
    STARVED_SECONDS,
    ClusterCapacity,
    Demand,
    Quota,
    Shares,
    SharingJob,
    allot,
)

A_GPU = ClusterCapacity(4, 1)
MANY = 100


def claim(
    title: str, priority: int = 0, *, wanted: int = MANY, has: int = 0, each: ClusterCapacity = A_GPU, **more: float
) -> Demand:
    return Demand(SharingJob(f"/store/{title}", title, priority), each, wanted, has, **more)  # type: ignore[arg-type]


def got(claims: Sequence[Demand], room: ClusterCapacity) -> list[int]:
    allotted = allot(claims, room)
    return [allotted[one.job.key] for one in claims]


@pytest.mark.parametrize(
    ("claims", "gpus", "renderers"),
    [
        ([claim("alone")], 8, [8]),
        ([claim("a", wanted=3)], 8, [3]),
        ([claim("a"), claim("b")], 8, [4, 4]),
        ([claim("a"), claim("b", wanted=2), claim("c")], 8, [3, 2, 3]),
        ([claim("early", has=3), claim("late")], 3, [2, 1]),  # the odd one stays where it is
        ([claim("urgent", 5), claim("calm")], 8, [7, 1]),
        ([claim("urgent", 5, wanted=2), claim("calm")], 8, [2, 6]),
        ([claim("urgent", 5), claim("calm", has=1)], 1, [1, 0]),
        ([claim("early", has=1), claim("late")], 1, [1, 0]),
        ([claim("urgent", 5, has=1), claim("calm", without=STARVED_SECONDS)], 1, [0, 1]),
        ([claim("urgent", 5, has=1), claim("calm", has=1)], 1, [1, 0]),  # it has been at its chunk
        ([claim("a"), claim("huge", 9, each=ClusterCapacity(4, 8))], 4, [4, 0]),
        # What takes a larger part of the cluster gets fewer of it: 6 of 12 GPUs beside 12 of 24.
        ([claim("halves", each=ClusterCapacity(1, 0.5)), claim("wholes", each=ClusterCapacity(1, 1))], 12, [12, 6]),
    ],
)
def test_who_gets_how_many(claims: list[Demand], gpus: float, renderers: list[int]) -> None:
    assert got(claims, ClusterCapacity(1000, gpus)) == renderers


def test_side_pools_find_room_before_renderers() -> None:
    """On a cluster without GPUs a new film's surveyor needs a CPU before the film can want a renderer."""
    calm, urgent = (
        claim("calm", each=ClusterCapacity(4, 0), has=4),
        claim("urgent", 5, each=ClusterCapacity(4, 0), wanted=0),
    )
    assert got([calm, urgent], ClusterCapacity(16, 0)) == [4, 0]
    assert got([calm, replace(urgent, beside=1.0)], ClusterCapacity(16, 0)) == [3, 0]
    assert got([calm, replace(urgent, beside=99.0)], ClusterCapacity(16, 0)) == [2, 0]


def rooms(most: int) -> st.SearchStrategy[ClusterCapacity]:
    return st.builds(
        ClusterCapacity, st.integers(0, 4 * most).map(lambda n: n / 4), st.integers(0, 2 * most).map(lambda n: n / 2)
    )


def claims_of(each: st.SearchStrategy[ClusterCapacity]) -> st.SearchStrategy[list[Demand]]:
    jobs = st.lists(st.integers(-2, 2), min_size=1, max_size=6).map(
        lambda priorities: [
            SharingJob(str(number), str(number), priority) for number, priority in enumerate(priorities)
        ]
    )
    least = (st.integers(0, 9), st.integers(0, 4), st.sampled_from([0.0, 7.0, STARVED_SECONDS]))
    return jobs.flatmap(
        lambda those: st.tuples(*(st.builds(Demand, st.just(job), each, *least) for job in those)).map(list)
    )


def used(claims: Sequence[Demand], renderers: Sequence[int]) -> ClusterCapacity:
    pairs = list(zip(claims, renderers, strict=True))
    return ClusterCapacity(sum(one.each.cpus * n for one, n in pairs), sum(one.each.gpus * n for one, n in pairs))


@given(claims_of(rooms(2)), rooms(9))
def test_never_more_than_there_is_or_is_wanted_and_no_room_lies_idle(
    claims: list[Demand], room: ClusterCapacity
) -> None:
    renderers = got(claims, room)
    cpus, gpus = used(claims, renderers)
    assert cpus <= room.cpus
    assert gpus <= room.gpus
    for one, number in zip(claims, renderers, strict=True):
        assert 0 <= number <= one.wanted
        fits = cpus + one.each.cpus <= room.cpus and gpus + one.each.gpus <= room.gpus
        assert number == one.wanted or not fits


ALIKE = claims_of(st.just(ClusterCapacity(0, 1)))


@given(ALIKE, st.integers(0, 20))
def test_everybody_has_one_before_anybody_has_two(claims: list[Demand], gpus: int) -> None:
    renderers = got(claims, ClusterCapacity(0, gpus))
    wanting = [number for one, number in zip(claims, renderers, strict=True) if one.wanted]
    assert 0 not in wanting or max(wanting) <= 1


@given(ALIKE, st.integers(0, 20))
def test_equals_are_a_renderer_apart_at_most_and_the_more_urgent_have_theirs_first(
    claims: list[Demand], gpus: int
) -> None:
    renderers = got(claims, ClusterCapacity(0, gpus))
    for one, number in zip(claims, renderers, strict=True):
        for other, others in zip(claims, renderers, strict=True):
            if number < one.wanted and one.job.priority == other.job.priority:
                assert others <= number + 1
            if number < one.wanted and one.job.priority > other.job.priority:
                assert others <= 1  # the one that everybody keeps, or is given who starves


@given(ALIKE, st.integers(0, 20), st.integers(0, 5), st.integers(1, 3))
def test_urgency_never_costs_a_renderer(claims: list[Demand], gpus: int, who: int, more: int) -> None:
    who %= len(claims)
    before = got(claims, ClusterCapacity(0, gpus))[who]
    job = claims[who].job
    claims[who] = replace(claims[who], job=job._replace(priority=job.priority + more))
    assert got(claims, ClusterCapacity(0, gpus))[who] >= before


@given(claims_of(rooms(2)), rooms(9))
def test_the_order_of_claims_is_nothing(claims: list[Demand], room: ClusterCapacity) -> None:
    assert allot(claims[::-1], room) == allot(claims, room)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_on_one_gpu_nobody_waits_for_ever() -> None:
    """The calm film gets its one chunk each time it has starved; the urgent one has the GPU in between."""
    urgent, calm, held = claim("urgent", 5), claim("calm"), list[str]()
    for _ in range(int(STARVED_SECONDS) * 3):
        renderers = dict(
            zip((urgent.job.title, calm.job.title), got([urgent, calm], ClusterCapacity(8, 1)), strict=True)
        )
        held.append(next(title for title, number in renderers.items() if number))
        urgent, calm = (  # a chunk takes a second
            replace(one, has=renderers[one.job.title], without=0.0 if renderers[one.job.title] else one.without + 1)
            for one in (urgent, calm)
        )
    assert held.count("calm") == 2
    assert held[-1] == "urgent"


ROOM = ClusterCapacity(64, 8)


def test_a_film_alone_is_held_to_nothing_and_two_share() -> None:
    office = Shares(clock := Clock())
    feature, trailer = claim("feature", has=8), claim("trailer", 5, wanted=6)
    assert office.claim(feature, ROOM) == Quota(None)
    assert office.claim(trailer, ROOM) == Quota(6)
    assert office.claim(feature, ROOM) == Quota(2, "2 of 100 renderers: trailer is more urgent")
    assert office.claim(claim("short"), ROOM) == Quota(1, "1 of 100 renderers: trailer is more urgent")
    clock.now += FORGOTTEN_SECONDS / 2
    assert office.claim(feature, ROOM) == Quota(1, "1 of 100 renderers: trailer is more urgent")
    clock.now += FORGOTTEN_SECONDS / 2  # no word of the others since
    assert office.claim(feature, ROOM) == Quota(None)


def test_where_there_is_no_room_yet_everybody_asks_for_it() -> None:
    office = Shares(Clock())
    office.claim(claim("one"), ClusterCapacity(0, 0))
    assert office.claim(claim("other"), ClusterCapacity(0, 0)) == Quota(None)


def test_a_cluster_that_may_grow_is_asked_for_more_where_nobody_waits_for_his_own() -> None:
    office = Shares(Clock())
    feature, trailer = claim("feature", has=8, placed=8), claim("trailer", 5, wanted=6)
    office.claim(trailer, ROOM, grows=True)
    assert office.claim(feature, ROOM, grows=True).may_wait  # type: ignore[union-attr]  # it has asked for none yet
    office.claim(replace(trailer, has=6), ROOM, grows=True)
    held = Quota(2, "2 of 100 renderers: trailer is more urgent")
    assert office.claim(feature, ROOM, grows=True) == held  # its own would be placed before the trailer's
    office.claim(replace(trailer, has=6, placed=6), ROOM, grows=True)
    assert office.claim(feature, ROOM, grows=True) == held._replace(may_wait=True)
    assert office.claim(feature, ROOM) == held


def test_who_leaves_makes_room_at_once() -> None:
    office = Shares(Clock())
    one, other = claim("one"), claim("other")
    office.claim(one, ROOM)
    assert office.claim(other, ROOM) == Quota(4, "4 of 100 renderers: shared with one")
    office.leave(one.job.key)
    office.leave(one.job.key)
    assert office.claim(other, ROOM) == Quota(None)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ([claim("mine"), claim("a", 5), claim("b", 6)], "are more urgent"),
        ([claim("mine", 1), claim("a")], "7 of 100 renderers: shared with a"),
        ([claim("mine", 1), claim("a", wanted=0)], "8 of 100 renderers: the cluster has no more"),
        (
            [claim("mine", 1, each=ClusterCapacity(4, 8)), claim("a", without=STARVED_SECONDS)],
            "a is next, after a long wait",
        ),
    ],
)
def test_why_it_is_less(claims: list[Demand], says: str) -> None:
    office = Shares(Clock())
    for one in claims[1:]:
        office.claim(one, ROOM)
    answer = office.claim(claims[0], ROOM)
    assert answer is not None
    assert says in answer.says


def test_a_new_office_first_hears_everybody() -> None:
    """The one before it was lost: whoever claims first is not told that it is alone."""
    office = Shares(clock := Clock())
    assert office.claim(claim("feature", held_to=2), ROOM) is None
    assert office.claim(claim("newcomer"), ROOM) == Quota(4, "4 of 100 renderers: shared with feature")
    clock.now += SETTLING_SECONDS
    assert office.claim(claim("feature", held_to=2), ROOM) == Quota(4, "4 of 100 renderers: shared with newcomer")
