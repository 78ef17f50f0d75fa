"""Reads stored media and checks it against the hash in its record, in one pass.

The check ends with the `with` block: nothing made of the media may be kept before that.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from jobs.errors import Damaged
from jobs.ledger.ledger import Ledger
from jobs.records.media import Media
from jobs.store.range_reader import RangeReader

BLOCK = 1 << 20


class _Summed(RangeReader):
    """A stream that is hashed as it is read forward; a demuxer that steps back reads again what is hashed already."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        super().__init__(length)
        self._stream = stream
        self._hash = hashlib.sha256()
        self._summed = 0

    def fetch(self, at: int, most: int) -> bytes:
        self._stream.seek(at)
        data = self._stream.read(most)
        if at <= self._summed < at + len(data):
            self._hash.update(data[self._summed - at :])
            self._summed = at + len(data)
        return data

    def sum(self) -> str:
        """The SHA-256 of the whole stream; reads what nobody asked for."""
        while self.fetch(self._summed, BLOCK):
            pass
        return self._hash.hexdigest()


@contextmanager
def proven(ledger: Ledger, media: Media, record: str) -> Iterator[BinaryIO]:
    """The media that `record` (its digest) names, as a seekable stream. When the block ends, also in an error, they are proven.

    So keep nothing that was made of them before it has ended. Raises Damaged where they are not what the record says,
    in the place of what a decoder said of them; the record is set aside then.
    """
    key = ledger.key(media.key)
    if not ledger.store.stat(key):
        raise gone(ledger, record, key)
    with ledger.store.open(key) as stream:
        summed = _Summed(stream, media.bytes)
        try:
            yield cast(BinaryIO, summed)
        except Exception:
            if summed.sum() != media.sha256:
                raise damaged(ledger, record, f"{ledger.store.url}/{key} is not what its record says") from None
            raise
        if summed.sum() != media.sha256:
            raise damaged(ledger, record, f"{ledger.store.url}/{key} is not what its record says")


def damaged(ledger: Ledger, record: str, what: str) -> Damaged:
    """What is raised of damage, once the record that names it is set aside."""
    ledger.set_aside(record)
    return Damaged(f"{what}; its record is set aside: run the job again, and the piece is made again.", record)


def gone(ledger: Ledger, record: str, key: str) -> Damaged:
    """What is raised of an object that is not seen from here. Nothing is set aside: the driver looks for it first."""
    return Damaged(f"{ledger.store.url}/{key} is gone; run the job again, and the piece is made again.", record, key)
