"""Reads a picture file's size and form, and a DPX file's time code, from its header; writes a DPX file's time code."""

import struct
from fractions import Fraction

from jobs.film.timecode import TimecodeCounting, timecode_rate

_BIG_ENDIAN_DPX, _LITTLE_ENDIAN_DPX = b"SDPX", b"XPDS"
_DPX_SIZE = 772
"""Where a DPX header has its pixels a line and lines an element: SMPTE ST 268, image information header."""
_DPX_TIMECODE = 1920
"""Where its television header begins, with the time code: one digit in each four bits, hours first."""
_DPX_GENERIC, _DPX_WHOLE = 1664, 2048
"""Lengths of the generic header, behind which libav puts the picture, and of all headers."""
_DPX_INDUSTRY = bytes(48) + b"\xff" * 20 + bytes(188) + b"\xff" * 52 + bytes(76)
"""The film's and the television header with nothing said: texts are zeros, numbers all ones."""
_EXR_FORM = (b"channels", b"dataWindow", b"displayWindow", b"pixelAspectRatio")
_TIFF_FORM = (256, 257, 258, 262, 277, 339)
"""Tags of width, height, bits (where these lie, of more than two samples), photometric interpretation, samples and their format."""
_EXR_WINDOW = b"dataWindow\0box2i\0\x10\0\0\0"
"""OpenEXR's name, type and length of the attribute that says where the picture's pixels lie."""


def size_of(head: bytes) -> tuple[int, int] | None:
    """Width and height that a PNG, DPX or OpenEXR file says it has; `head`: its first bytes, 4 KiB are enough."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return struct.unpack_from(">2I", head, 16)
    if (order := _dpx_order(head)) and len(head) >= _DPX_SIZE + 8:
        return struct.unpack_from(f"{order}2I", head, _DPX_SIZE)
    if head.startswith(b"\x76\x2f\x31\x01") and (found := head.find(_EXR_WINDOW)) > 0:
        left, top, right, bottom = struct.unpack_from("<4i", head.ljust(found + 99), found + len(_EXR_WINDOW))
        return right - left + 1, bottom - top + 1
    return None


def form_in(picture: bytes) -> bytes:
    """What of a TIFF or OpenEXR file's header says its picture's form: equal for files of one form; empty where it is not found."""
    if picture.startswith(b"\x76\x2f\x31\x01"):
        found = (_exr_value(picture, name) for name in _EXR_FORM)
        return b"".join(found)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(picture[:4], "")
    if not order:
        return b""
    place = struct.unpack_from(f"{order}I", picture.ljust(8), 4)[0]
    count = struct.unpack_from(f"{order}H", picture[place : place + 2].ljust(2, b"\0"))[0]
    entries = (picture[place + 2 + 12 * entry :][:12] for entry in range(count))
    kept = (one for one in entries if len(one) == 12 and struct.unpack_from(f"{order}H", one)[0] in _TIFF_FORM)
    return b"".join(kept)


def _exr_value(picture: bytes, name: bytes) -> bytes:
    """An attribute: its name, its type and its length, 4 bytes, before its value."""
    found = picture.find(name + b"\0")
    kind = picture.find(b"\0", found + len(name) + 1) + 1
    if found < 0 or kind <= 0:
        return b""
    return picture[found : kind + 4 + int.from_bytes(picture[kind : kind + 4], "little")]


def timecode_in(head: bytes, rate: Fraction) -> str:
    """A DPX file's time code as "HH:MM:SS:FF", counted at `rate` (SMPTE ST 268).

    Empty where the file tells none, or one that no frame has at this rate, and for any other file.
    """
    order = _dpx_order(head)
    if not order or len(head) < _DPX_TIMECODE + 4 or struct.unpack_from(f"{order}I", head, 4)[0] < _DPX_TIMECODE + 4:
        return ""
    digits = f"{struct.unpack_from(f'{order}I', head, _DPX_TIMECODE)[0]:08x}"
    code = ":".join(digits[place : place + 2] for place in range(0, 8, 2))
    exact = timecode_rate(rate)
    try:
        # Where nothing is said, all bits are set, and those are no digits.
        return code if exact and TimecodeCounting(exact).number(code) >= 0 else ""
    except ValueError:
        return ""


def with_timecode(picture: bytes, code: str) -> bytes:
    """A DPX file as libav writes it, with the time code "HH:MM:SS:FF" in a television header (SMPTE ST 268); any other file as it is."""
    order = _dpx_order(picture)
    if not order or not code or struct.unpack_from(f"{order}I", picture, 4)[0] != _DPX_GENERIC:
        return picture
    head = bytearray(picture[:_DPX_GENERIC])
    # Where the picture begins, twice; the file's length, and that of the two headers behind the generic one.
    for place, value in (
        (4, _DPX_WHOLE),
        (16, len(picture) + len(_DPX_INDUSTRY)),
        (28, len(_DPX_INDUSTRY)),
        (808, _DPX_WHOLE),
    ):
        struct.pack_into(f"{order}I", head, place, value)
    industry = bytearray(_DPX_INDUSTRY)
    digits = int(code.replace(":", "").replace(";", ""), 16)
    struct.pack_into(f"{order}I", industry, _DPX_TIMECODE - _DPX_GENERIC, digits)
    return bytes(head) + bytes(industry) + picture[_DPX_GENERIC:]


def _dpx_order(head: bytes) -> str:
    return {_BIG_ENDIAN_DPX: ">", _LITTLE_ENDIAN_DPX: "<"}.get(head[:4], "")
