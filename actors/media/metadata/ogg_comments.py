"""Counts the comments that the headers of an Ogg file say they have (RFC 3533): libav reads them all at once, so that nothing stops it."""

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import BinaryIO

_PAGE, _MOST_LACES = 27, 255
_HEADERS = 4
"""Packets of a stream among which its comments lie, at most. Those of Speex are its second, under no name."""
_NAMES = (b"\x03vorbis", b"\x81theora", b"OpusTags", b"OVP80\x02 ")
"""How a packet of comments begins."""
_FLAC_COMMENTS, _FLAC_HEAD = 4, 4
"""The kind of such a block of FLAC, and the bytes of a block's head, in the first of which it is told."""
_LONGEST_BEGINNING = 1 << 16
"""Bytes of a packet in which the number of its comments must lie, behind the name of the program that wrote it."""
_SEARCHED = 16 << 20
"""Bytes of a file that are looked through: those of headers, but for large covers."""


@dataclass
class _Headers:
    """The first packets of one stream as far as they have been read: how each begins."""

    packets: list[bytes] = field(default_factory=lambda: [b""])

    def take(self, laces: bytes, content: bytes) -> None:
        place = 0
        for lace in laces:
            if len(self.packets) > _HEADERS:
                return
            self.packets[-1] += content[place : place + lace][: _LONGEST_BEGINNING - len(self.packets[-1])]
            place += lace
            if lace < _MOST_LACES:
                self.packets.append(b"")

    def comments(self) -> int:
        places = ((packet, self._place(number, packet)) for number, packet in enumerate(self.packets))
        return sum(_number_at(packet, place) for packet, place in places if place is not None)

    def _place(self, number: int, packet: bytes) -> int | None:
        """Where a packet of comments says who wrote it, before it says how many there are; None in any other packet."""
        first = self.packets[0]
        if first.startswith(b"\x7fFLAC"):
            return _FLAC_HEAD if packet and packet[0] & 0x7F == _FLAC_COMMENTS else None
        if first.startswith(b"Speex "):
            return 0 if number == 1 else None
        return next((len(name) for name in _NAMES if packet.startswith(name)), None)


def comments_in(file: BinaryIO) -> int:
    """Comments of all streams together; some large number where a header is too long to tell."""
    place, streams = 0, defaultdict[bytes, _Headers](_Headers)
    while place < _SEARCHED:
        file.seek(place)
        head = file.read(_PAGE + _MOST_LACES)
        if len(head) <= _PAGE or not head.startswith(b"OggS"):
            break
        laces = head[_PAGE : _PAGE + head[26]]
        place += _PAGE + len(laces)
        file.seek(place)
        streams[head[14:18]].take(laces, file.read(sum(laces)))
        place += sum(laces)
        if all(len(found.packets) > _HEADERS for found in streams.values()):
            break
    return sum(found.comments() for found in streams.values())


def _number_at(packet: bytes, place: int) -> int:
    try:
        writer = struct.unpack_from("<I", packet, place)[0]
        return int(struct.unpack_from("<I", packet, place + 4 + writer)[0])
    except struct.error:
        return 0 if len(packet) < _LONGEST_BEGINNING else 1 << 32
