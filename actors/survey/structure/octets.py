"""Reads a file's bytes at given places for the structure checks, and defines the error that they raise."""

import os
from typing import BinaryIO


class BrokenStructure(Exception):
    """The structure asks for more than there is, or breaks off; the message continues "The source ..."."""


class FileBytes:
    """The bytes of one open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)

    def at(self, place: int, count: int) -> bytes:
        """Up to `count` bytes from `place` on; fewer at the file's end."""
        self._file.seek(place)
        return self._file.read(count)

    def must_hold(self, stop: int, what: str) -> None:
        """Raises BrokenStructure where `what`, which says that it ends at `stop`, is longer than the file."""
        if stop > self.size:
            raise BrokenStructure(
                f"is truncated: it ends inside {what}, of which {stop - self.size:,} bytes are missing"
            )


def broken_at(place: int, expected: str) -> BrokenStructure:
    """What is said where something else lies at `place` than the structure has there."""
    return BrokenStructure(f"is damaged at byte {place}, where {expected} should begin")
