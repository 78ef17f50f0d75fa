"""The formula of forecasts, held against a simulation of the fleet's own dispatch, with which it shares only the times of single steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from farm.estimate.outcome import PAGE_SECONDS, WRITTEN_SECONDS, Times, outcome
from farm.fleet.calls import Cluster, PoolSpec
from jobs.plan.plan import Look, Plan, Range, Shot, Support
from jobs.spec.job import LookChoice
from tests.bench.rehearsal import Rehearsal

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


def pools(renderers: int) -> list[PoolSpec]:
    limits = {"surveyor": 2, "splitter": 8, "renderer": renderers, "dissolver": 4, "finisher": 1}
    return [
        PoolSpec(name, "builtins:object", limit=limit, abreast=1 + (name == "renderer"))
        for name, limit in limits.items()
    ]


@pytest.mark.parametrize("renderers", [1, 2, 7, 64])
@pytest.mark.parametrize("chunks", [1, 5, 24, 500])
def test_one_kind_takes_what_a_simulation_takes(chunks: int, renderers: int) -> None:
    plan, crews = plan_of(chunks), pools(renderers)
    said = outcome(plan.chunks, plan, TIMES, crews, [renderers])
    made = Rehearsal(plan.chunks, plan, TIMES).on(Cluster(False, 1000.0, renderers), crews)
    assert said.seconds == pytest.approx(made.seconds, rel=0.15)
    assert said.rendered == pytest.approx(made.rendered, rel=0.15)


def test_two_kinds_share_the_work_by_their_speed() -> None:
    plan, crews = plan_of(200), pools(6)
    kinds = replace(TIMES, render=lambda chunk, place: (10.0, 40.0)[place >= 2])
    said = outcome(plan.chunks, plan, kinds, crews, [2, 4])
    made = Rehearsal(plan.chunks, plan, kinds).on(Cluster(False, 1000.0, 6), crews)
    assert said.rendered == pytest.approx(made.rendered, rel=0.1)
    assert said.hired["renderer"] == pytest.approx(made.hired["renderer"], rel=0.15)


def test_splitters_that_are_too_slow_are_waited_for() -> None:
    plan, crews = plan_of(400), pools(64)
    slow = replace(TIMES, split=lambda chunk: 4.0)
    assert outcome(plan.chunks, plan, slow, crews, [64]).rendered > 400 * 4 / 8


def test_seams_and_the_last_page_come_after_the_last_chunk() -> None:
    plan = plan_of(4, PLAIN.model_copy(update={"support": Support(dissolve=8)}))
    found = outcome(plan.chunks, plan, TIMES, pools(2), [2])
    tail = 0.5 + WRITTEN_SECONDS + PAGE_SECONDS + 0.1 + 0.003 * 400
    assert found.seconds == pytest.approx(found.rendered + tail)
    assert found.hired["dissolver"] == pytest.approx(3 * 0.5 + 0.6)


def test_propagation_is_waited_for_by_renderers_of_a_cluster_and_takes_their_cores_here() -> None:
    plan, crews = plan_of(40), [*pools(4), PoolSpec("propagator", "builtins:object", limit=2)]
    slow = replace(TIMES, propagate=lambda chunk: 20.0)
    alone = outcome(plan.chunks, plan, TIMES, crews, [4])
    beside = outcome(plan.chunks, plan, slow, crews, [4])
    here = outcome(plan.chunks, plan, replace(slow, cores_shared=True), crews, [4])
    assert alone.rendered < 40 * 20 / 2 < beside.rendered < 40 * 20 / 2 + 20
    assert here.rendered == pytest.approx(alone.rendered + 40 * 20 / 2)
    assert beside.hired["propagator"] == 40 * 20
