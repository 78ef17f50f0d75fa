"""Metrics, scraped as Prometheus would."""

import socket
from collections.abc import Iterator
from typing import Literal
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from farm.fleet.calls import PoolSize, PoolSpec
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MORE_PORTS, MetricsServer
from farm.progress.progress import Progress
from jobs.plan.ranges import Range
from jobs.records.orders import DeviceUsage
from jobs.records.quality import FilmQuality, QualityFigure, ShotQuality
from tests.farm.progress.test_console import film, plan_of


@pytest.fixture
def progress() -> Progress:
    return Progress("nosferatu")


@pytest.fixture
def metrics(progress: Progress) -> Iterator[MetricsServer]:
    with MetricsServer(FilmMetrics(progress)) as metrics:
        yield metrics


def scrape(port: int) -> dict[str, float]:
    """Samples by name and labels, `job` left out, which all of them carry."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert sample.labels.pop("job") == "nosferatu"
            rest = ",".join(sample.labels[name] for name in sorted(sample.labels))
            found[f"{sample.name}{{{rest}}}" if rest else sample.name] = sample.value
    return found


def shot(number: int, verdict: Literal["pass", "warn", "fail"], flicker: float) -> ShotQuality:
    figure = QualityFigure(value=flicker, at=0, verdict=verdict)
    return ShotQuality(shot=number, frames=Range(0, 50), measured=50, figures={"flicker": figure})


def test_numbers_arrive_as_they_are() -> None:
    now = [0.0]
    progress = Progress("nosferatu", clock=lambda: now[0])
    progress.enter_stage("survey")
    now[0] += 1.5
    progress.close_stage()
    progress.opened(film(10), "colorize")
    progress.planned(plan_of(100), whole=False)
    progress.planned(plan_of(100, 50, 50, 25, 25), whole=False)
    progress.resumed(50, [1])
    progress.rendered(20)
    progress.pool_resized(PoolSpec("renderer", "builtins:object"), PoolSize(ready=2, warming=0, pending=1))
    progress.retried("renderer", "loss")
    progress.retried("renderer", "loss")
    progress.measured(FilmQuality(shots=(shot(1, "pass", 0.1), shot(2, "warn", 3.0), shot(3, "fail", 9.0))))
    with MetricsServer(FilmMetrics(progress)) as metrics:
        found = scrape(metrics.serve(0))
    verdicts = {name: value for name, value in found.items() if name.startswith("film_farm_quality_shots{flicker")}
    assert verdicts == {"film_farm_quality_shots{flicker,warn}": 1, "film_farm_quality_shots{flicker,fail}": 1}
    assert (found["film_farm_quality_worst{flicker}"], found["film_farm_quality_worst{black}"]) == (9, 0)
    assert found["film_farm_job_info{colorize,film.mkv}"] == 1
    assert found["film_farm_frames_total"] == 250
    assert found["film_farm_shots"] == 5
    assert found["film_farm_frames_done"] == 70
    assert found["film_farm_frames_rendered_total"] == 20
    assert found["film_farm_chunks{waiting}"] == 4
    assert found["film_farm_chunks{done}"] == 1
    assert found["film_farm_workers{renderer,ready}"] == 2
    assert found["film_farm_workers{renderer,pending}"] == 1
    assert found["film_farm_retries_total{renderer,loss}"] == 2
    assert found["film_farm_stage_seconds_total{survey}"] == 1.5
    assert found["film_farm_last_progress_timestamp_seconds"] > 1.7e9


def test_the_seconds_of_generators_add_up(metrics: MetricsServer, progress: Progress) -> None:
    progress.worked(DeviceUsage(busy=6.0, starved={"read": 1.0, "write": 0.25, "call": 0.0}), None)
    progress.worked(DeviceUsage(busy=1.5, starved={"read": 0.0, "write": 0.25, "call": 1.0}), None)
    found = scrape(metrics.serve(0))
    starved = {
        reason: found[f"film_farm_gpu_starved_seconds_total{{{reason}}}"] for reason in ("read", "write", "call")
    }
    assert starved == {"read": 1.0, "write": 0.5, "call": 1.0}
    assert found["film_farm_gpu_busy_seconds_total"] / (found["film_farm_gpu_busy_seconds_total"] + 2.5) == 0.75


def test_what_has_not_happened_is_nought_not_absent(metrics: MetricsServer) -> None:
    found = scrape(metrics.serve(0))
    assert found["film_farm_gpu_busy_seconds_total"] == found["film_farm_gpu_starved_seconds_total{call}"] == 0
    assert found["film_farm_frames_total"] == found["film_farm_frames_rendered_total"] == 0


def test_the_numbers_go_on_while_they_are_served(metrics: MetricsServer, progress: Progress) -> None:
    port = metrics.serve(0)
    before = scrape(port)["film_farm_frames_rendered_total"]
    progress.rendered(7)
    assert scrape(port)["film_farm_frames_rendered_total"] == before + 7


def test_a_busy_port_is_no_reason_to_stop(metrics: MetricsServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        port = metrics.serve(taken)
        assert port != taken
        if taken + MORE_PORTS < 1 << 16:
            assert taken < port <= taken + MORE_PORTS, "Prometheus is told of a few in a row"
        assert "film_farm_frames_total" in scrape(port)


def test_a_free_port_is_taken_and_given_back(metrics: MetricsServer) -> None:
    port = metrics.serve(0)
    metrics.close()
    with pytest.raises(OSError, match="refused"):
        scrape(port)
    assert metrics.serve(port) == port
    assert scrape(port)


def test_an_address_of_another_machine_is_refused(metrics: MetricsServer) -> None:
    with pytest.raises(OSError, match="assign"):
        metrics.serve(0, "192.0.2.77")


def test_two_jobs_in_one_process_do_not_meet(metrics: MetricsServer) -> None:
    other = Progress("nosferatu")
    other.rendered(5)
    with MetricsServer(FilmMetrics(other)):
        assert scrape(metrics.serve(0))["film_farm_frames_rendered_total"] == 0
