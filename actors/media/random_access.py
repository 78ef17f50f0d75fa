"""Tells from which H.264 keyframes decoding gives the film's own frames at once.

libav calls a packet a keyframe where recovery begins, also where it takes many frames (periodic intra refresh): what is
decoded meanwhile is missing, or differs from the film in silence. Such a packet says how many frames it takes.
"""

from collections.abc import Iterator

_IDR = 5
_SEI = 6
_RECOVERY_POINT = 6
"""Type of the SEI message that says after how many frames the picture is whole."""


_LENGTHS_AT = {"h264": 4, "hevc": 21}
"""Where in the extradata of mp4 and mkv lies how long a NAL unit's length is."""


def nal_length_bytes(extradata: bytes | None, codec: str = "h264") -> int:
    """Bytes of a NAL unit's length in packets of mp4 and mkv; 0 where start codes divide them (ts, avi), and for other codecs."""
    place = _LENGTHS_AT.get(codec)
    if place is None or not extradata or extradata[0] != 1 or len(extradata) <= place:
        return 0
    return (extradata[place] & 3) + 1


def is_way_in(keyframe: bytes, length_bytes: int) -> bool:
    """Whether the picture is whole at once, from this keyframe of H.264 on; True where it says nothing else."""
    for unit in units(keyframe, length_bytes):
        kind = unit[0] & 31 if unit else 0
        if kind == _IDR:
            return True
        if kind == _SEI:
            for message, payload in _messages(unit[1:].replace(b"\0\0\3", b"\0\0")):
                # Exp-Golomb writes 0 as a single bit 1.
                if message == _RECOVERY_POINT and payload and not payload[0] & 0x80:
                    return False
    return True


def units(packet: bytes, length_bytes: int) -> Iterator[bytes]:
    """The NAL units of a packet, or what its start codes divide; `length_bytes` as `nal_length_bytes` says."""
    if not length_bytes:
        yield from packet.split(b"\0\0\1")[1:]
        return
    place = 0
    while place + length_bytes <= len(packet):
        size = int.from_bytes(packet[place : place + length_bytes], "big")
        yield packet[place + length_bytes : place + length_bytes + size]
        place += length_bytes + size


def _messages(sei: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    # The last byte is the stop bit.
    while place + 2 < len(sei):
        numbers = []
        for _ in ("type", "size"):
            number = 0
            while place < len(sei) and sei[place] == 255:
                number, place = number + 255, place + 1
            numbers.append(number + (sei[place] if place < len(sei) else 0))
            place += 1
        yield numbers[0], sei[place : place + numbers[1]]
        place += numbers[1]
