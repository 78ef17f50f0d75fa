"""Defines the worker pools of a film: how many workers each may have, and the CPUs, GPUs and memory that each worker needs."""

import os
from collections.abc import Sequence

from actors.encode.nvenc_settings import encoders_wanted
from farm.fleet.calls import Cluster, PoolSpec
from farm.fleet.capacity import places
from farm.fleet.gpu_shares import share_of_gpu
from jobs.plan.plan import Look
from jobs.spec.job import JobSpec

CLUSTER_CPUS = 4.0
"""CPUs of a renderer on a cluster, where the spec does not say: to decode and encode beside a GPU."""

RENDERERS_FED = 16
"""Renderers that one splitter keeps in chunks: splitting takes about .05 s a chunk, a GPU one or two (docs/log.md)."""

SIDE_HUNG_SECONDS = 1800.0
"""Least silence after which a surveyor, splitter, dissolver or transcoder is taken for hung. Their words are findings: a page of 4096
packets, the cuts of 20 s, a chunk, a dissolve, a transcoded segment. 4096 packets of 4K ProRes are about 12 GB, which a slow line takes 20 minutes
to bring."""


def pools_for(spec: JobSpec, looks: Sequence[Look], cluster: Cluster) -> list[PoolSpec]:
    """Surveyors, splitters, renderers, dissolvers, transcoders (the pool `printer`) and finishers. Nobody is hired here."""
    store = (spec.store, spec.key)
    side_workers = _side_workers(cluster)
    # Here a side worker works while renderers wait, so it must find a place beside them; on a cluster it has its own.
    side = 0.5 if cluster.local else 1.0
    # Fed by four, five hundred GPUs would stand idle for most of their time.
    splitters = (
        side_workers if cluster.local else max(side_workers, renderer_count(spec, looks, cluster) // RENDERERS_FED)
    )
    hung = max(SIDE_HUNG_SECONDS, spec.workers.hung_seconds)
    return [
        # Two calls at a time: the demux of a long film takes minutes, and its first cuts are looked for meanwhile.
        PoolSpec(
            "surveyor",
            "actors.survey.surveyor:Surveyor",
            (spec.source_url, 1, spec.reading),
            limit=side_workers,
            cpus=side,
            max_concurrency=2,
            hung_seconds=hung,
        ),
        PoolSpec(
            "splitter",
            "actors.render.splitter:Splitter",
            (spec.source_url, *store),
            limit=splitters,
            cpus=side,
            hung_seconds=hung,
        ),
        _renderers(spec, looks, cluster),
        *([_propagators(spec, cluster, hung)] if any(look.propagates for look in looks) else []),
        PoolSpec(
            "dissolver", "actors.render.dissolver:Dissolver", store, limit=side_workers, cpus=side, hung_seconds=hung
        ),
        _transcoders(store, side_workers, cluster, hung),
        _finishers(len(spec.deliverables), (spec.source_url, *store, spec.output), side),
    ]


def _finishers(finishers: int, args: tuple[str, ...], side: float) -> PoolSpec:
    # One for each deliverable, from early on; they wait for most of a film, so all together take one's place. How long
    # they wait, and then prove a file of any size without a word, nobody can say: no silence of theirs is too long.
    return PoolSpec("finisher", "actors.deliver.finisher:Finisher", args, limit=finishers, cpus=side / finishers)


def _side_workers(cluster: Cluster) -> int:
    """Surveyors at most, and as many splitters and dissolvers at least.

    Where there are nodes without a GPU they find room there, all three pools and the finishers: Ray keeps them off other
    nodes no longer than that, and one that takes the CPU beside a GPU keeps a renderer from it.
    """
    if cluster.local:
        return max(1, min(4, _cores() // 2))
    without = sum(kind.cpus * kind.most for kind in cluster.kinds if not kind.gpus)
    room = int(without - 1) // 3 if without >= 4 else int(cluster.most_cpus) // 2
    return max(1, min(4, room))


def _propagators(spec: JobSpec, cluster: Cluster, hung: float) -> PoolSpec:
    # Here they take the renderers' place: with its colour given, rendering is little more than encoding.
    limit = _cores() if cluster.local else max(1, int(cluster.most_cpus) // 2)
    threads = 1.0
    return PoolSpec(
        "propagator",
        "actors.render.propagation.propagator:Propagator",
        (spec.source_url, spec.store, spec.key, threads),
        limit=limit,
        cpus=0.5 if cluster.local else threads,
        boot_seconds=spec.workers.boot_seconds,
        hung_seconds=hung,
    )


def _transcoders(store: tuple[str, str], side_workers: int, cluster: Cluster, hung: float) -> PoolSpec:
    # They decode and encode whole films while no renderer works, and an encoder has four threads.
    cpus = 0.5 if cluster.local else _cluster_cpus(cluster, 0.0)
    limit = side_workers if cluster.local else _room(cluster, cpus, 0.0)
    return PoolSpec("printer", "actors.render.transcoder:Transcoder", store, limit=limit, cpus=cpus, hung_seconds=hung)


def _renderers(spec: JobSpec, looks: Sequence[Look], cluster: Cluster) -> PoolSpec:
    wish = spec.workers
    gpus = renderer_gpus(spec, looks, cluster)
    count = renderer_count(spec, looks, cluster)
    threads = wish.cpus or (max(1, _cores() // count) if cluster.local else _cluster_cpus(cluster, gpus))
    return PoolSpec(
        "renderer",
        "actors.render.renderer:Renderer",
        (
            spec.store,
            spec.key,
            tuple(looks),
            threads,
            gpus > 0,
            encoders_wanted(spec.deliverables),
            wish.mixed == "refuse",
        ),
        limit=count,
        # A local Ray is told of more CPUs than there are, so that a side worker finds a place: one for each worker.
        cpus=(wish.cpus or 1.0) if cluster.local else threads,
        gpus=gpus,
        memory=int(wish.memory_gib * 2**30) if wish.memory_gib else None,
        boot_seconds=wish.boot_seconds,
        hung_seconds=wish.hung_seconds,
        # While one call is generated, the next is read and the one before is encoded and uploaded.
        max_concurrency=2,
        shared=True,
    )


def renderer_gpus(spec: JobSpec, looks: Sequence[Look], cluster: Cluster) -> float:
    """GPUs of each renderer: the spec's word, else one, or a share of one (farm/fleet/gpu_shares.py), where the cluster has any, or may."""
    if spec.workers.gpus is not None:
        return spec.workers.gpus
    if cluster.most_gpus < 1:
        return 0.0
    return share_of_gpu(looks, cluster, float(_cores()), spec.workers.cpus or CLUSTER_CPUS)


def renderer_count(spec: JobSpec, looks: Sequence[Look], cluster: Cluster) -> int:
    """Renderers at most: the spec's word, else one for each core here, else as many as a cluster has room for, or may have.

    One renderer with one thread for each core, not one with all: threads that wait for one another at every layer lose
    ten times their work where anything else runs beside them (docs/log.md, "One thread a renderer").
    """
    if spec.workers.count:
        return spec.workers.count
    gpus = renderer_gpus(spec, looks, cluster)
    if cluster.local:
        return max(1, int(cluster.gpus / gpus + 1e-3) if gpus and cluster.gpus >= 1 else _cores())
    memory = (spec.workers.memory_gib or 0.0) * 2**30
    return _room(cluster, spec.workers.cpus or _cluster_cpus(cluster, gpus), gpus, memory)


def _room(cluster: Cluster, cpus: float, gpus: float, memory: float = 0.0) -> int:
    """How many workers of so much each a cluster has places for, or may have: node by node where they are known."""
    if cluster.kinds:
        return max(1, sum(kind.most * places(kind, cpus, gpus, memory) for kind in cluster.kinds))
    return max(1, int(cluster.gpus / gpus) if gpus else int(cluster.cpus / cpus))


def _cluster_cpus(cluster: Cluster, gpus: float) -> float:
    """CPUs of a worker on a cluster: no more than there are beside any of its GPUs, or else the poorest of them would stand idle."""
    if gpus:
        beside = [kind.cpus * gpus / kind.gpus for kind in cluster.kinds if kind.gpus >= gpus and kind.cpus]
        return min(CLUSTER_CPUS, *map(_floored, beside)) if beside else CLUSTER_CPUS
    most = max((kind.cpus for kind in cluster.kinds), default=0.0)
    return min(CLUSTER_CPUS, _floored(most)) if most else CLUSTER_CPUS


def _floored(cpus: float) -> float:
    # Threads are whole, but a pod of half a processor is not to be shut out.
    return float(int(cpus)) if cpus >= 1 else cpus


def _cores() -> int:
    return len(os.sched_getaffinity(0))
