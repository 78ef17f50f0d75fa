"""Edit lists as editors write them: several parts of one medium, in any order. Promises a valid mp4 with the list asked for; tests nothing."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

_NESTED = (b"moov", b"trak", b"edts", b"mdia")


def with_edits(film: Path, edits: Sequence[tuple[int, int]]) -> Path:
    """The mp4 or mov `film`, its picture the first track and its moov the last box, with another edit list.

    `edits`: (length in ticks of the movie, start in ticks of the medium); a start of -1 shows nothing for that long.
    """
    data = film.read_bytes()
    entries = b"".join(struct.pack(">IiI", length, start, 1 << 16) for length, start in edits)
    content = struct.pack(">II", 0, len(edits)) + entries
    film.write_bytes(_replaced(data, b"elst", struct.pack(">I4s", len(content) + 8, b"elst") + content))
    return film


def _replaced(data: bytes, name: bytes, box: bytes) -> bytes:
    # A box that grows makes those around it grow; nothing before moov moves, so no chunk offset changes.
    made = b""
    for kind, start, stop in _boxes(data):
        if kind == name:
            made += box
        elif kind in _NESTED:
            inner = _replaced(data[start + 8 : stop], name, box)
            made += struct.pack(">I4s", len(inner) + 8, kind) + inner
        else:
            made += data[start:stop]
    return made


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    place = 0
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, place, place + size
        place += size
