"""The books: counts that survive the driver, worker seconds, and the cap at which a job stops and goes on."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from farm.fleet.calls import PoolSize, PoolSpec
from farm.progress.accounting import UsageAccounting
from farm.progress.console import ProgressConsole
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MetricsServer
from farm.progress.plain_console import PlainConsole
from farm.progress.progress import Progress
from jobs.errors import FilmFailed, Stopped
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import NAME, WRITE_SECONDS, JobState, MeasuredThroughput, Usage, keep_tally, read_tally
from jobs.records.orders import DeviceUsage
from jobs.spec.cost import Cost
from jobs.spec.job import JobSpec
from jobs.store.traffic import Traffic, drain
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import spec_of
from tests.films import Recipe

RENDERER = PoolSpec("renderer", "builtins:object", gpus=0.5, cpus=4)
SPLITTER = PoolSpec("splitter", "builtins:object", cpus=1)
PRICES = Cost(currency="USD", gpu_hour=3.0, cpu_hour=0.5, most=10.0)
HOUR = 3600.0


class Desk:
    """The progress of one job, its views, and a clock that the test turns."""

    def __init__(self, ledger: Ledger, prices: Cost | None = None) -> None:
        self.now = 0.0
        self.paper = io.StringIO()
        self.progress = Progress("film", prices, self.clock)
        self.accounting = UsageAccounting(ledger, self.progress)
        self.metrics = MetricsServer(FilmMetrics(self.progress, self.accounting.before_scrape))
        console = PlainConsole(file=self.paper, width=1000)
        self.console = ProgressConsole(self.progress, console=console, each_tick=(self.accounting.tick,))
        drain()

    def open(self) -> AbstractContextManager[None]:
        return self.accounting.open(self.console.note)

    def clock(self) -> float:
        return self.now

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"film_farm_{name}", {"job": "film", **labels})

    def state(self) -> str:
        return next(one for one in ("working", "delivered", "failed", "stopped") if self.sample("job_state", state=one))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(str(tmp_path), "film")


def kept(ledger: Ledger) -> Usage:
    found = read_tally(ledger)
    assert found
    return found


def test_every_count_goes_on_in_the_next_run(ledger: Ledger) -> None:
    pace = MeasuredThroughput(look="colorize", network="ab", hardware="L4", megapixels=2.0, frames=10, seconds=1.5)
    for run in (1, 2):
        desk = Desk(ledger, PRICES)
        with desk.open():
            desk.console.pool_resized(RENDERER, PoolSize(ready=1, warming=1, pending=7))
            desk.console.stage("render")
            desk.now += 60.0
            desk.console.pool_resized(RENDERER, PoolSize(ready=0, warming=0, pending=0))
            desk.now += 1000.0  # nobody is there, nobody is paid
            desk.console.rendered(24)
            desk.console.worked(DeviceUsage(busy=3.0, starved={"read": 0.5}), pace)
            desk.console.retried("renderer", "chunk 1", ValueError("odd"), 1)
            desk.console.lost("splitter", "chunk 2", "node gone", free=True)
            desk.console.moved(Traffic(bytes_read=7, requests={"read": 1}))
            desk.console.dissolved(80, 0.25)
            desk.console.dissolved(80, 0.25)  # of another encoding
            desk.console.dissolved(160 * run, 0.75 / run)
            desk.console.stage("stitch")
        assert desk.sample("frames_rendered_total") == 24 * run
        assert desk.sample("gpu_busy_seconds_total") == 3.0 * run
        assert desk.sample("gpu_starved_seconds_total", reason="read") == 0.5 * run
        assert desk.sample("retries_total", crew="renderer", reason="error") == run
        assert desk.sample("retries_total", crew="splitter", reason="preemption") == run
        assert desk.sample("stage_seconds_total", stage="render") == 1060.0 * run
        assert desk.sample("worker_seconds_total", crew="renderer") == 120.0 * run
        assert desk.sample("worker_gpu_seconds_total") == 60.0 * run
        assert desk.sample("worker_cpu_seconds_total") == 480.0 * run
        assert desk.sample("cost", currency="USD") == pytest.approx((60 * 3.0 + 480 * 0.5) / HOUR * run)
        assert desk.sample("cost_most", currency="USD") == 10.0
        assert desk.sample("seams_total") == 2 * run
        assert desk.sample("seam_difference_max_ratio") == 0.75
    assert desk.sample("seam_difference_ratio") == pytest.approx((0.25 + 0.75 + 0.25 + 0.375) / 4)
    tally = kept(ledger)
    assert tally.paces == (pace.model_copy(update={"frames": 20, "seconds": 3.0}),)
    assert (tally.state, tally.currency, tally.traffic.bytes_read >= 14) == ("delivered", "USD", True)


def test_what_is_scraped_is_on_paper_first(ledger: Ledger) -> None:
    desk = Desk(ledger)
    with desk.metrics, desk.open():
        desk.console.rendered(24)
        with urlopen(f"http://127.0.0.1:{desk.metrics.serve(0)}/metrics", timeout=10) as answer:
            assert b'film_farm_frames_rendered_total{job="film"} 24.0' in answer.read()
        assert kept(ledger).frames_rendered == 24
        assert kept(ledger).state == "working"


def test_the_tally_is_written_every_ten_seconds(ledger: Ledger) -> None:
    desk = Desk(ledger)
    with desk.open():
        desk.console.tick()
        assert ledger.read(NAME) is None
        desk.now += WRITE_SECONDS
        desk.console.tick()
        assert desk.accounting._writing
        desk.accounting._writing.result()
        assert kept(ledger).updated > 1.7e9


@pytest.mark.parametrize(
    ("error", "state"),
    [(None, "delivered"), (FilmFailed("no"), "failed"), (Stopped("no"), "stopped"), (KeyboardInterrupt(), "stopped")],
)
def test_how_a_run_ends_can_be_seen(ledger: Ledger, error: BaseException | None, state: JobState) -> None:
    desk = Desk(ledger)
    with pytest.raises(type(error)) if error else desk.metrics, desk.open():
        assert desk.state() == "working"
        if error:
            raise error
    assert desk.state() == kept(ledger).state == state


def damage(ledger: Ledger) -> None:
    ledger.store.write(ledger.key(NAME), b'{"kind": "tally", "frames_rendered": 7')


def lose(ledger: Ledger) -> None:
    ledger.store.write(ledger.key("records/ab.json"), b"{}")


@pytest.mark.parametrize(("harm", "says"), [(damage, "is damaged"), (lose, "is not there")])
def test_without_its_tally_a_job_counts_from_nought_and_says_so(
    ledger: Ledger, harm: Callable[[Ledger], None], says: str
) -> None:
    harm(ledger)
    desk = Desk(ledger)
    with desk.open():
        desk.console.rendered(1)
    assert f"film/tally.json {says}: what this job counts and costs begins at nought." in desk.paper.getvalue()
    assert kept(ledger).frames_rendered == 1


def test_a_new_job_says_nothing_of_a_tally(ledger: Ledger) -> None:
    desk = Desk(ledger)
    with desk.open():
        pass
    assert "tally" not in desk.paper.getvalue()


def test_a_job_stops_at_its_cap_and_goes_on_when_it_is_raised(ledger: Ledger) -> None:
    desk = Desk(ledger, PRICES)
    says = r"^The job 'film' has cost 12\.00 USD, and cost\.most is 10\.00: it stops here; .*: raise cost\.most, and the same command resumes\.$"

    def work() -> None:
        with desk.open():
            desk.console.pool_resized(SPLITTER, PoolSize(ready=0, warming=0, pending=5))
            desk.console.pool_resized(RENDERER, PoolSize(ready=2, warming=0, pending=0))
            desk.now += HOUR
            desk.console.tick()
            assert "7.00 USD" in desk.console.sentence()
            desk.now += HOUR * 5 / 7
            desk.console.tick()

    with pytest.raises(FilmFailed, match=says):
        work()
    assert desk.state() == "failed"
    desk = Desk(ledger, PRICES)
    with pytest.raises(FilmFailed, match=says), desk.open():
        raise AssertionError("nobody is hired for nothing")
    desk = Desk(ledger, PRICES.model_copy(update={"most": 13.0}))
    with desk.open():
        desk.console.tick()
    assert kept(ledger).cost == pytest.approx(12.0)


def test_another_price_is_that_of_the_whole_job(ledger: Ledger) -> None:
    keep_tally(ledger, Usage(updated=1.0, gpu_seconds=2 * HOUR, cost=99.0, currency="EUR"))
    desk = Desk(ledger, PRICES)
    with desk.open():
        assert desk.sample("cost", currency="USD") == 6.0


class Paid(InlineFleet):
    """A fleet whose renderer takes an hour for each finding, and is watched."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def run(self, calls: Any, then: Any) -> Iterator[Any]:
        self._desk.console.pool_resized(RENDERER, PoolSize(ready=1, warming=0, pending=0))
        for found in super().run(calls, then):
            yield found
            self._desk.now += HOUR
            self._desk.console.tick()


def carried(spec: JobSpec, most: float) -> Desk:
    ledger = Ledger.at(spec.store, spec.name)
    desk = Desk(ledger, Cost(gpu_hour=2.0, most=most))
    with desk.open():
        assert rendered(spec, Paid(desk), desk.console).report().conforms
    return desk


def test_a_film_that_reached_its_cap_is_finished_later_and_nothing_is_made_twice(tmp_path: Path) -> None:
    film = Recipe(frames=60, size=(96, 64)).make(tmp_path / "film.mp4")
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    with pytest.raises(
        FilmFailed, match=r"has cost 20\.00 EUR, and cost.most is 20\.00: it stops here; \d+ of 60 frames"
    ):
        carried(spec, most=20.0)
    first = kept(Ledger.at(spec.store, spec.name))
    assert 0 < first.frames_rendered < 60
    desk = carried(spec, most=1000.0)
    last = kept(Ledger.at(spec.store, spec.name))
    assert last.cost is not None
    assert last.cost > 20.0
    assert (
        first.frames_rendered + desk.progress.done_frames - desk.progress.resumed_frames == last.frames_rendered == 60
    )
    assert last.traffic.bytes_written > film.stat().st_size / 2
    (pace,) = last.paces
    assert (pace.look, pace.megapixels) == ("none", 0.006144)
    assert pace.frames >= 60
    assert pace.seconds > 0
    assert pace.hardware
