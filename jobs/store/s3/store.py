"""A store in an S3 bucket, or in any service that speaks S3 and honours If-None-Match.

Credentials, region and endpoint come from boto3's usual chain. A worker that dies while it uploads leaves parts that nobody
sees and somebody pays: of a deliverable, until the same job goes on; else give the bucket a lifecycle rule that ends
incomplete uploads, after days and not hours.
"""

import io
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypedDict, cast
from uuid import uuid4

from botocore.exceptions import ClientError

from jobs.errors import BadStore
from jobs.store.age import answer_age, answer_time
from jobs.store.protocol import BUFFER, Stat, check_key, check_prefix, told
from jobs.store.range_reader import RangeReader
from jobs.store.s3.check import check_bucket
from jobs.store.s3.client import ATTEMPTS, S3Requests
from jobs.store.s3.copy import copy, etag_of
from jobs.store.s3.errors import BROKEN_BODY, code_of, done_once
from jobs.store.s3.parts import PART, part_size
from jobs.store.s3.upload import SENDERS, S3Object, S3Writer, SpooledWriter, abort, completed, uploads_of
from jobs.store.s3.web_types import web_type

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedMultipartUploadTypeDef,
        CompletedPartTypeDef,
        HeadObjectOutputTypeDef,
        ListObjectsV2OutputTypeDef,
    )


class _OnlyIfAbsent(TypedDict, total=False):
    IfNoneMatch: str


class _Range(TypedDict, total=False):
    Range: str
    IfMatch: str


class S3Store:
    """Objects below a prefix of a bucket. The client is made when it is first needed, and does not travel."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.url = f"s3://{bucket}/{self.prefix}".rstrip("/")
        self._asker = S3Requests()

    def __reduce__(self) -> tuple[type["S3Store"], tuple[str, str]]:
        return S3Store, (self.bucket, self.prefix)

    def __repr__(self) -> str:
        return f"S3Store({self.bucket!r}, {self.prefix!r})"

    def check(self) -> None:
        name = f"probe-{uuid4().hex}"
        check_bucket(self._place(name), self._place(f"{name}-twin"), self.url)

    def read(self, key: str) -> bytes:
        return self._get(key)

    def open(self, key: str, *, buffer: int = BUFFER, known: Stat | None = None) -> BinaryIO:
        # `known`: what a listing said of it, which saves a request.
        return cast(BinaryIO, io.BufferedReader(_Ranges(self, key, known), buffer))

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        name, writer = self._name(key), uuid4().hex  # one for all tries: see `_holds`
        kind, condition = web_type(name), _condition(only_if_absent)

        def put(client: "S3Client") -> bool:
            try:
                client.put_object(
                    Bucket=self.bucket, Key=name, Body=data, ContentType=kind, Metadata={"writer": writer}, **condition
                )
            except ClientError as error:
                if code_of(error) not in ("PreconditionFailed", "412"):
                    raise
                return self._holds(client, name, writer)
            return True

        return self._asker.ask("write", f"{self.url}/{key}", put)

    def replace(self, key: str, data: bytes, version: str) -> str | None:
        name, writer = self._name(key), uuid4().hex  # one for all tries: see `_holds`
        match = f'"{version.partition(":")[0]}"'

        def put(client: "S3Client") -> str | None:
            try:
                done = client.put_object(
                    Bucket=self.bucket, Key=name, Body=data, Metadata={"writer": writer}, IfMatch=match
                )
            except ClientError as error:
                if code_of(error) not in ("PreconditionFailed", "412", "NoSuchKey", "404"):
                    raise
                found = self.stat(key)
                return found.version if found and self._holds(client, name, writer) else None
            return _version(done["ETag"], done.get("VersionId"))

        return self._asker.ask("write", f"{self.url}/{key}", put)

    def write_file(self, key: str, path: Path, *, only_if_absent: bool = False) -> bool:
        with told("read", str(path)):
            size = path.stat().st_size
            if size <= PART:
                return self.write(key, path.read_bytes(), only_if_absent=only_if_absent)
            if only_if_absent and self.stat(key) is not None:
                return False  # S3 would say so too, after the last part
            with open(path, "rb") as file:
                return self._write_parts(self._place(key), file.fileno(), size, only_if_absent)

    def create(self, key: str, *, anywhere: bool = False, expected: int = 0) -> S3Writer | SpooledWriter:
        if anywhere:
            return SpooledWriter(lambda path: self.write_file(key, path))
        return S3Writer(self._place(key), expected)

    def rename(self, old: str, new: str, found: Stat, over: Stat | None) -> bool:
        source, target, there = self._place(old), self._place(new), self.stat(old)
        if there is None:
            raise BadStore(f"Cannot rename {source.where}: there is no such object; run again to make it again.")
        # Beforehand too: not every service looks at If-Match when an upload is completed.
        if there != found or self.stat(new) != over or not copy(source, target, found, over):
            return False
        if self.stat(old) == found:  # not what another has written meanwhile
            self.delete(old)
        return True

    def stat(self, key: str) -> Stat | None:
        head = self._head(key)
        return Stat(head["ContentLength"], _version(head["ETag"], head.get("VersionId"))) if head else None

    def age(self, key: str) -> float | None:
        head = self._head(key)
        return answer_age(head["ResponseMetadata"]["HTTPHeaders"].get("date"), head["LastModified"]) if head else None

    def clock(self) -> float:
        page = next(self._pages({"Prefix": f"{self.prefix}/probe-"}))
        return answer_time(page["ResponseMetadata"]["HTTPHeaders"].get("date"), self.url)

    def _head(self, key: str) -> "HeadObjectOutputTypeDef | None":
        name = self._name(key)

        def look(client: "S3Client") -> "HeadObjectOutputTypeDef | None":
            try:
                return client.head_object(Bucket=self.bucket, Key=name)
            except ClientError as error:
                if code_of(error) in ("404", "NoSuchKey"):
                    return None
                raise

        return self._asker.ask("look at", f"{self.url}/{key}", look)

    def list(self, prefix: str) -> Iterator[str]:
        return self._list(f"{self.prefix}/{check_prefix(prefix)}".lstrip("/"), len(f"{self.prefix}/".lstrip("/")))

    def listed(self) -> Iterator[tuple[str, Stat]]:
        """Name, size and version of every object directly below the prefix: a thousand of them for each request."""
        begin = f"{self.prefix}/" if self.prefix else ""
        for page in self._pages({"Prefix": begin, "Delimiter": "/"}):
            for one in page.get("Contents", ()):
                yield one["Key"][len(begin) :], Stat(one["Size"], one["ETag"].strip('"'))

    def delete(self, key: str) -> None:
        place = self._place(key)
        self._asker.ask("delete", place.where, lambda client: client.delete_object(Bucket=place.bucket, Key=place.name))

    def link(self, key: str, seconds: int) -> str:
        return self._asker.link(self.bucket, self._name(key), f"{self.url}/{key}", seconds)

    def unfinished(self, prefix: str) -> Iterator[str]:
        begin = f"{self.prefix}/" if self.prefix else ""
        below = begin + check_prefix(prefix)
        found = self._asker.ask(
            "list", f"{self.url}/{prefix}", lambda client: uploads_of(client, self.bucket, below, below=True)
        )
        return iter(sorted({one.name[len(begin) :] for one in found}))

    def abort(self, key: str) -> None:
        place = self._place(key)
        found = self._asker.ask("delete", place.where, lambda client: uploads_of(client, self.bucket, place.name))
        abort(place, [one.id for one in found])

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{check_key(key)}" if self.prefix else check_key(key)

    def _place(self, key: str) -> S3Object:
        return S3Object(self._asker, self.bucket, self._name(key), f"{self.url}/{key}")

    def _list(self, prefix: str, start: int) -> Iterator[str]:
        for page in self._pages({"Prefix": prefix}):
            for one in page.get("Contents", ()):
                if not one["Key"].endswith("/"):  # the console's empty markers for folders
                    yield one["Key"][start:]

    def _pages(self, query: dict[str, str]) -> "Iterator[ListObjectsV2OutputTypeDef]":
        # Not boto3's paginator, which ends at the first failure.
        where = f"s3://{self.bucket}/{query['Prefix']}"
        asked: Any = {"Bucket": self.bucket, **query}
        while True:
            page = self._asker.ask("list", where, lambda client: client.list_objects_v2(**asked))
            yield page
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _get(self, key: str, part: _Range | None = None) -> bytes:
        """An object, or a range of it. Asks again where the body breaks off, which botocore does not."""
        name = self._name(key)

        def get(client: "S3Client") -> bytes:
            for left in reversed(range(ATTEMPTS)):
                answer = client.get_object(Bucket=self.bucket, Key=name, **(part or {}))
                with closing(answer["Body"]) as body:
                    try:
                        return body.read()
                    except BROKEN_BODY:
                        if not left:
                            raise
            raise AssertionError("the last attempt returns or raises")

        return self._asker.ask("read", f"{self.url}/{key}", get)

    def _holds(self, client: "S3Client", name: str, writer: str) -> bool:
        """Is it this writer's object that is there? A repeated request whose first reply was lost meets its own object."""
        try:
            return client.head_object(Bucket=self.bucket, Key=name)["Metadata"].get("writer") == writer
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return False
            raise

    def _write_parts(self, place: S3Object, file: int, size: int, only_if_absent: bool) -> bool:
        name, writer = place.name, uuid4().hex
        upload = place.write(
            lambda client: client.create_multipart_upload(Bucket=self.bucket, Key=name, Metadata={"writer": writer})
        )["UploadId"]
        try:
            parts = self._send_parts(place, upload, file, size)

            def complete(client: "S3Client") -> bool:
                return done_once(
                    lambda: client.complete_multipart_upload(
                        Bucket=self.bucket,
                        Key=name,
                        UploadId=upload,
                        MultipartUpload=parts,
                        **_condition(only_if_absent),
                    ),
                    lambda: self._holds(client, name, writer),
                )

            if place.write(complete):
                return True
        except BaseException:
            abort(place, [upload])
            raise
        abort(place, [upload])
        return False

    def _send_parts(self, place: S3Object, upload: str, file: int, size: int) -> "CompletedMultipartUploadTypeDef":
        step = part_size(size)

        def send(number: int) -> "CompletedPartTypeDef":
            start = (number - 1) * step
            data = os.pread(file, min(step, size - start), start)
            if len(data) != min(step, size - start):
                raise BadStore(
                    f"The file for {place.name} shrank while it was sent to {self.url}; run again, and leave it alone meanwhile."
                )
            part = place.write(
                lambda client: client.upload_part(
                    Bucket=self.bucket, Key=place.name, UploadId=upload, PartNumber=number, Body=data
                )
            )
            return completed(number, part)

        # Leaving the pool waits for the parts under way, so that an abort comes after the last of them.
        with ThreadPoolExecutor(SENDERS) as pool:
            return {"Parts": list(pool.map(send, range(1, math.ceil(size / step) + 1)))}


class _Ranges(RangeReader):
    """One object as it was when opened, read by ranged requests. Refuses to go on where it has changed since."""

    def __init__(self, store: S3Store, key: str, known: Stat | None) -> None:
        found = known or store.stat(key)
        if found is None:
            raise BadStore(f"Cannot read {store.url}/{key}: there is no such object; run again to make it again.")
        self._store, self._key = store, key
        self._etag = etag_of(found)
        super().__init__(found.bytes)

    def fetch(self, at: int, most: int) -> bytes:
        """Exactly as many, by one request."""
        return self._store._get(self._key, {"Range": f"bytes={at}-{at + most - 1}", "IfMatch": f'"{self._etag}"'})

    def readall(self) -> bytes:
        # The base class would ask for 8 KiB at a time.
        rest = self._length - self._at
        data = self.fetch(self._at, rest) if rest > 0 else b""
        self._at += len(data)
        return data


def _version(etag: str, version_id: str | None) -> str:
    return ":".join(filter(None, (etag.strip('"'), version_id)))


def _condition(only_if_absent: bool) -> _OnlyIfAbsent:
    return {"IfNoneMatch": "*"} if only_if_absent else {}
