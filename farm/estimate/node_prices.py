"""Compares what rendering a film costs on nodes with GPUs and on nodes without, and says which figures were measured.

A GPU is waited for by nobody where a software encoder takes most of a frame's time: then its price buys little.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from farm.estimate.throughput import LookThroughput, Throughputs
from farm.progress.plain_console import PlainConsole
from jobs.document import Document
from jobs.plan.plan import Chunk
from jobs.spec.cost import HOUR, Cost


class NodePrice(Document):
    """Of all renderers and propagators together, as if none ever waited: starts, splitting and stitching cost the same on both."""

    nodes: Literal["GPU", "CPU"]
    gpus: float
    """Of one renderer; so are the CPUs."""
    cpus: float
    measured: bool
    """All of it; else some is an estimate."""
    basis: tuple[str, ...]
    """Look by look, what the figures rest on."""
    hours: float
    """Of one renderer."""
    propagation_hours: float
    """Of one propagator, which has a CPU beside nodes of either kind."""
    cost: float


def node_prices(
    chunks: Sequence[Chunk], rates: Throughputs, prices: Cost, gpus: float, cpus: float, propagation: float
) -> tuple[NodePrice, ...]:
    """What is still to be rendered on nodes of either kind, for renderers of `gpus` and `cpus` each beside a GPU, and of one CPU
    elsewhere; nothing for no chunks. `propagation`: seconds of one propagator."""
    if not chunks:
        return ()
    return tuple(_price(chunks, rates, prices, *each, propagation) for each in ((gpus, cpus), (0.0, 1.0)))


def _price(
    chunks: Iterable[Chunk], rates: Throughputs, prices: Cost, gpus: float, cpus: float, propagation: float
) -> NodePrice:
    seconds = 0.0
    basis: dict[str, LookThroughput] = {}
    for chunk in chunks:
        rate = rates.on_gpu(chunk.look, gpus, cpus) if gpus else rates.on_processor(chunk.look)
        seconds += rate.seconds * chunk.read.frames
        basis[chunk.look.title] = rate
    return NodePrice(
        nodes="GPU" if gpus else "CPU",
        gpus=gpus,
        cpus=cpus,
        measured=all(rate.frames for rate in basis.values()),
        basis=tuple(f"{title}: {_said(rate)}" for title, rate in basis.items()),
        hours=round(seconds / HOUR, 4),
        propagation_hours=round(propagation / HOUR, 4),
        cost=prices.of(seconds * gpus, seconds * cpus + propagation),
    )


def _said(rate: LookThroughput) -> str:
    rests = (
        f"measured on {rate.hardware}, over {rate.frames:,} frames" if rate.frames else f"estimated for {rate.hardware}"
    )
    return f"{rate.seconds:.4f} s a frame, {rests}"


def dearer(found: Sequence[NodePrice]) -> str:
    """One line where GPU nodes cost more than they bring; else empty."""
    if len(found) < 2 or found[0].cost <= found[1].cost or not found[1].cost:
        return ""
    gpu, cpu = found
    how = "measured" if gpu.measured and cpu.measured else "estimated"
    return (
        f"GPU nodes would cost {gpu.cost / cpu.cost:.1f} times what CPU nodes cost for this film ({how}): its encoders bound them, not "
        "its look; workers: {gpus: 0, cpus: 1} renders on CPUs."
    )


def show_node_prices(found: Sequence[NodePrice], currency: str, console: PlainConsole) -> None:
    """For people."""
    for one in found:
        each = f"{one.gpus:g} GPU and {one.cpus:g} CPU" if one.gpus else f"{one.cpus:g} CPU"
        line = f"on {one.nodes} nodes: {one.cost:,.2f} {currency}, {one.hours:,.2f} hours of a renderer of {each} ({'; '.join(one.basis)})"
        if one.propagation_hours:
            line += f", {one.propagation_hours:,.2f} hours of a propagator of 1 CPU"
        console.note(line)
    if line := dearer(found):
        console.note(line)
