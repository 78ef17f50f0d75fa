"""Stores in services that are not Amazon's: what they take less of is found before any work and said in one sentence; what can be done without it, is."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.errors import BadStore
from jobs.store import open_source, read_small
from jobs.store.s3.parts import PART, equal_part
from jobs.store.s3.store import S3Store
from tests.proxy import FaultyProxy
from tests.s3 import FaultyServer, MotoServer
from tests.services import Deaf, EqualParts, NoChecksums, ReadersPay, Refusal, Service, Without

MIB = 1 << 20
AWS_KEY = "AKI" + "AIOSFODNN7EXAMPLE"  # Amazon's own example
Opened = Callable[[Service], S3Store]


class BreaksOff(Exception):
    """In the midst of a film."""


@pytest.fixture
def opened(
    s3_server: MotoServer, s3_bucket: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Opened:
    """A store in a bucket of moto's, with a service before it."""

    def through(service: Service) -> S3Store:
        proxy = FaultyProxy(s3_server, service=service)
        proxy.__enter__()
        request.addfinalizer(lambda: proxy.__exit__())
        for name, value in proxy.env.items():
            monkeypatch.setenv(name, value)
        return S3Store(s3_bucket, "job")

    return through


def left(server: MotoServer, bucket: str) -> list[str]:
    """What is in the bucket, and what is on its way into it."""
    return [*re.findall("<Key>(.*?)</Key>", server.ask("GET", bucket) + server.ask("GET", f"{bucket}?uploads"))]


# equal parts


def test_a_growing_object_is_sent_in_equal_parts(opened: Opened) -> None:
    service = EqualParts()
    store = opened(service)
    expected = 8_000 * 17 * MIB
    data = bytes(40 * MIB)
    with store.create("film", expected=expected) as file:
        file.write(data)
        file.seek(0)
        file.write(b"head")
    assert store.read("film") == b"head" + data[4:]
    assert list(service.sizes.values()) == [{1: 17 * MIB, 2: 17 * MIB, 3: 6 * MIB}]


def test_an_upload_that_was_begun_keeps_its_part_size(opened: Opened) -> None:
    service = EqualParts()
    store = opened(service)

    with suppress(BreaksOff), store.create("film", expected=8_000 * 17 * MIB) as file:
        file.write(bytes(52 * MIB))
        raise BreaksOff
    assert store.stat("film") is None
    # The second try expects another length: an earlier version's estimate, or a spec that was changed.
    with store.create("film", expected=0) as file:
        file.write(bytes(52 * MIB))
    assert store.read("film") == bytes(52 * MIB)
    assert list(service.sizes.values()) == [{1: 17 * MIB, 2: 17 * MIB, 3: 17 * MIB, 4: MIB}]


def test_an_object_smaller_than_a_part_is_one_part(opened: Opened) -> None:
    service = EqualParts()
    store = opened(service)
    with store.create("film", expected=1 << 40) as file:
        file.write(bytes(PART + 1))
    assert store.read("film") == bytes(PART + 1)
    assert list(service.sizes.values()) == [{1: PART + 1}]
    assert equal_part(1 << 40) > PART + 1


# what a service lacks


@pytest.mark.parametrize(
    ("service", "lacking"),
    [
        (Without("if-match"), ["If-Match"]),
        (Deaf("if-match"), ["If-Match"]),
        (Deaf("if-none-match"), ["If-None-Match"]),
        (Without(r"^GET .*uploads"), ["ListMultipartUploads"]),
        (Without(r"^GET .*uploadId", status=405, code="MethodNotAllowed"), ["ListParts"]),
        (Without("if-match", "if-none-match", r"^GET .*uploads"), ["If-None-Match", "If-Match", "ListMultipartUploads"]),
        (Without("^POST .*uploads"), ["multipart uploads"]),
        (Deaf("range"), ["reading in ranges"]),
        (Without("x-amz-copy-source-range"), ["UploadPartCopy"]),
        (Without("x-amz-copy-source-if-match"), ["CopyObject"]),
    ],
)  # fmt: skip
def test_what_a_service_lacks_is_said_before_any_work(
    opened: Opened, s3_server: MotoServer, service: Service, lacking: list[str]
) -> None:
    store = opened(service)
    with pytest.raises(BadStore) as refused:
        store.check()
    said = str(refused.value)
    every = ("If-None-Match", "If-Match", "in ranges", "CopyObject", "multipart uploads", "ListMultipartUploads", "ListParts", "UploadPartCopy")  # fmt: skip
    named = [one for one in every if one in said.partition(": its service lacks ")[2]]
    assert named == [one.removeprefix("reading ") for one in lacking]
    assert said.endswith(".")
    assert "use a folder, or an S3 service that has all of these" in said
    assert left(s3_server, store.bucket) == []


def test_a_service_that_has_everything_is_left_as_it_was(opened: Opened, s3_server: MotoServer) -> None:
    store = opened(Service())
    store.check()
    assert left(s3_server, store.bucket) == []


# checksums


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(501, "NotImplemented", "STREAMING-UNSIGNED-PAYLOAD-TRAILER not implemented"),
        Refusal(
            400, "InvalidArgument", "Unsupported header 'x-amz-sdk-checksum-algorithm' received for this API call."
        ),
        Refusal(400, "XAmzContentSHA256Mismatch", "The provided header does not match what was computed."),
        Refusal(400, "InvalidRequest", "No."),
        Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match."),
        Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header."),
    ],
)
def test_a_service_that_takes_no_checksums(opened: Opened, monkeypatch: pytest.MonkeyPatch, refusal: Refusal) -> None:
    store = opened(NoChecksums(refusal))
    with pytest.raises(BadStore, match=r"set AWS_REQUEST_CHECKSUM_CALCULATION=when_required and") as refused:
        store.check()
    assert f"({refusal.code}: {refusal.message.rstrip('.')})" in str(refused.value)
    # The advice works.
    for name in re.findall(r"(AWS_\w+)=when_required", str(refused.value)):
        monkeypatch.setenv(name, "when_required")
    S3Store(store.bucket, store.prefix).check()


@pytest.mark.usefixtures("s3_bucket")
def test_checksums_are_not_blamed_for_what_they_did_not_do() -> None:
    with pytest.raises(BadStore, match="no such bucket") as refused:
        S3Store("no-such-bucket", "").check()
    assert "CHECKSUM" not in str(refused.value)


# a service's own words


def test_a_services_own_words_are_passed_on_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = "an-access-key-of-minio", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    message = (
        f"Bucket quota\x1b[31m is\r\nused up; {AWS_KEY}, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024, "
        f"{key} {secret} x-amz-security-token: FwoGZXIvYXdzEBY http://me:hush@host/ " + "long " * 500
    )
    # XML holds no escape character, but U+0085 and U+009B are control characters as well.
    told = message.replace("\x1b", "\x9b")
    body = f"<Error><Code>QuotaExceeded</Code><Message>{told}</Message></Error>".encode()
    with FaultyServer(lambda request: request.reply(400, body)) as server:
        for name, value in {**server.env, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BadStore) as refused:
            S3Store("bucket", "").read("a")
    said = str(refused.value)
    assert said.startswith("Cannot read s3://bucket/a (QuotaExceeded: Bucket quota")
    assert "used up" in said
    assert len(said) < 800
    assert said.isprintable()
    for hidden in (key, secret, AWS_KEY, "fe5f80f77d5f", "FwoGZXIvYXdzEBY", "hush"):
        assert hidden not in said


# readers pay


def test_a_bucket_whose_readers_pay(opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = opened(ReadersPay())
    with pytest.raises(BadStore, match=r"where a bucket's readers pay, set FILM_FARM_REQUESTER_PAYS=1"):
        store.check()
    monkeypatch.setenv("FILM_FARM_REQUESTER_PAYS", "1")
    store = S3Store(store.bucket, store.prefix)
    store.check()
    with store.create("film") as file:
        file.write(bytes(2 * PART))
    found = store.stat("film")
    assert found
    assert store.rename("film", "other", found, None)
    assert list(store.list("")) == ["other"]
    assert store.open("other").read() == bytes(2 * PART)
    assert list(store.unfinished("")) == []
    large = tmp_path / "large"
    large.write_bytes(bytes(PART + 1))
    assert store.write_file("large", large)
    source = open_source(f"s3://{store.bucket}/job/other")
    assert not isinstance(source, str)
    assert source.read(8) == bytes(8)
    store.write("spec", b"version: 1")
    assert read_small(f"s3://{store.bucket}/job/spec") == b"version: 1"


def test_who_pays_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_FARM_REQUESTER_PAYS", "me")
    with pytest.raises(BadStore, match="FILM_FARM_REQUESTER_PAYS is 'me'; set it to 1"):
        S3Store("bucket", "").read("a")
