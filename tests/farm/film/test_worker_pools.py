"""The pools of a film: how many of whom, and what each needs, on this machine and on a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from actors.looks import fit
from farm.film.worker_pools import CLUSTER_CPUS, SIDE_HUNG_SECONDS, pools_for, renderer_count
from farm.fleet.calls import Cluster, NodeType, PoolSpec
from jobs.spec.job import JobSpec, LookChoice
from tests.farm.studio import spec_of

CORES = len(os.sched_getaffinity(0))
HERE = Cluster(local=True, cpus=CORES + 4, gpus=0)
LARGE = Cluster(local=False, cpus=64, gpus=0)
WITH_GPUS = Cluster(local=False, cpus=64, gpus=4)
L4, A100, HEAD = NodeType(4, 1, 2.0**34, 16), NodeType(48, 4, 2.0**38, 2), NodeType(2, 0, 2.0**33, 1)
AT_REST = Cluster(local=False, cpus=2, gpus=0, kinds=(L4, A100, HEAD))
"""A head alone: what it may grow to is known."""
LOOKS = [fit(LookChoice(name="none"))]


def spec(**workers: Any) -> JobSpec:
    return spec_of("/films/a.mp4", "/work", workers=workers)


def renderer(cluster: Cluster, **workers: Any) -> PoolSpec:
    (found,) = [pool for pool in pools_for(spec(**workers), LOOKS, cluster) if pool.name == "renderer"]
    return found


@pytest.mark.parametrize(
    ("cluster", "workers", "count"),
    [
        (HERE, {}, CORES),
        (HERE, {"count": 7}, 7),
        (HERE, {"cpus": 1}, CORES),
        (LARGE, {}, 16),
        (LARGE, {"cpus": 8}, 8),
        (LARGE, {"cpus": 100}, 1),
        (WITH_GPUS, {}, 4),
        (WITH_GPUS, {"gpus": 0.5}, 8),
        (WITH_GPUS, {"gpus": 2}, 2),
        (WITH_GPUS, {"gpus": 8}, 1),
        (WITH_GPUS, {"gpus": 0}, 16),
        (WITH_GPUS, {"count": 3}, 3),
        (Cluster(local=False, cpus=0, gpus=0), {}, 1),  # an empty cluster that does not tell what it may grow to
        (AT_REST, {}, 24),
        (AT_REST, {"cpus": 8}, 8),  # none fits beside an L4
        (AT_REST, {"gpus": 0.5, "cpus": 2}, 48),
        (AT_REST, {"gpus": 0, "cpus": 16}, 6),
        (AT_REST, {"memory_gib": 17}, 8),
    ],
)
def test_as_many_renderers_as_there_is_room_for(cluster: Cluster, workers: dict[str, Any], count: int) -> None:
    assert renderer_count(spec(**workers), LOOKS, cluster) == count
    assert renderer(cluster, **workers).limit == count


@pytest.mark.parametrize(
    ("cluster", "workers", "needs"),
    [
        (HERE, {"count": 1}, (1.0, 0.0, float(CORES))),
        (HERE, {"count": 100}, (1.0, 0.0, 1)),
        (HERE, {"count": 2, "cpus": 3}, (3.0, 0.0, 3.0)),
        (LARGE, {}, (CLUSTER_CPUS, 0.0, CLUSTER_CPUS)),
        (LARGE, {"cpus": 0.5}, (0.5, 0.0, 0.5)),
        (WITH_GPUS, {}, (CLUSTER_CPUS, 1.0, CLUSTER_CPUS)),
        (WITH_GPUS, {"gpus": 0.25, "cpus": 2}, (2.0, 0.25, 2.0)),
        (WITH_GPUS, {"gpus": 0}, (CLUSTER_CPUS, 0.0, CLUSTER_CPUS)),
        (AT_REST, {}, (4.0, 1.0, 4.0)),
        (Cluster(False, 3.5, 1, (NodeType(3.5, 1, 2.0**34, 4),)), {}, (3.0, 1.0, 3.0)),  # a pod beside its side cars
        (Cluster(False, 8, 0, (NodeType(2, 0, 2.0**33, 4),)), {}, (2.0, 0.0, 2.0)),
    ],
)
def test_what_a_renderer_needs(cluster: Cluster, workers: dict[str, Any], needs: tuple[float, ...]) -> None:
    found = renderer(cluster, **workers)
    # Of its arguments the fourth is the number of threads it is told to use, the fifth whether it may use a GPU.
    assert (found.cpus, found.gpus, found.args[3]) == needs
    assert found.args[4] is (found.gpus > 0)


def test_memory_and_patience_are_the_specs() -> None:
    found = renderer(HERE, memory_gib=1.5, boot_seconds=30)
    assert (found.memory, found.boot_seconds) == (3 * 2**29, 30)
    assert renderer(HERE).memory is None


def test_a_side_worker_for_every_call_there_is() -> None:
    made = spec_of("/films/a.mp4", "/work", deliverables=[{"name": "a"}, {"name": "b"}, {"name": "c"}])
    pools = {pool.name: pool for pool in pools_for(made, LOOKS, LARGE)}
    assert set(pools) == {"surveyor", "splitter", "renderer", "dissolver", "printer", "finisher"}
    assert (pools["surveyor"].limit, pools["splitter"].limit) == (4, 4)
    assert (pools["printer"].limit, pools["printer"].cpus) == (16, CLUSTER_CPUS)
    # Finishers wait for most of a film: however many there are, they take one place from the others.
    assert (pools["finisher"].limit, pools["finisher"].limit * pools["finisher"].cpus) == (3, 1.0)
    assert all(pool.gpus == 0 for pool in pools.values())


def test_renderers_and_surveyors_are_at_two_calls_at_a_time() -> None:
    assert [pool.name for pool in pools_for(spec(), LOOKS, LARGE) if pool.max_concurrency > 1] == [
        "surveyor",
        "renderer",
    ]
    assert renderer(WITH_GPUS).max_concurrency == 2


def test_demand_here_can_be_met() -> None:
    # The fleet tells a local Ray of four CPUs beyond its renderers' (farm/fleet/fleet.py): one of each side pool finds a place.
    pools = pools_for(spec(), LOOKS, HERE)
    assert sum(pool.cpus * pool.limit for pool in pools if pool.name != "renderer") <= 4
    assert renderer(HERE).cpus * renderer(HERE).limit <= HERE.cpus


def test_every_pool_can_be_made_from_its_arguments(tmp_path: Path) -> None:
    made = spec_of(tmp_path / "a.mp4", tmp_path)
    for pool in pools_for(made, LOOKS, HERE):
        assert type(pool.make()).__name__ == pool.class_name, pool.name


def test_who_brings_findings_is_missed_and_who_waits_for_the_film_is_not() -> None:
    limits = {pool.name: pool.hung_seconds for pool in pools_for(spec(hung_seconds=60), LOOKS, HERE)}
    side = dict.fromkeys(("surveyor", "splitter", "dissolver", "printer"), SIDE_HUNG_SECONDS)
    assert limits == {**side, "renderer": 60, "finisher": None}
    assert all(pool.hung_seconds in (9999, None) for pool in pools_for(spec(hung_seconds=9999), LOOKS, HERE))


@pytest.mark.parametrize(("renderers", "splitters"), [(4, 4), (64, 4), (512, 32)])
def test_many_renderers_are_fed_by_many_splitters(renderers: int, splitters: int) -> None:
    pools = pools_for(spec(count=renderers), LOOKS, WITH_GPUS)
    assert [pool.limit for pool in pools if pool.name == "splitter"] == [splitters]


@pytest.mark.parametrize(("head", "hands"), [(0, 2), (4, 1), (8, 2), (32, 4)])
def test_side_workers_find_room_on_nodes_without_a_gpu(head: float, hands: int) -> None:
    kinds = (NodeType(head, 0, 0, 1), NodeType(1, 1, 0, 4)) if head else (NodeType(1, 1, 0, 4),)
    pools = pools_for(spec(), LOOKS, Cluster(False, head, 0, kinds))
    found = {pool.name: pool for pool in pools}
    side = [found[name] for name in ("surveyor", "splitter", "dissolver")]
    assert {pool.limit for pool in side} == {hands}
    if head:
        assert sum(pool.limit * pool.cpus for pool in (*side, found["finisher"])) <= head
