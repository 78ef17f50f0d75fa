"""Fills in the decode times that a demuxer leaves out. Times that it gives are kept.

Matroska has none, and libav knows none for the first packets of a stream with B-frames. Times filled in ascend, and none is above its
packet's display time.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from av.packet import Packet
from av.video.stream import VideoStream

HELD = 64
"""Packets of a stream held back at most. Codecs reorder by 16 at most."""


def completed(packets: "Iterable[Packet[Any]]") -> "Iterator[Packet[Any]]":
    """The same packets, each stream's in its own order; of further video every one that has a time has a decode time.

    Those without are held back until the first that has one, and counted down from it by the length of a frame.
    """
    held: dict[int, list[Packet[Any]]] = {}
    begun: set[int] = set()
    for packet in packets:
        index = packet.stream_index
        if index in begun or packet.pts is None or not isinstance(packet.stream, VideoStream):
            yield packet
            continue
        waiting = held.setdefault(index, [])
        waiting.append(packet)
        if packet.dts is not None or len(waiting) == HELD:
            begun.add(index)
            yield from _counted_down(held.pop(index))
    for waiting in held.values():
        yield from _counted_down(waiting)


def _counted_down(packets: "list[Packet[Any]]") -> "list[Packet[Any]]":
    first = min(one.pts for one in packets if one.pts is not None)
    last = packets[-1].dts if packets[-1].dts is not None else first
    step = _step(packets[0])
    for back, packet in enumerate(reversed(packets)):
        packet.dts = last - back * step
    return packets


def _step(packet: "Packet[Any]") -> int:
    if packet.duration:
        return int(packet.duration)
    rate = packet.stream.average_rate or packet.stream.base_rate
    return max(1, round(Fraction(1) / (rate * packet.time_base))) if rate else 1
