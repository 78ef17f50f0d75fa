"""A seekable file object of known length over bytes that are fetched range by range, for demuxers."""

import io
import os
from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class RangeReader(io.RawIOBase):
    """`length` bytes, read at any place by `fetch`."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._at = 0

    @abstractmethod
    def fetch(self, at: int, most: int) -> bytes:
        """At least one byte and at most `most` from place `at` on; both lie within the stream."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        if at < 0:
            raise ValueError(f"cannot seek to {at}")
        self._at = at
        return at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        most = min(len(view), self._length - self._at)
        data = self.fetch(self._at, most) if most > 0 else b""
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
