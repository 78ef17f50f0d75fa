"""One contract, two stores: every test here runs over a folder and over S3 (moto). Then what only a folder can do wrong."""

import errno
import multiprocessing
import os
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier as ProcessBarrier
from pathlib import Path
from threading import Barrier, Event

import pytest

from jobs.errors import BadStore, StoreFault
from jobs.store import FolderStore, Store, open_store
from jobs.store.protocol import told

MIB = 1 << 20


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    return open_store(f"s3://{request.getfixturevalue('s3_bucket')}/some/prefix/")


# whole objects or none


def test_what_is_written_is_read(store: Store) -> None:
    assert store.write("job/records/a.json", b"one")
    assert store.read("job/records/a.json") == b"one"
    assert store.write("job/records/a.json", b"two")
    assert store.read("job/records/a.json") == b"two"
    assert store.write("empty", b"")
    assert store.read("empty") == b""


def test_a_stores_own_clock_is_told_and_nothing_is_left(store: Store) -> None:
    assert abs(store.clock() - time.time()) < 60  # one machine's
    assert list(store.list("")) == []


def test_the_first_of_two_writes_holds(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"late")
    assert store.write("a", b"first", only_if_absent=True)
    assert not store.write("a", b"late", only_if_absent=True)
    assert not store.write_file("a", tmp_path / "file", only_if_absent=True)
    assert store.read("a") == b"first"


def test_one_of_eight_threads_wins(store: Store) -> None:
    barrier = Barrier(8)

    def create(number: int) -> list[bool]:
        barrier.wait()
        return [store.write(f"race/{key}", b"%d" % number, only_if_absent=True) for key in range(10)]

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    for key in range(10):
        winners = [number for number in range(8) if won[number][key]]
        assert [store.read(f"race/{key}")] == [b"%d" % number for number in winners]
    assert len(list(store.list(""))) == 10


def _create_many(store: Store, barrier: ProcessBarrier, say: Connection, number: int) -> None:
    store.stat("race/0")  # reach the store, so that both begin at once
    barrier.wait(60)
    say.send([store.write(f"race/{key}", b"%d" % number, only_if_absent=True) for key in range(30)])


def test_one_of_two_processes_wins(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, won = context.Barrier(2), []
    ends = [context.Pipe(duplex=False) for _ in range(2)]
    processes = [
        context.Process(target=_create_many, args=(store, barrier, say, number)) for number, (_, say) in enumerate(ends)
    ]
    for process in processes:
        process.start()
    for process, (hear, _) in zip(processes, ends, strict=True):
        assert hear.poll(60)
        won.append(hear.recv())
        process.join(60)
    for key in range(30):
        winners = [number for number in range(2) if won[number][key]]
        assert [store.read(f"race/{key}")] == [b"%d" % number for number in winners]


def test_a_reader_sees_one_whole_object_while_it_is_overwritten(store: Store) -> None:
    store.write("a", b"\0" * MIB)
    done = Event()

    def overwrite() -> None:
        for turn in range(1, 11):
            store.write("a", bytes([turn]) * MIB)
        done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(overwrite)
        while not done.is_set() and not writing.done():
            seen = store.read("a")
            assert seen == seen[:1] * MIB
        writing.result()


def test_a_file_that_is_missing_writes_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadStore, match="gone"):
        store.write_file("a", tmp_path / "gone")
    assert store.stat("a") is None
    assert list(store.list("")) == []


# reading


def test_a_large_file_goes_in_whole_and_is_read_in_ranges(store: Store, tmp_path: Path) -> None:
    data = os.urandom(MIB) * 20 + b"tail"
    (tmp_path / "film").write_bytes(data)
    assert store.write_file("media/film", tmp_path / "film", only_if_absent=True)
    assert not store.write_file("media/film", tmp_path / "film", only_if_absent=True)
    with store.open("media/film") as stream:
        assert stream.seekable()
        assert stream.read(10) == data[:10]
        assert stream.seek(-4, os.SEEK_END) == len(data) - 4
        assert stream.read(100) == b"tail"
        assert stream.read(1) == b""
        assert stream.seek(5 * MIB - 3) == stream.tell()
        assert stream.read(3 * MIB) == data[5 * MIB - 3 : 8 * MIB - 3]
        stream.seek(-MIB, os.SEEK_CUR)
        assert stream.read() == data[7 * MIB - 3 :]
        with pytest.raises((OSError, ValueError)):
            stream.seek(-1)


def test_the_version_changes_with_the_object(store: Store) -> None:
    store.write("a", b"one")
    before = store.stat("a")
    assert before == store.stat("a")
    store.write("a", b"two")
    after = store.stat("a")
    assert before
    assert after
    assert (before.bytes, after.bytes) == (3, 3)
    assert before.version != after.version


def test_what_is_not_there(store: Store) -> None:
    store.write("a/b", b"")
    for key in ("none", "a", "a/b/c"):
        assert store.stat(key) is None
        store.delete(key)
        with pytest.raises(BadStore, match=f"Cannot read .*{key}"):
            store.read(key)
        with pytest.raises(BadStore, match=f"Cannot read .*{key}"):
            store.open(key)
    assert list(store.list("")) == ["a/b"]


def test_delete_is_harmless_twice(store: Store) -> None:
    store.write("a/b", b"")
    store.delete("a/b")
    store.delete("a/b")
    assert store.stat("a/b") is None
    assert list(store.list("")) == []


# keys


def test_a_listing_is_in_order_and_its_prefix_is_a_string(store: Store) -> None:
    keys = ["a-b", "a/b", "a/c/d", "a0", "ab/x", "b", "ä", "Z", "a/b-1", "with space", "c#?%2F+&"]
    for key in keys:
        store.write(key, b"")
    assert list(store.list("")) == sorted(keys)
    for prefix in ("a", "a/", "a/b", "a/c/", "a/c/d", "ab/", "none", "b/", "c#"):
        assert list(store.list(prefix)) == sorted(key for key in keys if key.startswith(prefix)), prefix


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../../b", "./a", "a/..", "a\0b", "a/.partial-1", "\udcff"]
)
def test_no_key_leaves_the_store(store: Store, key: str, tmp_path: Path) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.read(key),
        lambda: store.open(key),
        lambda: store.write(key, b""),
        lambda: store.write_file(key, tmp_path / "gone"),
        lambda: store.stat(key),
        lambda: store.delete(key),
    ]
    for call in calls:
        with pytest.raises(BadStore):
            call()


@pytest.mark.parametrize("prefix", ["/", "/a", "..", "../", "a/../b"])
def test_no_prefix_leaves_the_store(store: Store, prefix: str) -> None:
    with pytest.raises(BadStore):
        store.list(prefix)


# the store as a whole


def test_check_leaves_nothing(store: Store) -> None:
    store.check()
    assert list(store.list("")) == []


def test_a_store_travels(store: Store) -> None:
    store.write("a", b"here")
    twin = pickle.loads(pickle.dumps(store))
    assert twin.read("a") == b"here"
    assert twin.url == store.url


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store("films/x/").url == str(tmp_path / "films/x")
    assert open_store("file:///a%20b/c/").url == "/a b/c"
    assert open_store("file://localhost/a").url == "/a"
    assert open_store("s3://bucket/a/b/").url == "s3://bucket/a/b"
    assert open_store("s3://bucket").url == "s3://bucket"
    for url in ("", " ", "ftp://x/y", "file://elsewhere/x", "s3://", "s3:///x", "a\0b"):
        with pytest.raises(BadStore):
            open_store(url)


@pytest.mark.parametrize("url", ["s3://KEY:hush@bucket/x", "s3://KEY:hu/sh@bucket/x", "ftp://me:hush@host/x"])
def test_no_credential_is_repeated(url: str) -> None:
    with pytest.raises(BadStore) as refused:
        open_store(url)
    assert "hu" not in str(refused.value)


# only a folder


def test_a_folder_below_a_file_or_in_proc_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file/store", Path("/proc/store")):
        with pytest.raises(BadStore, match=f"Cannot write {place}.*; .*"):
            FolderStore(place).check()
    with pytest.raises(BadStore, match="not a folder"):
        FolderStore(tmp_path / "file").list("")


def test_no_partial_file_stays_or_shows(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (tmp_path / ".partial-of-a-dead-worker").write_bytes(b"half")
    with pytest.raises(BadStore):
        store.write_file("a/b", tmp_path)
    store.write("a/c", b"", only_if_absent=True)
    assert not store.write("a/c", b"", only_if_absent=True)
    assert list(store.list("")) == ["a/c"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["c"]


def test_a_folder_in_an_objects_place_is_refused(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write("a/b", b"")
    for only_if_absent in (False, True):
        with pytest.raises(BadStore):
            store.write("a", b"", only_if_absent=only_if_absent)


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, BadStore, "free some space"),
        (errno.EROFS, BadStore, "choose a folder"),
        (errno.EPERM, BadStore, "hard links"),
        (errno.ESTALE, StoreFault, "Stale"),
        (errno.EIO, StoreFault, "error"),
    ],
)
def test_what_the_disk_says(number: int, kind: type[Exception], advice: str) -> None:
    with pytest.raises(kind, match=f"Cannot write /x: .*{advice}"), told("write", "/x"):
        raise OSError(number, os.strerror(number), "/x/.partial-1")
