"""Carries a sound stream's priming, the samples that a decoder drops before time 0, between mp4 and Matroska.

The same samples are heard at the same times in either container.

An mp4 hides an AAC or MP3 encoder's priming by an edit list; Matroska has CodecDelay for it. PyAV has no way to set it,
but a stream read from a Matroska header that says it passes it on: so such a header is made here, in memory.
"""

import io
from fractions import Fraction
from math import floor
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from actors.media.ebml import CRC, ENTRY, INFO, SEGMENT, TRACKS, element, elements

FIRST_WITHIN = 2000
"""Packets read at most in search of each sound stream's first."""


def priming_of(container: InputContainer, streams: list[AudioStream]) -> dict[int, int]:
    """For each stream by index, samples to throw away at its head. Reads the first packets: open the container anew after."""
    found: dict[int, int] = {}
    for count, packet in enumerate(container.demux(streams)):
        if packet.stream_index not in found and packet.size:
            found[packet.stream_index] = skipped_samples(packet)
        if len(found) == len(streams) or count == FIRST_WITHIN:
            break
    return found


def skipped_samples(packet: "Packet[Any]") -> int:
    """Samples that a decoder throws away from the head of this packet."""
    # A little-endian uint32, by libav's AV_PKT_DATA_SKIP_SAMPLES.
    side = bytes(packet.get_sidedata("skip_samples")) if packet.has_sidedata("skip_samples") else b""
    return int.from_bytes(side[:4], "little")


def undo_rounding(packet: "Packet[Any]", rate: int) -> None:
    """Give the packet with the priming its exact time, in samples; others are left alone.

    Matroska's demuxer takes the codec delay off in whole milliseconds. An mp4 would make an edit list of it, and throw
    away samples that are heard.
    """
    samples, tick = skipped_samples(packet), packet.time_base
    if not samples or packet.pts is None:
        return
    taken_off = Fraction(floor(Fraction(samples * 1000, rate) + Fraction(1, 2)), 1000)
    packet.pts = packet.dts = round((packet.pts * tick + taken_off) * rate) - samples
    packet.duration = round((packet.duration or 0) * tick * rate)
    packet.time_base = Fraction(1, rate)


def primed_template(stream: AudioStream, samples: int) -> InputContainer:
    """A container in memory whose one stream is like `stream`, with a codec delay of `samples`. The caller closes it."""
    header = io.BytesIO()
    with av.open(header, "w", format="matroska", container_options={"fflags": "+bitexact"}) as trial:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()
    delay = round(samples * 1_000_000_000 / stream.rate)
    return av.open(io.BytesIO(_with_delay(header.getvalue(), delay)), "r", format="matroska")


_CODEC_DELAY, _CLUSTER, _TIMESTAMP = b"\x56\xaa", b"\x1f\x43\xb6\x75", b"\xe7"


def _with_delay(header: bytes, nanoseconds: int) -> bytes:
    segment = next(one for one in elements(header, 0, len(header)) if one.name == SEGMENT)
    parts = {one.name: one for one in elements(header, segment.content, len(header))}
    info, tracks = parts[INFO], parts[TRACKS]
    entry = next(one for one in elements(header, tracks.content, tracks.stop) if one.name == ENTRY)
    # The checksum no longer holds.
    kept = (one for one in elements(header, entry.content, entry.stop) if one.name != CRC)
    content = b"".join(header[one.start : one.stop] for one in kept)
    content += element(_CODEC_DELAY, nanoseconds.to_bytes(8, "big"))
    # Without a cluster the demuxer takes the file for a torn one.
    body = header[info.start : info.stop] + element(TRACKS, element(ENTRY, content))
    body += element(_CLUSTER, element(_TIMESTAMP, b"\0"))
    return header[: segment.start] + element(SEGMENT, body)
