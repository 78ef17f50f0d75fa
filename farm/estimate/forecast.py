"""Forecasts time, GPU-hours and cost of what is still to be made of a film, on fleets of several sizes.

Each forecast says which of its figures were measured and which are constants.

By a plain schedule (farm/estimate/outcome.py). Rendering takes as long as the same look took before
(farm/estimate/throughput.py); everything else is a constant here.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from farm.estimate.node_prices import NodePrice, node_prices
from farm.estimate.outcome import Outcome, Times, outcome
from farm.estimate.throughput import PROPAGATED_SECONDS, Throughputs
from farm.film.survey_run import SurveyRun
from farm.film.worker_pools import CLUSTER_CPUS, pools_for, renderer_count, renderer_gpus
from farm.fleet.calls import Cluster, PoolSpec
from farm.progress.plain_console import Column, PlainConsole
from jobs.document import Document
from jobs.errors import BadSpec
from jobs.ledger.usage import MeasuredThroughput
from jobs.plan.plan import Chunk, Range
from jobs.spec.cost import HOUR, Cost

OPENING_SECONDS = 0.5
"""To survey what a source is, and to decide what becomes of it."""
BOOT_SECONDS = {"renderer": 2.5}
"""Of a worker's process, its imports and its weights, where its node is there."""
SIDE_BOOT_SECONDS = 0.6
"""The same of any other pool."""
SPLIT_SECONDS = 0.05
"""To copy the packets of a chunk into the store."""
LOSSLESS_SECONDS = 0.02
"""To decode a megapixel and keep it in FFV1, on one core."""
DISSOLVE_SECONDS = 0.2
"""To blend a megapixel of a seam and encode it, on one core."""
STITCH_SECONDS = 1 / 1000
"""To stitch a frame (docs/figures.md, "stitching from S3 to S3")."""
PROVE_SECONDS = 1 / 350
"""To prove one (the same)."""


class WorkerKind(NamedTuple):
    """Renderers of one kind in a fleet."""

    hardware: str
    """Part of its name; empty: any."""
    renderers: int
    price: float | None = None
    """Of one for an hour, its CPUs included; None: by the prices of the spec."""


Fleets = tuple[tuple[WorkerKind, ...], ...]


class ForecastRequest(NamedTuple):
    """What somebody wants to know."""

    fleets: Fleets = ()
    """Empty: as many renderers as the spec and the cluster say."""
    cost: Cost | None = None
    """Prices, in the place of the spec's."""
    boot_seconds: float | None = None
    """Until a renderer that is asked for can work, its node's start included; None: its node is there."""


NO_QUESTION = ForecastRequest()
"""The fleet that the spec and the cluster say, at the spec's prices."""


class Basis(Document):
    """What the figures of one look rest on."""

    look: str
    hardware: str
    frames: int
    """That renderers have shown this look before, in the jobs of this store; 0: the figure is a constant of one core."""
    seconds_per_frame: float


class Forecast(Document):
    """What one fleet would take."""

    fleet: str
    workers: int
    """Renderers."""
    wall_seconds: float
    """From the driver's first call to the last proof."""
    rendered_seconds: float
    """Until the last chunk is rendered; then GPUs are free."""
    gpu_hours: float
    cpu_hours: float
    cost: float | None
    """None where no price is known."""
    currency: str
    busy: float
    """Share of the renderers' time that they render."""


_SIZE = re.compile(r"([1-9]\d{0,4})", re.ASCII)
_KIND = re.compile(r"([^:@]+):([1-9]\d{0,4})(?:@(\d+(?:\.\d+)?))?", re.ASCII)


def fleets_of(workers: str | None, fleet: str | None) -> Fleets:
    """Fleets as in "8,32,128", and one as in "l4:8,a100:2" or, with prices by the hour, "l4:8@0.80,a100:2@3.70". Raises BadSpec."""
    sizes = _parts(workers, _SIZE, f"--workers {workers}: write how many renderers, as in 8 or 8,32,128.")
    example = "as in l4:8,a100:2 or, with prices by the hour, l4:8@0.80,a100:2@3.70"
    parts = _parts(fleet, _KIND, f"--fleet {fleet}: write kinds of hardware and how many renderers on each, {example}.")
    kinds = tuple(WorkerKind(one[1], int(one[2]), float(one[3]) if one[3] else None) for one in parts)
    return (*((WorkerKind("", int(one[1])),) for one in sizes), *([kinds] if kinds else []))


def _parts(text: str | None, form: re.Pattern[str], refusal: str) -> list[re.Match[str]]:
    found = [form.fullmatch(one.strip()) for one in text.split(",")] if text else []
    if None in found:
        raise BadSpec(refusal)
    return [one for one in found if one]


class Forecaster:
    """One planned film, on any fleet."""

    def __init__(
        self,
        survey: SurveyRun,
        asked: ForecastRequest,
        paces: Iterable[MeasuredThroughput],
        propagated: Sequence[Range] = (),
    ) -> None:
        """`paces` of looks, as they were measured before: those of the film's own store are had from `paces_in`.

        `propagated`: frames whose colour is still to be propagated.
        """
        self.survey = survey
        self._propagated = propagated
        self.asked = asked
        self.cost = asked.cost or survey.spec.cost
        picture = survey.film.picture
        self._megapixels = picture.width * picture.height / 1e6
        self._rates = Throughputs(paces, survey.spec.deliverables, self._megapixels)

    def seconds(self, chunks: Iterable[Chunk]) -> float:
        """Of one renderer, for these chunks, their colour given where it is propagated."""
        return sum(self._rates.of(chunk.look).seconds * chunk.read.frames for chunk in chunks)

    def by_nodes(self, chunks: Sequence[Chunk], cluster: Cluster) -> tuple[NodePrice, ...]:
        """What these chunks cost on nodes with GPUs and without; nothing where the price of either is not known."""
        if not self.cost or not self.cost.gpu_hour or not self.cost.cpu_hour:
            return ()
        gpus = renderer_gpus(self.survey.spec, list(self.survey.looks.values()), cluster) or 1.0
        cpus = self.survey.spec.workers.cpus or CLUSTER_CPUS
        return node_prices(chunks, self._rates, self.cost, gpus, cpus, sum(map(self._propagation, chunks)))

    def of(self, chunks: Sequence[Chunk], cluster: Cluster) -> tuple[tuple[Basis, ...], tuple[Forecast, ...]]:
        """What the figures rest on, and what each fleet takes for these chunks; nothing for none. Raises BadSpec.

        `cluster` is what there is now: who named no fleet is told of it.
        """
        if not chunks:
            return (), ()
        fleets = self.asked.fleets or (
            (WorkerKind("", renderer_count(self.survey.spec, list(self.survey.looks.values()), cluster)),),
        )
        basis = dict.fromkeys(one for fleet in fleets for one in self._basis(chunks, fleet))
        return tuple(basis), tuple(self.on(chunks, fleet) for fleet in fleets)

    def _basis(self, chunks: Sequence[Chunk], fleet: Sequence[WorkerKind]) -> Iterator[Basis]:
        """Of one fleet, look by look. Raises BadSpec for a kind that a look was never measured on."""
        looks = {id(one.look): one.look for one in chunks}.values()
        for look, hardware in ((look, kind.hardware) for look in looks for kind in fleet):
            rate = self._rates.of(look, hardware, sum(kind.renderers for kind in fleet))
            if hardware and not rate.frames:
                raise BadSpec(
                    f"--fleet: '{look.title}' was not rendered on '{hardware}' by any job in {self.survey.ledger.store.url}; "
                    "render a few shots there first (--shots), or leave that kind out."
                )
            seconds = round(rate.seconds, 5)
            yield Basis(look=look.title, hardware=rate.hardware, frames=rate.frames, seconds_per_frame=seconds)

    def on(self, chunks: Sequence[Chunk], fleet: Sequence[WorkerKind]) -> Forecast:
        """The film on one fleet."""
        each = [kind for kind in fleet for _ in range(kind.renderers)]
        cluster, pools = self.pools(len(each))
        found = outcome(chunks, self.survey.plan, self.times(each, shared=cluster.local), pools)
        cpu = sum(found.hired[pool.name] * pool.cpus for pool in pools)
        gpu = sum(found.hired[pool.name] * pool.gpus for pool in pools)
        names = (f"{kind.hardware}:{kind.renderers}" if kind.hardware else str(kind.renderers) for kind in fleet)
        cost = self._money(each, found, pools)
        return Forecast(
            fleet=",".join(names),
            workers=len(each),
            wall_seconds=round(found.seconds, 1),
            rendered_seconds=round(found.rendered, 1),
            gpu_hours=round(gpu / HOUR, 4),
            cpu_hours=round(cpu / HOUR, 4),
            cost=None if cost is None else round(cost, 2),
            currency=self.cost.currency if self.cost else "",
            busy=round(found.busy, 4),
        )

    def _money(self, each: Sequence[WorkerKind], found: Outcome, pools: Sequence[PoolSpec]) -> float | None:
        """Of a fleet: renderers by the price of their kind, for as long as each is hired; all else by the prices of the spec."""
        hours = [(kind.price, seconds / HOUR) for kind, seconds in zip(each, found.renderers, strict=False)]
        paid = sum(price * spent for price, spent in hours if price is not None)
        unpriced = sum(spent for price, spent in hours if price is None) * HOUR
        if not self.cost:
            return None if unpriced else paid
        seconds = {**found.hired, "renderer": unpriced}
        gpu = sum(seconds[pool.name] * pool.gpus for pool in pools)
        return paid + self.cost.of(gpu, sum(seconds[pool.name] * pool.cpus for pool in pools))

    def times(self, each: Sequence[WorkerKind], *, shared: bool) -> Times:
        """How long everything takes, where these are the renderers. `shared`: on the cores on which propagators work too."""
        encodings, lossless = len(self.survey.spec.deliverables), self.survey.film.picture.developed
        rate = self._rates.of

        def boot(pool: PoolSpec) -> float:
            if pool.name == "renderer" and self.asked.boot_seconds is not None:
                return self.asked.boot_seconds
            return BOOT_SECONDS.get(pool.name, SIDE_BOOT_SECONDS)

        return Times(
            boot=boot,
            opening=OPENING_SECONDS,
            split=lambda chunk: SPLIT_SECONDS + lossless * LOSSLESS_SECONDS * self._megapixels * chunk.read.frames,
            render=lambda chunk, place: rate(chunk.look, each[place].hardware, len(each)).seconds * chunk.read.frames,
            dissolve=lambda chunk: DISSOLVE_SECONDS * self._megapixels * chunk.dissolve * encodings,
            stitch=STITCH_SECONDS,
            prove=PROVE_SECONDS,
            propagate=self._propagation,
            cores_shared=shared,
        )

    def _propagation(self, chunk: Chunk) -> float:
        core = chunk.core
        shared = (min(core.stop, frames.stop) - max(core.start, frames.start) for frames in self._propagated)
        return PROPAGATED_SECONDS * sum(max(0, frames) for frames in shared)

    def pools(self, workers: int) -> tuple[Cluster, list[PoolSpec]]:
        """As they would be hired: here for no more renderers than there are cores, and on a cluster for more."""
        spec, cores = self.survey.spec, len(os.sched_getaffinity(0))
        spec = spec.model_copy(update={"workers": spec.workers.model_copy(update={"count": workers})})
        gpus = float(workers) if spec.workers.gpus is None else workers * spec.workers.gpus
        cluster = Cluster(False, workers * (spec.workers.cpus or CLUSTER_CPUS) + CLUSTER_CPUS * 2, gpus)
        if workers <= cores and not spec.workers.gpus:
            cluster = Cluster(True, float(cores), 0.0)
        return cluster, pools_for(spec, list(self.survey.looks.values()), cluster)


def show_forecasts(basis: Sequence[Basis], found: Sequence[Forecast], console: PlainConsole) -> None:
    """For people."""
    for one in basis:
        rests = (
            f"measured on {one.hardware}, over {one.frames:,} frames"
            if one.frames
            else "a guess for one core: nothing like it was rendered in this store yet"
        )
        console.note(f"{one.look}: {one.seconds_per_frame:.4f} s a frame, {rests}")
    if not found:
        return
    rows = []
    for row in found:
        cost = "-" if row.cost is None else f"{row.cost:,.2f} {row.currency}".strip()
        hours = (f"{row.gpu_hours:,.2f}", f"{row.cpu_hours:,.2f}")
        rows.append((row.fleet, _clock(row.wall_seconds), *hours, cost, f"{100 * row.busy:.0f} %"))
    heads = ("renderers", "wall time", "GPU-hours", "CPU-hours", "cost", "busy")
    console.table("what is still to be made", rows, [Column(head, right=True) for head in heads])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
