"""Counts how far one film is, in one place for the console, for Prometheus and for the usage document (tally.json).

Told by the driver and the fleet, in the main thread. Other threads may read: what is counted over all runs is a frozen
document that is replaced as a whole.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, get_args

from farm.fleet.calls import PoolSize, PoolSpec
from jobs.film.source import Film
from jobs.ledger.usage import JobState, MeasuredThroughput, SeamFigures, Usage
from jobs.plan.plan import Plan
from jobs.records.orders import DeviceUsage, Starved
from jobs.records.quality import CHECKS, Check, CheckSummary, FilmQuality
from jobs.spec.cost import Cost
from jobs.store.traffic import Asked, Traffic

ChunkStatus = Literal["waiting", "split", "rendering", "done"]
"""What has become of a chunk."""
STATUSES: tuple[ChunkStatus, ...] = get_args(ChunkStatus)
RATE_SECONDS = 60.0
"""Workers come and go: what was before says nothing of now."""
NOTHING = Usage(
    retries={"renderer": dict.fromkeys(("error", "loss", "preemption"), 0)},
    starved_seconds=dict.fromkeys(get_args(Starved), 0.0),
    traffic=Traffic(requests=dict.fromkeys(get_args(Asked), 0)),
)
"""What has not happened is counted as 0 and not left out: Prometheus sees no increase from an absent sample."""


class FramesPerSecond:
    """How fast frames, or other things, are made: over the last minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: seconds."""
        self._clock = clock
        self._marks = deque([(clock(), 0)])
        self._frames = 0
        self._lock = Lock()

    def begin(self) -> None:
        """Work begins: the time before counts for nothing."""
        with self._lock:
            if not self._frames:
                self._marks = deque([(self._clock(), 0)])

    def add(self, frames: int) -> None:
        """Some more frames."""
        with self._lock:
            self._frames += frames
            self._marks.append((self._clock(), self._frames))

    def rate(self) -> float | None:
        """Frames a second; None where there is nothing to go by yet."""
        now = self._clock()
        with self._lock:
            while len(self._marks) > 2 and self._marks[1][0] <= now - RATE_SECONDS:
                self._marks.popleft()
            began, before = self._marks[0]
            made = self._frames - before
        return made / (now - began) if made and now > began else None


@dataclass
class Progress:
    """One film's progress. Frames and chunks are those of this run, `usage` is over all runs of the job."""

    job: str = ""
    prices: Cost | None = None
    clock: Callable[[], float] = time.monotonic
    """Seconds."""
    usage: Usage = NOTHING
    source: str = ""
    look: str = ""
    stage: str = ""
    """What the film is at now: survey, propagate, render, stitch, inspect."""
    frames: int = 0
    """In the plan so far."""
    most_frames: int = 0
    """The most that were ever planned in this run: a film that begins again plans anew."""
    expected_frames: int = 0
    """By the source's header; 0 once the survey is over."""
    shots: int = 0
    spans_to_come: int = 0
    """That were asked for and are not propagated yet."""
    done_frames: int = 0
    resumed_frames: int = 0
    """Done by earlier runs."""
    chunks: dict[int, ChunkStatus] = field(default_factory=dict)
    by_status: Counter[ChunkStatus] = field(default_factory=Counter)
    chunks_rendered: int = 0
    """By this run; one that is made again, because it was damaged, counts again."""
    chunks_printed: int = 0
    """Chunks whose missing segments this run has made from those of other deliverables."""
    quarantined_chunks: int = 0
    stand_in_frames: int = 0
    quality: dict[Check, CheckSummary] = field(default_factory=lambda: dict.fromkeys(CHECKS, CheckSummary()))
    """What was measured of the film so far, by check; replaced as a whole."""
    workers: dict[str, PoolSize] = field(default_factory=dict)
    share: str = ""
    """What other films leave this one of the cluster, for people."""
    retries: int = 0
    lost_workers: int = 0
    last_progress: float = field(default_factory=time.time)
    """Unix time of the last finished frame, or of the start."""

    def __post_init__(self) -> None:
        self.began = self.last_progress
        self._speed = FramesPerSecond(self.clock)
        self._stage_since = self._settled = self.clock()
        self._planned_chunks = 0
        self._dissolved: set[int] = set()
        self._placed: dict[str, tuple[PoolSpec, int]] = {}

    # what the driver tells

    def opened(self, film: Film, look: str) -> None:
        """The source has been opened."""
        self.source, self.look = film.source, look
        self.expected_frames = round(film.seconds * film.picture.rate)

    def begin_again(self) -> None:
        """The film begins again from what is on paper: what is done is counted anew."""
        self.done_frames = self.resumed_frames = self._planned_chunks = 0

    def planned(self, plan: Plan, *, whole: bool) -> None:
        """The plan has grown; `whole`: it holds the whole film."""
        self.frames, self.shots = plan.frames, plan.shot_count
        self.most_frames = max(self.most_frames, self.frames)
        for chunk in plan.chunks[self._planned_chunks :]:
            self._put(chunk.number, self.chunks.get(chunk.number, "waiting"))
        self._planned_chunks = len(plan.chunks)
        if whole:
            self.expected_frames = 0

    def resumed(self, frames: int, chunks: Iterable[int]) -> None:
        """Frames and chunks that an earlier run has finished: they are done, and say nothing of this run's speed."""
        self.done_frames += frames
        self.resumed_frames += frames
        for number in chunks:
            self._put(number, "done")

    def rendered(self, frames: int) -> None:
        """Some more frames are rendered."""
        self.done_frames += frames
        self.last_progress = time.time()
        self._speed.add(frames)
        self._count(frames_rendered=self.usage.frames_rendered + frames)

    def chunk(self, number: int, status: ChunkStatus, *, printed: bool) -> None:
        """A chunk has come a step further, or back. `printed`: from the segments of another deliverable."""
        self._put(number, status)
        if status == "rendering":
            self._speed.begin()
        self.chunks_rendered += status == "done" and not printed
        self.chunks_printed += status == "done" and printed

    def worked(self, device: DeviceUsage, throughput: MeasuredThroughput | None) -> None:
        """A renderer's device has worked, and waited, some more; `throughput`: what was rendered by it."""
        known = self.usage
        starved = {reason: known.starved_seconds.get(reason, 0.0) + more for reason, more in device.starved.items()}
        self._count(busy_seconds=known.busy_seconds + device.busy, starved_seconds=known.starved_seconds | starved)
        if throughput:
            measured = {_kind(figures): figures for figures in known.paces}
            if before := measured.get(_kind(throughput)):
                more = {
                    "frames": before.frames + throughput.frames,
                    "seconds": before.seconds + throughput.seconds,
                }
                throughput = throughput.model_copy(update=more)
            self._count(paces=tuple((measured | {_kind(throughput): throughput}).values()))

    def measured(self, quality: FilmQuality) -> None:
        """What quality control has measured so far."""
        self.quality = dict.fromkeys(CHECKS, CheckSummary()) | quality.summary()

    def dissolved(self, frame: int, apart: float) -> None:
        """The seam before a frame is dissolved, and how far its two renderings lie apart; of another encoding it counts once."""
        if frame not in self._dissolved:
            self._dissolved.add(frame)
            seams = self.usage.seams
            self._count(
                seams=SeamFigures(count=seams.count + 1, largest=max(seams.largest, apart), sum=seams.sum + apart)
            )

    def enter_stage(self, name: str) -> None:
        """The film is at another stage now."""
        self.close_stage()
        self.stage = name

    def close_stage(self) -> None:
        """The time since the stage began, or was last closed, is counted."""
        now = self.clock()
        if self.stage:
            known = self.usage.stage_seconds
            self._count(stage_seconds=known | {self.stage: known.get(self.stage, 0.0) + now - self._stage_since})
        self._stage_since = now

    # what the fleet tells

    def pool_resized(self, pool: PoolSpec, size: PoolSize) -> None:
        """There are others of a pool now."""
        self.settle()
        self.workers[pool.name] = size
        self._placed[pool.name] = (pool, size.ready + size.warming)

    def settle(self) -> None:
        """Count the seconds of workers since this was last done: each from being placed on a node until it is let go."""
        now = self.clock()
        passed, self._settled = max(0.0, now - self._settled), now
        for pool, number in self._placed.values():
            if number:
                known, seconds = self.usage, passed * number
                self._count(
                    worker_seconds=known.worker_seconds
                    | {pool.name: known.worker_seconds.get(pool.name, 0.0) + seconds},
                    gpu_seconds=known.gpu_seconds + seconds * pool.gpus,
                    cpu_seconds=known.cpu_seconds + seconds * pool.cpus,
                )

    def retried(self, pool: str, reason: Literal["error", "loss", "preemption", "node"]) -> None:
        """A call is made again."""
        lost = reason in ("loss", "preemption")
        self.lost_workers += lost
        self.retries += not lost
        reasons = self.usage.retries.get(pool, {})
        self._count(retries=self.usage.retries | {pool: reasons | {reason: reasons.get(reason, 0) + 1}})

    def moved(self, traffic: Traffic) -> None:
        """Bytes have passed the job's stores."""
        self._count(traffic=self.usage.traffic + traffic)

    # over all runs

    def resume(self, usage: Usage) -> None:
        """Go on from what earlier runs have counted."""
        retries = {pool: NOTHING.retries.get(pool, {}) | reasons for pool, reasons in usage.retries.items()}
        self.usage = usage
        self._count(
            state="working",
            retries=NOTHING.retries | retries,
            starved_seconds=NOTHING.starved_seconds | usage.starved_seconds,
            traffic=NOTHING.traffic + usage.traffic,
        )

    def end(self, state: JobState) -> None:
        """How the run has ended."""
        self._count(state=state)

    def document(self) -> Usage:
        """What is to be put down now."""
        now = {
            "updated": time.time(),
            "frames_done": self.done_frames,
            "frames_per_second": self.rate(),
            "seconds_left": self.seconds_left(),
            "cost": self.cost,
            "currency": self.prices.currency if self.prices else "",
        }
        return self.usage.model_copy(update=now)

    # what follows from it

    @property
    def cost(self) -> float | None:
        """What the job has cost so far, over all its runs; None where the spec has no prices."""
        usage = self.usage
        return self.prices.of(usage.gpu_seconds, usage.cpu_seconds) if self.prices else None

    @property
    def total_frames(self) -> int:
        """The film's frames, as well as is known: by the plan, or by the header while the survey runs."""
        return max(self.frames, self.expected_frames)

    @property
    def renderers_ready(self) -> int:
        """How many can work now."""
        return self.workers["renderer"].ready if "renderer" in self.workers else 0

    def rate(self) -> float | None:
        """Frames a second of this run, over the last minute; None before the first."""
        return self._speed.rate()

    def seconds_left(self) -> float | None:
        """Until the last frame is rendered, at this rate; None where nothing is known."""
        rate = self.rate()
        return max(0, self.total_frames - self.done_frames) / rate if rate and self.total_frames else None

    def _put(self, number: int, status: ChunkStatus) -> None:
        if number in self.chunks:
            self.by_status[self.chunks[number]] -= 1
        self.chunks[number] = status
        self.by_status[status] += 1

    def _count(self, **changed: object) -> None:
        self.usage = self.usage.model_copy(update=changed)


def _kind(measured: MeasuredThroughput) -> tuple[object, ...]:
    """What must be equal for two measurements to be added up."""
    return measured.look, measured.network, measured.hardware, measured.megapixels, measured.renderers
