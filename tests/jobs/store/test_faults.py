"""Stores that fail in the midst of a job: what is waited out, to which limit, and what is said at its end. Faults come from a proxy before moto, and from real disks."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.errors import BadStore, StoreAway, StoreDown, StoreFault
from jobs.store import FolderStore
from jobs.store.retry import LIMIT_VARIABLE, in_work, limit, patiently
from jobs.store.s3.client import ATTEMPTS
from jobs.store.s3.parts import PART
from jobs.store.s3.store import S3Store
from tests.proxy import Chance, Fault, FaultyProxy, Rule
from tests.s3 import MotoServer

MIB = 1 << 20


@pytest.fixture
def proxy(s3_server: MotoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    with FaultyProxy(s3_server) as proxy:
        for name, value in proxy.env.items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def store(s3_bucket: str, proxy: FaultyProxy) -> S3Store:
    return S3Store(s3_bucket, "job")


# waited out


@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", "reset", "lost reply", "ExpiredToken", "outage"])
def test_a_write_outlasts_what_boto3_gives_up(store: S3Store, proxy: FaultyProxy, fault: Fault) -> None:
    times = 1 if fault == "ExpiredToken" else ATTEMPTS
    proxy.rules.append(Rule(fault, "PUT", times=times))
    with in_work():
        assert store.write("records/a.json", b"one", only_if_absent=True)
    assert proxy.tally == {fault: times}
    assert store.read("records/a.json") == b"one"


def test_outside_of_work_the_first_failure_is_told(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.rules.append(Rule("ExpiredToken"))
    with pytest.raises(StoreAway, match=r"ExpiredToken\): the credentials have expired; renew them"):
        store.check()


def test_renewed_credentials_are_taken_up(
    store: S3Store, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes new ones into their file while the job runs."""
    keys = tmp_path / "credentials"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    for name in ("old", "new"):
        keys.write_text(f"[default]\naws_access_key_id = {name}\naws_secret_access_key = secret\n")
        store.write("a", b"")
        used = store._asker.client._request_signer._credentials.access_key  # type: ignore[attr-defined]
        assert used == name
        proxy.rules.append(Rule("ExpiredToken", times=1))
        if name == "old":
            keys.write_text(keys.read_text().replace("old", "new"))
            with in_work():
                store.write("a", b"")


def test_a_body_that_is_cut_is_asked_for_again(store: S3Store, proxy: FaultyProxy) -> None:
    store.write("a", bytes(3 * MIB))
    proxy.rules.append(Rule("cut", "GET", times=ATTEMPTS + 1))
    with in_work(), store.open("a") as stream:
        assert stream.read() == bytes(3 * MIB)


def test_a_growing_object_outlasts_faults_at_every_request(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.rules.append(Chance(0.3, seed=3, faults=("SlowDown", "reset", "lost reply", "ExpiredToken", "delay")))
    data = os.urandom(MIB) * 33
    with in_work(), store.create("film") as file:
        file.write(data)
    proxy.rules.clear()
    assert sum(proxy.tally.values())
    assert store.read("film") == data
    assert list(store.unfinished("")) == []


# the limit


def test_at_the_limit_one_sentence_says_what_to_do(
    store: S3Store, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "0.5")
    proxy.rules.append(Rule("ExpiredToken", "PUT"))
    with in_work(), pytest.raises(StoreDown) as down:
        store.write("a", b"")
    said = str(down.value)
    assert "Cannot write s3://" in said
    assert "credentials have expired; renew them" in said
    assert "within 0.5 s. Finished work is kept: once the store answers, the same command resumes." in said


def test_a_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "long")
    with pytest.raises(BadStore, match=r"FILM_FARM_STORE_PATIENCE is 'long'; give a number of seconds"):
        limit()


def test_what_will_not_pass_is_not_waited_for() -> None:
    asked = []

    def refuse() -> None:
        asked.append(1)
        raise BadStore("no such bucket")

    with in_work(), pytest.raises(BadStore):
        patiently(refuse)
    assert len(asked) == 1


def test_a_bucket_that_vanishes_in_mid_job_is_told(store: S3Store, proxy: FaultyProxy) -> None:
    store.write("a", b"")
    proxy.rules.append(Rule("NoSuchBucket"))
    calls: list[Callable[[], object]] = [
        lambda: store.read("a"),
        lambda: store.write("b", b""),
        lambda: list(store.list("")),
    ]
    for call in calls:
        with in_work(), pytest.raises(BadStore, match="there is no such bucket; create it"):
            call()


# half-written objects


def test_uploads_that_were_left_are_found_and_aborted(store: S3Store, s3_server: MotoServer) -> None:
    def left(key: str) -> None:
        with store.create(key) as file:
            file.write(bytes(2 * PART))
            raise InterruptedError

    for key in ("out/a.mp4", "out/a.mp4.more", "media/x"):
        with pytest.raises(InterruptedError):
            left(key)
    assert list(store.unfinished("out/")) == ["out/a.mp4", "out/a.mp4.more"]
    store.abort("out/a.mp4")
    store.abort("out/a.mp4")
    assert list(store.unfinished("")) == ["media/x", "out/a.mp4.more"]


def test_partial_files_that_were_left_are_found_and_deleted(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (tmp_path / "out").mkdir()
    store.write("out/whole", b"")
    with store.create("out/film") as file:
        file.write(b"growing")
        (name,) = store.unfinished("out/")
        (tmp_path / "out/.partial-of-a-dead-worker").write_bytes(b"half")
        assert len(list(store.unfinished(""))) == 2
        store.abort("out/.partial-of-a-dead-worker")
        assert list(store.unfinished("")) == [name]
        shutil.copy(tmp_path / name, tmp_path / f"{name}0")
    assert list(store.unfinished("")) == [f"{name}0"]
    store.abort("out/film")
    assert list(store.unfinished("")) == []
    assert list(store.list("")) == ["out/film", "out/whole"]
    for place in ("../x/.partial-1", "/x/.partial-1", "../x"):
        with pytest.raises(BadStore):
            store.abort(place)


# disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a mebibyte."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_and_leaves_no_half_file(small_disk: Path) -> None:
    store = FolderStore(small_disk)
    store.write("kept", b"1" * 1000)
    with in_work(), pytest.raises(BadStore, match="No space left on device; free some space and run again"):
        store.write("large", bytes(2 * MIB))
    with (
        in_work(),
        pytest.raises(BadStore, match="free some space and run again, finished work is kept"),
        store.create("film") as film,
    ):
        film.write(bytes(2 * MIB))
    assert list(store.list("")) == ["kept"]
    assert list(store.unfinished("")) == []
    assert store.read("kept") == b"1" * 1000


def test_a_disk_that_becomes_read_only_is_told(small_disk: Path) -> None:
    store = FolderStore(small_disk)
    store.write("kept", b"")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with in_work(), pytest.raises(BadStore, match="Read-only file system; choose a folder that you can read and write"):
        store.write("more", b"")
    assert list(store.list("")) == ["kept"]


def test_a_disk_that_errs_in_passing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    fails = [StoreFault("Cannot read /x: Stale file handle.")] * 2

    def move() -> int:
        if fails:
            raise fails.pop()
        return 7

    with in_work():
        assert patiently(move) == 7
