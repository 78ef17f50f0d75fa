"""How many renderers share a GPU: by cores and memory, as much as the poorest kind of node allows, and one alone where memory is not known."""

from dataclasses import replace
from typing import Any

import pytest

from actors.looks import fit
from farm.film.worker_pools import pools_for, renderer_count, renderer_gpus
from farm.fleet.calls import Cluster, NodeType
from farm.fleet.capacity import places
from farm.fleet.gpu_shares import GIB, share_of_gpu
from jobs.digest import digest
from jobs.plan.plan import Look
from jobs.spec.job import LookChoice
from tests.farm.studio import spec_of


def look(gib: float, name: str = "none") -> Look:
    return fit(LookChoice(name=name)).model_copy(update={"gpu_gib": gib})


def node(cpus: float, gpus: float, gib: float, most: int = 4) -> NodeType:
    return NodeType(cpus, gpus, 2.0**38, most, gib * GIB)


HEAD = NodeType(8, 0, 2.0**33, 1)


def cluster(*kinds: NodeType) -> Cluster:
    return Cluster(False, 0, 0, kinds)


@pytest.mark.parametrize(
    ("kinds", "several"),
    [
        ((node(16, 1, 22), HEAD), 4),  # 16 cores, four each
        ((node(64, 1, 22), HEAD), 5),  # 22 GiB, four each
        ((node(16, 1, 7), HEAD), 1),
        ((node(4, 1, 22), HEAD), 1),
        ((node(3, 1, 22), HEAD), 1),
        ((node(48, 4, 39), HEAD), 3),
        ((node(96, 1, 138), HEAD), 8),
        ((node(16, 1, 0), HEAD), 1),  # memory not known
        ((node(16, 1, 22), node(96, 8, 79), HEAD), 3),  # the poorer one
        ((node(16, 1, 22), node(16, 1, 0), HEAD), 1),
        ((node(16, 1, 22),), 3),  # four cores are left to the other pools
    ],
)
def test_as_many_as_cores_and_memory_take(kinds: tuple[NodeType, ...], several: int) -> None:
    share = share_of_gpu([look(4)], cluster(*kinds), 0, 4)
    assert int(1 / share) == several
    assert several * share <= 1
    for kind in kinds:
        if kind.gpus:
            assert places(kind, 0, share) == several * kind.gpus


def test_looks_of_other_networks_lie_side_by_side_and_settings_do_not() -> None:
    bolder = fit(LookChoice(name="colorize", settings={"saturation": 2.0})).model_copy(update={"gpu_gib": 5.0})
    l4 = cluster(node(64, 1, 22), HEAD)
    assert int(1 / share_of_gpu([look(5, "colorize"), bolder], l4, 0, 4)) == 4
    assert int(1 / share_of_gpu([look(5, "colorize"), look(5)], l4, 0, 4)) == 2


def test_renderers_find_their_places_with_the_share_that_is_derived() -> None:
    l4 = cluster(node(16, 1, 22), HEAD)
    made = spec_of("/films/a.mp4", "/work")
    (pool,) = [one for one in pools_for(made, [look(4)], l4) if one.name == "renderer"]
    assert (pool.gpus, pool.cpus, pool.limit) == (0.25, 4.0, 16)


def test_a_machine_of_ones_own_is_shared_by_its_own_cores_and_not_by_those_ray_was_told() -> None:
    here = Cluster(True, 40, 1, (node(40, 1, 138),))
    assert share_of_gpu([look(4)], here, 16, 4) == 0.25
    assert share_of_gpu([look(4)], here, 2, 4) == 1.0


@pytest.mark.parametrize("workers", [{"gpus": 1}, {"gpus": 0.5}, {"gpus": 0}])
def test_the_spec_has_the_last_word(workers: dict[str, Any]) -> None:
    made = spec_of("/films/a.mp4", "/work", workers=workers)
    assert renderer_gpus(made, [look(4)], cluster(node(16, 1, 22), HEAD)) == workers["gpus"]


def test_thirds_of_four_gpus_are_twelve() -> None:
    made = spec_of("/films/a.mp4", "/work")
    assert renderer_count(made, [look(4)], cluster(replace(node(48, 4, 39), most=1), HEAD)) == 12


def test_what_a_look_takes_of_a_gpu_names_nothing_in_the_store() -> None:
    assert digest(look(4).named()) == digest(look(9).named())
