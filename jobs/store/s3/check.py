"""Checks that a bucket supports everything a job needs, by trying it with small objects, which it deletes again."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from jobs.errors import BadStore
from jobs.store.s3.client import S3Requests
from jobs.store.s3.errors import CHECKSUMS, code_of, is_unsupported
from jobs.store.s3.upload import S3Object, abort, completed, uploads_of

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

Tried = Callable[["S3Client"], bool]
"""Asks for one thing; False where the service takes the request and does not do what it says."""

_DATA = b"written by film-farm to prove this store; may be deleted"
_NO_VERSION = f'"{"0" * 32}"'


def check_bucket(whole: S3Object, twin: S3Object, url: str) -> None:
    """Write, read, list, replace, copy and delete two probes, one of them in parts, in the store at `url`.

    Raises BadStore, StoreFault or StoreAway.
    """
    probe = _Probe(whole, twin)
    _write(whole)
    try:
        lacking = [name for name, tried in probe.needs() if not _works(whole, tried)]
    finally:
        probe.remove()
    if lacking:
        raise BadStore(
            f"{url} cannot be worked in: its service lacks {', '.join(lacking)}; "
            "use a folder, or an S3 service that has all of these, such as Amazon S3, MinIO or SeaweedFS, in a recent version."
        )


def _write(place: S3Object) -> None:
    """The first request of all. Where it is refused, and is not without a checksum, that is said."""

    def put(client: "S3Client") -> object:
        return client.put_object(Bucket=place.bucket, Key=place.name, Body=_DATA)

    try:
        place.write(put)
    except BadStore as refused:
        try:
            put(S3Requests(checksums="when_required").client)
        except (ClientError, BotoCoreError):
            raise refused from None
        _delete(place)
        if CHECKSUMS in str(refused):
            raise
        raise BadStore(f"{refused} Without the checksum that boto3 adds it is taken: set {CHECKSUMS}.") from None


def _works(place: S3Object, tried: Tried) -> bool:
    def move(client: "S3Client") -> bool:
        try:
            return tried(client)
        except ClientError as error:
            if is_unsupported(error):
                return False
            raise
        except (KeyError, ResponseParserError):
            return False  # an answer, and not the one that was asked for

    return place.asker.ask("try", place.where, move)


def _delete(place: S3Object) -> None:
    place.asker.ask("delete", place.where, lambda client: client.delete_object(Bucket=place.bucket, Key=place.name))


class _Object(TypedDict):
    Bucket: str
    Key: str


class _Probe:
    """A small object, and its twin that is sent in parts."""

    def __init__(self, whole: S3Object, twin: S3Object) -> None:
        self._places = (whole, twin)
        self._whole = _Object(Bucket=whole.bucket, Key=whole.name)
        self._origin: CopySourceTypeDef = {"Bucket": whole.bucket, "Key": whole.name}
        self._twin = _Object(Bucket=twin.bucket, Key=twin.name)
        self._upload = ""

    def needs(self) -> Iterator[tuple[str, Tried]]:
        """What a job will ask for, by its name. To be tried in this order."""
        yield "conditional writes (If-None-Match)", self._creates_once
        yield "conditional replacement (If-Match)", self._replaces
        yield "reading in ranges (Range)", self._reads_ranges
        yield "ListObjectsV2", self._lists
        yield "CopyObject", self._copies
        yield "multipart uploads (CreateMultipartUpload, UploadPart)", self._begins
        if self._upload:
            yield "ListMultipartUploads", self._lists_uploads
            yield "ListParts", self._lists_parts
            yield "UploadPartCopy", self._copies_parts
            yield "CompleteMultipartUpload", self._completes

    def remove(self) -> None:
        """Nothing stays, also where trying ended in an error."""
        if self._upload:
            abort(self._places[1], [self._upload])
        for place in self._places:
            _delete(place)

    def _creates_once(self, client: "S3Client") -> bool:
        return _refused(lambda: client.put_object(**self._whole, Body=_DATA, IfNoneMatch="*"))

    def _replaces(self, client: "S3Client") -> bool:
        client.put_object(**self._whole, Body=_DATA, IfMatch=client.head_object(**self._whole)["ETag"])
        return _refused(lambda: client.put_object(**self._whole, Body=_DATA, IfMatch=_NO_VERSION))

    def _reads_ranges(self, client: "S3Client") -> bool:
        with closing(client.get_object(**self._whole, Range="bytes=3-9")["Body"]) as body:
            return bool(body.read() == _DATA[3:10])

    def _lists(self, client: "S3Client") -> bool:
        found = client.list_objects_v2(Bucket=self._whole["Bucket"], Prefix=self._whole["Key"])
        return [one["Key"] for one in found.get("Contents", ())] == [self._whole["Key"]]

    def _copies(self, client: "S3Client") -> bool:
        etag = client.head_object(**self._whole)["ETag"]
        client.copy_object(**self._twin, CopySource=self._origin, CopySourceIfMatch=etag)
        return client.head_object(**self._twin)["ContentLength"] == len(_DATA)

    def _begins(self, client: "S3Client") -> bool:
        self._upload = self._upload or client.create_multipart_upload(**self._twin)["UploadId"]
        client.upload_part(**self._twin, UploadId=self._upload, PartNumber=1, Body=_DATA)
        return True

    def _lists_uploads(self, client: "S3Client") -> bool:
        return self._upload in [one.id for one in uploads_of(client, self._twin["Bucket"], self._twin["Key"])]

    def _lists_parts(self, client: "S3Client") -> bool:
        found = client.list_parts(**self._twin, UploadId=self._upload).get("Parts", ())
        return [(one["PartNumber"], one["Size"]) for one in found] == [(1, len(_DATA))]

    def _copies_parts(self, client: "S3Client") -> bool:
        last = len(_DATA) - 1
        done = client.upload_part_copy(
            **self._twin,
            UploadId=self._upload,
            PartNumber=1,
            CopySource=self._origin,
            CopySourceRange=f"bytes=0-{last}",
        )
        return bool(done["CopyPartResult"]["ETag"])

    def _completes(self, client: "S3Client") -> bool:
        part = client.upload_part(**self._twin, UploadId=self._upload, PartNumber=1, Body=_DATA)
        client.complete_multipart_upload(
            **self._twin, UploadId=self._upload, MultipartUpload={"Parts": [completed(1, part)]}
        )
        self._upload = ""
        return True


def _refused(write: Callable[[], object]) -> bool:
    """Whether a service refuses a write whose condition does not hold."""
    try:
        write()
    except ClientError as error:
        if code_of(error) in ("PreconditionFailed", "412"):
            return True
        raise
    return False
