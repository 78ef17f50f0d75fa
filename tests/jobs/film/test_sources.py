"""Sources of films: their identity, how they are opened, and the sentences for those that are not there."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import BadMedia
from jobs.store import open_source, open_store, read_small, source_identity

MIB = 1 << 20
DATA = bytes(MIB) + os.urandom(3 * MIB + 5)
READERS: list[Callable[[str], object]] = [source_identity, open_source, read_small]


@pytest.fixture(params=["folder", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where sources lie, as a URL."""
    if request.param == "s3":
        return f"s3://{request.getfixturevalue('s3_bucket')}/films"
    return str(tmp_path) if request.param == "folder" else tmp_path.as_uri()


def test_identity(place: str) -> None:
    store = open_store(place)
    store.write("a.mp4", DATA)
    first = source_identity(f"{place}/a.mp4")
    assert first.bytes == len(DATA)
    assert first.ends_sha256 == hashlib.sha256(DATA[:MIB] + DATA[-MIB:]).hexdigest()
    assert source_identity(f"{place}/a.mp4") == first
    store.write("a.mp4", DATA[:-1] + b"!")
    changed = source_identity(f"{place}/a.mp4")
    assert changed.version != first.version
    assert changed.ends_sha256 != first.ends_sha256
    store.write("small.mp4", b"tiny")
    assert source_identity(f"{place}/small.mp4").ends_sha256 == hashlib.sha256(b"tinytiny").hexdigest()


def test_a_local_version_is_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"film")
    assert source_identity(str(path)).version == str(path.stat().st_mtime_ns)


def test_open(place: str) -> None:
    open_store(place).write("a b.mp4", DATA)
    opened = open_source(f"{place}/a b.mp4")
    if isinstance(opened, str):
        assert os.path.isabs(opened)
        assert Path(opened).read_bytes() == DATA
        return
    with opened:
        opened.seek(-5, os.SEEK_END)
        assert opened.read() == DATA[-5:]


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.mp4").write_bytes(b"film")
    assert open_source("a.mp4") == str(tmp_path / "a.mp4")


def test_small_texts(place: str) -> None:
    open_store(place).write("spec.yaml", b"version: 1")
    assert read_small(f"{place}/spec.yaml") == b"version: 1"
    with pytest.raises(BadMedia, match="10 bytes"):
        read_small(f"{place}/spec.yaml", limit=9)


@pytest.mark.parametrize("read", READERS)
def test_missing_empty_and_folders(place: str, read: Callable[[str], object]) -> None:
    store = open_store(place)
    store.write("empty.mp4", b"")
    with pytest.raises(BadMedia, match=rf"^The source {place}/none\.mp4 does not exist; check the path\.$"):
        read(f"{place}/none.mp4")
    with pytest.raises(BadMedia, match="empty"):
        read(f"{place}/empty.mp4")
    with pytest.raises(BadMedia, match="folder"):
        read(f"{place}/")


@pytest.mark.parametrize("read", READERS)
def test_what_a_disk_holds_besides_films(tmp_path: Path, read: Callable[[str], object]) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(BadMedia, match=r"cannot be read: .*symbolic links"):
        read(str(tmp_path / "loop"))
    with pytest.raises(BadMedia, match="no regular file"):
        read(str(tmp_path / "pipe"))
    with pytest.raises(BadMedia, match="does not exist"):
        read(str(tmp_path / "file/a.mp4"))
