"""What only S3 can do wrong: no bucket, no credentials, no endpoint, faults in passing, half an upload. Faults come from a real server on loopback."""

import os
import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jobs.errors import BadStore, StoreFault
from jobs.store import open_store
from jobs.store.s3.client import ATTEMPTS
from jobs.store.s3.parts import MOST_PARTS, PART, part_size
from jobs.store.s3.store import S3Store
from tests.s3 import PAGE, Asked, FaultyServer, MotoServer, Step, aws_env, fail, give, last_writer, reset

MIB = 1 << 20


@pytest.fixture
def store(s3_bucket: str) -> S3Store:
    return S3Store(s3_bucket, "prefix")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of two parts that takes no room."""
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(PART + 1)
    return path


def use(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> S3Store:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return S3Store("bucket", "")


# what a user can mend


@pytest.mark.usefixtures("s3_bucket")
def test_no_such_bucket() -> None:
    store = open_store("s3://no-such-bucket/x")
    with pytest.raises(BadStore, match=r"write s3://no-such-bucket/x.*no such bucket; create it"):
        store.check()
    with pytest.raises(BadStore, match="no such bucket"):
        list(store.list(""))


def test_no_credentials() -> None:
    with pytest.raises(BadStore, match="no AWS credentials were found; set AWS_ACCESS_KEY_ID"):
        S3Store("bucket", "").check()


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    store = use(monkeypatch, aws_env("http://me:hush@127.0.0.1:9"))
    with pytest.raises(BadStore, match=r"nothing answers at 127\.0\.0\.1:9; check") as refused:
        store.check()
    assert "hush" not in str(refused.value)


def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadStore, match="correct AWS_ENDPOINT_URL"):
        use(monkeypatch, aws_env("no url")).check()


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, "AccessDenied", "grant these credentials s3:ListBucket"),
        (403, "InvalidAccessKeyId", "wrong or have expired"),
        (400, "ExpiredToken", "credentials have expired; renew them"),
        (403, "RequestTimeTooSkewed", "clock"),
        (400, "AuthorizationHeaderMalformed", "AWS_DEFAULT_REGION"),
        (400, "KeyTooLongError", "refuses the request"),
        (501, "NotImplemented", "If-None-Match"),
    ],
)
def test_refusals(monkeypatch: pytest.MonkeyPatch, status: int, code: str, advice: str) -> None:
    with FaultyServer(fail(status, code)) as server:
        store = use(monkeypatch, server.env)
        with pytest.raises(BadStore, match=rf"Cannot read s3://bucket/a \({code}\): .*{advice}"):
            store.read("a")


def test_a_service_that_overwrites_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(give(b"")) as server, pytest.raises(BadStore, match=r"lacks .*If-None-Match.*If-Match"):
        use(monkeypatch, server.env).check()


# bad luck


FAULTS: dict[str, tuple[Step, int]] = {
    "503": (fail(503, "SlowDown"), ATTEMPTS),
    "500": (fail(500, "InternalError"), ATTEMPTS),
    "reset": (reset, ATTEMPTS),
    "time-out": (fail(400, "RequestTimeout"), ATTEMPTS),
    "409": (fail(409, "ConditionalRequestConflict"), 1),
}
"""What S3 may say in passing, by the key that is asked for, and how often it is then asked."""


def test_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def by_key(request: Asked) -> None:
        asked.append(urlsplit(request.path).path.removeprefix("/bucket/"))
        FAULTS[asked[-1]][0](request)

    def fault(store: S3Store, key: str) -> BaseException:
        with pytest.raises(StoreFault, match=rf"Cannot write s3://bucket/{key} .*try again") as raised:
            store.write(key, b"data", only_if_absent=True)
        return raised.value

    # All at once, since most of their time is botocore's waiting.
    with FaultyServer(by_key) as server, ThreadPoolExecutor(len(FAULTS)) as pool:
        store = use(monkeypatch, server.env)
        for error in pool.map(partial(fault, store), FAULTS):
            twin = pickle.loads(pickle.dumps(error))
            assert (type(twin), twin.args) == (StoreFault, (str(error),))
    assert Counter(asked) == {key: times for key, (_, times) in FAULTS.items()}


def test_a_fault_in_passing_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(fail(503, "SlowDown"), reset, give(b"data")) as server:
        assert use(monkeypatch, server.env).read("a") == b"data"


def test_a_body_that_breaks_off_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(give(b"da", promise=4), give(b"data")) as server:
        assert use(monkeypatch, server.env).read("a") == b"data"
    with FaultyServer(give(b"da", promise=4)) as server:
        store = use(monkeypatch, server.env)
        with pytest.raises(StoreFault, match="the connection failed"):
            S3Store(store.bucket, "").read("a")
    assert len(server.asked) == ATTEMPTS


def test_a_lost_reply_does_not_lose_the_race(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(reset, fail(412, "PreconditionFailed"), last_writer) as server:
        assert use(monkeypatch, server.env).write("a", b"", only_if_absent=True)
    assert server.asked == ["PUT", "PUT", "HEAD"]
    with FaultyServer(fail(412, "PreconditionFailed"), give(b"")) as server:
        assert not use(monkeypatch, server.env).write("a", b"", only_if_absent=True)


# parts


def test_part_sizes() -> None:
    assert part_size(PART + 1) == PART
    for size in (PART * MOST_PARTS, PART * MOST_PARTS + 1, 5 << 40):
        assert -(-size // part_size(size)) <= MOST_PARTS


def test_an_upload_that_fails_leaves_nothing(store: S3Store, s3_server: MotoServer, large: Path) -> None:
    class Shrinking(type(large)):  # type: ignore[misc]
        """A file that is cut short after its size was asked for."""

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            found: os.stat_result = super().stat(follow_symlinks=follow_symlinks)
            os.truncate(self, PART)
            return found

    with pytest.raises(BadStore, match="shrank"):
        store.write_file("a", Shrinking(large))
    assert "<Upload>" not in s3_server.ask("GET", f"{store.bucket}?uploads")
    assert store.stat("a") is None


def test_of_two_uploads_at_once_one_holds(store: S3Store, s3_server: MotoServer, large: Path) -> None:
    class Late(S3Store):
        """Another writer comes in between the look and the upload."""

        def stat(self, key: str) -> None:
            store.write(key, b"first")

    assert not Late(store.bucket, store.prefix).write_file("a", large, only_if_absent=True)
    assert store.read("a") == b"first"
    assert "<Upload>" not in s3_server.ask("GET", f"{store.bucket}?uploads")


def test_a_lost_reply_does_not_lose_an_upload(monkeypatch: pytest.MonkeyPatch, large: Path) -> None:
    begun = give(b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
    part = give(b"")
    with FaultyServer(begun, part, part, reset, fail(404, "NoSuchUpload"), last_writer) as server:
        assert use(monkeypatch, server.env).write_file("a", large)
    assert server.asked == ["POST", "PUT", "PUT", "POST", "POST", "HEAD"]


# streams


def test_a_stream_refuses_an_object_that_changed(store: S3Store) -> None:
    store.write("a", bytes(3 * MIB))
    with store.open("a") as stream:
        assert stream.read(1) == b"\0"
        store.write("a", bytes(3 * MIB) + b"!")
        stream.seek(2 * MIB)
        with pytest.raises(BadStore, match="changed while it was being read"):
            stream.read(1)


def test_a_stream_asks_for_a_mib_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer(give(b"", promise=3 * MIB), give(bytes(MIB))) as server:
        with use(monkeypatch, server.env).open("a") as stream:
            for _ in range(1024):
                assert len(stream.read(1024)) == 1024
        assert server.asked == ["HEAD", "GET"]


def test_a_listing_of_many_pages_leaves_out_the_consoles_folders(store: S3Store, s3_server: MotoServer) -> None:
    keys = [f"{number:04d}" for number in range(2 * PAGE + 1)]
    for key in [*keys, "folder/"]:
        s3_server.ask("PUT", f"{store.bucket}/prefix/{key}", b"")
    assert list(store.list("")) == keys
