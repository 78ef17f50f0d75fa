"""Metrics: the film's progress for Prometheus, served by the driver itself. Promises exact, immediate numbers and a registry of its own; knows no Ray and starts no work.

Every sample carries the label `job`, the job's name.

    film_farm_job_info                       1, with labels source and look
    film_farm_frames_total                   frames of the film as planned so far (grows while the survey runs)
    film_farm_frames_done                    frames rendered and kept, those of earlier runs included
    film_farm_frames_rendered_total          frames rendered by this run
    film_farm_shots                          shots planned so far
    film_farm_chunks{state}                  chunks waiting, split, rendering, done
    film_farm_quarantined_chunks             chunks set aside after too many errors or lost workers
    film_farm_stand_in_frames                frames where the source's own, or grey, stand in for the look (on_error: passthrough)
    film_farm_workers{crew,state}            workers ready and pending
    film_farm_retries_total{crew,reason}     calls made again: reason error, loss or preemption
    film_farm_stage_seconds_total{stage}     wall time spent in each stage
    film_farm_gpu_busy_seconds_total         seconds in which generators' devices worked, all renderers together
    film_farm_gpu_starved_seconds_total{reason}  seconds in which they waited: reason read (frames to be fetched and decoded),
                                             write (room to compose, encode and upload) or call (anything to render)
    film_farm_last_progress_timestamp_seconds    Unix time of the last finished frame, or of the start

A generator's device is the GPU or, where there is none, the processor. The share in which it worked is
busy / (busy + starved); a renderer tells of its seconds at the end of each chunk, and starting is not among them.

A training has these, `job` being the look's name:

    film_farm_training_steps                 steps of the whole training
    film_farm_training_step                  steps done, those of earlier runs included
    film_farm_training_pictures_per_second   crops learnt from, over the last minute
    film_farm_training_loss{loss}            each loss of the last step told, the first worker's
    film_farm_training_figure{figure}        each held-out figure of the last checkpoint
    film_farm_training_verdict               of the last checkpoint: lower is better
    film_farm_training_best_verdict          of the best checkpoint of this run
    film_farm_training_restarts_total        times that workers were lost, and began again from a checkpoint
    film_farm_last_progress_timestamp_seconds    Unix time of the last step, or of the start
"""

import threading
from contextlib import suppress
from types import TracebackType
from typing import Self, get_args
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, start_http_server

from jobs.records import Starved, Worked
from jobs.training import Kept, Learnt

_DEVICE = "the generators' devices (a GPU or, where there is none, the processor)"

MORE_PORTS = 9
"""Ports behind the one that was asked for that do as well."""


class Served:
    """One job's registry, and the server of it; a context manager that closes the server."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.registry = CollectorRegistry()
        self._served: tuple[WSGIServer, threading.Thread] | None = None
        self._progress = self._gauge("last_progress_timestamp_seconds", "Unix time of the last progress.")
        self._progress.labels(job).set_to_current_time()

    def serve(self, port: int, addr: str = "127.0.0.1") -> int:
        """Serve /metrics until `close`. Gives the port: the one asked for, one of the next nine where that is taken, or any
        free one where these are too, or where it is 0.

        A film is not refused for a port; whoever asked is to be told. Raises OSError where `addr` is not this machine's.
        """
        self.close()
        # Prometheus is told of a few ports in a row: films that share a machine find each one of them.
        for one in range(port, min(port + 1 + MORE_PORTS, 1 << 16)) if port else ():
            with suppress(OSError):
                self._served = start_http_server(one, addr, self.registry)
                return one
        self._served = start_http_server(0, addr, self.registry)
        return self._served[0].server_port

    def close(self) -> None:
        """Stop serving; the numbers stay."""
        if self._served:
            server, thread = self._served
            self._served = None
            server.shutdown()
            server.server_close()
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"film_farm_{name}", says, ["job", *labels], registry=self.registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"film_farm_{name}", says, ["job", *labels], registry=self.registry)


class Metrics(Served):
    """One film's numbers."""

    def __init__(self, job: str) -> None:
        super().__init__(job)
        self._info = Info("film_farm_job", "The job.", ["job"], registry=self.registry)
        self._frames = self._counter("frames", "Frames of the film as planned so far.")
        self._planned = 0
        self._done = self._gauge("frames_done", "Frames rendered and kept, those of earlier runs included.")
        self._rendered = self._counter("frames_rendered", "Frames rendered by this run.")
        self._shots = self._gauge("shots", "Shots planned so far.")
        self._chunks = self._gauge("chunks", "Chunks by state.", "state")
        self._aside = self._gauge("quarantined_chunks", "Chunks set aside after too many errors or lost workers.")
        self._stand_ins = self._gauge("stand_in_frames", "Frames where something stands in for the look.")
        for gauge in (self._aside, self._stand_ins):
            gauge.labels(job)
        self._workers = self._gauge("workers", "Workers by crew and state.", "crew", "state")
        self._retries = self._counter("retries", "Calls made again, by reason.", "crew", "reason")
        self._stages = self._counter("stage_seconds", "Wall time spent in each stage.", "stage")
        self._busy = self._counter("gpu_busy_seconds", f"Seconds worked by {_DEVICE}.")
        self._starved = self._counter("gpu_starved_seconds", f"Seconds waited by {_DEVICE}, by reason.", "reason")
        for counter in (self._frames, self._rendered, self._busy):
            counter.labels(job)  # one that has counted nothing is 0, not absent
        for reason in get_args(Starved):
            self._starved.labels(job, reason)

    def describe(self, source: str, look: str) -> None:
        """What the job is."""
        self._info.labels(self.job).info({"source": source, "look": look})

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

    def chunks(self, by_state: dict[str, int]) -> None:
        """How many chunks are in each state."""
        for state, number in by_state.items():
            self._chunks.labels(self.job, state).set(number)

    def quarantined(self, chunks: int, frames: int) -> None:
        """How many chunks are set aside, and in how many frames something stands in for the look."""
        self._aside.labels(self.job).set(chunks)
        self._stand_ins.labels(self.job).set(frames)

    def workers(self, crew: str, ready: int, pending: int) -> None:
        """How many of a crew can work and how many are still starting."""
        self._workers.labels(self.job, crew, "ready").set(ready)
        self._workers.labels(self.job, crew, "pending").set(pending)

    def retried(self, crew: str, reason: str) -> None:
        """A call is made again; `reason` is error, loss or preemption."""
        self._retries.labels(self.job, crew, reason).inc()

    def stage(self, name: str, seconds: float) -> None:
        """Some more wall time was spent in a stage."""
        self._stages.labels(self.job, name).inc(seconds)

    def worked(self, word: Worked) -> None:
        """A renderer's generator has worked, and waited, some more."""
        self._busy.labels(self.job).inc(word.busy)
        for reason, seconds in word.starved.items():
            self._starved.labels(self.job, reason).inc(seconds)


class TrainingMetrics(Served):
    """One training's numbers."""

    def __init__(self, job: str, steps: int) -> None:
        super().__init__(job)
        self._steps = self._gauge("training_steps", "Steps of the whole training.")
        self._steps.labels(job).set(steps)
        self._step = self._gauge("training_step", "Steps done, those of earlier runs included.")
        self._step.labels(job)
        self._pace = self._gauge("training_pictures_per_second", "Crops learnt from, over the last minute.")
        self._losses = self._gauge("training_loss", "Each loss of the last step told.", "loss")
        self._figures = self._gauge("training_figure", "Each held-out figure of the last checkpoint.", "figure")
        self._verdict = self._gauge("training_verdict", "Of the last checkpoint: lower is better.")
        self._best = self._gauge("training_best_verdict", "Of the best checkpoint of this run.")
        self._restarts = self._counter("training_restarts", "Times that workers were lost and began again.")
        self._restarts.labels(job)

    def began(self, step: int) -> None:
        """Workers go on after so many steps."""
        self._step.labels(self.job).set(step)

    def learnt(self, word: Learnt, pictures_per_second: float | None) -> None:
        """A step is done."""
        self._step.labels(self.job).set(word.step)
        for name, value in word.losses.items():
            self._losses.labels(self.job, name).set(value)
        if pictures_per_second is not None:
            self._pace.labels(self.job).set(pictures_per_second)
        self._progress.labels(self.job).set_to_current_time()

    def kept(self, word: Kept) -> None:
        """A checkpoint is kept."""
        for name, value in word.figures.items():
            self._figures.labels(self.job, name).set(value)
        self._verdict.labels(self.job).set(word.verdict)
        if word.best:
            self._best.labels(self.job).set(word.verdict)

    def restarted(self) -> None:
        """Workers were lost."""
        self._restarts.labels(self.job).inc()
