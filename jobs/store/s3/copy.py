"""Copies an object to another name in its bucket, only while the source, and what it replaces, are as they were found."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypedDict
from uuid import uuid4

from jobs.store.protocol import Stat
from jobs.store.s3.errors import done_once
from jobs.store.s3.upload import SENDERS, S3Object, S3Reference, abort, completed

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

COPIED = 1 << 30
"""Bytes that one request copies at most. S3 would copy 5 GiB, but may take minutes to answer, and four go at a time."""


class Condition(TypedDict, total=False):
    """What must be so of the object that is written."""

    IfMatch: str
    IfNoneMatch: str


class _Span(TypedDict, total=False):
    CopySourceRange: str


def still(found: Stat | None) -> Condition:
    """That the object is still the one that was found; that there is none, where none was."""
    return {"IfMatch": f'"{etag_of(found)}"'} if found else {"IfNoneMatch": "*"}


def etag_of(found: Stat) -> str:
    """The ETag in an object's version, without its quotation marks."""
    return found.version.partition(":")[0]


def copy(source: S3Object, target: S3Object, found: Stat, over: Stat | None, step: int = COPIED) -> bool:
    """Make `target` of `source`, which is as it was `found`, inside the bucket, in ranges of `step` bytes, four at a time.

    False where `target` is not `over` any more. In parts, however small: S3 looks at a condition on the target of these
    alone. Raises BadStore where the source has changed.
    """
    name, writer = S3Reference(Bucket=target.bucket, Key=target.name), uuid4().hex
    upload = target.write(
        lambda client: client.create_multipart_upload(**name, Metadata={"writer": writer})["UploadId"]
    )
    try:
        with ThreadPoolExecutor(SENDERS) as pool:
            numbers = range(1, max(1, -(-found.bytes // step)) + 1)
            parts = list(pool.map(lambda number: _part(source, target, found, upload, number, step), numbers))
        made = target.write(
            lambda client: done_once(
                lambda: client.complete_multipart_upload(
                    **name, UploadId=upload, MultipartUpload={"Parts": parts}, **still(over)
                ),
                lambda: client.head_object(**name)["Metadata"].get("writer") == writer,
            )
        )
    except BaseException:
        abort(target, [upload])
        raise
    if not made:
        abort(target, [upload])
    return made


def _part(
    source: S3Object, target: S3Object, found: Stat, upload: str, number: int, step: int
) -> "CompletedPartTypeDef":
    return target.write(
        lambda client: completed(
            number,
            client.upload_part_copy(
                Bucket=target.bucket,
                Key=target.name,
                UploadId=upload,
                PartNumber=number,
                CopySource={"Bucket": source.bucket, "Key": source.name},
                CopySourceIfMatch=etag_of(found),
                **_span(number, found.bytes, step),
            )["CopyPartResult"],
        )
    )


def _span(number: int, size: int, step: int) -> _Span:
    """The bytes of one part; nothing for a whole object: S3 takes a range of one above 5 MiB only."""
    start = (number - 1) * step
    return {"CopySourceRange": f"bytes={start}-{min(start + step, size) - 1}"} if size > step else {}
