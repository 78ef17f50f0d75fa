"""Refuses picture files whose texts, profiles or tags would take a decoder far more memory or time than their pixels."""

import re
import struct
import zlib

from actors.media.metadata.exif import Named, named_in
from jobs.errors import BadMedia

MOST_TEXT = 16 << 20
"""Bytes of all texts and the profile of one picture, inflated: the largest ICC profiles have three million."""
MOST_ENTRIES = 2_000
"""Texts of a PNG, or attributes of an OpenEXR: libav compares each with all before it. Pictures have some dozens."""
MOST_CHUNKS = 200_000
"""Of a PNG file: a picture of 8K in pieces of 8 KiB has a quarter of them."""

_PNG, _EXR, _JPEG, _TIFF = b"\x89PNG\r\n\x1a\n", b"\x76\x2f\x31\x01", b"\xff\xd8\xff", (b"II*\0", b"MM\0*")
_EXIF = b"Exif\0\0"
_SEGMENT = 1 << 16
"""Bytes of a JPEG's segment at most."""
_EXIF_TEXT = b"Raw profile type exif\0"
_EXIF_DIGITS = re.compile(rb"\s*exif\s+\d+\s([\s0-9a-fA-F]*)")
"""How a text of PNG begins that holds Exif, and its hexadecimal digits behind their kind and number."""
_EXR_PARTS = 0x1000
"""Of an OpenEXR's version field: headers follow each other, and an empty one ends them."""
_EXR_TEXT = 256
"""Bytes of an attribute's name or type, with the nought behind it."""
_TEXTS = (b"zTXt", b"iTXt", b"tEXt", b"iCCP", b"eXIf")


def refuse_large_metadata(picture: bytes | memoryview, what: str, jpeg: bool = False) -> None:
    """Raises BadMedia for a PNG whose texts are larger than MOST_TEXT, a PNG or OpenEXR of more than MOST_ENTRIES of them, and a PNG, TIFF or JPEG
    whose tags stand for far more than its picture; other files pass. `jpeg`: a decoder of JPEG gets it, which skips what may stand before the picture.
    """
    data = memoryview(picture)
    if data[:8] == _PNG:
        _walk_png(data, what)
    elif data[:4] == _EXR:
        _walk_exr(data, what)
    elif data[:4] in _TIFF:
        _refuse_tags(what, [named_in(data)])
    elif jpeg or data[:3] == _JPEG:
        _walk_jpeg(bytes(data), what)


def _refuse_tags(what: str, found: list[Named]) -> None:
    """Raises BadMedia where the tags of all folders of a picture stand for more than one's may."""
    if Named(sum(one.entries for one in found), sum(one.values for one in found)).too_much:
        raise BadMedia(
            f"{what} carries tags (TIFF or Exif) that stand for far more than its picture; write it again without its metadata "
            "(mogrify -strip, or exiftool -all=)."
        )


def _walk_jpeg(data: bytes, what: str) -> None:
    place, found = data.find(_EXIF), list[Named]()
    while place >= 0:
        found.append(named_in(memoryview(data)[place + len(_EXIF) : place + _SEGMENT]))
        _refuse_tags(what, found)
        place = data.find(_EXIF, place + 1)


def _walk_png(data: memoryview, what: str) -> None:
    at, left, chunks, texts, tags = 8, MOST_TEXT, 0, 0, list[Named]()
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks += 1
        if kind in _TEXTS:
            texts += 1
            content = bytes(data[at + 8 : at + 8 + length]) if length <= left else b""
            text = _inflated(kind, content, left)
            left -= max(length, len(content) + len(text))
            tags += _exif_in(kind, content, text)
        if left < 0 or chunks > MOST_CHUNKS or texts > MOST_ENTRIES:
            raise BadMedia(
                f"{what} carries texts or a colour profile of more than {MOST_TEXT >> 20} MiB, or more than {MOST_ENTRIES:,} texts, "
                "beside its picture; write it again without its metadata (mogrify -strip, or exiftool -all=)."
            )
        at += length + 12
    _refuse_tags(what, tags)


def _inflated(kind: bytes, data: bytes, most: int) -> bytes:
    """A chunk's content that was deflated, or more than `most` bytes of it."""
    if kind == b"iTXt":
        said = data.partition(b"\0")[2]  # compressed or not, how, and two texts that end in a nought
        packed = said[2:].partition(b"\0")[2].partition(b"\0")[2] if said[:1] == b"\1" else b""
    else:
        packed = data.partition(b"\0")[2][1:] if kind in (b"zTXt", b"iCCP") else b""
    try:
        return zlib.decompressobj().decompress(packed, most + 1)
    except zlib.error:  # damaged, after less than `most`: who decodes it sees that
        return b""


def _exif_in(kind: bytes, content: bytes, inflated: bytes) -> list[Named]:
    """What the Exif of a chunk stands for, which may be a text."""
    if kind == b"eXIf":
        return [named_in(memoryview(content))]
    if not content.startswith(_EXIF_TEXT):
        return []
    digits = _EXIF_DIGITS.search(inflated or content)
    exif = b"".join(digits[1].split()) if digits else b""
    exif = bytes.fromhex(exif[: len(exif) & ~1].decode("ascii"))
    start = exif.find(_EXIF) + len(_EXIF) if _EXIF in exif else 0
    return [named_in(memoryview(exif)[start:])]


def _walk_exr(data: memoryview, what: str) -> None:
    several = bool(struct.unpack_from("<I", data[:8].tobytes().ljust(8, b"\0"), 4)[0] & _EXR_PARTS)
    at, attributes, ended = 8, 0, False
    while (name := _text_at(data, at)) is not None:
        at += len(name) + 1
        if not name and (ended or not several):
            return
        ended = not name
        if ended:
            continue
        attributes += 1
        if attributes > MOST_ENTRIES:
            raise BadMedia(
                f"{what} has more than {MOST_ENTRIES:,} attributes beside its picture; write it again without its metadata."
            )
        kind = _text_at(data, at)
        if kind is None or (at := at + len(kind) + 1) + 4 > len(data):
            return
        at += 4 + struct.unpack_from("<I", data, at)[0]


def _text_at(data: memoryview, at: int) -> bytes | None:
    """A text that ends in a nought, without it; None where there is none."""
    text, end, _ = bytes(data[at : at + _EXR_TEXT]).partition(b"\0")
    return text if end else None
