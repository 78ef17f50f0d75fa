"""Counts the bytes and requests that pass this process's stores, each once."""

import io
from threading import Lock
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from jobs.document import Count, Document

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Asked = Literal["read", "write", "list"]
"""What a request is for: to read or look at an object; to write, copy, rename or delete one; to list some."""


class Traffic(Document):
    """What has passed stores, in folders and in S3; S3's own repeated requests included."""

    bytes_read: Count = 0
    bytes_written: Count = 0
    requests: dict[Asked, Count] = Field(default_factory=dict)

    def __add__(self, more: "Traffic") -> "Traffic":
        asked = {
            kind: self.requests.get(kind, 0) + more.requests.get(kind, 0) for kind in self.requests | more.requests
        }
        return Traffic(
            bytes_read=self.bytes_read + more.bytes_read,
            bytes_written=self.bytes_written + more.bytes_written,
            requests=asked,
        )

    def __bool__(self) -> bool:
        return bool(self.bytes_read or self.bytes_written or self.requests)


class _Passed:
    """Of this process, since it was last asked for."""

    traffic = Traffic()
    lock = Lock()


def passed(asked: Asked | None = None, *, bytes_read: int = 0, bytes_written: int = 0) -> None:
    """A request was made, or bytes have passed, or both. From any thread."""
    requests: dict[Asked, int] = {asked: 1} if asked else {}
    with _Passed.lock:
        _Passed.traffic += Traffic(bytes_read=bytes_read, bytes_written=bytes_written, requests=requests)


def drain() -> Traffic:
    """What has passed this process's stores since this was last asked."""
    with _Passed.lock:
        found, _Passed.traffic = _Passed.traffic, Traffic()
    return found


class CountedFile(io.FileIO):
    """A file that is read: what of it is fetched from its disk is counted. To be buffered, or each few bytes would cost a count."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        found = super().readinto(buffer)
        passed(bytes_read=found or 0)
        return found

    def readall(self) -> bytes:
        found = super().readall()
        passed(bytes_read=len(found))
        return found
