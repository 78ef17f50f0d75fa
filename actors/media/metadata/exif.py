"""Adds up what a picture's Exif or TIFF tags stand for: libav copies each value as often as tags name it, and reads a folder of tags as often.

A kilobyte of tags that all name one text of megabytes, or folders of folders of tags, stand for gigabytes and for hours.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

MOST_VALUES = 16 << 20
"""Bytes of all values of one picture, as often as they are named: the largest ICC profiles have three million."""
MOST_ENTRIES = 4_096
"""Tags of one picture: libav refuses a folder of more, but not folders in it."""

_ENTRY = 12
_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
"""Bytes of a value, by the number of its kind (TIFF 6.0, section 2)."""
_FOLDER = 13
"""The kind of an entry that names a folder of more; those of these tags do too, whatever their kind."""
_FOLDERS = frozenset((0x014A, 0x0190, 0x8769, 0x8825, 0xA005, 0xC6F5))
_MAKER_NOTE = 0x927C
_MAKERS = (
    (b"AOC\0", 6),
    (b"FOVEON\0\0", 10),
    (b"OLYMP\0", 8),
    (b"Panasonic\0\0\0", 12),
    (b"SIGMA\0\0\0", 10),
    (b"SONY DSC \0\0\0", 12),
    (b"Nikon\0", 8),
)
"""How a camera's own notes begin, and where the folder in them does; at their beginning in others."""
_DEEPEST = 4
_PAGES = 16
"""Folders that follow each other in one file, of which libav reads no more."""


class Named(NamedTuple):
    """What a picture's tags stand for together."""

    entries: int
    values: int

    @property
    def too_much(self) -> bool:
        return self.entries > MOST_ENTRIES or self.values > MOST_VALUES


def named_in(data: memoryview) -> Named:
    """What the tags of a TIFF file, or of Exif data, stand for; some number beyond the bounds once these are reached."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]), "")
    if not order or len(data) < 8:
        return Named(0, 0)
    folder, found = _Folder(data, order), Named(0, 0)
    place = struct.unpack_from(f"{order}I", data, 4)[0]
    for _ in range(_PAGES):
        try:
            for entry in folder.entries(place):
                found = Named(found.entries + 1, found.values + entry)
                if found.too_much:
                    return found
            place = folder.following(place)
        except (struct.error, _UnreadableError):
            break
        if not place:
            break
    return found


class _UnreadableError(Exception):
    """Where libav gives up."""


class _Folder(NamedTuple):
    data: memoryview
    order: str

    def entries(self, place: int, depth: int = 0) -> Iterator[int]:
        """Bytes that each entry of a folder stands for, and each of the folders in it."""
        count = struct.unpack_from(f"{self.order}H", self.data, place)[0]
        if depth >= _DEEPEST or place + 2 + _ENTRY * count > len(self.data):
            raise _UnreadableError
        for at in range(place + 2, place + 2 + _ENTRY * count, _ENTRY):
            tag, kind, many, value = struct.unpack_from(f"{self.order}HHII", self.data, at)
            if not 0 <= kind <= _FOLDER:
                raise _UnreadableError
            yield 0
            if kind == _FOLDER or tag in _FOLDERS:
                yield from self.entries(value, depth + 1) if value else ()
                continue
            if tag == _MAKER_NOTE:
                yield from self._notes(value, depth + 1)
            length = many * _SIZES[kind]
            if length > 4 and value + length > len(self.data):
                raise _UnreadableError
            yield length

    def _notes(self, place: int, depth: int) -> Iterator[int]:
        head = bytes(self.data[place : place + 14])
        try:
            yield from self.entries(place + next((start for name, start in _MAKERS if head.startswith(name)), 0), depth)
        except (struct.error, _UnreadableError):
            return  # no folder: libav takes notes for a value then

    def following(self, place: int) -> int:
        count = struct.unpack_from(f"{self.order}H", self.data, place)[0]
        return int(struct.unpack_from(f"{self.order}I", self.data, place + 2 + _ENTRY * count)[0])
