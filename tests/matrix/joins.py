"""Films joined of two: the packets of one after those of another, as broadcasts and careless joins are. Tests nothing."""

from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from tests.films import Recipe


def joined(first: Recipe, second: Recipe, path: Path) -> Path:
    """Two films' packets in one file, under the first one's header."""
    parts = [one.make(path.with_name(f"{place}-{path.name}")) for place, one in enumerate((first, second))]
    with av.open(str(path), "w") as out:
        stream, begin = None, 0
        for part, recipe in zip(parts, (first, second), strict=True):
            with av.open(str(part)) as media:
                picture = media.streams.video[0]
                stream = stream or out.add_stream_from_template(picture, opaque=True)
                if picture.codec_context.codec.canonical_name == "prores":
                    stream.codec_tag = picture.codec_tag
                packets = [packet for packet in media.demux(picture) if packet.size]
                shown = min(packet.pts or 0 for packet in packets)
                for packet in packets:
                    copy: Packet[Any] = Packet(bytes(packet))
                    copy.time_base, copy.stream, copy.duration = packet.time_base, stream, packet.duration
                    copy.is_keyframe = packet.is_keyframe
                    copy.pts, copy.dts = (packet.pts or 0) - shown + begin, (packet.dts or 0) - shown + begin
                    out.mux_one(copy)
                begin += round(recipe.frames / recipe.rate / (packets[0].time_base or 1))
    return path
