"""Credentials stay where they are given: no log, report, metric, paper, sentence or page holds one."""

import re
from pathlib import Path

import pytest

from actors.looks.package import open_package
from farm.cli.inspect import compare_films, describe_film
from farm.cli.sessions import deliver
from farm.ops.clean import CleanOptions, clean
from farm.ops.status import statuses
from farm.specs.spec_files import read_spec, spec_for_film
from jobs.errors import FarmError
from jobs.spec.parser import parse_spec
from jobs.store import open_store
from tests.farm.shell import Running, farm
from tests.farm.specs.test_place_policy import FIELDS, REMOTE, fields_of
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.s3 import MotoServer

KEY_ID, SECRET, TOKEN = "AKIATE11TA1EKEY", "te11Ta1e/secret+of=S3", "te11Ta1e//session+token=="
USER = "te11Ta1e"
TELLTALE = re.compile(rb"te11ta1e|te11%2b|dGUxMVRhMW", re.IGNORECASE)
"""What each of them holds, and how it begins in base 64."""


@pytest.fixture
def telling(s3_server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket, reached with credentials that are known anywhere again."""
    env = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    for name, value in {**s3_server.env, **env}.items():
        monkeypatch.setenv(name, value)
    return s3_server.make_bucket()


@pytest.mark.minutes
def test_a_film_in_s3_tells_none(telling: str, tmp_path: Path) -> None:
    """From bucket to bucket by the real command: what it says, its metrics, and every object that it wrote."""
    place = f"s3://{telling}/farm"
    store = open_store(place)
    store.write_file("film.mp4", Recipe(frames=24, size=(96, 64)).make(tmp_path / "film.mp4"))
    job = tmp_path / "job.json"
    job.write_text(spec_of(f"{place}/film.mp4", place, workers={"count": 1}).model_dump_json())
    with Running(tmp_path, "render", job) as render:
        render.until(lambda: "metrics on port" in render.so_far())
        told = [render.metrics().encode()]
        said = render.said()
    assert said.code == 0, said.err
    names = list(store.list(""))
    assert {"out/film.review/index.html", "out/film.report.json", "store/film/spec.json"} <= set(names)
    told += [said.err.encode(), *map(store.read, names)]
    told += [
        one.model_dump_json().encode()
        for one in (*statuses(f"{place}/store", None), *clean(f"{place}/store", None, CleanOptions()))
    ]
    assert [text for text in told if TELLTALE.search(text)] == []


@pytest.mark.parametrize(
    "place",
    [f"s3://{KEY_ID}:{SECRET}@bucket/film.mp4", f"https://{USER}@host/a.mp4", f"file://user:{SECRET}@host/a.csv", f"x/../s3://a:{TOKEN}@b"],
)  # fmt: skip
@pytest.mark.parametrize("field", FIELDS)
def test_a_url_with_credentials_is_refused_and_not_repeated(place: str, field: str) -> None:
    with pytest.raises(FarmError) as refused:
        deliver(parse_spec({**REMOTE, **fields_of(place)[field]}, "spec"), address="local")
    assert not TELLTALE.search(str(refused.value).encode())
    assert f"{field} carries credentials" in str(refused.value)


def test_the_command_line_repeats_none(tmp_path: Path) -> None:
    place = f"s3://{KEY_ID}:{SECRET}@bucket/film.mp4"
    said = farm("render", place, "--out", tmp_path)
    assert said.code == 2
    assert not TELLTALE.search(said.err.encode()), said.err
    for ask in (
        describe_film,
        open_store,
        open_package,
        read_spec,
        lambda at: statuses(at, None),
        lambda at: compare_films(at, at),
    ):
        with pytest.raises(FarmError) as refused:
            ask(place)
        assert not TELLTALE.search(str(refused.value).encode()), str(refused.value)


@pytest.mark.parametrize(
    "endpoint", [f"http://user:{SECRET}@127.0.0.1:1", f"http://{USER}@127.0.0.1:1/x", f"ftp://a:{SECRET}@b"]
)
def test_an_endpoint_is_not_repeated(telling: str, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(FarmError) as refused:
        open_store(f"s3://{telling}/x").read("key")
    assert not TELLTALE.search(str(refused.value).encode()), str(refused.value)


def test_a_job_name_made_of_a_url_holds_none() -> None:
    with pytest.raises(FarmError) as refused:
        spec_for_film(f"https://u:{SECRET}@host/film.mp4", look="none", out="out", store=None, options={})
    assert not TELLTALE.search(str(refused.value).encode())
