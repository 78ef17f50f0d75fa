"""What the forecast says, held against what the farm takes. Promises that no run is foretold by its own figures; measures real films on real Ray."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median

from farm.estimate.forecast import Forecaster, ForecastRequest, WorkerKind
from farm.film.driver import render_film
from farm.film.setup import looks_of, open_film
from farm.film.survey_run import SurveyRun
from farm.fleet.fleet import Fleet
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import MeasuredThroughput
from jobs.records.orders import DeviceUsage
from jobs.spec.job import JobSpec
from tests.bench.apart import Clock, Found, measured
from tests.bench.figures import Figures
from tests.bench.rehearsal import Rehearsal
from tests.farm.inline import quiet
from tests.farm.studio import job_of, spec_of

H264 = [{"name": "film", "codec": "h264", "preset": "veryfast"}]


@dataclass(frozen=True)
class Case:
    """One film, rendered in one look by so many renderers."""

    clip: Path
    look: str
    workers: int

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.clip.stem}, {self.look}, {self.workers} renderer{'s' * (self.workers > 1)}"

    def spec(self, folder: Path) -> JobSpec:
        """The job, its store in a folder of its own. One thread a renderer, so that two of them find a core each."""
        pool = {"count": self.workers, "cpus": 1}
        return spec_of(self.clip, folder, look={"name": self.look}, workers=pool, deliverables=H264, chunk_seconds=2)


class Ear(ProgressConsole):
    """A console that nobody reads, and that keeps the paces."""

    def __init__(self) -> None:
        super().__init__(console=PlainConsole(file=StringIO()))
        self.paces: list[MeasuredThroughput] = []

    def worked(self, device: DeviceUsage, throughput: MeasuredThroughput | None = None) -> None:
        """As the console."""
        super().worked(device, throughput)
        self.paces += [throughput] if throughput else []


def render(clock: Clock, clip: str, look: str, workers: int, folder: str) -> Found:
    """A film that has been planned is rendered; only that is on the clock. Gives its paces."""
    spec = Case(Path(clip), look, workers).spec(Path(folder))
    job, ear = job_of(spec), Ear()
    with Fleet("local", workers=workers) as fleet:
        survey = open_film(job, fleet=fleet, console=quiet())
        job.ledger.enter(spec, to_render=False)
        for _ in fleet.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
            pass
        fleet.release("surveyor")
        with clock():
            render_film(job, fleet=fleet, console=ear)
    return {"paces": [pace.model_dump(mode="json") for pace in ear.paces]}


def foretold(case: Case, folder: Path, paces: Sequence[MeasuredThroughput]) -> tuple[float, float]:
    """Seconds that the forecast says, by the plan that the run has left, and those of a simulation of the same dispatch."""
    spec = case.spec(folder)
    ledger = Ledger.at(spec.store, spec.name)
    film = ledger.film(spec.reading)
    assert film
    survey = SurveyRun(spec, film, ledger, looks_of(spec))
    survey.survey_calls()
    survey.fresh()
    forecaster, fleet = Forecaster(survey, ForecastRequest(), paces), [WorkerKind("", case.workers)]
    said = forecaster.on(survey.plan.chunks, fleet).wall_seconds
    each = [WorkerKind("", 1)] * case.workers
    rehearsal = Rehearsal(survey.plan.chunks, survey.plan, forecaster.times(each, shared=True))
    return said, round(rehearsal.on(*forecaster.pools(case.workers)).seconds, 1)


def held_against(cases: Sequence[Case]) -> Figures:
    """Each case rendered, and foretold by the paces of the others; errors in parts of what it took."""
    with tempfile.TemporaryDirectory(prefix="farm-bench-") as folder:
        places = [Path(folder, str(number)) for number in range(len(cases))]
        took, paces = [], []
        for case, place in zip(cases, places, strict=True):
            options = {"clip": str(case.clip), "look": case.look, "workers": case.workers, "folder": str(place)}
            reading, found = measured(render, **options)
            took.append(reading.wall)
            paces.append([MeasuredThroughput.model_validate(one) for one in found["paces"]])
        said = []
        for case, place in zip(cases, places, strict=True):
            others = [pace for other, known in zip(cases, paces, strict=True) if other != case for pace in known]
            said.append(foretold(case, place, others))
    runs = {
        case.title: {
            "foretold_seconds": one,
            "simulated_seconds": simulated,
            "seconds": round(real, 2),
            "error": round(one / real - 1, 3),
        }
        for case, (one, simulated), real in zip(cases, said, took, strict=True)
    }
    formula, simulation = (
        [abs(each[way] - real) / real for each, real in zip(said, took, strict=True)] for way in (0, 1)
    )
    return {
        "runs": runs,
        "median_error": round(median(formula), 3),
        "largest_error": round(max(formula), 3),
        "simulation_median_error": round(median(simulation), 3),
        "simulation_largest_error": round(max(simulation), 3),
    }


def cases_of(clips: Sequence[Path], looks: Sequence[str] = ("none", "colorize")) -> list[Case]:
    """Each clip in each look, by one renderer and by two, where there are as many cores."""
    sizes = (1, 2) if len(os.sched_getaffinity(0)) > 1 else (1,)
    return [Case(clip, look, workers) for clip in clips for look in looks for workers in sizes]
