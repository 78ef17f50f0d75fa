"""Decodes single frames by their time, and hashes and counts whole streams, to verify a deliverable.

However long the stream, only a few pictures are in memory.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.mux.subtitles import TEXTS

_REFERENCES_TOLD = "h264"
"""The decoder whose packets say whether another refers to them. AV1's works ahead of what it is told."""

BACK_OFF_SECONDS = (0, 1, 5, 30, 3600)
"""How far before a frame a seek may begin, one after the other: an index by decode time misses the first try."""


def frame_at(container: InputContainer, stream: VideoStream, pts: int) -> VideoFrame | None:
    """The frame shown at `pts` ticks of the stream, decoded from the keyframe before it; None where there is none.

    Of the frames between, those that none refers to need no decoding: they change no bit of the one wanted.
    """
    tick = stream.time_base or Fraction(1)
    for seconds in BACK_OFF_SECONDS:
        try:
            container.seek(pts - int(seconds / tick), stream=stream)
            # One decoding to the end: a second would lose the frames that the first holds back.
            frames = (one for one in _decoded(container, stream, pts) if one.pts is not None)
            first = next(frames, None)
            if first is not None and first.pts is not None and first.pts <= pts:
                found = next(one for one in chain((first,), frames, (None,)) if one is None or (one.pts or 0) >= pts)
                return found if found is not None and found.pts == pts else None
        except av.error.FFmpegError:
            return None
    return None


def _decoded(container: InputContainer, stream: VideoStream, pts: int) -> Iterator[VideoFrame]:
    decoder = stream.codec_context
    for packet in container.demux(stream):
        if decoder.name == _REFERENCES_TOLD:
            decoder.skip_frame = "DEFAULT" if packet.pts == pts else "NONREF"
        yield from packet.decode()


def planes_sha256(frame: VideoFrame, planes: int | None = None) -> str:
    """A hash of the first `planes` planes' samples (all by default), without the padding of their rows."""
    found = hashlib.sha256()
    for plane, part in list(zip(frame.planes, frame.format.components, strict=True))[:planes]:
        kind: type[np.uint8 | np.uint16] = np.uint8 if part.bits <= 8 else np.uint16
        rows = np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)
        found.update(np.ascontiguousarray(rows[:, : plane.width]).data)
    return found.hexdigest()


@dataclass
class StreamSum:
    """One stream read to its end: how many packets, a hash over their payloads, and their times."""

    codec: str
    time_base: Fraction
    times: "array[int]" = field(default_factory=lambda: array("q"))
    """8 bytes a packet: the only thing here that grows with the film, beside `lengths`."""
    lengths: "array[int]" = field(default_factory=lambda: array("q"))
    """Of text subtitles: for how long each is shown."""
    payload: Any = field(default_factory=hashlib.sha256)

    def add(self, packet: "Packet[Any]", *payload: bytes) -> None:
        """One more packet, with what its payload is counted as, in pieces that follow one another."""
        time = packet.pts if packet.pts is not None else packet.dts
        self.count(time if time is not None else 0, packet.duration or 0, *payload)

    def count(self, time: int, length: int, *payload: bytes) -> None:
        """One more packet, by its time and length in ticks; a length of 0 is none told."""
        self.times.append(time)
        if self.codec in TEXTS:
            self.lengths.append(length)
        for piece in payload:
            self.payload.update(piece)


def sums(
    media: InputContainer, streams: Iterable[Stream], payload_of: "Callable[[Packet[Any]], Iterable[bytes] | None]"
) -> dict[int, StreamSum]:
    """The sum of each stream by index, in one reading. `payload_of` gives None for packets that do not count."""
    wanted = list(streams)
    found = {one.index: sum_of(one) for one in wanted}
    for packet in media.demux(wanted) if wanted else ():
        if packet.size and (payload := payload_of(packet)) is not None:
            found[packet.stream_index].add(packet, *payload)
    return found


def sum_of(stream: Stream) -> StreamSum:
    """An empty sum of a stream."""
    codec = str(stream.codec_context.codec.canonical_name) if stream.codec_context is not None else ""
    return StreamSum(codec, stream.time_base or Fraction(1))


def differences(name: str, ours: StreamSum, source: StreamSum, origin: Fraction) -> Iterator[str]:
    """In sentences, how a carried stream differs from the source's, whose times are `origin` seconds later."""
    # PCM has no packets of its own: a muxer cuts it where it likes.
    if not source.codec.startswith("pcm_") and len(ours.times) != len(source.times):
        yield f"{name} has {len(ours.times):,} packets and the source's has {len(source.times):,}"
        return
    if ours.payload.digest() != source.payload.digest():
        yield f"{name} does not hold the source's bytes"
    tolerance = max(ours.time_base, source.time_base)
    for place, (ours_at, source_at) in enumerate(zip(ours.times, source.times, strict=False)):
        off = ours_at * ours.time_base - (source_at * source.time_base - origin)
        if abs(off) > tolerance:
            yield f"{name} is {float(off) * 1000:+.3f} ms off from its packet {place} on"
            return
        if source.codec.startswith("pcm_"):
            return
    for place, (length, wanted) in enumerate(zip(ours.lengths, source.lengths, strict=False)):
        # Both ends are rounded.
        if wanted and abs(length * ours.time_base - wanted * source.time_base) > 2 * tolerance:
            yield f"{name} is not shown as long as the source's in its packet {place}"
            return


def is_cover(stream: Stream) -> bool:
    """Whether a video stream is a cover picture, not a film."""
    return bool(stream.disposition & Disposition.attached_pic)


def bare(packet: "Packet[Any]") -> bytes:
    """A packet's payload without the ADTS header that MPEG streams put before AAC, and mp4 and Matroska do not."""
    payload = bytes(packet)
    context = packet.stream.codec_context
    adts = isinstance(context, av.AudioCodecContext) and context.codec.canonical_name == "aac" and not context.extradata
    if adts and payload[:1] == b"\xff" and payload[1] & 0xF6 == 0xF0:
        return payload[7 if payload[1] & 1 else 9 :]
    return payload
