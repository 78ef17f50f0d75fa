"""What a cluster may grow to: as its operator tells, with the nodes there are, and who finds a place on what."""

import pytest

from farm.fleet.calls import Cluster, NodeType, PoolSpec
from farm.fleet.capacity import kind_of, passed_over, places, told_kinds, with_standing
from jobs.errors import BadSpec

L4 = NodeType(4, 1, 16 * 2.0**30, 16)
A100 = NodeType(48, 4, 320 * 2.0**30, 2)


def test_an_operator_tells_what_there_may_be() -> None:
    told = '[{"CPU": 4, "GPU": 1, "memory": 17179869184, "most": 16}, {"CPU": 16, "most": 4}]'
    assert told_kinds(told) == (L4, NodeType(16, 0, float("inf"), 4))
    assert told_kinds("[]") == ()


@pytest.mark.parametrize(
    "text", ["8 GPUs", '{"GPU": 1}', '[{"GPU": 1}]', '[{"GPU": -1, "most": 1}]', '[{"gpus": 1, "most": 1}]']
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadSpec, match=r"^FARM_NODES \(set by whoever runs the cluster\) is to be a JSON list"):
        told_kinds(text)


def test_no_node_is_counted_twice() -> None:
    head, one_of_them = {"CPU": 2.0, "memory": 2.0**33}, {"CPU": 4.0, "GPU": 1.0, "memory": 2.0**34}
    kinds = with_standing([L4], [head, one_of_them, one_of_them])
    assert kinds == (L4, NodeType(2, 0, 2.0**33, 1))
    assert with_standing([], [head, head]) == (NodeType(2, 0, 2.0**33, 2),)
    cluster = Cluster(False, 10.0, 2.0, kinds)
    assert (cluster.most_cpus, cluster.most_gpus) == (66, 16)


@pytest.mark.parametrize(
    ("kind", "needs", "count"),
    [
        (L4, (4, 1), 1),
        (L4, (5, 1), 0),
        (L4, (1, 0.5), 2),
        (A100, (4, 1), 4),
        (A100, (0.1, 0.1), 40),
        (L4, (1, 2), 0),
        (L4, (0, 0), 1),
    ],
)
def test_places_on_one_node(kind: NodeType, needs: tuple[float, float], count: int) -> None:
    assert places(kind, *needs) == count


def test_memory_takes_places_too() -> None:
    assert places(L4, 1, 0, 5 * 2.0**30) == 3
    assert places(NodeType(4, 0, float("inf"), 1), 1, 0, 2.0**50) == 4


def test_gpus_that_would_stand_idle_are_named() -> None:
    pool = PoolSpec("renderer", "builtins:object", cpus=8, gpus=1)
    assert passed_over(pool, [L4, A100, NodeType(2, 0, 0, 1)]) == (
        "Nodes of 4 CPU, 1 GPU, 16 GiB will stand idle: each renderer needs 8 CPU beside its GPU; "
        "lower workers.cpus or workers.memory_gib to use them."
    )
    assert passed_over(pool, [A100]) is None
    assert passed_over(PoolSpec("splitter", "builtins:object", cpus=8), [L4]) is None


def test_gpus_are_known_by_the_operators_word_or_by_what_nodes_tell() -> None:
    node = {"CPU": 16.0, "GPU": 1.0, "memory": 2.0**36, "accelerator_type:L4": 1.0}
    told = told_kinds('[{"CPU": 16, "GPU": 1, "most": 8}, {"CPU": 8, "GPU": 1, "gpu_gib": 44, "most": 2}]')
    assert [kind.gpu_memory / 2**30 for kind in told] == [0, 44]
    assert [kind.gpu_memory / 2**30 for kind in with_standing(told, [node])] == [22, 44]
    assert [kind.gpu_memory / 2**30 for kind in with_standing([], [node, {"CPU": 4.0, "GPU": 1.0}])] == [22, 0]
    assert kind_of({"GPU": 1.0, "accelerator_type:NEW": 1.0}, 1).gpu_memory == 0
