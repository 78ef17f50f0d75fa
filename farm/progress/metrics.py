"""Metrics: the film's progress for Prometheus, served by the driver itself. Promises exact, immediate numbers; knows no Ray and starts no work.

Every sample carries the label `job`, the job's name. Counters are over all runs of the job: they begin where its tally
(jobs/ledger/usage.py) has them, and what has been scraped is on paper first, so that none ever goes back.

    film_farm_job_info                       1, with labels source and look
    film_farm_job_state{state}               1 for the one it is in: working, delivered, failed or stopped; 0 for the others
    film_farm_frames_total                   frames of the film as planned so far (grows while the survey runs)
    film_farm_frames_done                    frames rendered and kept, those of earlier runs included
    film_farm_frames_rendered_total          frames rendered; those that were made again count again
    film_farm_eta_seconds                    until the last frame is rendered, at the last minute's pace; absent while unknown
    film_farm_shots                          shots planned so far
    film_farm_chunks{state}                  chunks waiting, split, rendering, done
    film_farm_quarantined_chunks             chunks set aside after too many errors or lost workers
    film_farm_stand_in_frames                frames where the source's own, or grey, stand in for the look (on_error: passthrough)
    film_farm_seams_total                    seams dissolved
    film_farm_seam_difference_ratio          mean over them of how far the two renderings lie apart, in fractions of full scale
    film_farm_seam_difference_max_ratio      the largest
    film_farm_workers{crew,state}            workers ready, warming (placed, loading) and pending (waiting for a place)
    film_farm_worker_seconds_total{crew}     from being placed until let go
    film_farm_worker_gpu_seconds_total       the same times the GPUs of each
    film_farm_worker_cpu_seconds_total       the same times the CPUs of each
    film_farm_cost{currency}                 what that has cost, at the spec's prices; absent where it has none
    film_farm_cost_most{currency}            the most it may cost; absent where nothing is said
    film_farm_retries_total{crew,reason}     calls made again: reason error, loss or preemption
    film_farm_stage_seconds_total{stage}     wall time spent in each stage
    film_farm_gpu_busy_seconds_total         seconds in which generators' devices worked, all renderers together
    film_farm_gpu_starved_seconds_total{reason}  seconds in which they waited: reason read (frames to be fetched and decoded),
                                             write (room to compose, encode and upload) or call (anything to render)
    film_farm_store_read_bytes_total         bytes read from stores, and from a source in S3
    film_farm_store_written_bytes_total      bytes written to stores
    film_farm_store_requests_total{kind}     requests to them: kind read, write or list
    film_farm_last_progress_timestamp_seconds    Unix time of the last finished frame, or of the start

A generator's device is the GPU or, where there is none, the processor. The share in which it worked is
busy / (busy + starved); a renderer tells of its seconds at the end of each chunk, and starting is not among them. What
workers' stores were asked is told at the end of each call.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from prometheus_client import Counter, Info

from farm.fleet.calls import PoolSize
from farm.progress.metrics_server import MetricsServer
from jobs.ledger.usage import JobState, MeasuredThroughput, SeamFigures, Usage
from jobs.records.orders import DeviceUsage, Starved
from jobs.spec.cost import Cost
from jobs.store.traffic import Asked, Traffic

_DEVICE = "the generators' devices (a GPU or, where there is none, the processor)"


@dataclass(frozen=True)
class WorkerUsage:
    """Seconds of one crew's workers, and what they took meanwhile."""

    crew: str
    seconds: float
    gpu_seconds: float
    cpu_seconds: float


class FilmMetrics(MetricsServer):
    """One film's numbers."""

    def __init__(self, job: str) -> None:
        super().__init__(job)
        self._info = Info("film_farm_job", "The job.", ["job"], registry=self.registry)
        self._state = self._gauge("job_state", "1 for the state the job is in.", "state")
        self._shots = self._gauge("shots", "Shots planned so far.")
        self._chunks = self._gauge("chunks", "Chunks by state.", "state")
        self._eta = self._gauge("eta_seconds", "Until the last frame is rendered, at this pace.")
        self._aside = self._gauge("quarantined_chunks", "Chunks set aside after too many errors or lost workers.")
        self._stand_ins = self._gauge("stand_in_frames", "Frames where something stands in for the look.")
        self._workers = self._gauge("workers", "Workers by crew and state.", "crew", "state")
        self._retries = self._counter("retries", "Calls made again, by reason.", "crew", "reason")
        self._stages = self._counter("stage_seconds", "Wall time spent in each stage.", "stage")
        for gauge in (self._aside, self._stand_ins):
            gauge.labels(job)
        for reason in ("error", "loss", "preemption"):
            self._retries.labels(job, "renderer", reason)
        self._count_frames()
        self._count_devices()
        self._count_money()
        self._count_traffic()
        self.state("working")

    def _count_frames(self) -> None:
        self._frames = self._counter("frames", "Frames of the film as planned so far.")
        self._planned = 0
        self._done = self._gauge("frames_done", "Frames rendered and kept, those of earlier runs included.")
        self._rendered = self._counter("frames_rendered", "Frames rendered; those made again count again.")
        self._seams = self._counter("seams", "Seams dissolved.")
        self._seam_mean = self._gauge("seam_difference_ratio", "How far two renderings lie apart at seams, the mean.")
        self._seam_most = self._gauge("seam_difference_max_ratio", "The same, at the worst seam.")
        self._figures = SeamFigures()
        self._dissolved: set[int] = set()
        for counter in (self._frames, self._rendered, self._seams):
            counter.labels(self.job)  # one that has counted nothing is 0, not absent

    def _count_devices(self) -> None:
        self._busy = self._counter("gpu_busy_seconds", f"Seconds worked by {_DEVICE}.")
        self._starved = self._counter("gpu_starved_seconds", f"Seconds waited by {_DEVICE}, by reason.", "reason")
        self._paces: dict[tuple[str, str, str, float, int], MeasuredThroughput] = {}
        self._busy.labels(self.job)
        for reason in get_args(Starved):
            self._starved.labels(self.job, reason)

    def _count_money(self) -> None:
        self._worker_seconds = self._counter("worker_seconds", "Workers' time, from placed to let go.", "crew")
        self._gpu_seconds = self._counter("worker_gpu_seconds", "Workers' time, times the GPUs of each.")
        self._cpu_seconds = self._counter("worker_cpu_seconds", "Workers' time, times the CPUs of each.")
        self._cost = self._gauge("cost", "What the job has cost so far.", "currency")
        self._most = self._gauge("cost_most", "The most it may cost.", "currency")
        self._gpu_seconds.labels(self.job)
        self._cpu_seconds.labels(self.job)

    def _count_traffic(self) -> None:
        self._read = self._counter("store_read_bytes", "Bytes read from stores, and from a source in S3.")
        self._written = self._counter("store_written_bytes", "Bytes written to stores.")
        self._requests = self._counter("store_requests", "Requests to stores, by kind.", "kind")
        self._read.labels(self.job)
        self._written.labels(self.job)
        for kind in get_args(Asked):
            self._requests.labels(self.job, kind)

    # what the board tells

    def describe(self, source: str, look: str) -> None:
        """What the job is."""
        self._info.labels(self.job).info({"source": source, "look": look})

    def state(self, state: JobState) -> None:
        """How the job stands now."""
        for one in get_args(JobState):
            self._state.labels(self.job, one).set(one == state)

    def planned(self, frames: int, shots: int) -> None:
        """Frames and shots in the plan so far."""
        self._frames.labels(self.job).inc(max(0, frames - self._planned))
        self._planned = max(frames, self._planned)
        self._shots.labels(self.job).set(shots)

    def done(self, frames: int, *, by_this_run: bool = True) -> None:
        """Some more frames are done."""
        self._done.labels(self.job).inc(frames)
        if by_this_run:
            self._rendered.labels(self.job).inc(frames)
            self._progress.labels(self.job).set_to_current_time()

    def eta(self, seconds: float | None) -> None:
        """Until the last frame is rendered; None where nothing is known."""
        if seconds is None:
            self._eta.clear()
        else:
            self._eta.labels(self.job).set(seconds)

    def chunks(self, by_state: dict[str, int]) -> None:
        """How many chunks are in each state."""
        for state, number in by_state.items():
            self._chunks.labels(self.job, state).set(number)

    def quarantined(self, chunks: int, frames: int) -> None:
        """How many chunks are set aside, and in how many frames something stands in for the look."""
        self._aside.labels(self.job).set(chunks)
        self._stand_ins.labels(self.job).set(frames)

    def workers(self, crew: str, staff: PoolSize) -> None:
        """How many of a crew can work, load, or wait for a place."""
        for state, number in staff._asdict().items():
            self._workers.labels(self.job, crew, state).set(number)

    def retried(self, crew: str, reason: str) -> None:
        """A call is made again; `reason` is error, loss or preemption."""
        self._retries.labels(self.job, crew, reason).inc()

    def stage(self, name: str, seconds: float) -> None:
        """Some more wall time was spent in a stage."""
        self._stages.labels(self.job, name).inc(seconds)

    def worked(self, word: DeviceUsage, pace: MeasuredThroughput | None = None) -> None:
        """A renderer's generator has worked, and waited, some more; `pace`: what was rendered by it."""
        self._busy.labels(self.job).inc(word.busy)
        for reason, seconds in word.starved.items():
            self._starved.labels(self.job, reason).inc(seconds)
        if pace:
            self._keep_pace(pace)

    def dissolved(self, frame: int, apart: float) -> None:
        """The seam before a frame is dissolved; one that is told again, of another encoding, counts once."""
        if frame not in self._dissolved:
            self._dissolved.add(frame)
            self._seams.labels(self.job).inc()
            known = self._figures
            self._show_seams(
                SeamFigures(count=known.count + 1, largest=max(known.largest, apart), sum=known.sum + apart)
            )

    def paid(self, paid: WorkerUsage) -> None:
        """Some more seconds of a crew's workers."""
        self._worker_seconds.labels(self.job, paid.crew).inc(paid.seconds)
        self._gpu_seconds.labels(self.job).inc(paid.gpu_seconds)
        self._cpu_seconds.labels(self.job).inc(paid.cpu_seconds)

    def cost(self, prices: Cost) -> float:
        """Shows, and gives, what all that has cost at some prices."""
        spent = prices.of(_value(self._gpu_seconds), _value(self._cpu_seconds))
        self._cost.labels(self.job, prices.currency).set(spent)
        if prices.most is not None:
            self._most.labels(self.job, prices.currency).set(prices.most)
        return spent

    def moved(self, traffic: Traffic) -> None:
        """Some more has passed stores."""
        self._read.labels(self.job).inc(traffic.bytes_read)
        self._written.labels(self.job).inc(traffic.bytes_written)
        for kind, number in traffic.requests.items():
            self._requests.labels(self.job, kind).inc(number)

    # the tally

    def resume(self, tally: Usage) -> None:
        """Go on from what earlier runs have counted."""
        self._rendered.labels(self.job).inc(tally.frames_rendered)
        for crew, reasons in tally.retries.items():
            for reason, number in reasons.items():
                self._retries.labels(self.job, crew, reason).inc(number)
        for name, seconds in tally.stage_seconds.items():
            self._stages.labels(self.job, name).inc(seconds)
        self.worked(DeviceUsage(busy=tally.busy_seconds, starved=tally.starved_seconds))
        for crew, seconds in tally.worker_seconds.items():
            self._worker_seconds.labels(self.job, crew).inc(seconds)
        self._gpu_seconds.labels(self.job).inc(tally.gpu_seconds)
        self._cpu_seconds.labels(self.job).inc(tally.cpu_seconds)
        self.moved(tally.traffic)
        self._seams.labels(self.job).inc(tally.seams.count)
        self._show_seams(tally.seams)
        for pace in tally.paces:
            self._keep_pace(pace)

    def tally(self) -> Usage:
        """All that is counted, to be put on paper."""
        retries: dict[str, dict[str, int]] = {}
        for (crew, reason), number in _values(self._retries):
            retries.setdefault(crew, {})[reason] = int(number)
        return Usage(
            frames_rendered=int(_value(self._rendered)),
            retries=retries,
            stage_seconds={name: seconds for (name,), seconds in _values(self._stages)},
            busy_seconds=_value(self._busy),
            starved_seconds={reason: _value(self._starved, reason) for reason in get_args(Starved)},
            worker_seconds={crew: seconds for (crew,), seconds in _values(self._worker_seconds)},
            gpu_seconds=_value(self._gpu_seconds),
            cpu_seconds=_value(self._cpu_seconds),
            seams=self._figures,
            traffic=Traffic(
                bytes_read=int(_value(self._read)),
                bytes_written=int(_value(self._written)),
                requests={kind: int(_value(self._requests, kind)) for kind in get_args(Asked)},
            ),
            paces=tuple(self._paces.copy().values()),
        )

    def _show_seams(self, figures: SeamFigures) -> None:
        self._figures = figures
        if figures.count:
            self._seam_mean.labels(self.job).set(figures.sum / figures.count)
            self._seam_most.labels(self.job).set(figures.largest)

    def _keep_pace(self, pace: MeasuredThroughput) -> None:
        key = (pace.look, pace.network, pace.hardware, pace.megapixels, pace.renderers)
        known = self._paces.get(key)
        more = {"frames": known.frames + pace.frames, "seconds": known.seconds + pace.seconds} if known else {}
        self._paces[key] = pace.model_copy(update=more)


def _values(counter: Counter) -> Iterator[tuple[tuple[str, ...], float]]:
    """What a counter has counted, by its labels but for `job`."""
    for metric in counter.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                yield tuple(value for name, value in sample.labels.items() if name != "job"), sample.value


def _value(counter: Counter, *labels: str) -> float:
    return sum(value for found, value in _values(counter) if found == labels)
