"""A small studio for tests: one local Ray, films rendered by the real driver. Promises what a user gets; shows nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from actors.verify.compare import compare
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.setup import Preflight, looks_of
from farm.fleet.calls import Call
from farm.fleet.fleet import Fleet
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.ledger.ledger import Ledger
from jobs.records.report import Comparison
from jobs.spec.job import JobSpec
from jobs.spec.parser import parse_spec


def spec_of(source: Path | str, folder: Path | str, **fields: Any) -> JobSpec:
    """A job that renders `source` with `none` to ffv1, unless `fields` say otherwise; store and output under `folder`."""
    least = {
        "name": "film",
        "source": str(source),
        "store": f"{folder}/store",
        "output": f"{folder}/out",
        "look": {"name": "none"},
        "deliverables": [{"name": "film", "codec": "ffv1"}],
    }
    return parse_spec({**least, **fields}, "test")


def job_of(spec: JobSpec) -> Preflight:
    """The job as preflight gives it, but that nobody looks for its source or tries its places."""
    ledger = Ledger.at(spec.store, spec.key)
    return Preflight(spec, looks_of(spec), ledger, ledger.admit(spec))


@dataclass
class Studio:
    """Renders films on one Ray."""

    fleet: Fleet

    def render(self, spec: JobSpec) -> FilmRun:
        """The film, through the real driver, on this studio's Ray."""
        console = ProgressConsole(console=PlainConsole(file=StringIO()))
        self.fleet.watcher = console
        return render_film(job_of(spec), fleet=self.fleet, console=console)


class Stopping:
    """A fleet that is stopped from outside after some findings of a kind, as by Ctrl-C."""

    def __init__(
        self, fleet: Fleet, kind: type, after: int, error: BaseException | type[BaseException] = KeyboardInterrupt
    ) -> None:
        self._fleet = fleet
        self._kind = kind
        self._left = after
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def run(self, calls: Iterable[Call], then: Any) -> Iterator[tuple[Call, Any]]:
        for call, found in self._fleet.run(calls, then):
            yield call, found
            self._left -= isinstance(found, self._kind)
            if self._left == 0:
                raise self._error


def same(one: Path, other: Path) -> Comparison:
    """Two films, frame for frame; fails the test with what differs."""
    found = compare(str(one), str(other))
    assert found.same, found.findings
    return found
