"""A store that an earlier version of the farm has written is gone on with: what is finished is not made again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import av
import pytest

from jobs.store import open_store
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import spec_of
from tests.s3 import MotoServer

WRITTEN = Path(__file__).with_name("store.zip")
"""A film of 24 frames and the store of its job: four chunks, `none`, ffv1; by the commit 317f9d5."""
FRAMES = 24


@pytest.fixture
def place(s3_server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket that the store names, for a source's place is part of its job."""
    for name, value in s3_server.env.items():
        monkeypatch.setenv(name, value)
    s3_server.ask("PUT", "/frozen")
    return "s3://frozen"


def _luma(data: Path) -> list[bytes]:
    with av.open(str(data)) as film:
        return [bytes(frame.to_ndarray()[: frame.height]) for frame in film.decode(video=0)]


def test_what_is_finished_is_not_made_again(place: str, tmp_path: Path) -> None:
    store = open_store(place)
    with zipfile.ZipFile(WRITTEN) as written:
        lost = next(name for name in written.namelist() if "/media/" in name)
        before = written.namelist()
        for name in before:
            if name != lost:
                store.write(name, written.read(name))
    fleet = InlineFleet()
    film = rendered(spec_of(f"{place}/film.mp4", place, chunk_seconds=0.25), fleet)
    assert film.report().conforms
    assert (fleet.verbs()["pages"], fleet.verbs()["cuts"], fleet.verbs()["render"]) == (0, 0, 1)
    fresh = {name.split("/")[2] for name in {*store.list("store/film/")} - {*before}}
    assert not fresh & {"survey", "chunks", "media", "records", "stills"}
    source, made = tmp_path / "film.mp4", tmp_path / "film.mkv"
    source.write_bytes(store.read("film.mp4"))
    made.write_bytes(store.read("out/film.mkv"))
    assert len(_luma(made)) == FRAMES
    assert _luma(made) == _luma(source)
