"""A command that is asked to stop while its store does not answer: it ends within ten seconds, and at a second signal at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from farm.progress.lease_control import lease_on_job
from jobs.ledger.driver_log import DriverLog
from jobs.ledger.ledger import Ledger
from jobs.store import open_store
from tests.farm.shell import Running
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.proxy import FaultyProxy, Rule
from tests.s3 import MotoServer

MOST_SECONDS = 10.0


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=220, size=(96, 64)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def slow_job(film: Path, folder: Path, store: str) -> Path:
    look = {"name": "test-window", "settings": {"radius": 200, "declared": 200}}
    spec = spec_of(film, folder, look=look, chunk_seconds=0.2, workers={"count": 1}, store=store)
    (folder / "job.json").write_text(spec.model_dump_json())
    return folder / "job.json"


@pytest.mark.minutes
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_silent_store_is_not_waited_for(
    film: Path,
    tmp_path: Path,
    number: signal.Signals,
    s3_server: MotoServer,
    s3_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FaultyProxy(s3_server) as proxy:
        for name, value in proxy.env.items():
            monkeypatch.setenv(name, value)
        spec, store = slow_job(film, tmp_path, f"s3://{s3_bucket}/work"), open_store(f"s3://{s3_bucket}/work")
        with Running(tmp_path, "render", spec) as render:
            render.until(lambda: any("/records/" in name for name in store.list("")))
            proxy.rules.append(Rule("silence"))
            render.until(lambda: proxy.tally["silence"] >= 3)
            began = time.monotonic()
            os.kill(render.process.pid, number)
            said = render.said()
            assert time.monotonic() - began < MOST_SECONDS
            assert said.code == 130
            assert said.sentence == "Stopped. Finished work is kept; the same command resumes from here."
            assert render.left_running() == []


def test_whoever_watches_stops_watching_and_no_more(tmp_path: Path) -> None:
    ledger = Ledger.at(f"{tmp_path}/store", "film")
    with lease_on_job(ledger), DriverLog(ledger) as log:
        log.note("render: 1 of 2 frames")
        log.write()
        with Running(tmp_path, "watch", f"{tmp_path}/store/film") as watch:
            watch.until(lambda: "render: 1 of 2" in watch.so_far())
            watch.process.send_signal(signal.SIGTERM)
            said = watch.said()
    assert (said.code, said.sentence) == (130, "No longer watching: the job goes on as it was.")


@pytest.mark.timeout(900)
def test_a_second_signal_ends_it_at_once(film: Path, tmp_path: Path) -> None:
    """The process is not on its way to the end at all when the first comes: it waits for a worker, and its way out takes seconds."""
    spec = slow_job(film, tmp_path, f"{tmp_path}/store")
    with Running(tmp_path, "render", spec) as render:
        render.until(lambda: "metrics on port" in render.so_far())
        render.until(lambda: any("raylet" in name for _, name in render.living()))
        render.process.send_signal(signal.SIGSTOP)  # both signals find it as busy as can be
        began = time.monotonic()
        render.process.send_signal(signal.SIGTERM)
        render.process.send_signal(signal.SIGCONT)
        while render.process.poll() is None:
            if time.monotonic() - began > 1.0:
                render.process.send_signal(signal.SIGTERM)
        assert render.said().code == 130
        assert time.monotonic() - began < 5.0
        assert render.left_running() == []
