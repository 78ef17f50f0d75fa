"""Dispatch on its own: a real driver and a real fleet on real Ray, whose workers take their time without using the processor. Promises paper for a film; renders nothing."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from farm.film.driver import render_film
from farm.fleet.calls import Call, NoListener, PoolSize, PoolSpec
from farm.fleet.fleet import Fleet
from jobs.records.orders import SegmentRecord
from tests.bench.apart import Clock, Found
from tests.farm.inline import quiet
from tests.farm.studio import job_of, spec_of
from tests.long_film import Actor, WaitingFilm


class WaitingFleet(Fleet):
    """A fleet whose pools all make up what they are asked for. Notes what it brings from when `workers` renderers can work."""

    def __init__(self, film: WaitingFilm, workers: int) -> None:
        self.waiting = film
        self.present = Present(workers)
        self.chunks = 0
        """Rendered since all were there; at the end, by `last`."""
        self.findings = 0
        self.last = 0.0
        super().__init__("local", workers=workers, watcher=self.present)

    def hire(self, pools: Iterable[PoolSpec]) -> None:
        """As the fleet does."""
        super().hire(
            replace(
                one, made_of=f"{Actor.__module__}:{Actor.__name__}", args=(self.waiting,), cpus=0.01, hung_seconds=None
            )
            for one in pools
        )

    def run(self, calls: Iterable[Call], then: Callable[[Call, Any], Iterable[Call]]) -> Iterator[tuple[Call, Any]]:
        """As the fleet does."""
        for call, found in super().run(calls, then):
            if self.present.since is not None:
                self.findings += 1
                if isinstance(found, SegmentRecord):
                    self.chunks, self.last = self.chunks + 1, time.monotonic()
            yield call, found


class Present(NoListener):
    """Notes when all renderers could work, and what the driver had spent by then."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.since: float | None = None
        self.cpu = 0.0

    def pool_resized(self, spec: PoolSpec, staff: PoolSize) -> None:
        """Some more, or fewer."""
        if spec.name == "renderer" and staff.ready == self.workers and self.since is None:
            self.since, self.cpu = time.monotonic(), time.process_time()


def dispatch(clock: Clock, folder: str, chunks: int, workers: int, seconds: float) -> Found:
    """Carry a film of so many chunks through so many renderers, which stand for one GPU each. What is told is told of the time from when all were there."""
    film = WaitingFilm(chunks, seconds)
    spec = spec_of("/films/a.mp4", folder, workers={"count": workers})
    with WaitingFleet(film, workers) as fleet, clock():
        render_film(job_of(spec), fleet=fleet, console=quiet())
        cpu = time.process_time() - fleet.present.cpu
    assert fleet.present.since is not None
    took = fleet.last - fleet.present.since
    return {
        "frames": film.frames,
        "workers": workers,
        "chunk_seconds": seconds,
        "chunks": chunks,
        "measured_chunks": fleet.chunks,
        "measured_seconds": round(took, 2),
        "of_ideal": round(fleet.chunks * seconds / workers / took, 4),
        "driver_ms_a_chunk": round(1000 * cpu / fleet.chunks, 2),
        "driver_ms_a_finding": round(1000 * cpu / fleet.findings, 3),
        "driver_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
