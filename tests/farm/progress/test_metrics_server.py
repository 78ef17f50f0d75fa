"""The last word of a job waits to be fetched, where anyone ever fetched anything."""

import re
import threading
import time
from contextlib import suppress
from urllib.request import urlopen

import pytest

from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import MetricsServer
from farm.progress.progress import Progress

LONG = 60.0


def fetch(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read(), "utf-8")


def test_the_last_word_waits_until_it_is_fetched() -> None:
    fetched: list[str] = []

    def scrape(port: int) -> None:
        with suppress(OSError):  # it has gone
            while True:
                fetched.append(fetch(port))

    began = time.monotonic()
    progress = Progress("kid")
    with MetricsServer(FilmMetrics(progress)) as served:
        port = served.serve(0, lingers=LONG)
        fetch(port)
        scraper = threading.Thread(target=scrape, args=(port,))
        progress.last_progress = 7.0
        scraper.start()
    scraper.join()
    assert 'film_farm_last_progress_timestamp_seconds{job="kid"} 7.0' in fetched[-1]
    assert time.monotonic() - began < LONG / 2


@pytest.mark.parametrize(("lingers", "scraped"), [(LONG, False), (0.1, True)])
def test_nobody_waits_for_nobody(lingers: float, scraped: bool) -> None:
    began = time.monotonic()
    with MetricsServer(FilmMetrics(Progress("kid"))) as served:
        port = served.serve(0, lingers=lingers)
        if scraped:
            fetch(port)
    assert time.monotonic() - began < LONG / 2


def test_who_is_interrupted_does_not_wait() -> None:
    began = time.monotonic()
    served = MetricsServer(FilmMetrics(Progress("kid")))
    fetch(served.serve(0, lingers=LONG))
    served.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert time.monotonic() - began < LONG / 2


def test_a_port_that_is_taken_is_told() -> None:
    with MetricsServer(FilmMetrics(Progress("kid"))) as first, MetricsServer(FilmMetrics(Progress("kid"))) as other:
        wished = first.serve(0, "0.0.0.0")
        said = re.fullmatch(rf"metrics on port (\d+), for Prometheus \({wished} is taken\)", other.serve_wished(wished))
        assert said
        assert int(said[1]) != wished
        assert 'job="kid"' in fetch(int(said[1]))
