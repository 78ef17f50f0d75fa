"""Presents a row of files as one QuickTime movie, read as a stream and never written. Its samples are the files' own bytes.

The header follows ISO/IEC 14496-12 and Apple's QuickTime File Format: one video track, every sample a keyframe of one and
the same length, the sample data behind the header. One file is open at a time.
"""

import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import BinaryIO

from jobs.store.range_reader import RangeReader

_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_SELF_CONTAINED = 1
_ENABLED = 3
_WHOLE = 1 << 16
"""1 in fixed point."""
_UNDETERMINED = 0x55C4
"""No language."""
_TRUE_COLOUR = 24
"""Depth that says nothing of a palette; the files say themselves how deep they are."""


def header(codec: bytes, sizes: Sequence[int], rate: Fraction) -> bytes:
    """All that stands before the samples. `codec`: four letters; `sizes`: bytes of each sample; `rate`: samples a second."""
    kind = _box(b"ftyp", b"qt  ", bytes(4), b"qt  ")
    # The place of the first sample is known once the length of the header is.
    first = len(kind) + len(_moov(codec, sizes, rate, 0)) + 16
    return kind + _moov(codec, sizes, rate, first) + struct.pack(">I4sQ", 1, b"mdat", 16 + sum(sizes))


def _moov(codec: bytes, sizes: Sequence[int], rate: Fraction, first: int) -> bytes:
    scale, length = rate.numerator, len(sizes) * rate.denominator
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">QQIQHH", 0, 0, scale, length, _UNDETERMINED, 0), version=1),
        _full(b"hdlr", struct.pack(">4s4s12sx", b"mhlr", b"vide", b"")),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=_SELF_CONTAINED))),
            _samples(codec, sizes, rate.denominator, first),
        ),
    )
    track = struct.pack(">QQIIQ16x", 0, 0, 1, 0, length) + _UPRIGHT + bytes(8)
    movie = struct.pack(">QQIQIH10x", 0, 0, scale, length, _WHOLE, 1 << 8) + _UPRIGHT + struct.pack(">24xI", 2)
    return _box(
        b"moov",
        _full(b"mvhd", movie, version=1),
        _box(b"trak", _full(b"tkhd", track, version=1, flags=_ENABLED), media),
    )


def _samples(codec: bytes, sizes: Sequence[int], length: int, first: int) -> bytes:
    # Width and height are left at 0: the decoder reads them from the first file.
    entry = struct.pack(">6xH16x2H2IIH32xHh", 1, 0, 0, 72 * _WHOLE, 72 * _WHOLE, 0, 1, _TRUE_COLOUR, -1)
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), _box(codec, entry)),
        _full(b"stts", struct.pack(">3I", 1, len(sizes), length)),
        _full(b"stsc", struct.pack(">4I", 1, 1, len(sizes), 1)),
        _full(b"stsz", struct.pack(f">2I{len(sizes)}I", 0, len(sizes), *sizes)),
        _full(b"co64", struct.pack(">IQ", 1, first)),
    )


def _full(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _box(name: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), name) + b"".join(parts)


class VirtualQuickTime(RangeReader):
    """A header and files behind it as one stream. Raises OSError where a file has become shorter than was said."""

    def __init__(self, head: bytes, sizes: Sequence[int], open_one: Callable[[int], BinaryIO]) -> None:
        """`open_one` opens the file at a place in `sizes`."""
        self._head = head
        # Where the header ends and each file begins, and at last where the movie ends.
        self._edges = list(accumulate(sizes, initial=len(head)))
        self._open_one = open_one
        self._open: tuple[int, BinaryIO] | None = None
        super().__init__(self._edges[-1])

    def fetch(self, at: int, most: int) -> bytes:
        """At least one byte; none beyond the file they are in."""
        if at < len(self._head):
            return self._head[at : at + most]
        place = bisect_right(self._edges, at) - 1
        if self._open is None or self._open[0] != place:
            self._shut()
            self._open = (place, self._open_one(place))
        file = self._open[1]
        file.seek(at - self._edges[place])
        data = file.read(min(most, self._edges[place + 1] - at))
        if not data:
            raise OSError("a file of the sequence has become shorter since it was listed")
        return data

    def _shut(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def close(self) -> None:
        self._shut()
        super().close()
