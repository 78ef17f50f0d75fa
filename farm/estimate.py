"""What a film will take, before anyone renders it: frames, chunks, frames read twice, bytes, time. Promises figures from the plan alone; renders nothing."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from farm.scout import Scout
from jobs.formats import Codec, Deliverable
from jobs.paper import Paper
from jobs.records import SplitOrder, split_order

SECONDS_PER_MEGAPIXEL = {Codec.H264: 0.08, Codec.FFV1: 0.08}
"""Decode, compose and encode on one core (docs/log.md, "What a frame costs")."""
LOOK_SECONDS_PER_FRAME = {"none": 0.0, "colorize": 0.045}
"""The generator on one core, at its default size; a look listed nowhere is counted as colorize."""
LOOK_SECONDS_PER_MEGAPIXEL = {"fast-style": 2.8}
"""A generator that works at the film's own size, on one core."""


class Estimate(Paper):
    """`farm plan --json`."""

    name: str
    source: str
    frames: int
    shots: int
    chunks: int
    seams: int
    extra_frames: int
    extra_frames_percent: float
    """Handles and pre-roll: frames read and rendered beyond the film, in percent of the film."""
    lead_in_frames: int
    lead_in_percent: float
    """Packets decoded and thrown away to begin at a keyframe, in percent of the film."""
    chunk_bytes: int
    """What splitting puts into the store, where packets are copied; lossless chunks are larger than this tells."""
    lossless_chunks: int
    """Chunks kept as FFV1, because keyframes are too few to copy packets."""
    worker_seconds: float
    """Rough time of one worker on one core; divide by the workers."""
    looks: tuple[str, ...]
    shot_list: tuple[tuple[int, int, int, str], ...]
    """Each shot's number, first frame, stop frame (not included) and look."""


def estimate(scout: Scout) -> Estimate:
    """The figures of a finished plan."""
    plan = scout.plan
    orders = [split_order(scout.film, chunk, scout.span(chunk.read)) for chunk in plan.chunks]
    lead_in = _lead_in(orders)
    percent = 100 / plan.frames
    return Estimate(
        name=scout.spec.name,
        source=scout.film.source,
        frames=plan.frames,
        shots=plan.shot_count,
        chunks=len(plan.chunks),
        seams=plan.seams,
        extra_frames=plan.extra_frames,
        extra_frames_percent=round(plan.extra_frames * percent, 3),
        lead_in_frames=lead_in,
        lead_in_percent=round(lead_in * percent, 3),
        chunk_bytes=sum(scout.span(chunk.read).bytes for chunk in plan.chunks),
        lossless_chunks=sum(order.form == "ffv1" for order in orders),
        worker_seconds=round(_seconds(scout), 1),
        looks=tuple(dict.fromkeys(chunk.look.choice.name for chunk in plan.chunks)),
        shot_list=tuple((shot.number, *shot.frames, shot.look.choice.name) for shot in plan.shots),
    )


def _lead_in(orders: Sequence[SplitOrder]) -> int:
    # Lossless chunks that begin at one keyframe are decoded from it once, together.
    packets = sum(len(order.stamps) - len(order.wanted) for order in orders if order.form == "packets")
    decoded: dict[int, int] = {}
    wanted: dict[int, set[int]] = {}
    for order in orders:
        if order.form == "ffv1":
            decoded[order.first] = max(decoded.get(order.first, 0), len(order.stamps))
            # Neighbours share handles: a frame that two of them want is wanted once.
            wanted.setdefault(order.first, set()).update(range(*order.read))
    return packets + sum(decoded[first] - len(wanted[first]) for first in decoded)


def _seconds(scout: Scout) -> float:
    film = scout.film.picture
    deliverables: Sequence[Deliverable] = scout.spec.deliverables
    megapixels = film.width * film.height / 1e6
    coding = sum(SECONDS_PER_MEGAPIXEL[one.codec] * megapixels for one in deliverables)
    return sum(
        chunk.read.frames * _look_seconds(chunk.look.choice.name, megapixels) + chunk.core.frames * coding
        for chunk in scout.plan.chunks
    )


def _look_seconds(look: str, megapixels: float) -> float:
    if look in LOOK_SECONDS_PER_MEGAPIXEL:
        return LOOK_SECONDS_PER_MEGAPIXEL[look] * megapixels
    return LOOK_SECONDS_PER_FRAME.get(look, LOOK_SECONDS_PER_FRAME["colorize"])


def show(found: Estimate) -> None:
    """The estimate for people, on stderr."""
    console = Console(stderr=True)
    table = Table(title=f"{found.name}: {found.frames} frames", show_header=False)
    table.add_row("shots", str(found.shots))
    table.add_row("chunks", f"{found.chunks} ({found.lossless_chunks} of them kept losslessly)")
    table.add_row("seams", str(found.seams))
    table.add_row("extra frames", f"{found.extra_frames} ({found.extra_frames_percent:.2f} %)")
    table.add_row("lead-in", f"{found.lead_in_frames} ({found.lead_in_percent:.2f} %)")
    table.add_row("chunk bytes", f"{found.chunk_bytes / 1e6:.1f} MB")
    table.add_row("looks", ", ".join(found.looks))
    table.add_row("time", f"about {found.worker_seconds:.0f} s of one worker on one core")
    console.print(table)
    shots = Table(title="shots")
    for column in ("shot", "first frame", "stop", "frames", "look"):
        shots.add_column(column, justify="left" if column == "look" else "right")
    for number, start, stop, look in found.shot_list:
        shots.add_row(str(number), str(start), str(stop), str(stop - start), look)
    console.print(shots)
