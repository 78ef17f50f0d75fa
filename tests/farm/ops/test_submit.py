"""Films on a Ray cluster that asks for its token: submitted, watched, read of, cancelled, from what lies in a bucket; and whatever is wrong with the way there."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from farm.ops.status import statuses
from farm.ops.watch import job_at, watch
from farm.progress.lease_control import cancel_jobs
from farm.progress.plain_console import PlainConsole
from jobs.ledger.driver_log import last_log
from jobs.store import open_store
from jobs.store.allowed_places import FOLDERS
from tests.farm.head import RayHead
from tests.farm.shell import farm
from tests.farm.studio import same, spec_of
from tests.films import Recipe
from tests.s3 import MotoServer
from tests.waiting import poll_until


@pytest.fixture
def head(s3_server: MotoServer, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayHead]:
    """A cluster whose machines find the bucket, and an environment that holds its token."""
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setenv(FOLDERS, "")
    with RayHead(s3_server.env) as head:
        monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
        yield head


def job(film: Path, bucket: str, name: str, **fields: Any) -> Path:
    """A job spec on this machine, its store and output in a bucket."""
    place = f"s3://{bucket}"
    spec = spec_of(film, place, name=name, output=f"{place}/{name}", chunk_seconds=0.5, workers={"count": 1}, **fields)
    path = film.with_name(f"{name}.json")
    path.write_text(spec.model_dump_json())
    return path


@pytest.mark.minutes
@pytest.mark.timeout(900)  # eight processes one after another: minutes on the busiest machine
def test_a_film_goes_to_a_cluster_and_comes_back(
    head: RayHead, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Recipe(frames=24, size=(96, 64)).make(tmp_path / "A film.mp4")
    quick = job(film, s3_bucket, "quick one")
    long = Recipe(frames=2000, size=(96, 64)).make(tmp_path / "long.mp4")  # held while a second one watches it
    slow = job(long, s3_bucket, "slow", look={"name": "test-window", "settings": {"radius": 200, "declared": 200}})

    with monkeypatch.context() as wrong:
        wrong.setenv("RAY_AUTH_TOKEN", "ab" * 32)
        refused = farm("submit", quick, "--address", head.url)
    assert refused.code == 2
    assert refused.sentence.startswith(
        f"--address {head.url}: the cluster refuses the connection; it asks for its own token"
    )

    said = farm("submit", quick, "--address", head.url, "--json")
    assert said.json["began"], said.err
    assert said.json["submission"].startswith("quick-one-2")
    assert "sending 1 file" in said.err
    held = job_at(str(quick))
    assert watch(held, PlainConsole(file=StringIO())) == 0
    log = last_log(held)
    assert log
    assert any(f"delivered s3://{s3_bucket}/quick one/film.mkv" in line for line in log.lines)
    assert [one.state for one in statuses(f"s3://{s3_bucket}/store", None)] == ["delivered"]
    (tmp_path / "made.mkv").write_bytes(open_store(f"s3://{s3_bucket}").read("quick one/film.mkv"))
    same(tmp_path / "made.mkv", film)

    assert farm("submit", slow, "--address", head.url).code == 0
    second = farm("submit", slow, "--address", head.url)
    assert second.code == 2
    assert "The job 'slow' in s3://" in second.sentence
    assert "--take-over" in second.sentence
    cancel_jobs([str(slow)], lambda _: None)
    assert watch(job_at(f"s3://{s3_bucket}/store/slow"), PlainConsole(file=StringIO())) == 130

    def ended() -> bool:
        # The lease says that it is stopped before the driver has told so.
        return "was stopped by `farm cancel`" in farm("logs", slow, "--address", head.url).out

    poll_until(ended, 60)
    screen = farm("logs", slow, "--address", head.url)
    assert screen.code == 0

    everything = "".join(str(open_store(f"s3://{s3_bucket}").read(key)) for key in _texts(s3_bucket))
    assert head.token not in everything + screen.out + said.err + said.out


def _texts(bucket: str) -> list[str]:
    return [key for key in open_store(f"s3://{bucket}").list("") if key.endswith((".json", ".txt"))]
