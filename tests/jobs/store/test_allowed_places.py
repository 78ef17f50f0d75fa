"""What a job on a cluster may open is asked as it is opened: by what links lead to then, whatever was written."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from jobs.errors import BadStore
from jobs.store import is_file, open_octets, open_source, open_store, read_small, source_identity
from jobs.store.allowed_places import CONFINED, FOLDERS, LOOKS, PLACES, confined, for_workers, own, proven
from jobs.store.sequence import find_sequence

Opening = Callable[[str], object]


def opened(opening: Callable[[str], str | BinaryIO]) -> Opening:
    def open_and_close(url: str) -> None:
        file = opening(url)
        assert not isinstance(file, str), "libav would follow what a link leads to by then"
        file.close()

    return open_and_close


OF_FILES: tuple[Opening, ...] = (source_identity, opened(open_source), opened(open_octets), read_small, is_file)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is allowed, beside one that is not; this process works on a cluster."""
    for name in ("mine/shots", "others/shots"):
        (tmp_path / name).mkdir(parents=True)
        for number in (1, 2):
            (tmp_path / name / f"f.{number:04}.dpx").write_bytes(b"SDPX" * 9)
    monkeypatch.setenv(FOLDERS, str(tmp_path / "mine"))
    with confined(True):
        yield tmp_path / "mine"


@pytest.mark.parametrize("opening", OF_FILES)
def test_a_file_is_asked_of_as_it_is_opened(here: Path, opening: Opening) -> None:
    file, link = here / "shots/f.0001.dpx", here / "link.dpx"
    link.symlink_to(file)
    for place in (file, link, here / "../mine/link.dpx"):
        opening(str(place))
    link.unlink()
    link.symlink_to("../others/shots/f.0001.dpx")  # it was another when the spec was read
    (here / "gone.dpx").symlink_to("../others/gone.dpx")
    for place in (link, here / "../others/shots/f.0001.dpx", here / "gone.dpx", Path("/etc/passwd")):
        with pytest.raises(BadStore, match="is not among the places"):
            opening(str(place))


@pytest.mark.parametrize("rate", ["24", "24000/1001"])
@pytest.mark.parametrize("named", ["", "/f.%04d.dpx", "/f.####.dpx"])
def test_a_sequence_does_not_point_outside(here: Path, rate: str, named: str) -> None:
    url = f"{here}/shots{named}?rate={rate}"
    with find_sequence(url).open(1 << 16) as movie:
        whole = movie.read()
    (here / "shots/f.0002.dpx").unlink()
    (here / "shots/f.0002.dpx").symlink_to(here / "shots/f.0001.dpx")
    with find_sequence(url).open(1 << 16) as movie:
        assert movie.read() == whole
    (here / "shots/f.0002.dpx").unlink()
    (here / "shots/f.0002.dpx").symlink_to(here.parent / "others/shots/f.0002.dpx")
    for opening in (source_identity, open_source):
        with pytest.raises(BadStore, match="is not among the places"):
            opening(url)
    (here / "way").symlink_to(here.parent / "others/shots")
    with pytest.raises(BadStore, match="is not among the places"):
        source_identity(f"{here}/way{named}?rate={rate}")


def test_a_picture_that_became_a_link_since_it_was_listed_is_not_read(here: Path) -> None:
    found, twin = find_sequence(f"{here}/shots?rate=24000/1001"), here.parent / "others/shots/f.0002.dpx"
    was = (here / "shots/f.0002.dpx").stat()
    (here / "shots/f.0002.dpx").unlink()
    os.utime(twin, ns=(was.st_atime_ns, was.st_mtime_ns))
    (here / "shots/f.0002.dpx").symlink_to(twin)
    with found.open(1 << 16) as movie, pytest.raises(BadStore, match="is not among the places"):
        movie.read()


def test_a_store_is_what_its_link_led_to(here: Path) -> None:
    (here / "work").mkdir()
    (here / "link").symlink_to(here / "work")
    store = open_store(str(here / "link"))
    assert store.url == str(here / "link")
    store.write("a", b"mine")
    (here / "link").unlink()
    (here / "link").symlink_to(here.parent / "others")
    assert store.read("a") == b"mine"
    assert [*store.list("")] == ["a"]
    for place in (here / "link", here.parent / "others", here.parent, Path("/")):
        with pytest.raises(BadStore, match="is not among the places"):
            open_store(str(place))


def test_what_is_open_tells_where_it_lies(here: Path) -> None:
    """The moment between resolving a link and opening it is nobody's."""
    with open(here / "shots/f.0001.dpx", "rb") as mine:
        assert proven(mine, "x") is mine
    others = open(here.parent / "others/shots/f.0001.dpx", "rb")  # noqa: SIM115  # it is closed for us
    with pytest.raises(BadStore, match="x is not among"):
        proven(others, "x")
    assert others.closed


def test_the_library_is_read_and_never_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOOKS, str(here.parent / "others"))
    place = f"{here.parent}/others/shots"
    assert open_store(place, looks=True).stat("f.0001.dpx")
    with pytest.raises(BadStore, match="is not among"):
        open_store(place)
    monkeypatch.setenv(LOOKS, "s3://looks/all")
    open_store("s3://looks/all/one", looks=True)
    monkeypatch.setenv(PLACES, "s3://farm")
    for opening in (open_store, lambda url: open_store("s3://looks/allother", looks=True)):
        with pytest.raises(BadStore, match="is not among"):
            opening("s3://looks/all/one")


def test_what_the_farm_made_itself_is_its_own(here: Path, tmp_path: Path) -> None:
    with pytest.raises(BadStore):
        open_store(str(tmp_path / "plan"))
    open_store(f"{own(tmp_path / 'plan')}/store")


@pytest.mark.parametrize("key", ["a/../b", "..", "a/..", "./a", "a/./b"])
def test_a_key_is_written_out(key: str) -> None:
    for opening in (open_store, *OF_FILES):
        with pytest.raises(BadStore, match="written out"):
            opening(f"s3://bkt/{key}")


def test_workers_are_confined_as_their_driver_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDERS, "/films")
    monkeypatch.setenv(LOOKS, "s3://looks")
    monkeypatch.setenv(PLACES, "s3://farm/a")
    with confined(True):
        told = for_workers()
    assert told == {FOLDERS: "/films", PLACES: "s3://farm/a", LOOKS: "s3://looks", CONFINED: "1"}
    assert for_workers() == {}
    open_store("s3://farm/b")
    with monkeypatch.context() as worker:
        for name, value in told.items():
            worker.setenv(name, value)
        with pytest.raises(BadStore, match="is not among"):
            open_store("s3://farm/b")


def test_who_works_alone_may_open_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACES, "")
    with confined(False):
        open_store(str(tmp_path)).write("a", b"x")
        assert isinstance(open_source(str(tmp_path / "a")), str)
