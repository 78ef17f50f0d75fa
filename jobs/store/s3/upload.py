"""Multipart uploads: objects that grow in a bucket, part by part, in bounded memory. No part is sent twice."""

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypedDict, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from jobs.errors import BadStore
from jobs.store.protocol import BUFFER, told_here
from jobs.store.s3.client import S3Requests
from jobs.store.s3.errors import code_of
from jobs.store.s3.parts import PART, equal_part, growing_part

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        CopyPartResultTypeDef,
        PartTypeDef,
        UploadPartOutputTypeDef,
    )

Found = TypeVar("Found")

SENDERS = 4
"""Parts of one object that travel at once; each holds one part in memory."""
TRAVELLING = 2 * PART
"""Bytes of a growing object that travel at once, or one part where that is more: a muxer is no faster than its film."""


class S3Object(NamedTuple):
    """One object of a bucket, there or not."""

    asker: S3Requests
    bucket: str
    name: str
    """Its whole key."""
    where: str
    """For errors."""

    def write(self, move: "Callable[[S3Client], Found]") -> Found:
        """What `move` asks, to write this object. Raises BadStore, StoreFault or StoreDown."""
        return self.asker.ask("write", self.where, move)


class S3Writer:
    """A growing object. Holds its first part until the end, and sends each of the others as soon as it is full.

    An upload of the same key that was broken off is gone on with: its state lies in the bucket. Of two the newest holds.
    A part that is there already, as its MD5 shows, is not sent again. Memory: the first part, the one that is filled, and
    those that travel: 64 MiB for an object of up to 125 GiB, four parts (equal_part) for one that is expected to be larger.
    """

    def __init__(self, place: S3Object, expected: int = 0) -> None:
        """`expected`: bytes that the object will have, at most, as far as one can tell."""
        self._place = place
        self._expected = expected
        self._equal = PART
        self._head, self._part = bytearray(), bytearray()
        self._at = self._size = 0
        self._upload: _Upload | None = None
        self._pool = ThreadPoolExecutor(SENDERS)
        self._parts: list[Future[CompletedPartTypeDef]] = []
        self._travelling: deque[tuple[Future[CompletedPartTypeDef], int]] = deque()
        self._error: Exception | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data).cast("B")
        length = len(view)
        self._do(lambda: self._write(view))
        return length

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if not (0 <= at <= len(self._head) or at == self._size):
            self._do(lambda: self._refuse(at))
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._do(self._finish)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _do(self, move: Callable[[], None]) -> None:
        if self._error:
            raise self._error
        try:
            move()
        except Exception as error:
            self._error = error
            raise

    def _write(self, view: memoryview) -> None:
        while view:
            if self._at >= PART and not self._upload:
                # An upload that was begun has its part size already.
                self._upload = _Upload(self._place, self._expected)
                self._equal = self._upload.part
            if self._at < self._equal:
                step = min(len(view), self._equal - self._at)
                self._head[self._at : self._at + step] = view[:step]
            elif self._at == self._size:
                step = min(len(view), self._next_part() - len(self._part))
                self._part += view[:step]
            else:
                self._refuse(self._at)
            self._at += step
            self._size = max(self._size, self._at)
            view = view[step:]
            if len(self._part) == self._next_part():
                self._send()

    def _next_part(self) -> int:
        return growing_part(len(self._parts) + 2, self._equal)

    def _refuse(self, at: int) -> None:
        raise BadStore(
            f"Cannot write {self._place.where}: byte {at} was to be written again, and is in the bucket already; "
            "choose another container, or a folder for the output."
        )

    def _send(self) -> None:
        """Let the part that is filled travel, when there is room for it."""
        assert self._upload
        while self._travelling and sum(size for _, size in self._travelling) + len(self._part) > TRAVELLING:
            self._travelling.popleft()[0].result()
        sent = self._pool.submit(self._upload.send, len(self._parts) + 2, self._part)
        self._parts.append(sent)
        self._travelling.append((sent, len(self._part)))
        self._part = bytearray()

    def _finish(self) -> None:
        if not self._upload:
            _, bucket, name, _ = self._place
            body = bytes(self._head)
            self._place.write(lambda client: client.put_object(Bucket=bucket, Key=name, Body=body))
            return
        if self._part:
            self._send()
        head = self._upload.send(1, self._head)
        self._upload.complete([head, *(one.result() for one in self._parts)])


class S3Reference(TypedDict):
    """An object, as S3's requests name it."""

    Bucket: str
    Key: str


class Upload(NamedTuple):
    """A multipart upload that was begun and not completed."""

    name: str
    """The object's whole key."""
    id: str
    began: datetime


def uploads_of(client: "S3Client", bucket: str, prefix: str, *, below: bool = False) -> list[Upload]:
    """The unfinished uploads of the object called `prefix`, the newest first; `below`: of all whose keys begin so."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    found = [Upload(one["Key"], one["UploadId"], one["Initiated"]) for page in pages for one in page.get("Uploads", ())]
    found.sort(key=lambda one: (one.began, one.id), reverse=True)
    return [one for one in found if below or one.name == prefix]


def abort(place: S3Object, uploads: Iterable[str]) -> None:
    """End uploads of one object: what they hold goes. Where that fails they stay, for the next who looks."""
    for one in uploads:
        with suppress(ClientError, BotoCoreError):
            place.asker.client.abort_multipart_upload(Bucket=place.bucket, Key=place.name, UploadId=one)


class _Upload:
    """One multipart upload: an earlier one found again, or a new one. `send` may be called from several threads."""

    part: int
    """Bytes of each of its parts: as it was begun with, or as many as `expected` bytes ask for."""

    def __init__(self, place: S3Object, expected: int) -> None:
        self._place = place
        self._object = S3Reference(Bucket=place.bucket, Key=place.name)
        newest, *others = place.write(
            lambda client: [one.id for one in uploads_of(client, place.bucket, place.name)]
        ) or [""]
        self.id = newest or place.write(lambda client: client.create_multipart_upload(**self._object)["UploadId"])
        abort(place, others)
        self._there = {one["PartNumber"]: one for one in place.write(self._listed)} if newest else {}
        # The first part that was sent; less than the smallest size is a last part, which says nothing.
        begun = self._there[min(self._there)].get("Size", 0) if self._there else 0
        self.part = begun if begun >= PART else equal_part(expected)

    def _listed(self, client: "S3Client") -> "list[PartTypeDef]":
        pages = client.get_paginator("list_parts").paginate(**self._object, UploadId=self.id)
        return [one for page in pages for one in page.get("Parts", ())]

    def send(self, number: int, data: bytearray) -> "CompletedPartTypeDef":
        """One part, unless it is there."""
        there = self._there.get(number)
        if there and there["ETag"].strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest():
            return completed(number, there)
        body: Any = data  # boto3 takes a bytearray as it is; its stubs do not know
        return self._place.write(
            lambda client: completed(
                number, client.upload_part(**self._object, UploadId=self.id, PartNumber=number, Body=body)
            )
        )

    def complete(self, parts: "list[CompletedPartTypeDef]") -> None:
        """Make the object of these parts, in order; parts of the upload that are not named go, and so do other uploads of the key."""
        self._place.write(lambda client: self._complete(client, parts))
        _, bucket, name, _ = self._place
        abort(self._place, self._place.write(lambda client: [one.id for one in uploads_of(client, bucket, name)]))

    def _complete(self, client: "S3Client", parts: "list[CompletedPartTypeDef]") -> None:
        try:
            client.complete_multipart_upload(**self._object, UploadId=self.id, MultipartUpload={"Parts": parts})
        except ClientError as error:
            # Also the answer to a completion that was sent twice, because the first reply was lost.
            if code_of(error) != "NoSuchUpload" or not self._is_made_of(client, parts):
                raise

    def _is_made_of(self, client: "S3Client", parts: "list[CompletedPartTypeDef]") -> bool:
        """Is the object that is there made of these parts? Its ETag is the MD5 of theirs."""
        sums = b"".join(bytes.fromhex(one["ETag"].strip('"')) for one in parts)
        wanted = f'"{hashlib.md5(sums, usedforsecurity=False).hexdigest()}-{len(parts)}"'
        return client.head_object(**self._object)["ETag"] == wanted


def completed(
    number: int, part: "PartTypeDef | UploadPartOutputTypeDef | CopyPartResultTypeDef"
) -> "CompletedPartTypeDef":
    """What a completion says of a part that S3 has."""
    done: CompletedPartTypeDef = {"PartNumber": number, "ETag": part["ETag"]}
    if "ChecksumCRC32" in part:
        done["ChecksumCRC32"] = part["ChecksumCRC32"]
    return done


class SpooledWriter:
    """An object that is written again at any place: a temporary file until the end, then `deliver`ed whole."""

    def __init__(self, deliver: Callable[[Path], Any]) -> None:
        self._deliver = deliver
        # It has no name but this process's own for it, so nothing is left of a process that is killed.
        self._file = tempfile.TemporaryFile(buffering=BUFFER)  # noqa: SIM115  closed where the writer's block ends

    def write(self, data: "ReadableBuffer", /) -> int:
        with told_here(tempfile.gettempdir()):
            return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        with told_here(tempfile.gettempdir()):
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with told_here(tempfile.gettempdir()), self._file:
            if kind is None:
                self._file.flush()
                self._deliver(Path(f"/dev/fd/{self._file.fileno()}"))
