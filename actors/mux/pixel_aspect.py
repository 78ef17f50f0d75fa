"""Writes the exact pixel aspect ratio into Matroska and MXF headers, which PyAV has no way to set.

Nothing else in the file moves, and its length stays the same.

libav writes a shape that it is told with the stream, and PyAV tells it with the codec alone. So what is written is noted as
it passes, and once the file is complete the few bytes that say the shape are written again, in its first `HEAD` bytes:
a bucket's writer still holds those.
"""

import os
import zlib
from collections.abc import Mapping
from fractions import Fraction
from math import gcd
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from actors.media.ebml import CRC, ENTRY, SEGMENT, TRACKS, VOID, Element, element, elements, number
from jobs.store import Writer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

HEAD = 8 << 20
"""Bytes in which a header's shape is looked for: half of what a bucket's writer holds back."""

_TRACK_NUMBER, _TRACK_UID, _VIDEO = b"\xd7", b"\x73\xc5", b"\xe0"
_WIDTH, _HEIGHT = b"\xb0", b"\xba"
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"
_RATIO = 3
"""DisplayUnit of a ratio instead of pixels (RFC 9559, 5.1.4.1.28.14)."""

_MXF_ASPECT = bytes.fromhex("320e0008")
"""Local tag and length of the picture's aspect ratio (SMPTE ST 377-1, G.2.1): two 32-bit numbers follow."""


class HeaderEdit(NamedTuple):
    """Bytes to be written again."""

    at: int
    data: bytes


def matroska_shapes(head: bytes, shapes: Mapping[int, Fraction]) -> HeaderEdit:
    """What makes a Matroska header say the shape of pixels (width over height) of some tracks, by their numbers.

    The room comes from the Void that libav leaves in a video track, and from the leading zeros of its UID. Raises ValueError where there is none.
    """
    segment = next(one for one in elements(head, 0, len(head)) if one.name == SEGMENT)
    tracks = next(one for one in elements(head, segment.content, len(head)) if one.name == TRACKS)
    parts = [one for one in elements(head, tracks.content, tracks.stop) if one.name != CRC]
    body = b"".join(_track(head, one, shapes) if one.name == ENTRY else head[one.start : one.stop] for one in parts)
    # libav's own checksum comes first, and is of what follows it (RFC 8794, 11.3.1).
    checked = element(CRC, zlib.crc32(body).to_bytes(4, "little"), 1) + body
    content = checked if len(checked) == tracks.stop - tracks.content else body
    if len(content) != tracks.stop - tracks.content:
        raise ValueError("the tracks have changed their length")
    return HeaderEdit(tracks.content, content)


def _track(head: bytes, entry: Element, shapes: Mapping[int, Fraction]) -> bytes:
    parts = list(elements(head, entry.content, entry.stop))
    which = next(int.from_bytes(head[one.content : one.stop], "big") for one in parts if one.name == _TRACK_NUMBER)
    if which not in shapes:
        return head[entry.start : entry.stop]
    said = []
    for one in parts:
        if one.name == _VIDEO:
            said.append(_video(head, one, shapes[which]))
        elif one.name == _TRACK_UID:
            said.append(number(_TRACK_UID, int.from_bytes(head[one.content : one.stop], "big")))
        elif one.name != VOID:
            said.append(head[one.start : one.stop])
    room = entry.stop - entry.content - sum(map(len, said))
    if room < 2:
        raise ValueError("a video track has no room for its display size")
    width = 1 if room < 128 else 8
    void = element(VOID, bytes(room - 1 - width), width)
    return head[entry.start : entry.content] + b"".join([*said, void])


def _video(head: bytes, video: Element, shape: Fraction) -> bytes:
    parts = {one.name: head[one.content : one.stop] for one in elements(head, video.content, video.stop)}
    width, height = (int.from_bytes(parts[name], "big") for name in (_WIDTH, _HEIGHT))
    kept = {name: data for name, data in parts.items() if name not in (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT)}
    shown, unit = display_size(width, height, shape)
    content = b"".join(element(name, data, 1 if len(data) < 127 else 8) for name, data in kept.items())
    content += number(_DISPLAY_WIDTH, shown[0]) + number(_DISPLAY_HEIGHT, shown[1])
    content += number(_DISPLAY_UNIT, unit) if unit else b""
    return element(_VIDEO, content, 1 if len(content) < 127 else 8)


def display_size(width: int, height: int, shape: Fraction) -> tuple[tuple[int, int], int]:
    """The size at which a picture is shown, and Matroska's unit of it: pixels (0), one side as stored, or a ratio (3)."""
    wide, high = width * shape, height / shape
    if shape >= 1 and wide.denominator == 1:
        return (int(wide), height), 0
    if shape < 1 and high.denominator == 1:
        return (width, int(high)), 0
    whole = wide / height
    return (whole.numerator, whole.denominator), _RATIO


def mxf_shape(head: bytes, width: int, height: int, shape: Fraction) -> HeaderEdit:
    """What makes an MXF header say the shape of its picture's pixels. Raises ValueError where it does not tell one picture's aspect."""
    square = _MXF_ASPECT + _two(width // gcd(width, height), height // gcd(width, height))
    if head.count(square) != 1:
        raise ValueError("the header does not tell one picture's aspect ratio")
    whole = Fraction(width, height) * shape
    return HeaderEdit(head.index(square) + len(_MXF_ASPECT), _two(whole.numerator, whole.denominator))


def _two(one: int, other: int) -> bytes:
    return one.to_bytes(4, "big") + other.to_bytes(4, "big")


class ShapedWriter:
    """A writer that notes the head of what passes, and writes some of it again when the file is complete."""

    def __init__(self, file: Writer, shapes: Mapping[int, Fraction], size: tuple[int, int], mxf: bool) -> None:
        """`shapes`: of pixels, by the number of Matroska's track; in MXF 1 is the picture, of `size`."""
        self._file, self._shapes, self._size, self._mxf = file, shapes, size, mxf
        self._head = bytearray()

    def write(self, data: "ReadableBuffer", /) -> int:
        at = self._file.tell()
        if at < HEAD:
            view = memoryview(data).cast("B")[: HEAD - at]
            self._head[at : at + len(view)] = view
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            try:
                self._say_shapes()
            except BaseException as failed:
                self._file.__exit__(type(failed), failed, failed.__traceback__)
                raise
        self._file.__exit__(kind, error, at)

    def _say_shapes(self) -> None:
        head = bytes(self._head)
        change = mxf_shape(head, *self._size, self._shapes[1]) if self._mxf else matroska_shapes(head, self._shapes)
        self._file.seek(change.at)
        self._file.write(change.data)
        self._file.seek(0, os.SEEK_END)
