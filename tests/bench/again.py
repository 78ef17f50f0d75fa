"""What a change costs: a film rendered whole, then with one shot in its middle changed, changed back, and with a deliverable more. Promises all figures from one run; judges none.

$ python -m tests.bench.again tears-of-steel.webm
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.fleet.calls import Call
from farm.fleet.fleet import Fleet
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.spec.job import JobSpec
from jobs.spec.parser import parse_spec
from tests.bench.farming import CORES
from tests.farm.studio import job_of

MASTER = {"name": "master", "codec": "ffv1"}


class Counted:
    """A fleet that counts frames shown to looks."""

    def __init__(self, fleet: Fleet) -> None:
        self.shown = 0
        self._fleet = fleet

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def run(self, calls: Iterable[Call], then: Callable[[Call, Any], Iterable[Call]]) -> Iterator[tuple[Call, Any]]:
        """As the fleet does."""
        return self._fleet.run(map(self._count, calls), lambda call, found: map(self._count, then(call, found)))

    def _count(self, call: Call) -> Call:
        self.shown += call.frames
        return call


def main(clip: str, folder: str) -> dict[str, Any]:
    """Seconds and frames of each run, Ray already started."""

    def spec(**fields: Any) -> JobSpec:
        places = {"name": "film", "source": clip, "store": f"{folder}/store", "output": f"{folder}/out"}
        return parse_spec({**places, "look": {"name": "colorize"}, "deliverables": [MASTER], **fields}, "bench")

    found: dict[str, Any] = {}
    with Fleet("local", workers=CORES) as fleet:
        film, found["whole"] = _timed(fleet, spec())
        shot = next(one for one in film.survey.plan.shots if one.frames.stop > film.survey.plan.frames // 2)
        found["shot"] = {"number": shot.number, "frames": shot.frames.frames, "of": film.survey.plan.frames}
        other = {"shots": str(shot.number), "look": {"name": "colorize", "settings": {"saturation": 0.9}}}
        _, found["one shot changed"] = _timed(fleet, spec(overrides=[other]))
        _, found["changed back"] = _timed(fleet, spec())
        _, found["a deliverable more"] = _timed(fleet, spec(deliverables=[MASTER, {"name": "view"}]))
    return found


def _timed(fleet: Fleet, spec: JobSpec) -> tuple[FilmRun, dict[str, Any]]:
    counted, began = Counted(fleet), time.perf_counter()
    with ProgressConsole(console=PlainConsole(file=StringIO())) as console:
        film = render_film(job_of(spec), fleet=counted, console=console)  # type: ignore[arg-type]
    report = film.report()
    assert report.conforms, report.deliverables
    return film, {
        "seconds": round(time.perf_counter() - began, 2),
        "chunks_rendered": report.chunks_rendered,
        "chunks_printed": report.chunks_printed,
        "frames_shown": counted.shown,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(main(str(Path(sys.argv[1]).absolute()), folder), indent=1))
