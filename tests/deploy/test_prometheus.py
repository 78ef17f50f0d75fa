"""Prometheus as it is deployed: promtool on its files, and a real one that reads a farm at work and answers every panel and rule."""

from __future__ import annotations

import ast
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from ray.autoscaler._private.prom_metrics import AutoscalerPrometheusMetrics
from ray.dashboard import consts

from farm.fleet.calls import PoolSize, PoolSpec
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MetricsServer
from farm.progress.progress import Progress
from farm.progress.training_console import TrainingProgress
from farm.progress.training_metrics import TrainingMetrics
from jobs.records.orders import DeviceUsage, Starved
from jobs.records.training import CheckpointSaved, StepDone
from jobs.spec.cost import Cost
from jobs.store.traffic import Traffic
from tests.deploy.prometheus import ABSENT, PROMETHEUS, PROMTOOL, Prometheus
from tests.deploy.shown import ALERT_TESTS, DEPLOY, RULES, asked_by_panels, asked_by_rules, metrics_in, rules
from tests.farm.progress.test_console import film as film_of
from tests.farm.progress.test_console import plan_of
from tests.farm.progress.test_training_console import RECIPE
from tests.farm.shell import DEADLINE, Running
from tests.films import Recipe

pytestmark = pytest.mark.skipif(not (PROMETHEUS and PROMTOOL), reason=ABSENT)


def promtool(*words: str | Path) -> None:
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted((DEPLOY / "prometheus").glob("*.yml")), ids=lambda path: path.name)
def test_the_configuration_is_one(path: Path) -> None:
    promtool("check", "config", path)


def test_the_rules_are_rules() -> None:
    promtool("check", "rules", *RULES)


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", *ALERT_TESTS)


def test_every_alert_says_how_bad_it_is_and_what_to_do_and_is_tested() -> None:
    tested = "".join(path.read_text() for path in ALERT_TESTS)
    for rule in rules():
        if alert := rule.get("alert"):
            assert rule["labels"]["severity"] in ("critical", "warning"), alert
            assert set(rule["annotations"]) == {"summary", "action"}, alert
            assert f"alertname: {alert}\n        exp_alerts:" in tested, f"no test has {alert} fire"


class Rendering(NamedTuple):
    """`farm render` at work, and where it is scraped."""

    command: Running
    driver: str


@pytest.fixture(scope="module")
def port() -> int:
    """Where the film's driver will be scraped."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
        return found


@pytest.fixture(scope="module")
def film(port: int, scraping: Scraping, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rendering]:
    """The film "kid", one shot in three chunks with two seams: all is rendered, but its finisher stands still.

    It begins when Prometheus is at work already, which so sees its counters begin at nought.
    """
    folder = tmp_path_factory.mktemp("film")
    spec = {
        "name": "kid",
        "source": str(Recipe(frames=72, size=(96, 64), rate=Fraction(24)).make(folder / "film.mp4")),
        "store": str(folder / "store"),
        "output": str(folder / "out"),
        "look": {"name": "test-drift", "settings": {"warmup": 4, "dissolve": 4}},
        "chunk_seconds": 1,
        "workers": {"count": 1},
        "cost": {"gpu_hour": 2.5, "cpu_hour": 0.05, "most": 120},
        "deliverables": [{"codec": "ffv1"}],
    }
    (folder / "job.json").write_text(json.dumps(spec))
    with Running(folder, "render", folder / "job.json", "--metrics-port", port) as command:
        command.until(lambda: bool(finishers(command)))
        for pid in finishers(command):
            os.kill(pid, signal.SIGSTOP)
        yield Rendering(command, f"127.0.0.1:{port}")


def finishers(command: Running) -> list[int]:
    """Processes that deliver the film: idle ones are called by their class, others by their verb."""
    return [pid for pid, name in command.living() if name.lower().startswith("ray::finisher")]


class Farm:
    """A film to which everything happens that may go wrong, a training and a Ray node, as far as Prometheus can see."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self.film = Progress("unlucky", Cost(gpu_hour=2.5, most=120.0))
        self.training = TrainingProgress(RECIPE)
        self.film.opened(film_of(1000), "colorize")
        self.film.planned(plan_of(500, 500), whole=True)
        self.film.quarantined_chunks, self.film.stand_in_frames = 1, 24
        self.film.enter_stage("survey")
        self.film.enter_stage("render")
        views = (FilmMetrics(self.film), TrainingMetrics(self.training))
        served = [self._open.enter_context(MetricsServer(view)) for view in views]
        self.drivers = [f"127.0.0.1:{server.serve(0)}" for server in served]
        self.nodes = [self._serve(_ray_node()), self._serve(_autoscaler())]
        self.work()

    def work(self) -> None:
        """Some more is done of everything."""
        self.film.rendered(10)
        self.film.worked(DeviceUsage(busy=3.0, starved=dict.fromkeys(get_args(Starved), 0.5)), None)
        self.film.pool_resized(
            PoolSpec("renderer", "builtins:object", gpus=1, cpus=4), PoolSize(ready=2, warming=0, pending=1)
        )
        self.film.moved(Traffic(bytes_read=9, bytes_written=9, requests={"read": 1}))
        self.film.dissolved(80, 0.01)
        reasons: tuple[Literal["error", "loss", "preemption"], ...] = ("error", "loss", "preemption")
        for reason in reasons:
            self.film.retried("renderer", reason)
        self.training.step_done(StepDone(step=self.training.step + 1, phase="long", losses={"l1": 0.5}))
        self.training.saved(CheckpointSaved(step=3, figures={"dE00": 11.0}, verdict=1.0, best=True))
        self.training.lost()

    def close(self) -> None:
        self._open.close()

    def _serve(self, registry: CollectorRegistry) -> str:
        server, thread = start_http_server(0, "127.0.0.1", registry)
        for close in (thread.join, server.server_close, server.shutdown):  # the last is called first
            self._open.callback(close)
        return f"127.0.0.1:{server.server_port}"


def _ray_node() -> CollectorRegistry:
    """A node's metrics by the names and labels that the installed Ray declares, as its agent exports them."""
    registry = CollectorRegistry()
    # Read, not imported: that module wants what only Ray's dashboard needs.
    declared = ast.parse(Path(consts.__file__).with_name("modules").joinpath("reporter/reporter_agent.py").read_text())
    for node in ast.walk(declared):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Gauge":
            name, says, _, columns = node.args
            assert isinstance(name, ast.Constant)
            assert isinstance(says, ast.Constant)
            assert isinstance(columns, ast.Name)
            labels: list[str] = getattr(consts, columns.id)
            gauge = Gauge("ray_" + str(name.value), str(says.value), labels, registry=registry)
            gauge.labels(*["0"] * len(labels)).set(1)
    return registry


def _autoscaler() -> CollectorRegistry:
    metrics = AutoscalerPrometheusMetrics(session_name="session")
    for nodes in (metrics.active_nodes, metrics.pending_nodes, metrics.recently_failed_nodes):
        nodes.labels(SessionName="session", NodeType="gpu").set(1)
    return metrics.registry


class Scraping(NamedTuple):
    """Prometheus at work, and a farm of which it reads."""

    prometheus: Prometheus
    farm: Farm


@pytest.fixture(scope="module")
def scraping(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraping]:
    farm = Farm()
    drivers = [f"127.0.0.1:{port}", *farm.drivers]
    with Prometheus(tmp_path_factory.mktemp("prometheus"), drivers=drivers, nodes=farm.nodes) as running:
        yield Scraping(running, farm)
    farm.close()


@pytest.fixture(scope="module")
def prometheus(film: Rendering, scraping: Scraping) -> Prometheus:
    running = scraping.prometheus
    recorded = {rule["record"] for rule in rules() if "record" in rule}

    def all_has_happened() -> bool:
        assert film.command.process.poll() is None, film.command.so_far()
        scraping.farm.work()
        return bool(running.ask('film_farm_seams_total{job="kid"} == 2')) and all(map(running.ask, recorded))

    running.wait_for(all_has_happened, seconds=DEADLINE)
    return running


def shown(prometheus: Prometheus, expression: str) -> None:
    """An expression has samples; a scrape that came too late on a busy machine takes them away until the next."""
    try:
        prometheus.wait_for(lambda: prometheus.ask(expression), seconds=10)
    except AssertionError as error:
        raise AssertionError(f"nothing answers {expression}") from error


def test_every_metric_of_a_panel_or_rule_is_there(prometheus: Prometheus) -> None:
    named = {
        name for asked in (asked_by_panels(), asked_by_rules()) for expr in asked.values() for name in metrics_in(expr)
    }
    assert len(named) > 20
    for name in sorted(named):
        shown(prometheus, name)


@pytest.mark.parametrize("where", asked_by_panels())
def test_every_panel_shows_something(prometheus: Prometheus, where: str) -> None:
    shown(prometheus, asked_by_panels()[where])


def test_every_rule_is_answered(prometheus: Prometheus) -> None:
    for expression in asked_by_rules().values():
        prometheus.ask(expression)  # raises where it is refused; alerts have no samples while all is well


def test_a_films_name_is_its_label(prometheus: Prometheus) -> None:
    shown(prometheus, 'film_farm_frames_done{job="kid"}')
    assert not prometheus.ask('{exported_job=~".+"}')


def test_the_last_word_of_a_film_is_scraped(prometheus: Prometheus, film: Rendering) -> None:
    for pid in finishers(film.command):
        os.kill(pid, signal.SIGKILL)  # another one takes over
    assert film.command.said().code == 0
    seen = "last_over_time({}[5m]) == {}"
    shown(prometheus, seen.format('film_farm_job_state{job="kid", state="delivered"}', 1))
    shown(prometheus, seen.format('film_farm_retries_total{job="kid", crew="finisher", reason="loss"}', 1))
    shown(prometheus, seen.format('film_farm_frames_done{job="kid"}', 72))
