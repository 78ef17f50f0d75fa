"""Objects written forward, and renamed: one contract over a folder and S3 (moto). Then what an upload that was broken off keeps."""

import os
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.errors import BadStore, StoreFault
from jobs.store import FolderStore, Stat, Store, Writer, open_store
from jobs.store.s3.copy import copy
from jobs.store.s3.parts import MOST_PARTS, PART, RESERVE, equal_part, growing_part
from jobs.store.s3.store import S3Store
from tests.s3 import FaultyServer, MotoServer, fail, give, requests, reset

MIB = 1 << 20
HEAD = b"\0" * 48


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    return open_store(f"s3://{request.getfixturevalue('s3_bucket')}/some/prefix")


@pytest.fixture
def bucket(s3_bucket: str) -> S3Store:
    return S3Store(s3_bucket, "prefix")


class BreaksOff(Exception):
    """What a muxer meets half-way."""


def film(length: int) -> bytes:
    """Bytes of which no two parts are alike."""
    return np.arange(length // 8, dtype=np.int64).tobytes()


def write(store: Store, key: str, data: bytes, *, stop: int | None = None, anywhere: bool = False) -> None:
    """Write as a muxer does, a little at a time, and the head once more at the end; break off at `stop`."""
    with store.create(key, anywhere=anywhere) as file:
        file.write(HEAD)
        for start in range(len(HEAD), len(data), 3 * MIB + 5):
            if stop is not None and start > stop:
                raise BreaksOff
            file.write(memoryview(data)[start : start + 3 * MIB + 5])
        assert file.tell() == len(data)
        assert file.seek(0) == 0
        file.write(data[: len(HEAD)])
        assert file.seek(0, os.SEEK_END) == len(data)


def deafly(store: Store, move: Callable[[Writer], object]) -> None:
    """Write as a muxer that passes over the first error and goes on."""
    with store.create("film") as file:
        with suppress(BadStore):
            move(file)
        with suppress(BadStore):
            file.write(b"more")


def renamed(store: Store, old: str, new: str) -> bool:
    """Rename what is there now over what is there now."""
    found = store.stat(old)
    assert found
    return store.rename(old, new, found, store.stat(new))


# the contract


@pytest.mark.parametrize("length", [64, PART, PART + 8, 2 * PART, 40 * MIB])
def test_what_is_written_forward_is_read_and_its_head_can_be_written_last(store: Store, length: int) -> None:
    data = film(length)
    write(store, "a/film", data)
    assert store.read("a/film") == data
    assert list(store.list("")) == ["a/film"]


def test_bytes_anywhere_can_be_written_again_where_that_is_asked_for(store: Store) -> None:
    data = bytearray(film(40 * MIB))
    with store.create("film", anywhere=True) as file:
        file.write(data)
        for place in (30 * MIB, 20 * MIB, 5):
            file.seek(place)
            file.write(b"again")
            data[place : place + 5] = b"again"
    assert store.read("film") == data


def test_there_is_nothing_before_the_end_and_nothing_after_an_error(store: Store) -> None:
    store.write("film", b"the old one")
    with pytest.raises(BreaksOff):
        write(store, "film", film(40 * MIB), stop=35 * MIB)
    with pytest.raises(BreaksOff):
        write(store, "film", film(8 * MIB), stop=4 * MIB, anywhere=True)
    with store.create("other") as file:
        file.write(b"whole")
        assert list(store.list("")) == ["film"]
    assert (store.read("film"), store.read("other")) == (b"the old one", b"whole")


def test_a_try_that_was_broken_off_can_be_made_again(store: Store) -> None:
    data = film(40 * MIB)
    with pytest.raises(BreaksOff):
        write(store, "film", data, stop=35 * MIB)
    write(store, "film", data)
    assert store.read("film") == data


def test_an_object_gets_another_name(store: Store) -> None:
    store.write("unproven/film", b"new")
    store.write("film", b"old")
    assert renamed(store, "unproven/film", "film")
    assert (store.read("film"), list(store.list(""))) == (b"new", ["film"])
    assert renamed(store, "film", "a/b/film")
    assert list(store.list("")) == ["a/b/film"]
    with pytest.raises(BadStore, match=r"Cannot rename .*film"):
        store.rename("film", "b", Stat(1, "1"), None)
    for old, new in (("../film", "b"), ("film", "/b")):
        with pytest.raises(BadStore, match="cannot be a key"):
            store.rename(old, new, Stat(1, "1"), None)
    with pytest.raises(BadStore, match="cannot be a key"):
        store.create("a/../b")


def test_only_what_was_found_gets_the_name(store: Store) -> None:
    store.write("unproven", b"proven")
    found = store.stat("unproven")
    assert found
    store.write("unproven", b"another")
    assert not store.rename("unproven", "film", found, None)
    assert {key: store.read(key) for key in store.list("")} == {"unproven": b"another"}


def test_a_name_that_was_taken_or_changed_meanwhile_is_left_alone(store: Store) -> None:
    store.write("unproven", b"late")
    late, none = store.stat("unproven"), store.stat("film")
    store.write("film", b"the first")
    assert late
    assert not store.rename("unproven", "film", late, none)
    first = store.stat("film")
    store.write("film", b"the second")
    assert not store.rename("unproven", "film", late, first)
    store.delete("film")
    assert not store.rename("unproven", "film", late, first)
    assert {key: store.read(key) for key in store.list("")} == {"unproven": b"late"}
    assert store.rename("unproven", "film", late, None)
    assert {key: store.read(key) for key in store.list("")} == {"film": b"late"}


def of_two(store: Store) -> None:
    """Two give one name to what each has made, at once: exactly one succeeds, and the other's is kept."""
    over, both = store.stat("film"), ("one", "two")
    for key in both:
        store.write(key, key.encode())
    with ThreadPoolExecutor() as pool:
        found = [(key, store.stat(key)) for key in both]
        won = list(pool.map(lambda one: bool(one[1]) and store.rename(one[0], "film", one[1], over), found))
    assert sorted(won) == [False, True]
    assert store.read("film") == both[won.index(True)].encode()
    assert store.read(both[won.index(False)]) == both[won.index(False)].encode()


def test_of_two_who_give_one_name_exactly_one_succeeds(store: Store) -> None:
    for _ in range(9):
        of_two(store)
        for key in list(store.list("")):
            store.delete(key)


# only a folder


def test_of_two_who_replace_one_file_exactly_one_succeeds(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.write("film", b"before")
    for _ in range(9):
        of_two(store)


def test_a_folder_keeps_no_part_and_no_empty_folder(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(BreaksOff):
        write(store, "unproven/film", film(8 * MIB), stop=4 * MIB)
    assert list(tmp_path.iterdir()) == []
    killed = store.create("unproven/film")
    killed.write(b"half")
    other = store.create("unproven/film.mkv")
    write(store, "unproven/film", film(64))
    # The killed one's partial file went when the next began; another object's stays.
    assert len(list((tmp_path / "unproven").iterdir())) == 2
    killed.__exit__(BreaksOff, None, None)
    with other:
        other.write(b"whole")
    assert renamed(store, "unproven/film", "film")
    store.delete("unproven/film.mkv")
    assert [path.name for path in tmp_path.iterdir()] == ["film"]


def test_a_disk_that_is_full_is_told_and_nothing_stays(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MIB, hard))
    try:
        with pytest.raises(BadStore, match=f"Cannot write {tmp_path}/film: .*free some space and run again"):
            deafly(FolderStore(tmp_path), lambda file: file.write(bytes(8 * MIB)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


# only a bucket


@pytest.mark.parametrize("expected", [0, 100 << 30, 126 << 30, 1 << 40, 5 << 40])
def test_parts_are_equal_as_far_as_was_expected_and_grow_beyond(expected: int) -> None:
    equal = equal_part(expected)
    sizes = [growing_part(number, equal) for number in range(1, MOST_PARTS + 1)]
    assert set(sizes[: MOST_PARTS - RESERVE]) == {equal}
    assert sum(sizes[: MOST_PARTS - RESERVE]) >= expected
    assert sizes == sorted(sizes)
    assert sum(sizes) >= 2 << 40
    assert min(sizes) >= 5 << 20
    assert max(sizes) <= 5 << 30
    # No more memory than needed: 16 MiB where that is enough, else a part of an eight thousandth.
    assert equal <= max(PART, expected // (MOST_PARTS - RESERVE) + (1 << 20))


def test_only_what_is_missing_is_sent_again(bucket: S3Store, s3_server: MotoServer) -> None:
    data = film(5 * PART + 8)
    with requests(bucket) as asked, pytest.raises(BreaksOff):
        write(bucket, "film", data, stop=3 * PART + MIB)
    assert (asked["CreateMultipartUpload"], asked["UploadPart"]) == (1, 2)
    # What was sent of another film by an earlier run is seen by its MD5, and replaced.
    changed = data[: PART + 9] + b"!" + data[PART + 10 :]
    with requests(bucket) as asked:
        write(bucket, "film", changed)
    assert bucket.read("film") == changed
    # Of six parts the third was there; the first is held back until the end.
    assert (asked["CreateMultipartUpload"], asked["UploadPart"], asked["PutObject"]) == (0, 5, 0)
    assert "<Upload>" not in s3_server.ask("GET", f"{bucket.bucket}?uploads")


def test_of_several_broken_off_one_is_gone_on_with_and_no_other_stays(bucket: S3Store, s3_server: MotoServer) -> None:
    begun = {
        bucket._asker.client.create_multipart_upload(Bucket=bucket.bucket, Key=f"prefix/{key}")["UploadId"]: key
        for key in ("film", "film", "film", "film.mkv")
    }
    with requests(bucket) as asked:
        write(bucket, "film", film(2 * PART))
    assert (asked["CreateMultipartUpload"], asked["AbortMultipartUpload"]) == (0, 2)
    left = s3_server.ask("GET", f"{bucket.bucket}?uploads")
    assert [key for upload, key in begun.items() if upload in left] == ["film.mkv"]


def test_what_is_sent_already_cannot_be_written_again(bucket: S3Store) -> None:
    def again(place: int) -> Callable[[Writer], object]:
        def move(file: Writer) -> None:
            file.write(bytes(2 * PART + 5))
            file.seek(place)
            file.write(b"over the edge")

        return move

    for place, told in ((PART + 1, PART + 1), (3 * PART, 3 * PART), (PART - 2, PART)):
        with pytest.raises(BadStore, match=f"film: byte {told} was to be written again, .* choose another container"):
            deafly(bucket, again(place))
    assert bucket.stat("film") is None


def test_a_large_object_is_renamed_in_ranges(bucket: S3Store, s3_server: MotoServer) -> None:
    data = film(12 * MIB)
    bucket.write("film", data)
    found = bucket.stat("film")
    assert found
    with requests(bucket) as asked:
        assert copy(bucket._place("film"), bucket._place("twin"), found, None, step=5 * MIB)
    assert (asked["UploadPartCopy"], asked["CopyObject"], asked["GetObject"]) == (3, 0, 0)
    assert bucket.read("twin") == data
    with pytest.raises(BadStore):
        copy(bucket._place("gone"), bucket._place("other"), found, None, step=5 * MIB)
    assert "<Upload>" not in s3_server.ask("GET", f"{bucket.bucket}?uploads")


def test_a_bucket_is_told_what_may_be_replaced(bucket: S3Store) -> None:
    # moto looks at If-None-Match alone when an upload is completed; S3 looks at both.
    asked: list[tuple[object, object]] = []

    def note(params: Any, **_: object) -> None:
        asked.append((params["headers"].get("If-Match"), params["headers"].get("If-None-Match")))

    bucket._asker.client.meta.events.register("before-call.s3.CompleteMultipartUpload", note)
    for number in range(2):
        bucket.write("new", bytes([number]))
        over = bucket.stat("film")
        assert renamed(bucket, "new", "film")
        assert asked[-1] == ((f'"{over.version}"', None) if over else (None, "*"))


def test_a_lost_reply_does_not_lose_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    none = give(b"<ListMultipartUploadsResult></ListMultipartUploadsResult>")
    begun = give(b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
    part = "0" * 32
    whole = '"70bc8f4b72a86921468bf8e8441dce51-2"'  # of two parts whose MD5 is 0
    sent = [lambda request: request.reply(200, ETag=f'"{part}"')] * 2
    gone = [reset, fail(404, "NoSuchUpload")]

    def attempt(etag: str) -> None:
        there = lambda request: request.reply(200, ETag=etag)  # noqa: E731
        with FaultyServer(none, begun, *sent, *gone, there, none) as server:
            for name, value in server.env.items():
                monkeypatch.setenv(name, value)
            with S3Store("bucket", "").create("film") as file:
                file.write(bytes(PART + 1))

    attempt(whole)
    with pytest.raises(StoreFault, match=r"NoSuchUpload.*try again"):
        attempt('"another"')
