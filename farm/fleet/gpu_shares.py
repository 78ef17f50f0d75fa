"""How many renderers share a GPU, by its memory and the CPU cores beside it.

A renderer with a software encoder keeps a GPU busy for a small part of its time: several side by side use what the others
leave. Where the memory of a GPU is not known, one renderer has it alone.
"""

from collections.abc import Iterable, Mapping

from farm.fleet.calls import Cluster, NodeType
from jobs.plan.plan import Look

GIB = 2.0**30

MEMORY_GIB = {
    "T4": 15.0,
    "V100": 15.0,
    "L4": 22.0,
    "A10G": 22.0,
    "L40S": 44.0,
    "A100": 39.0,
    "A100-40G": 39.0,
    "A100-80G": 79.0,
    "H100": 79.0,
    "H200": 138.0,
}
"""Of one GPU, by Ray's accelerator type, as its driver has it to give (GiB): the least of a type that is sold in several sizes."""

MOST = 8
"""Renderers on one GPU at most: they take turns at it, and each has a CUDA context of some hundred MB. An estimate."""

SIDE_CPUS = 4.0
"""CPUs of a node that are left to surveyors, splitters, dissolvers and finishers, where no other node has room for them."""


def gpu_memory(resources: Mapping[str, float]) -> float:
    """Bytes of each GPU of a node, by Ray's names of what it has; 0 where that is not known."""
    types = [name.partition(":")[2] for name in resources if name.startswith("accelerator_type:")]
    return min((MEMORY_GIB.get(one, 0.0) for one in types), default=0.0) * GIB


def share_of_gpu(looks: Iterable[Look], cluster: Cluster, cores: float, cpus: float) -> float:
    """GPUs of one renderer, 1 or a fraction of 1, for GPUs of every kind that the cluster has or may have.

    `cores`: of this machine, for a local cluster, whose CPUs are a number that Ray was told. `cpus`: of one renderer.
    """
    kinds = [kind for kind in cluster.kinds if kind.gpus >= 1]
    # Looks of the same weights are one network, whatever their settings (actors/looks/networks.py).
    needs = {(look.kind or look.choice.name, look.weights): look.gpu_gib for look in looks}
    memory = sum(needs.values()) * GIB
    elsewhere = sum(kind.cpus * kind.most for kind in cluster.kinds if not kind.gpus)
    side = 0.0 if cluster.local or elsewhere >= SIDE_CPUS else SIDE_CPUS
    several = min(
        (_on_one(kind, cores if cluster.local else kind.cpus - side, cpus, memory) for kind in kinds), default=1
    )
    # Ray counts in ten thousandths: three thirds must not be more than one.
    return 1.0 if several == 1 else int(10_000 / several) / 10_000


def _on_one(kind: NodeType, cores: float, cpus: float, memory: float) -> int:
    fits = int(kind.gpu_memory / memory) if memory else MOST
    return max(1, min(MOST, fits, int(cores / kind.gpus / cpus)))
