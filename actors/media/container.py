"""Opens media safely, and provides the demuxing, seeking and decoding that surveying, splitting and reading share.

What cannot be opened is refused in one clear sentence.

Nothing here keeps a Stream beyond its container: libav frees it with the container, and touching it afterwards crashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import av
import av.error
from av.codec import codecs_available
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.limits import (
    JPEGS,
    MOST_PIXELS,
    MOST_STREAMS,
    READING_BYTES,
    UNPROBED,
    bounded_memory,
    bounded_time,
    refuse_parts,
)
from actors.media.metadata.pictures import refuse_large_metadata
from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import LOSSLESS
from jobs.store import open_source

if TYPE_CHECKING:
    Packets = Iterator[Packet[VideoStream]]

FORMATS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,mxf,asf,flv,ogg,nut,ivf,gxf"
"""Containers that hold their own media. Play lists (hls, dash, concat) are not among them: they would open further files."""

MATROSKA = {"fflags": "+bitexact", "avoid_negative_ts": "disabled"}
"""How Matroska is written: without bitexact it holds random bytes; without the other the muxer shifts a whole film to make
room for decode times or sound before 0."""

PICTURES = {"max_pixels": str(MOST_PIXELS)}
"""What decoders are told; not those by which libav looks into a file as it opens it, which would forget the size it claims."""

OPENING = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "max_streams": str(MOST_STREAMS + 1)}
"""What demuxers are told."""

_SOURCE = OPENING | {"codec_whitelist": ",".join(sorted(codecs_available - {*UNPROBED}))}
"""What a source's are told: to try no decoder of these, for what such a decoder is given is looked at first (`harmless`)."""

COVERS = Disposition.attached_pic | Disposition.timed_thumbnails
"""Pictures beside a film."""

_TOO_MUCH = (
    f"asks for more than {READING_BYTES >> 30} GiB of memory, or has more than {MOST_STREAMS:,} streams; "
    "it is damaged, or no film: copy it again, or remux it."
)

BUFFER = 1 << 20
"""Bytes asked of a store at once: libav's own 32 KiB would make a request for each frame."""

BACK_OFF_SECONDS = (0, 1, 5, 30)
"""How far before the packet sought a seek may land too late: open GOPs and decode-time indexes make the first try miss."""

_PICTURES = (b"\x89PNG", b"II*\0", b"MM\0*", b"SDPX", b"XPDS", b"\x76\x2f\x31\x01", b"\xff\xd8\xff")
"""How PNG, TIFF, DPX, EXR and JPEG files begin."""
_PLAYLISTS = {b"#EXTM3U": "an HLS play list", b"ffconcat": "a concat list", b"<MPD": "a DASH manifest"}


def open_media(source: str | BinaryIO, what: str, options: Mapping[str, str] = OPENING) -> InputContainer:
    """A container opened for reading, from a local path or a seekable stream. `what` names it in errors, `options` are its demuxer's.

    Raises BadMedia where it is missing, is not a video container, was cut short, or is a list of other files.
    """
    if isinstance(source, str) and not Path(source).is_file():
        raise BadMedia(f"{what} does not exist; check the path.")
    try:
        container = av.open(source, "r", metadata_errors="replace", buffer_size=BUFFER, container_options=dict(options))
    except MemoryError:
        raise BadMedia(f"{what} {_TOO_MUCH}") from None
    except (
        av.error.FFmpegError,
        OSError,
        ValueError,
    ) as error:  # the last two where a damaged stream is sought before its beginning
        raise BadMedia(f"{what} {_why_not(source, error)}") from None
    try:
        refuse_parts(len(container.streams), len(container.chapters()), what)
    except BadMedia:
        container.close()
        raise
    for stream in container.streams.video:
        if stream.codec_context is not None:
            stream.codec_context.options = PICTURES
    return container


def _why_not(source: str | BinaryIO, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "may not be read by this user; check the file's permissions."
    head = _head(source)
    if not head:
        return "is empty; copy it again."
    for mark, name in _PLAYLISTS.items():
        if mark in head[:1024]:
            return f"is {name}, not a film; name a file that holds the picture itself."
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "is a truncated mp4 or mov (its moov index is missing); copy it again, or let its recording finish."
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "is a truncated or damaged mkv or webm; copy it again."
    if head.startswith(_PICTURES):
        return "is a single picture; name its sequence, with #### or %04d for the number, and its rate."
    return "is not a video that the farm reads (mp4, mov, mkv, webm, avi, mpg, ts, mxf and the like)."


def _head(source: str | BinaryIO) -> bytes:
    if isinstance(source, str):
        with open(source, "rb") as file:
            return file.read(4096)
    source.seek(0)
    return source.read(4096)


def named(url: str) -> str:
    """A source as errors name it."""
    return f"The source {url}"


@contextmanager
def opened(url: str) -> Iterator[InputContainer]:
    """The source at a path, file:// or s3:// URL, for as long as the block lasts. Raises BadMedia."""
    source = open_source(url)
    try:
        with bounded_memory():
            with bounded_time():
                container = _with_covers(open_media(source, named(url), _SOURCE), source, named(url))
            with container:
                yield container
    finally:
        if not isinstance(source, str):
            source.close()


def _with_covers(container: InputContainer, source: str | BinaryIO, what: str) -> InputContainer:
    """The container, opened again where it has covers whose size nobody knows who may try no decoder: looked at, they may be tried."""
    unprobed = [
        stream
        for stream in container.streams.video
        if stream.codec_context is not None and stream.codec_context.name in UNPROBED
    ]
    covers = [stream for stream in unprobed if stream.disposition & COVERS]
    if not covers or len(covers) < len(unprobed):
        return container
    try:
        # They come first, each as one packet.
        for packet in islice(container.demux(covers), len(covers)):
            refuse_large_metadata(
                memoryview(packet),
                f"{what}, in the cover of stream {packet.stream.index},",
                packet.stream.codec_context.name in JPEGS,
            )
    finally:
        container.close()
    if not isinstance(source, str):
        source.seek(0)
    return open_media(source, what)


def picture_stream(container: InputContainer, what: str, video: int | None = None) -> VideoStream:
    """The stream that is the film: number `video`, or else the default video stream, or else the first. Raises BadMedia.

    Cover pictures do not count.
    """
    real = [stream for stream in container.streams.video if not stream.disposition & COVERS]
    if not real:
        raise BadMedia(f"{what} has no video stream; name a file with a picture.")
    real = [stream for stream in real if _is_readable(stream)]
    if not real:
        raise BadMedia(
            f"{what} has a picture whose codec the farm cannot tell; copy it again, or re-encode it losslessly first."
        )
    if video is None:
        return next((stream for stream in real if stream.disposition & Disposition.default), real[0])
    for stream in real:
        if stream.index == video:
            return stream
    there = ", ".join(f"{one.index} ({one.codec_context.name}, {one.width}x{one.height})" for one in real)
    raise BadMedia(f"{what} has no video stream {video}; set video to one of those it has: {there}.")


def _is_readable(stream: VideoStream) -> bool:
    # PyAV has no context where libav knows no decoder, though it declares one always.
    context: VideoCodecContext | None = stream.codec_context
    return context is not None


def packets_of(container: InputContainer, stream: VideoStream, what: str) -> Packets:
    """All packets of the stream from where the container stands, in decode order. Raises BadMedia on an unreadable file.

    libav marks the end by an empty packet without times; an empty packet with a time is a hole that no decoder survives.
    """
    try:
        for packet in container.demux(stream):
            if packet.size == 0 and packet.pts is None and packet.dts is None:
                return
            if packet.size == 0:
                raise BadMedia(
                    f"{what} has an empty packet at {time_of(packet)} ticks; re-encode it first: {LOSSLESS}."
                )
            yield harmless(packet, what)
    except MemoryError:
        raise BadMedia(f"{what} {_TOO_MUCH}") from None
    except av.error.FFmpegError as error:
        raise BadMedia(f"{what} is damaged or truncated ({error.strerror}); copy it again or remux it.") from None


def harmless(packet: Packet[VideoStream], what: str) -> Packet[VideoStream]:
    """A packet, seen before a decoder is given it. Raises BadMedia where it would take far more memory or time than its picture."""
    number = round((time_of(packet) or 0) * (packet.stream.time_base or 0) * (packet.stream.average_rate or 0))
    refuse_large_metadata(memoryview(packet), f"{what}, at frame {number},", packet.stream.codec_context.name in JPEGS)
    return packet


def played(container: InputContainer, stream: VideoStream, what: str) -> Iterator[VideoFrame]:
    """All frames from where the container stands, as its own decoder gives them. Raises av's errors, and BadMedia as `harmless` does."""
    for packet in container.demux(stream):
        yield from (harmless(packet, what) if packet.size else packet).decode()


def time_of(packet: Packet[VideoStream]) -> int | None:
    """A packet's display time in ticks; its decode time in containers that keep no other (AVI)."""
    return packet.pts if packet.pts is not None else packet.dts


@contextmanager
def opened_at(url: str, stream: int, first: int, first_pts: int) -> Iterator[tuple[VideoStream, Packets]]:
    """The source standing at one packet: the keyframe at place `first` in decode order, shown at `first_pts` ticks.

    Seeks, and backs off until that very packet comes; reads from the start at last. Raises BadMedia where it never comes.
    """
    with opened(url) as container:
        picture = _stream(container, stream, named(url))
        for seconds in BACK_OFF_SECONDS if first else ():
            if found := sought(container, picture, first_pts, seconds, named(url)):
                yield picture, found
                return
    with opened(url) as container:
        picture = _stream(container, stream, named(url))
        packets = packets_of(container, picture, named(url))
        for packet in packets:
            if packet.is_keyframe and time_of(packet) == first_pts:
                yield picture, chain((packet,), packets)
                return
    raise BadMedia(f"{named(url)} no longer holds the keyframe at {first_pts} ticks; it was changed, begin a new job.")


def _stream(container: InputContainer, stream: int, what: str) -> VideoStream:
    for candidate in container.streams.video:
        if candidate.index == stream:
            return candidate
    raise BadMedia(f"{what} no longer has a video stream {stream}; it was changed, begin a new job.")


def sought(container: InputContainer, stream: VideoStream, first_pts: int, seconds: int, what: str) -> Packets | None:
    """Packets from the keyframe at `first_pts` ticks on, by a seek to `seconds` before it; None where the seek came too late."""
    back = int(seconds / stream.time_base) if stream.time_base else 0
    try:
        container.seek(first_pts - back, stream=stream)
    except av.error.FFmpegError:
        return None
    packets = packets_of(container, stream, what)
    for packet in packets:
        time = time_of(packet)
        if packet.is_keyframe and time == first_pts:
            return chain((packet,), packets)
        if packet.is_keyframe and time is not None and time > first_pts:
            return None
    return None


def decoder_of(stream: VideoStream, threads: int = 0) -> VideoCodecContext:
    """The stream's decoder in `threads` threads; 0: as many as there are cores. Its pictures do not depend on it."""
    context = stream.codec_context
    codec = context.codec.canonical_name
    # What these fill damage in with, others of their threads may not have finished yet.
    context.thread_type = "SLICE" if codec == "ffv1" else "AUTO"
    context.thread_count = 1 if codec == "vp8" else threads
    return context


def decoded(decoder: VideoCodecContext, packets: Iterable[Packet[VideoStream]]) -> Iterator[VideoFrame]:
    """Frames as the decoder gives them, flushed at the end. A damaged packet gives none: who awaits its frame misses it."""
    for packet in packets:
        yield from decode_one(decoder, packet)
    yield from decode_one(decoder, None)


def decode_one(decoder: VideoCodecContext, packet: Packet[VideoStream] | None) -> Sequence[VideoFrame]:
    """What the decoder gives for one more packet, or at the end for None."""
    try:
        return decoder.decode(packet)
    except av.error.FFmpegError:
        return ()
