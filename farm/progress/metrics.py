"""Prometheus metrics of one film, read from its progress at each scrape.

Every sample carries the label `job`, the job's name. Counters are over all runs of the job: they begin where its usage
document (jobs/ledger/usage.py) has them, and what has been scraped is written there first, so that none ever goes back.

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
    film_farm_quality_shots{check,verdict}   shots that deserve a look (warn), or keep the film from being delivered (fail)
    film_farm_quality_worst{check}           the worst figure of any shot, in the check's own unit (jobs/spec/quality.py)
    film_farm_workers{crew,state}            workers of a pool (`crew`, as dashboards know it) ready, warming (placed, loading) and pending (waiting for a place)
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

from collections.abc import Callable, Iterator
from itertools import chain
from typing import get_args

from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from farm.progress.metrics_server import Families
from farm.progress.progress import STATUSES, Progress
from jobs.ledger.usage import JobState, Usage

_DEVICE = "the generators' devices (a GPU or, where there is none, the processor)"


class FilmMetrics(Collector):
    """A collector of one film's progress."""

    def __init__(self, progress: Progress, before: Callable[[], object] = lambda: None) -> None:
        """`before`: called at each scrape, before anything is read."""
        self._progress, self._before = progress, before
        families = Families(progress.job, progress.began)
        self._gauge, self._counter = families.gauge, families.counter

    def collect(self) -> Iterator[Metric]:
        self._before()
        progress, usage = self._progress, self._progress.usage  # the latter is replaced as a whole
        views = self._job(progress, usage), self._frames(progress, usage), self._workers(progress, usage)
        return chain(*views, self._quality(progress))

    def _job(self, progress: Progress, usage: Usage) -> Iterator[Metric]:
        gauge, counter = self._gauge, self._counter
        info = InfoMetricFamily("film_farm_job", "The job.", labels=["job"])
        if progress.source:
            info.add_metric([progress.job], {"source": progress.source, "look": progress.look})
        yield info
        states = ((state, state == usage.state) for state in get_args(JobState))
        yield gauge("job_state", "1 for the state the job is in.", states, "state")
        left = {"working": progress.seconds_left(), "delivered": 0.0}.get(usage.state)
        yield gauge("eta_seconds", "Until the last frame is rendered, at this pace.", left)
        yield counter("stage_seconds", "Wall time spent in each stage.", usage.stage_seconds.items(), "stage")
        yield gauge("last_progress_timestamp_seconds", "Unix time of the last progress.", progress.last_progress)
        prices, cost, traffic = progress.prices, progress.cost, usage.traffic
        spent = [(prices.currency, cost)] if prices and cost is not None else []
        most = [(prices.currency, prices.most)] if prices and prices.most is not None else []
        yield gauge("cost", "What the job has cost so far.", spent, "currency")
        yield gauge("cost_most", "The most it may cost.", most, "currency")
        read = "Bytes read from stores, and from a source in S3."
        yield counter("store_read_bytes", read, traffic.bytes_read)
        yield counter("store_written_bytes", "Bytes written to stores.", traffic.bytes_written)
        yield counter("store_requests", "Requests to stores, by kind.", traffic.requests.items(), "kind")

    def _frames(self, progress: Progress, usage: Usage) -> Iterator[Metric]:
        gauge, counter, seams = self._gauge, self._counter, usage.seams
        yield counter("frames", "Frames of the film as planned so far.", progress.most_frames)
        yield gauge("frames_done", "Frames rendered and kept, those of earlier runs included.", progress.done_frames)
        yield counter("frames_rendered", "Frames rendered; those made again count again.", usage.frames_rendered)
        yield gauge("shots", "Shots planned so far.", progress.shots)
        chunks = ((status, progress.by_status[status]) for status in STATUSES)
        yield gauge("chunks", "Chunks by state.", chunks, "state")
        aside = "Chunks set aside after too many errors or lost workers."
        yield gauge("quarantined_chunks", aside, progress.quarantined_chunks)
        yield gauge("stand_in_frames", "Frames where something stands in for the look.", progress.stand_in_frames)
        yield counter("seams", "Seams dissolved.", seams.count)
        mean, largest = (seams.sum / seams.count, seams.largest) if seams.count else (None, None)
        yield gauge("seam_difference_ratio", "How far two renderings lie apart at seams, the mean.", mean)
        yield gauge("seam_difference_max_ratio", "The same, at the worst seam.", largest)

    def _quality(self, progress: Progress) -> Iterator[Metric]:
        shots = (
            ((check, verdict), number)
            for check, one in progress.quality.items()
            for verdict, number in (("warn", one.warnings - one.failures), ("fail", one.failures))
        )
        yield self._gauge("quality_shots", "Shots that quality control warns of, or fails.", shots, "check", "verdict")
        worst = ((check, one.worst) for check, one in progress.quality.items())
        yield self._gauge("quality_worst", "The worst figure of any shot.", worst, "check")

    def _workers(self, progress: Progress, usage: Usage) -> Iterator[Metric]:
        gauge, counter = self._gauge, self._counter
        workers = progress.workers.copy()  # grows in another thread
        sizes = (((pool, state), n) for pool, size in workers.items() for state, n in size._asdict().items())
        yield gauge("workers", "Workers by crew and state.", sizes, "crew", "state")
        retries = (((pool, reason), n) for pool, reasons in usage.retries.items() for reason, n in reasons.items())
        yield counter("retries", "Calls made again, by reason.", retries, "crew", "reason")
        seconds = usage.worker_seconds.items()
        yield counter("worker_seconds", "Workers' time, from placed to let go.", seconds, "crew")
        yield counter("worker_gpu_seconds", "Workers' time, times the GPUs of each.", usage.gpu_seconds)
        yield counter("worker_cpu_seconds", "Workers' time, times the CPUs of each.", usage.cpu_seconds)
        yield counter("gpu_busy_seconds", f"Seconds worked by {_DEVICE}.", usage.busy_seconds)
        starved = usage.starved_seconds.items()
        yield counter("gpu_starved_seconds", f"Seconds waited by {_DEVICE}, by reason.", starved, "reason")
