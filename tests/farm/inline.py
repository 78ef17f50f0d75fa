"""A fleet without Ray: carries calls out in this process, one at a time. Promises the real pools' real work, and workers lost on demand; hires nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from io import StringIO
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

from actors.survey.surveyor import Surveyor
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.setup import looks_of
from farm.film.shot_selection import ALL, ShotSelection
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call, Cluster, PoolSpec, RetriesExhaustedError, RetryCount, RetryPolicy
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.ledger.ledger import Ledger
from jobs.spec.job import JobSpec
from tests.farm.studio import job_of

Kind = TypeVar("Kind", bound=Call)
Then = Callable[[Call, Any], Iterable[Call]]


class InlineFleet:
    """Makes each call at once, lowest rank first, and keeps what it was asked."""

    cluster = Cluster(local=True, cpus=2.0, gpus=0.0)

    def __init__(self, lost_after: Mapping[str, int] | None = None, budget: RetryPolicy | None = None) -> None:
        """`lost_after`: methods whose worker is lost, once for each call, after that many findings: the call begins anew.

        `budget`: what is raised is charged to its call, as the fleet does; without one it is the test's.
        """
        self._budget = budget
        self.asked: list[Call] = []
        self.pools: dict[str, PoolSpec] = {}
        self.expected: dict[str, tuple[int, bool]] = {}
        self._lost_after = dict(lost_after or {})
        self._made: dict[str, Any] = {}

    def hire(self, pools: Iterable[PoolSpec]) -> None:
        """As the fleet does; a pool's one worker is made when it is first called."""
        self.pools = {pool.name: pool for pool in pools}
        self._made = {}

    def expect(self, pool: str, calls: int, *, sure: bool = False) -> None:
        """Nobody starts before there is a call; what was last expected of each pool is kept."""
        self.expected[pool] = (calls, sure)

    def run(self, calls: Iterable[Call], then: Then) -> Iterator[tuple[Call, Any]]:
        """As the fleet does: what `then` says follows is called too."""
        numbers = count()
        waiting: list[tuple[tuple[int, ...], int, Call]] = []
        for call in calls:
            heappush(waiting, (call.priority, next(numbers), call))
        while waiting:
            _, _, call = heappop(waiting)
            self.asked.append(call)
            for found in self._findings(call):
                for more in then(call, found):
                    heappush(waiting, (more.priority, next(numbers), more))
                yield call, found

    def calls(self, kind: type[Kind]) -> list[Kind]:
        """Those of one kind that were made, in order."""
        return [call for call in self.asked if isinstance(call, kind)]

    def verbs(self) -> Counter[str]:
        """How often each method was asked for."""
        return Counter(call.method for call in self.asked)

    def _findings(self, call: Call) -> Iterator[Any]:
        if call.method in self._lost_after:
            yield from islice(self._made_by(call), self._lost_after[call.method])
        luck = RetryCount(call.budget or self._budget or RetryPolicy())
        while True:
            try:
                yield from self._made_by(call)
                return
            except Exception as error:
                if self._budget is None:
                    raise
                try:
                    luck.error(call.what, error)
                except RetriesExhaustedError as over:
                    if not call.alone:
                        raise
                    yield over.spent
                    return

    def _made_by(self, call: Call) -> Iterator[Any]:
        pool = self.pools[call.pool]
        if call.pool not in self._made:
            self._made[call.pool] = pool.make()
        found = getattr(self._made[call.pool], call.method)(*call.arguments)
        if isinstance(found, Iterator):
            yield from found
        elif found is not None:
            yield found


def quiet() -> ProgressConsole:
    """A console that nobody reads."""
    return ProgressConsole(console=PlainConsole(file=StringIO()))


def rendered(
    spec: JobSpec, fleet: InlineFleet | None = None, console: ProgressConsole | None = None, shots: ShotSelection = ALL
) -> FilmRun:
    """The film through the real driver, with everything done in this process."""
    return render_film(job_of(spec), fleet=fleet or InlineFleet(), console=console or quiet(), shots=shots)  # type: ignore[arg-type]


def survey_of(spec: JobSpec) -> SurveyRun:
    """The survey of a film that is surveyed here: nothing is known of it but what it is, and what is on paper."""
    ledger = Ledger.at(spec.store, spec.key)
    ledger.enter(spec)
    film = Surveyor(spec.source).film()
    ledger.keep_film(spec.reading, film)
    return SurveyRun(spec, film, ledger, looks_of(spec))


def surveyed(spec: JobSpec) -> SurveyRun:
    """The survey of a film whose survey is over."""
    survey, surveyor = survey_of(spec), Surveyor(spec.source)
    calls = survey.survey_calls()
    while calls:
        call = calls.pop(0)
        found = getattr(surveyor, call.method)(*call.arguments)
        for one in found if isinstance(found, Iterator) else (found,):
            calls += survey.calls_after_finding(one)
    survey.fresh()
    return survey


def shot_list(path: Path, *starts: int, frames: int) -> Path:
    """A PySceneDetect CSV of shots that begin at these frames."""
    rows = ["Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode"]
    for number, (start, stop) in enumerate(zip(starts, (*starts[1:], frames), strict=True), 1):
        rows.append(f"{number},{start + 1},00:00:00.000,0,{stop},00:00:00.000")
    path.write_text("\n".join(rows))
    return path
