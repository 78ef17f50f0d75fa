"""The rehearsal: a film's calls in the driver's own order, the seams' waits, the finishers' tail, and the same dealing at any size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from farm.estimate.outcome import PAGE_SECONDS, WRITTEN_SECONDS, Times
from farm.fleet.calls import Cluster, PoolSpec
from jobs.plan.plan import Look, Plan, Range, Shot, Support
from jobs.spec.job import LookChoice
from tests.bench.rehearsal import Rehearsal, RehearsedOutcome, pools_of

PLAIN = Look(choice=LookChoice(name="none"))
RENDER = 1.5
TIMES = Times(
    boot=lambda pool: 0.0,
    opening=0.0,
    split=lambda chunk: 0.01,
    render=lambda chunk, place: RENDER,
    dissolve=lambda chunk: 7.0,
    stitch=0.0,
    prove=0.0,
    propagate=lambda chunk: 0.0,
    cores_shared=False,
)


def plan_of(chunks: int, look: Look = PLAIN) -> Plan:
    plan = Plan(100)
    plan.grow([Shot(1, Range(0, 100 * chunks), look)])
    return plan


def carried(plan: Plan, renderers: int, times: Times = TIMES, splitters: int = 16) -> RehearsedOutcome:
    pools = pools_of(renderers, splitters)
    return Rehearsal(plan.chunks, plan, times).on(Cluster(False, 1000.0, renderers), pools)


@pytest.mark.parametrize(("renderers", "chunks"), [(64, 10_000), (512, 10_000)])
def test_ten_thousand_chunks_take_little_more_than_renderers_need_for_them(renderers: int, chunks: int) -> None:
    found = carried(plan_of(chunks), renderers, splitters=64)
    assert chunks * RENDER / renderers >= 0.95 * (found.rendered - (found.first - RENDER))
    assert found.busy > 0.9


def test_too_few_splitters_keep_renderers_waiting() -> None:
    slow = replace(TIMES, split=lambda chunk: 1.0)
    assert carried(plan_of(400), 64, slow, splitters=4).rendered > 99
    assert carried(plan_of(400), 64, slow, splitters=64).rendered < 20


def test_a_fast_kind_renders_more_of_the_film_than_a_slow_one() -> None:
    kinds = replace(TIMES, render=lambda chunk, place: (1.0, 4.0)[place % 2])
    # Of four, two are four times as fast: together they do 2.5 chunks a second.
    assert carried(plan_of(200), 4, kinds).rendered == pytest.approx(80, rel=0.08)


def test_seams_are_dissolved_when_both_sides_are_rendered_and_the_end_is_stitched_and_proven() -> None:
    look = Look(choice=LookChoice(name="recurrent"), support=Support(dissolve=8))
    found = carried(plan_of(2, look), 1)
    alone = carried(plan_of(2), 1)
    assert alone.seconds == pytest.approx(alone.rendered + WRITTEN_SECONDS + PAGE_SECONDS, abs=0.05)
    assert found.seconds == pytest.approx(found.rendered + 7.0 + WRITTEN_SECONDS + PAGE_SECONDS, abs=0.05)
    proven = carried(plan_of(2), 1, replace(TIMES, prove=0.1, stitch=0.01))
    assert proven.seconds == pytest.approx(alone.seconds + 200 * 0.1 + 100 * 0.01, abs=0.1)


def test_chunks_that_are_there_are_stitched_and_not_rendered() -> None:
    look = Look(choice=LookChoice(name="recurrent"), support=Support(dissolve=8))
    plan = plan_of(10, look)
    pools = [
        PoolSpec(name, "builtins:object", max_concurrency=2)
        for name in ("surveyor", "splitter", "renderer", "dissolver", "finisher")
    ]
    some = [plan.chunks[4], plan.chunks[5], plan.chunks[8]]
    found = Rehearsal(some, plan, TIMES).on(Cluster(False, 8.0, 1.0), pools)
    assert found.rendered == pytest.approx(3 * RENDER, abs=0.1)
    assert found.hired["dissolver"] > 0
