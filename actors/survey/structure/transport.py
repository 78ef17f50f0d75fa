"""Finds missing packets of the picture in MPEG transport streams (ISO/IEC 13818-1, 2.4), by their continuity counters.

A stream that merely ends early is not an error here.
"""

import numpy as np
from numpy.typing import NDArray

from actors.survey.structure.octets import BrokenStructure, FileBytes

_SIZES = (188, 192, 204)
"""Bytes of a packet: plain, with a time stamp before it (M2TS), with a checksum behind it."""
_SYNC = 0x47
_BEGINS = 0x40
"""Flag of a packet in which a picture begins."""
_TABLES = 3
"""Packets directly before a recording's first picture among which its tables lie."""
_MANY = 1 << 14
"""Packets read at once."""


def check_transport(file: FileBytes, pid: int, since: int = 0) -> bool:
    """Whether recordings are joined, from byte `since` on: tables and counts begin anew.

    Raises BrokenStructure where packets of the stream with this packet identifier are missing, by their continuity counters. Zeros up
    to the file's end are room that was set aside, and no part of the film.
    """
    head = file.at(0, 1 << 16)
    fit = ((start, size) for size in _SIZES for start in range(size) if _fits(head, start, size))
    start, size = next(fit, (0, 0))
    last: int | None = None
    joined = False
    start += max(0, since - start) // size * size if size else 0
    for place in range(start, file.size, size * _MANY) if size else ():
        block = np.frombuffer(file.at(place, size * _MANY), np.uint8)
        packets = block[: len(block) // size * size].reshape(-1, size)
        strange = np.flatnonzero(packets[:, 0] != _SYNC)
        packets = packets[: strange[0]] if len(strange) else packets
        pids = (packets[:, 1].astype(np.int64) & 0x1F) << 8 | packets[:, 2]
        # Only packets with a payload are counted; an adaptation field may say that the count begins anew.
        counted = np.flatnonzero((pids == pid) & (packets[:, 3] & 0x10 != 0))
        for number in counted.tolist():
            packet = packets[number].tobytes()
            count, adapted = packet[3] & 15, packet[3] & 0x20
            # A packet may be sent twice.
            follows = last is None or count in (last, (last + 1) & 15) or (adapted and packet[4] and packet[5] & 0x80)
            begins = packet[1] & _BEGINS
            anew = bool(begins) and last is not None and not count and _begins_anew(packets[:number], pids[:number])
            joined = joined or anew
            if not follows and not anew:
                raise BrokenStructure(
                    f"lacks a part of its picture before byte {place + number * size}: packets are missing"
                )
            if begins and packet[5 + packet[4] if adapted else 4 :][:3] != b"\0\0\1":
                raise BrokenStructure(f"is damaged at byte {place + number * size}, where a picture should begin")
            last = count
        if len(strange):
            if _is_blank(file, broken := place + int(strange[0]) * size):
                break
            raise BrokenStructure(f"is damaged at byte {broken}, where a transport packet should begin")
    return joined


def _is_blank(file: FileBytes, place: int) -> bool:
    return not any(any(file.at(some, 1 << 20)) for some in range(place, file.size, 1 << 20))


def _begins_anew(before: NDArray[np.uint8], pids: NDArray[np.int64]) -> bool:
    """Whether a recording's own tables, with counts from 0, are the last packets of these: two recordings are joined there."""
    return bool(((pids[-_TABLES:] == 0) & (before[-_TABLES:, 3] & 15 == 0)).any())


def _fits(head: bytes, start: int, size: int) -> bool:
    marks = head[start::size][:16]
    return len(marks) >= 3 and all(one == _SYNC for one in marks)
