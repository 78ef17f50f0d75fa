"""The farm as a contender: everything that `farm render` does, its Ray already started. Promises nothing left out but the metrics port; measures when the first frames are there."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from farm.film.driver import render_film
from farm.film.review.publisher import published
from farm.fleet.calls import Call
from farm.fleet.fleet import Fleet
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.records.orders import FramesRendered, SegmentRecord
from jobs.spec.job import JobSpec
from jobs.store import open_store
from tests.bench.apart import Clock, Found
from tests.bench.films import frames_of
from tests.farm.studio import job_of

CORES = len(os.sched_getaffinity(0))


def farm(clock: Clock, clip: str, folder: str, **options: Any) -> Found:
    """Survey, split, render, stitch, proof, report and review page. `options` are further fields of the job spec."""
    spec = JobSpec(name="film", source=clip, store=f"{folder}/store", output=f"{folder}/out", **options)
    with (
        Fleet("local", workers=CORES) as fleet,
        clock(),
        ProgressConsole(console=PlainConsole(file=StringIO())) as console,
    ):
        timed: Any = Timed(fleet)
        film = render_film(job_of(spec), fleet=timed, console=console)
        report = film.report()
        published(film, report, open_store(spec.output))
    assert report.conforms, report.deliverables
    return {
        "frames": frames_of(Path(folder, "out", report.deliverables[0].file)),
        "shots": report.shots,
        "chunks": report.chunks,
        "seams": report.seams,
        "extra_frames_percent": report.extra_frames_percent,
        "first_frames_seconds": timed.first[FramesRendered],
        "first_segment_seconds": timed.first[SegmentRecord],
        "first_seconds_of": {kind.__name__: round(after, 3) for kind, after in timed.first.items()},
    }


class Timed:
    """A fleet that notes after how many seconds it first brought a finding of each kind."""

    def __init__(self, fleet: Fleet) -> None:
        self.first: dict[type, float] = {}
        self._fleet = fleet
        self._began = time.perf_counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def run(self, calls: Iterable[Call], then: Callable[[Call, Any], Iterable[Call]]) -> Iterator[tuple[Call, Any]]:
        """As the fleet does."""
        for call, found in self._fleet.run(calls, then):
            self.first.setdefault(type(found), time.perf_counter() - self._began)
            yield call, found
