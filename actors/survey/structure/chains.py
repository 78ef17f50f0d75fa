"""Checks containers that are one chain of packets, and finds where it breaks off: FLV, Ogg, MPEG program streams, MXF, NUT."""

import zlib

from actors.survey.structure.octets import BrokenStructure, FileBytes, broken_at

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Every byte with its bits the other way round."""
_KLV = b"\x06\x0e\x2b\x34"
_NUT_INDEX = bytes.fromhex("4e58dd672f23e64e")
_NUT_END = 12
"""Bytes behind a NUT index's offset: that itself, and a checksum."""


def check_flv(file: FileBytes) -> None:
    """Raises BrokenStructure where tags do not follow one another, each with its length behind it (Adobe's FLV specification, E.3)."""
    place = int.from_bytes(file.at(5, 4), "big") + 4
    while place < file.size:
        head = file.at(place, 11)
        if head[0] & 0x1F not in (8, 9, 18):
            raise broken_at(place, "a tag of FLV")
        stop = place + 11 + int.from_bytes(head[1:4], "big")
        file.must_hold(stop, "a tag")
        # Some writers leave the last length out.
        if stop + 4 <= file.size and int.from_bytes(file.at(stop, 4), "big") not in (stop - place, 0):
            raise broken_at(stop, "the length of a tag")
        place = stop + 4


def check_ogg(file: FileBytes) -> None:
    """Raises BrokenStructure where pages are missing, by their numbers, or a stream has no last page (RFC 3533)."""
    place, numbers, open_ = 0, dict[bytes, int](), set[bytes]()
    while place < file.size:
        head = file.at(place, 27 + 255)
        if len(head) < 27 and head.startswith(b"OggS"[: len(head)]):
            file.must_hold(place + 28, "a page")
        if not head.startswith(b"OggS") or len(head) < 27:
            raise broken_at(place, "a page of Ogg")
        stream, number, segments = head[14:18], int.from_bytes(head[18:22], "little"), head[26]
        if stream in numbers and number != numbers[stream] + 1:
            raise BrokenStructure(
                f"lacks a part before byte {place}: page {numbers[stream]} is followed by page {number}"
            )
        numbers[stream] = number
        (open_.discard if head[5] & 4 else open_.add)(stream)
        stop = place + 27 + segments + sum(head[27 : 27 + segments])
        file.must_hold(stop, "a page")
        page = file.at(place, stop - place)
        if _ogg_checksum(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            raise BrokenStructure(f"is damaged: the page at byte {place} does not have its checksum")
        place = stop
    if open_:
        raise BrokenStructure("is truncated: it ends before the page that is marked as its last")


def _ogg_checksum(page: bytes) -> int:
    # Ogg's polynomial is zlib's, with the bits of every byte, and of the sum, the other way round; it begins with 0.
    turned = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


def check_program(file: FileBytes) -> None:
    """Raises BrokenStructure where packs and packets do not follow one another (ISO/IEC 13818-1, 2.5)."""
    place = 0
    while place < file.size:
        head = file.at(place, 14)
        if not any(head[:3]) and (len(head) < 4 or head[3] == 0):
            place += 1  # stuffing
            continue
        if len(head) < 6 and head[:4] != b"\0\0\1\xb9":
            raise BrokenStructure("is truncated: it ends inside a packet")
        if head[:3] != b"\0\0\1" or head[3] < 0xB9:
            raise broken_at(place, "a packet of the program stream")
        if head[3] == 0xB9:
            place += 4
        elif head[3] == 0xBA:
            stop = place + (14 + (head[13] & 7 if len(head) == 14 else 0) if head[4] & 0xC0 == 0x40 else 12)
            file.must_hold(stop, "a pack")
            place = stop
        else:
            stop = place + 6 + int.from_bytes(head[4:6], "big")
            file.must_hold(stop, "a packet")
            place = stop


def check_mxf(file: FileBytes) -> None:
    """Raises BrokenStructure where keys, lengths and values do not follow one another (SMPTE ST 336)."""
    place = 0
    while place < file.size:
        head = file.at(place, 25)
        if not head.startswith(_KLV[: len(head)]):
            raise broken_at(place, "a key of MXF")
        if len(head) < 17 or len(head) < 17 + (head[16] & 0x7F if head[16] & 0x80 else 0):
            raise BrokenStructure("is truncated: it ends inside a key")
        more = head[16] & 0x7F if head[16] & 0x80 else 0
        stop = place + 17 + more + (int.from_bytes(head[17 : 17 + more], "big") if more else head[16])
        file.must_hold(stop, "an element")
        place = stop


def check_nut(file: FileBytes) -> None:
    """Raises BrokenStructure where the file does not end with its index, which a finished NUT does."""
    offset = int.from_bytes(file.at(file.size - _NUT_END, 8), "big")
    if not 0 < offset <= file.size or file.at(file.size - offset, 8) != _NUT_INDEX:
        raise BrokenStructure("does not end with its index, as a finished NUT does: how long it was cannot be told")
