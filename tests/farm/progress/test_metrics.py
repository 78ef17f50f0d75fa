"""Metrics, scraped as Prometheus would."""

import socket
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from farm.fleet.calls import PoolSize
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MORE_PORTS
from jobs.records.orders import DeviceUsage


@pytest.fixture
def metrics() -> Iterator[FilmMetrics]:
    with FilmMetrics("nosferatu") as metrics:
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


def test_numbers_arrive_as_they_are(metrics: FilmMetrics) -> None:
    metrics.describe("film.mkv", "colorize")
    metrics.planned(100, 3)
    metrics.planned(250, 5)
    metrics.done(50, by_this_run=False)
    metrics.done(20)
    metrics.chunks({"waiting": 4, "done": 1})
    metrics.workers("renderer", PoolSize(ready=2, warming=0, pending=1))
    metrics.retried("renderer", "loss")
    metrics.retried("renderer", "loss")
    metrics.stage("survey", 1.5)
    found = scrape(metrics.serve(0))
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


def test_the_seconds_of_generators_add_up(metrics: FilmMetrics) -> None:
    metrics.worked(DeviceUsage(busy=6.0, starved={"read": 1.0, "write": 0.25, "call": 0.0}))
    metrics.worked(DeviceUsage(busy=1.5, starved={"read": 0.0, "write": 0.25, "call": 1.0}))
    found = scrape(metrics.serve(0))
    starved = {
        reason: found[f"film_farm_gpu_starved_seconds_total{{{reason}}}"] for reason in ("read", "write", "call")
    }
    assert starved == {"read": 1.0, "write": 0.5, "call": 1.0}
    assert found["film_farm_gpu_busy_seconds_total"] / (found["film_farm_gpu_busy_seconds_total"] + 2.5) == 0.75


def test_what_has_not_happened_is_nought_not_absent(metrics: FilmMetrics) -> None:
    found = scrape(metrics.serve(0))
    assert found["film_farm_gpu_busy_seconds_total"] == found["film_farm_gpu_starved_seconds_total{call}"] == 0
    assert found["film_farm_frames_total"] == found["film_farm_frames_rendered_total"] == 0


def test_the_numbers_go_on_while_they_are_served(metrics: FilmMetrics) -> None:
    port = metrics.serve(0)
    before = scrape(port)["film_farm_frames_rendered_total"]
    metrics.done(7)
    assert scrape(port)["film_farm_frames_rendered_total"] == before + 7


def test_a_busy_port_is_no_reason_to_stop(metrics: FilmMetrics) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        port = metrics.serve(taken)
        assert port != taken
        if taken + MORE_PORTS < 1 << 16:
            assert taken < port <= taken + MORE_PORTS, "Prometheus is told of a few in a row"
        assert "film_farm_frames_total" in scrape(port)


def test_a_free_port_is_taken_and_given_back(metrics: FilmMetrics) -> None:
    port = metrics.serve(0)
    metrics.close()
    with pytest.raises(OSError, match="refused"):
        scrape(port)
    assert metrics.serve(port) == port
    assert scrape(port)


def test_an_address_of_another_machine_is_refused(metrics: FilmMetrics) -> None:
    with pytest.raises(OSError, match="assign"):
        metrics.serve(0, "192.0.2.77")


def test_two_jobs_in_one_process_do_not_meet(metrics: FilmMetrics) -> None:
    with FilmMetrics("nosferatu") as other:
        other.done(5)
        assert scrape(metrics.serve(0))["film_farm_frames_rendered_total"] == 0
