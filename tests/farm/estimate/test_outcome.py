"""The formula of forecasts, held against a simulation of the fleet's own dispatch, with which it shares only the times of single steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from farm.estimate.outcome import PAGE_SECONDS, WRITTEN_SECONDS, Times, outcome
from farm.fleet.calls import Cluster, PoolSpec
from jobs.plan.plan import Look, Plan, Range, Shot, Support
from jobs.spec.job import LookChoice
from tests.bench.rehearsal import Rehearsal, pools_of

PLAIN = Look(choice=LookChoice(name="none"))
TIMES = Times(
    boot=lambda pool: {"renderer": 2.5}.get(pool.name, 0.6),
    opening=0.5,
    split=lambda chunk: 0.05,
    render=lambda chunk, place: 0.1 * chunk.read.frames,
    dissolve=lambda chunk: 0.5,
    stitch=0.001,
    prove=0.003,
    propagate=lambda chunk: 0.0,
    cores_shared=False,
)


def plan_of(chunks: int, look: Look = PLAIN) -> Plan:
    plan = Plan(100)
    plan.grow([Shot(1, Range(0, 100 * chunks), look)])
    return plan


def pools_beside_eight_splitters(renderers: int) -> list[PoolSpec]:
    return pools_of(renderers, splitters=8)


@pytest.mark.parametrize("seconds", [0.1, 3.0])
@pytest.mark.parametrize(
    ("chunks", "renderers"),
    [(1, 1), (1, 512), (5, 2), (5, 4), (9, 8), (24, 7), (24, 512), (65, 64), (500, 64), (500, 1)],
)
def test_one_kind_takes_what_a_simulation_takes(chunks: int, renderers: int, seconds: float) -> None:
    plan, pools = plan_of(chunks), pools_beside_eight_splitters(renderers)
    times = replace(TIMES, render=lambda chunk, place: seconds * chunk.read.frames)
    said = outcome(plan.chunks, plan, times, pools)
    made = Rehearsal(plan.chunks, plan, times).on(Cluster(False, 1000.0, renderers), pools)
    assert said.seconds == pytest.approx(made.seconds, rel=0.1)
    assert said.rendered == pytest.approx(made.rendered, rel=0.1)
    assert said.hired["renderer"] == pytest.approx(made.hired["renderer"], rel=0.15)
    assert said.busy == pytest.approx(made.busy, rel=0.15)


@pytest.mark.parametrize(("chunks", "fast", "slow"), [(1, 2, 30), (2, 1, 1), (20, 1, 1), (20, 30, 2), (200, 2, 4)])
def test_two_kinds_take_what_a_simulation_takes(chunks: int, fast: int, slow: int) -> None:
    plan, pools = plan_of(chunks), pools_beside_eight_splitters(fast + slow)
    kinds = replace(TIMES, render=lambda chunk, place: 10.0 if place < fast else 40.0)
    said = outcome(plan.chunks, plan, kinds, pools)
    made = Rehearsal(plan.chunks, plan, kinds).on(Cluster(False, 1000.0, fast + slow), pools)
    assert said.rendered == pytest.approx(made.rendered, rel=0.15)
    assert said.hired["renderer"] == pytest.approx(made.hired["renderer"], rel=0.2)


def test_many_seams_wait_for_dissolvers() -> None:
    plan = plan_of(500, PLAIN.model_copy(update={"support": Support(dissolve=8)}))
    times, pools = replace(TIMES, dissolve=lambda chunk: 26.0), pools_beside_eight_splitters(64)
    made = Rehearsal(plan.chunks, plan, times).on(Cluster(False, 1000.0, 64), pools)
    assert outcome(plan.chunks, plan, times, pools).seconds == pytest.approx(made.seconds, rel=0.1)


def test_splitters_that_are_too_slow_are_waited_for() -> None:
    plan, pools = plan_of(400), pools_beside_eight_splitters(64)
    slow = replace(TIMES, split=lambda chunk: 4.0)
    assert outcome(plan.chunks, plan, slow, pools).rendered > 400 * 4 / 8


def test_seams_and_the_last_page_come_after_the_last_chunk() -> None:
    plan = plan_of(4, PLAIN.model_copy(update={"support": Support(dissolve=8)}))
    found = outcome(plan.chunks, plan, TIMES, pools_beside_eight_splitters(2))
    tail = 0.5 + WRITTEN_SECONDS + PAGE_SECONDS + 0.1 + 0.003 * 400
    assert found.seconds == pytest.approx(found.rendered + tail)
    assert found.hired["dissolver"] == pytest.approx(3 * 0.5)


def test_propagation_is_waited_for_by_renderers_of_a_cluster_and_takes_their_cores_here() -> None:
    plan, pools = plan_of(40), [*pools_beside_eight_splitters(4), PoolSpec("propagator", "builtins:object", limit=2)]
    slow = replace(TIMES, propagate=lambda chunk: 20.0)
    alone = outcome(plan.chunks, plan, TIMES, pools)
    beside = outcome(plan.chunks, plan, slow, pools)
    here = outcome(plan.chunks, plan, replace(slow, cores_shared=True), pools)
    assert alone.rendered < 40 * 20 / 2 < beside.rendered < 40 * 20 / 2 + 20
    assert here.rendered == pytest.approx(alone.rendered + 40 * 20 / 2)
    assert beside.hired["propagator"] == 40 * 20
