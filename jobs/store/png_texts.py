"""Refuses PNG files whose texts, profile or EXIF would take much memory: a few compressed bytes can stand for gigabytes, and decoders read them all."""

import struct
import zlib
from typing import BinaryIO

from jobs.errors import BadMedia

MOST_TEXT = 16 << 20
"""Bytes of all texts and the profile of one picture, inflated: the largest ICC profiles have three million."""
MOST_CHUNKS = 200_000
"""Of one file: a picture of 8K in pieces of 8 KiB has a quarter of them."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"zTXt", b"iTXt", b"tEXt", b"iCCP", b"eXIf")


def refuse_large_texts(file: BinaryIO, what: str) -> None:
    """Raises BadMedia for a PNG file of texts larger than MOST_TEXT; other files pass. The file stands at its beginning afterwards."""
    left = MOST_TEXT
    chunks = 0
    if file.read(8) == _SIGNATURE:
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            chunks += 1
            if kind in _TEXTS:
                left -= _inflated(kind, file.read(length), left) if length <= left else length
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)
            if left < 0 or chunks > MOST_CHUNKS:
                raise BadMedia(
                    f"{what} carries texts or a colour profile of more than {MOST_TEXT >> 20} MiB beside its picture; write the picture "
                    "again without its metadata (mogrify -strip, or exiftool -all=)."
                )
    file.seek(0)


def _inflated(kind: bytes, data: bytes, most: int) -> int:
    """Bytes that a chunk's content has once it is inflated, or some number beyond `most`."""
    if kind == b"iTXt":
        said = data.partition(b"\0")[2]  # compressed or not, how, and two texts that end in a nought
        packed = said[2:].partition(b"\0")[2].partition(b"\0")[2] if said[:1] == b"\1" else b""
    else:
        packed = data.partition(b"\0")[2][1:] if kind in (b"zTXt", b"iCCP") else b""
    try:
        return len(data) + len(zlib.decompressobj().decompress(packed, most + 1))
    except zlib.error:  # damaged, after less than `most`: who decodes it sees that
        return len(data)
