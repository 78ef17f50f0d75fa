"""Writes films whose headers carry any number of tags, of any length, byte by byte: libav itself would take minutes to write them. Tests nothing."""

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Literal
from uuid import UUID

import av
import numpy as np

from actors.media.ebml import SEGMENT, element

OWN = 12
"""Frames of each film."""
Codec = Literal["mpeg4", "ffv1", "flv1", "libvpx"]
Parts = tuple[int, int]
"""How many tags, and how many characters each."""


def plain(form: str, codec: Codec = "mpeg4") -> bytes:
    """A film of a few frames without tags of its own."""
    file = io.BytesIO()
    with av.open(file, "w", format=form, options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream(codec, 24)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 64, 48, "yuv420p", Fraction(1, 24)
        for _ in range(OWN):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), "yuv420p")))
        out.mux(stream.encode(None))
    return file.getvalue()


def matroska(tags: Parts, *, behind: bool = False) -> bytes:
    """Behind the clusters with `behind`, found by an index of parts alone."""
    whole = plain("matroska", "ffv1")
    at = whole.index(SEGMENT) + len(SEGMENT) + 8
    simple = (
        element(b"\x67\xc8", element(b"\x45\xa3", name) + element(b"\x44\x87", text)) for name, text in _texts(tags)
    )
    part = element(b"\x12\x54\xc3\x67", element(b"\x73\x73", b"".join(simple)))
    # Of unknown length: to the file's end.
    head, parts = whole[: at - 8] + b"\x01" + b"\xff" * 7, whole[at:]
    if not behind:
        return head + part + parts
    return head + _seek(len(_seek(0)) + len(parts)) + parts + part


def _seek(place: int) -> bytes:
    """An index of parts that has one of tags."""
    entry = element(b"\x53\xab", b"\x12\x54\xc3\x67") + element(b"\x53\xac", struct.pack(">Q", place))
    return element(b"\x11\x4d\x9b\x74", element(b"\x4d\xbb", entry))


def box(name: bytes, *parts: bytes) -> bytes:
    """One of mp4."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), name) + b"".join(parts)


def mp4(tags: Parts) -> bytes:
    """By names of their own, as cameras write them."""
    texts = list(_texts(tags))
    keys = box(b"keys", struct.pack(">II", 0, len(texts)), *(box(b"mdta", name) for name, _ in texts))
    values = (
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", 1, 0), text))
        for number, (_, text) in enumerate(texts, 1)
    )
    meta = box(b"meta", box(b"hdlr", bytes(8), b"mdta", bytes(13)), keys, box(b"ilst", *values))
    return _in_moov(meta)


def udta(tags: Parts) -> bytes:
    """QuickTime's user data: names of four letters, of which the last wins."""
    texts = [box(b"\xa9cmt", struct.pack(">HH", min(len(text), 65535), 0), text) for _, text in _texts(tags)]
    return _in_moov(box(b"udta", *texts))


def _in_moov(part: bytes) -> bytes:
    whole = plain("mov")
    at = whole.index(b"moov") - 4
    length = struct.unpack_from(">I", whole, at)[0]
    return whole[:at] + box(b"moov", whole[at + 8 : at + length], part) + whole[at + length :]


def avi(tags: Parts) -> bytes:
    """In its list of information, before the pictures."""
    whole = plain("avi")
    at = whole.index(b"movi") - 8
    chunks = (
        struct.pack("<4sI", b"%04X" % number, len(text)) + text + bytes(len(text) & 1)
        for number, (_, text) in enumerate(_texts(tags))
    )
    part = b"INFO" + b"".join(chunks)
    whole = whole[:at] + struct.pack("<4sI", b"LIST", len(part)) + part + whole[at:]
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def flv(tags: Parts) -> bytes:
    """In its first script."""
    whole = plain("flv", "flv1")
    texts = (
        struct.pack(">H", len(name)) + name + struct.pack(">BH", 2, len(text)) + text for name, text in _texts(tags)
    )
    script = b"\x02\0\x0aonMetaData\x08" + struct.pack(">I", tags[0]) + b"".join(texts) + b"\0\0\x09"
    head = b"\x12" + len(script).to_bytes(3, "big") + bytes(7)
    return whole[:13] + head + script + struct.pack(">I", len(script) + 11) + whole[13:]


def asf(tags: Parts) -> bytes:
    """In as many descriptions as they need: each counts 16 bits of them."""
    whole = plain("asf")
    length, count = struct.unpack_from("<QI", whole, 16)
    texts, parts = list(_texts(tags)), []
    for first in range(0, len(texts), 65_000):
        some = texts[first : first + 65_000]
        entries = (
            struct.pack("<H", 2 * len(name))
            + name.decode().encode("utf-16-le")
            + struct.pack("<HH", 0, 2 * len(text))
            + text.decode().encode("utf-16-le")
            for name, text in some
        )
        data = struct.pack("<H", len(some)) + b"".join(entries)
        parts.append(UUID("d2d0a440-e307-11d2-97f0-00a0c95ea850").bytes_le + struct.pack("<Q", 24 + len(data)) + data)
    more = b"".join(parts)
    return (
        whole[:16]
        + struct.pack("<QI", length + len(more), count + len(parts))
        + whole[28:length]
        + more
        + whole[length:]
    )


def ogg(tags: Parts) -> bytes:
    """In the comments of a VP8 stream, whose packet takes any number of pages."""
    whole = plain("ogg", "libvpx")
    pages, at = [], 0
    while at < len(whole):
        end = at + 27 + whole[at + 26] + sum(whole[at + 27 : at + 27 + whole[at + 26]])
        pages.append(whole[at:end])
        at = end
    texts = b"".join(struct.pack("<I", len(name) + 1 + len(text)) + name + b"=" + text for name, text in _texts(tags))
    packet = b"OVP80\x02 " + struct.pack("<I", 0) + struct.pack("<I", tags[0]) + texts + b"\1"
    laces = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    made, place = list[bytes](), 0
    for first in range(0, len(laces), 255):
        some = laces[first : first + 255]
        head = b"OggS\0" + bytes([first > 0]) + bytes(8) + pages[0][14:18] + struct.pack("<II", len(made) + 1, 0)
        made.append(head + bytes([len(some)]) + some + packet[place : place + sum(some)])
        place += sum(some)
    return b"".join(_numbered([pages[0], *made, *pages[2:]]))


def _numbered(pages: list[bytes]) -> list[bytes]:
    found = []
    for number, page in enumerate(pages):
        page = page[:18] + struct.pack("<II", number, 0) + page[26:]
        found.append(page[:22] + struct.pack("<I", _checksum(page)) + page[26:])
    return found


def _checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
    return value


def _entry(value: int) -> int:
    for _ in range(8):
        value = (value << 1 ^ 0x04C11DB7 * (value >> 31)) & 0xFFFFFFFF
    return value


_TABLE = [_entry(byte << 24) for byte in range(256)]


def _texts(tags: Parts) -> list[tuple[bytes, bytes]]:
    count, characters = tags
    return [(b"K%d" % number, b"v" * characters) for number in range(count)]


FORMS: dict[str, Callable[[Parts], bytes]] = {
    "mkv": matroska,
    "mp4": mp4,
    "avi": avi,
    "flv": flv,
    "asf": asf,
    "ogg": ogg,
}
