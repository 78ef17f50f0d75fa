"""Parses and builds elements of EBML (RFC 8794), the binary format of Matroska."""

from collections.abc import Iterator
from typing import NamedTuple

SEGMENT, INFO, TRACKS, ENTRY = b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\xae"
CLUSTER = b"\x1f\x43\xb6\x75"
VOID, CRC = b"\xec", b"\xbf"
"""What is skipped, and a checksum of all that follows in its parent."""
LONGEST_HEAD = 12
"""Bytes of an element's id and size at most: 4 and 8."""


class Element(NamedTuple):
    """One element: its id, where it begins, where its content begins and ends."""

    name: bytes
    start: int
    content: int
    stop: int


class FoundElement(NamedTuple):
    """One element: its id, where it begins, where its content begins and ends."""

    name: bytes
    start: int
    content: int
    stop: int | None
    """None where it does not say its size."""


def element_at(head: bytes, start: int = 0) -> FoundElement | None:
    """The element that begins with `head`, at `start` in its file; None where none does. 12 bytes are enough."""
    width = number_width(head[0]) if head else 9
    if width > 4 or len(head) <= width:
        return None
    size_width = number_width(head[width])
    content = width + size_width
    if size_width > 8 or len(head) < content:
        return None
    size = int.from_bytes(head[width:content], "big") & ((1 << 7 * size_width) - 1)
    # All ones: of unknown size.
    stop = None if size == (1 << 7 * size_width) - 1 else start + content + size
    return FoundElement(head[:width], start, start + content, stop)


def elements(data: bytes, start: int, stop: int) -> Iterator[Element]:
    """The elements that lie one after another in `data[start:stop]`. Raises IndexError where they are cut short."""
    while start < stop:
        size_at = start + number_width(data[start])
        width = number_width(data[size_at])
        content = size_at + width
        size = int.from_bytes(data[size_at:content], "big") & ((1 << 7 * width) - 1)
        # All ones: of unknown size, to the end.
        end = stop if size == (1 << 7 * width) - 1 else content + size
        yield Element(data[start:size_at], start, content, end)
        start = end


def element(name: bytes, content: bytes, width: int = 8) -> bytes:
    """An element whose size is told in `width` bytes."""
    return name + (len(content) | 1 << 7 * width).to_bytes(width, "big") + content


def number(name: bytes, value: int) -> bytes:
    """An element that holds a whole number, of as few bytes as it has; at most 126."""
    return element(name, value.to_bytes(max(1, -(-value.bit_length() // 8)), "big"), 1)


def number_width(first: int) -> int:
    """Bytes of an EBML number by its first: as many as that has leading zeros, and one. 9 is none."""
    return 9 - first.bit_length()
