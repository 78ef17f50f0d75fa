"""What `farm plan` tells of a film: frames, chunks, frames read twice, bytes, deliverables and time."""

from collections.abc import Iterator, Sequence

from farm.estimate.forecast import NO_QUESTION, Basis, Forecast, Forecaster, ForecastRequest, show_forecasts
from farm.estimate.node_prices import NodePrice, show_node_prices
from farm.estimate.rerender_diff import RerenderDiff, again, show_again
from farm.estimate.throughput import paces_in
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Cluster
from farm.progress.console import duration
from farm.progress.plain_console import Column, PlainConsole
from jobs.document import Document
from jobs.errors import number_of
from jobs.film.source import Film
from jobs.plan.plan import Chunk, Plan
from jobs.records.deliverables import DeliverablePlan, StreamFate
from jobs.records.orders import SplitOrder, split_order
from jobs.spec.codecs import PROFILES, Codec, Wrapping


class Promised(Document):
    """What one deliverable will be."""

    file: str
    container: Wrapping
    codec: Codec
    profile: str | None
    pix_fmt: str
    """Of the frames as the encoder gets them."""
    width: int
    height: int
    timing: str
    """Whose time stamps its frames will carry."""
    converted: tuple[str, ...]
    """What is not carried as it is, in words: of the picture, and of other streams by number."""
    dropped: tuple[str, ...]
    """What is left out, by the spec's word, in words."""


class Estimate(Document):
    """`farm plan --json`."""

    name: str
    source: str
    picture: str
    """Which stream is worked on, and which other video there is."""
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
    spans: int
    """Runs of frames that get their colour from the anchors at their ends; 0 where none is propagated."""
    stills: int
    """Of these anchors, those that a person has painted."""
    guide_bytes: int
    """What propagated colour takes in the store, about; `farm clean` deletes it after delivery."""
    lossless_chunks: int
    """Chunks kept as FFV1: where keyframes are too few to copy packets, where pictures are developed before looks see them,
    and where Matroska does not hold the film's codec."""
    worker_seconds: float
    """Rough time of one renderer for the whole film, its colour given where it is propagated; divide by the renderers."""
    looks: tuple[str, ...]
    shot_list: tuple[tuple[int, int, int, str], ...]
    """Each shot's number, first frame, stop frame (not included) and look."""
    shot_names: tuple[tuple[str, str], ...]
    """For each of `shot_list`, time code of its first frame and of its stop; time on the clock where the film has no time code."""
    deliverables: tuple[Promised, ...]
    again: RerenderDiff
    """What of it a run would make now, and why."""
    basis: tuple[Basis, ...]
    """What the figures below rest on; empty where nothing is to be rendered."""
    fleets: tuple[Forecast, ...]
    """What each of several fleets would take for what a run would render now."""
    node_prices: tuple[NodePrice, ...] = ()
    """What rendering that costs on nodes with GPUs and without; empty where the price of either is not known."""
    currency: str = ""
    """Of these."""


GUIDE_BYTES = 27_000
"""Of one frame's propagated chroma, about: 448 samples wide, 10 bits, without loss (docs/log.md)."""


def estimate(
    survey: SurveyRun, decided: Sequence[DeliverablePlan], cluster: Cluster, asked: ForecastRequest = NO_QUESTION
) -> Estimate:
    """The figures of a finished plan, and what was decided of its deliverables. Raises BadMedia for times that a container cannot hold."""
    plan = survey.plan
    making = again(survey, decided)
    forecaster = Forecaster(survey, asked, paces_in(survey.ledger.store), making.propagated)
    chunks = _chunks_of(plan, making)
    basis, fleets = forecaster.of(chunks, cluster)
    orders = [split_order(survey.film, chunk, survey.span(chunk.read)) for chunk in plan.chunks]
    lead_in = _lead_in(orders)
    spans = {span for chunk in plan.chunks for span in chunk.spans}
    return Estimate(
        name=survey.spec.name,
        source=survey.film.source,
        picture=_picture(survey.film),
        frames=plan.frames,
        shots=plan.shot_count,
        chunks=len(plan.chunks),
        seams=plan.seams,
        extra_frames=plan.extra_frames,
        extra_frames_percent=round(100 * plan.extra_frames / plan.frames, 3),
        lead_in_frames=lead_in,
        lead_in_percent=round(100 * lead_in / plan.frames, 3),
        chunk_bytes=sum(survey.span(chunk.read).bytes for chunk in plan.chunks),
        spans=len(spans),
        stills=len(survey.stills),
        guide_bytes=GUIDE_BYTES * sum(span.frames.frames for span in spans),
        lossless_chunks=sum(order.form == "ffv1" for order in orders),
        worker_seconds=round(forecaster.seconds(plan.chunks), 1),
        looks=tuple(dict.fromkeys(chunk.look.title for chunk in plan.chunks)),
        shot_list=tuple((shot.number, *shot.frames, shot.look.title) for shot in plan.shots),
        shot_names=_shot_names(survey),
        deliverables=tuple(_promised(survey, one) for one in decided),
        again=making,
        basis=basis,
        fleets=fleets,
        node_prices=forecaster.by_nodes(chunks, cluster),
        currency=forecaster.cost.currency if forecaster.cost else "",
    )


def _chunks_of(plan: Plan, making: RerenderDiff) -> list[Chunk]:
    numbers = {number for shot in making.shots for number in shot.chunks}
    return [chunk for chunk in plan.chunks if chunk.number in numbers]


def _shot_names(survey: SurveyRun) -> tuple[tuple[str, str], ...]:
    name = survey.names.name
    return tuple((name(shot.frames.start), name(shot.frames.stop)) for shot in survey.plan.shots)


def _picture(film: Film) -> str:
    said = f"stream {film.picture.stream}, {film.picture.codec} {film.picture.width}x{film.picture.height}"
    others = [str(one.stream) for one in film.others if one.kind == "video"]
    return said + (f"; other video streams, not worked on: {', '.join(others)} (choose by `video`)" if others else "")


def _promised(survey: SurveyRun, plan: DeliverablePlan) -> Promised:
    def told(fate: StreamFate) -> str:
        what = " ".join(one for one in (fate.kind, fate.codec) if one)
        return f"stream {fate.stream} ({what}): {fate.detail or fate.fate}"

    profiles = PROFILES.get(plan.deliverable.codec)
    changed = ("picture", "converted", "rewritten")
    return Promised(
        file=plan.file,
        container=plan.container,
        codec=plan.deliverable.codec,
        profile=plan.deliverable.profile or (profiles[0] if profiles else None),
        pix_fmt=plan.encoding.pix_fmt,
        width=plan.encoding.width,
        height=plan.encoding.height,
        timing=survey.timing(plan).sentence,
        converted=tuple(told(one) for one in plan.fates if one.fate in changed and one.detail),
        dropped=tuple(told(one) for one in plan.fates if one.fate == "dropped"),
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


def show(found: Estimate) -> None:
    """The estimate for people, on stderr."""
    console = PlainConsole()
    console.table(f"{found.name}: {number_of(found.frames, 'frame')}", _figures(found))
    shots = [
        (str(number), str(start), begin, str(stop), end, str(stop - start), look)
        for (number, start, stop, look), (begin, end) in zip(found.shot_list, found.shot_names, strict=True)
    ]
    heads = ("shot", "first frame", "at", "stop", "at", "frames", "look")
    console.table("shots", shots, [Column(head, right=head != "look") for head in heads])
    _show_deliverables(found.deliverables, console)
    show_again(found.again, console)
    show_forecasts(found.basis, found.fleets, console)
    show_node_prices(found.node_prices, found.currency, console)


def _figures(found: Estimate) -> Iterator[tuple[str, str]]:
    yield "picture", found.picture
    yield "shots", str(found.shots)
    yield "chunks", f"{found.chunks} ({found.lossless_chunks} of them kept losslessly)"
    yield "seams", str(found.seams)
    yield "extra frames", f"{found.extra_frames:,} ({found.extra_frames_percent:.2f} %)"
    yield "lead-in", f"{found.lead_in_frames:,} ({found.lead_in_percent:.2f} %)"
    yield "chunk bytes", f"{found.chunk_bytes / 1e6:.1f} MB"
    if found.spans:
        size = f"about {found.guide_bytes / 1e6:.1f} MB of guides"
        yield "propagated colour", f"{number_of(found.spans, 'span')}, {number_of(found.stills, 'still')}, {size}"
    yield "looks", ", ".join(found.looks)
    yield "time", f"about {duration(found.worker_seconds)} of one renderer"


def _show_deliverables(promised: Sequence[Promised], console: PlainConsole) -> None:
    rows = []
    for one in promised:
        codec = " ".join([one.codec, *([one.profile] if one.profile else [])])
        picture = f"{codec}, {one.pix_fmt}, {one.width}x{one.height}, in {one.container}"
        rows.append((one.file, picture, one.timing, "\n".join(one.converted), "\n".join(one.dropped)))
    heads = ("file", "picture", "times", "converted", "dropped")
    console.table("deliverables", rows, [*map(Column, heads)], ruled=True)
