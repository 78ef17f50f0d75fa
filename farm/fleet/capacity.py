"""What a cluster may grow to, as kinds of nodes that the cluster or its operator declares. No node is counted twice.

An autoscaling cluster at rest is a head without a GPU, and what it lacks is what it would bring up. Ray's own autoscalers
(2.60) do not tell what that is, so the operator does, in FARM_NODES beside FARM_ALLOWED_FOLDERS:

    FARM_NODES='[{"CPU": 4, "GPU": 1, "most": 16}, {"CPU": 16, "most": 4}]'
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import Field, TypeAdapter, ValidationError

from farm.fleet.calls import NodeType, PoolSpec
from farm.fleet.gpu_shares import GIB, gpu_memory
from jobs.document import Document
from jobs.errors import BadSpec

VARIABLE = "FARM_NODES"


class _Told(Document):
    """One kind in the operator's words, by Ray's names."""

    CPU: float = Field(default=0.0, ge=0)
    GPU: float = Field(default=0.0, ge=0)
    memory: float = Field(default=float("inf"), gt=0)
    gpu_gib: float = Field(default=0.0, ge=0)
    """Memory of each GPU, where there is one."""
    most: int = Field(ge=1)


def told_kinds(text: str) -> tuple[NodeType, ...]:
    """The kinds that an operator tells of, as JSON. Raises BadSpec."""
    try:
        told = TypeAdapter(list[_Told]).validate_json(text)
    except ValidationError as error:
        raise BadSpec(
            f"{VARIABLE} (set by whoever runs the cluster) is to be a JSON list such as "
            f'[{{"CPU": 4, "GPU": 1, "most": 16}}], and is {text[:200]!r}: {error.errors()[0]["msg"]}.'
        ) from error
    return tuple(NodeType(one.CPU, one.GPU, one.memory, one.most, one.gpu_gib * GIB) for one in told)


def kind_of(resources: Mapping[str, float], most: int) -> NodeType:
    """A kind by Ray's names of what a node has."""
    cpus, gpus, memory = (float(resources.get(name, 0)) for name in ("CPU", "GPU", "memory"))
    return NodeType(cpus, gpus, memory, most, gpu_memory(resources))


def with_standing(told: Iterable[NodeType], nodes: Iterable[Mapping[str, float]]) -> tuple[NodeType, ...]:
    """Kinds that were told of, and those nodes there are, by Ray's names of what each has, that are of none of them."""
    told = tuple(told)
    shapes = {(kind.cpus, kind.gpus) for kind in told}
    standing = Counter(kind_of(node, 1) for node in nodes)
    others = [(kind, count) for kind, count in standing.items() if (kind.cpus, kind.gpus) not in shapes]
    return tuple(_with_memory(kind, standing) for kind in told) + tuple(
        replace(kind, most=count) for kind, count in others
    )


def _with_memory(told: NodeType, standing: Iterable[NodeType]) -> NodeType:
    # What GPUs they have, nodes tell; the operator need not.
    alike = [kind.gpu_memory for kind in standing if (kind.cpus, kind.gpus) == (told.cpus, told.gpus)]
    return told if told.gpu_memory or not alike else replace(told, gpu_memory=min(alike))


def places(kind: NodeType, cpus: float, gpus: float, memory: float = 0.0) -> int:
    """How many workers of so much each one node of a kind can take."""
    wanted = ((kind.cpus, cpus), (kind.gpus, gpus), (kind.memory, memory))
    return min((int(has / needs + 1e-9) if has != float("inf") else 2**31 for has, needs in wanted if needs), default=1)


def passed_over(pool: PoolSpec, kinds: Iterable[NodeType]) -> str | None:
    """A sentence where there are GPUs that no worker of a pool can use, for the want of processors or memory beside them."""
    kinds = [kind for kind in kinds if pool.gpus and kind.gpus >= pool.gpus]
    idle = [kind for kind in kinds if not places(kind, pool.cpus, pool.gpus, pool.memory or 0.0)]
    if not idle:
        return None
    return (
        f"Nodes of {' and of '.join(map(in_words, idle))} will stand idle: each {pool.name} needs {pool.cpus:g} CPU"
        f"{f' and {pool.memory / 2**30:.3g} GiB' if pool.memory else ''} beside its GPU; lower workers.cpus or workers.memory_gib to use them."
    )


def in_words(kind: NodeType) -> str:
    """What a node of a kind has, for people."""
    memory = f", {kind.memory / 2**30:.3g} GiB" if 0 < kind.memory < float("inf") else ""
    return f"{kind.cpus:g} CPU, {kind.gpus:g} GPU{memory}"
