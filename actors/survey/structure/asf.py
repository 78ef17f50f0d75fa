"""Checks the structure of ASF (Windows Media) files.

Data packets are of one size, and their payloads are numbered pieces of media objects (Advanced Systems Format specification, 5.2).
"""

from uuid import UUID

from actors.survey.structure.octets import BrokenStructure, FileBytes, broken_at

_FILE = UUID("8cabdca1-a947-11cf-8ee4-00c00c205365").bytes_le
_DATA = UUID("75b22636-668e-11cf-a6d9-00aa0062ce6c").bytes_le
_DATA_HEAD = 50
"""Bytes of the data object before its first packet."""
_BROADCAST = 1
_WIDTHS = (0, 1, 2, 4)
"""Bytes of a field, by the two bits that say how it is written."""


def check_asf(file: FileBytes) -> None:
    """Raises BrokenStructure where the file has another length than its header says, or its data packets do not hold all that they number."""
    header = file.at(0, 1 << 16)
    found = header.find(_FILE)
    # Of a broadcast nothing is known beforehand, as its first flag says.
    if found < 0 or header[found + 88] & _BROADCAST:
        return
    told = _number(header[found + 40 : found + 48])
    file.must_hold(told, "the file that its header describes")
    if told < file.size:
        raise BrokenStructure(f"is damaged: its header describes a file of {told:,} bytes, and it has {file.size:,}")
    count, least, size = (
        _number(header[found + 56 :][:8]),
        _number(header[found + 92 :][:4]),
        _number(header[found + 96 :][:4]),
    )
    data = header.find(_DATA)
    if data < 0 or not 0 < least == size:
        return
    objects: dict[int, int] = {}
    for place in range(data + _DATA_HEAD, data + _DATA_HEAD + count * size, size):
        try:
            _follow(file.at(place, size), objects)
        except (IndexError, ValueError):
            raise broken_at(place, "a whole data packet, after those before it,") from None


def _follow(packet: bytes, objects: dict[int, int]) -> None:
    """One data packet. `objects`: the last media object of each stream. Raises IndexError and ValueError where it is not what follows."""
    place = 1 + (packet[0] & 0x0F) if packet[0] & 0x80 else 0
    lengths, widths = packet[place], packet[place + 1]
    place += 2
    fields = []
    for shift in (5, 1, 3):  # its own length, its sequence, its padding
        width = _WIDTHS[lengths >> shift & 3]
        fields.append(_number(packet[place : place + width]))
        place += width
    stop = (fields[0] or len(packet)) - fields[2]
    place += 6  # when it is sent, and for how long
    several, many = bool(lengths & 1), 1
    if several:
        many, length_width = packet[place] & 0x3F, _WIDTHS[packet[place] >> 6]
        place += 1
    for _ in range(many):
        stream, place = packet[place] & 0x7F, place + 1
        number, place = _field(packet, place, widths >> 4 & 3)
        offset, place = _field(packet, place, widths >> 2 & 3)
        replicated, place = _field(packet, place, widths & 3)
        place += replicated
        length = stop - place
        if several:
            length, place = _number(packet[place : place + length_width]), place + length_width
        place += length
        if not length > 0 or place > stop:
            raise ValueError(length)
        if replicated != 1:  # of compressed payloads the offset is a time
            _count(objects, stream, number, offset, 1 << 8 * _WIDTHS[widths >> 4 & 3])


def _count(objects: dict[int, int], stream: int, number: int, offset: int, numbers: int) -> None:
    before = objects.get(stream)
    if before is not None and number != (before if offset else (before + 1) % numbers):
        raise ValueError(number)
    objects[stream] = number


def _field(packet: bytes, place: int, kind: int) -> tuple[int, int]:
    return _number(packet[place : place + _WIDTHS[kind]]), place + _WIDTHS[kind]


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "little")
