"""Encodes finished pictures as one segment of a deliverable.

Equal pictures give equal bytes, and segments of equal settings can be joined.

A segment is Matroska (mov for DNxHR) whose stamps are not times but ranks: the frame shown k-th is stamped k milliseconds.
Where each frame is a file, it is a tar of them.
"""

import hashlib
import io
import tarfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from actors.encode.encoders import size_for, turned_by, way_for
from actors.encode.nvenc import cannot_encode
from actors.media.chroma_siting import options_for
from actors.media.container import MATROSKA
from jobs.errors import BadSpec, FilmFailed, NodeFault
from jobs.film.source import Colour, Film
from jobs.records.orders import Encoding
from jobs.spec.codecs import PICTURES, Codec
from jobs.spec.formats import Deliverable

THREADS = 4
"""Threads of every encoder. x264 gives other bytes for another number, so it is on paper, not the machine's choice."""

RANK = Fraction(1, 1000)
"""A segment's tick, because Matroska has no other: stamps are ranks, not times."""

SEGMENT_FORMATS = ("matroska", "mov")
"""libav's names of the containers of segments. The second is for DNxHR, which the first does not hold."""

_GIVEN_AS = {("hevc_nvenc", "yuv420p10le"): "p010le"}
"""Forms of an encoder's own, which hold the same samples."""


def encoding_for(film: Film, deliverable: Deliverable, grey_stays_grey: bool) -> Encoding:
    """Everything that fixes the bytes of this deliverable's picture; see also `actors.encode.encoders.conversions`.

    `grey_stays_grey`: no look of the job adds colour, so a grey film needs no chroma. Raises BadSpec where the codec
    cannot carry the film's size or pixels.
    """
    way = way_for(film, deliverable, grey_stays_grey)
    width, height = size_for(film, deliverable, way)
    turned = turned_by(film.picture, deliverable.codec)
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return Encoding(
        codec=deliverable.codec,
        encoder=way.encoder,
        library=f"{way.encoder} / libavcodec {version}",
        width=width,
        height=height,
        pix_fmt=way.pix_fmt,
        rate=film.picture.rate,
        time_base=1 / film.picture.rate,
        aspect=1 / film.picture.aspect if turned % 180 else film.picture.aspect,
        rotation=turned,
        colour=way.colour,
        options=way.options | options_for(film.picture, way.pix_fmt, way.encoder),
        threads=THREADS,
        reorder=way.reorder,
    )


def add_encoder(container: OutputContainer, encoding: Encoding) -> VideoStream:
    """A stream of `container` that encodes as the paper says."""
    stream = container.add_stream(encoding.encoder, rate=encoding.rate, options=dict(encoding.options))
    assert isinstance(stream, VideoStream)
    _set(stream.codec_context, encoding)
    return stream


def _set(context: VideoCodecContext, encoding: Encoding) -> None:
    context.width, context.height = encoding.width, encoding.height
    context.pix_fmt = _given_as(encoding)
    context.framerate, context.time_base = encoding.rate, encoding.time_base
    context.sample_aspect_ratio = encoding.aspect
    context.thread_count = encoding.threads
    _tag(context, encoding.colour)


def _given_as(encoding: Encoding) -> str:
    return _GIVEN_AS.get((encoding.encoder, encoding.pix_fmt), encoding.pix_fmt)


def _tag(what: VideoCodecContext | av.VideoFrame, colour: Colour) -> None:
    what.color_primaries, what.color_trc, what.colorspace = colour.primaries, colour.transfer, colour.space
    # H.273's flag is 0 or 1; libav counts 1 for limited and 2 for full.
    what.color_range = 2 if colour.full_range else 1


def _ready(frame: av.VideoFrame, encoding: Encoding, rank: int) -> av.VideoFrame:
    """The frame as its encoder is given it. Raises ValueError where it is not of the encoding's form."""
    got = (frame.width, frame.height, frame.format.name)
    if got != (wanted := (encoding.width, encoding.height, encoding.pix_fmt)):
        raise ValueError(f"a frame of {wanted} is encoded here, not of {got}")
    if (given_as := _given_as(encoding)) != encoding.pix_fmt:
        frame = frame.reformat(format=given_as)
    # Left from a decoder, these would dictate the encoder's decisions.
    frame.pts, frame.time_base, frame.pict_type = rank, encoding.time_base, PictureType.NONE
    # Some encoders tag what the frame says, others what they were opened with.
    _tag(frame, encoding.colour)
    return frame


@dataclass(frozen=True)
class SegmentFacts:
    """What a finished segment is."""

    frames: int
    delay: int
    """Frames by which decode order runs ahead of display order, at most."""
    extradata_sha256: str
    """Of the decoder's head start (avcC, hvcC, or FFV1's configuration): segments join where it is one and the same. Of nothing for pictures."""
    sha256: str
    bytes: int


def writer_for(encoding: Encoding, path: Path) -> "FrameWriter":
    """Writes a segment of this encoding into a new file. Raises BadSpec where the encoder does not take it; NodeFault where
    this machine's GPU has no such encoder, or none to spare."""
    return (PictureWriter if encoding.codec in PICTURES else SegmentWriter)(encoding, path)


class FrameWriter(ABC):
    """One segment being written. Used as a context; `facts` are there once it is closed. A failed one leaves no file."""

    def __init__(self, encoding: Encoding, path: Path) -> None:
        self.encoding = encoding
        self.path = path
        self._facts: SegmentFacts | None = None
        self._shown = self._delay = 0

    def __enter__(self) -> Self:
        return self

    def write(self, frame: av.VideoFrame) -> None:
        """Encode the next frame. It must be of the encoding's size and pixel format; its pts and tags are overwritten.

        Raises ValueError where it is not: converting it here would change the picture unseen.
        """
        self._encode(_ready(frame, self.encoding, self._shown))
        self._shown += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        done = False
        try:
            if kind is None:
                self._encode(None)
                done = True
        finally:
            self._close()
            if not done:
                self.path.unlink(missing_ok=True)
        if done:
            with self.path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            self._facts = SegmentFacts(
                self._shown, self._delay, self._header_sha256(), sha256, self.path.stat().st_size
            )

    @property
    def facts(self) -> SegmentFacts:
        """What was written. Raises RuntimeError before the segment is closed, or where it failed."""
        if self._facts is None:
            raise RuntimeError(f"the segment {self.path} is not finished")
        return self._facts

    @abstractmethod
    def _encode(self, frame: av.VideoFrame | None) -> None:
        """Encode a frame, or with None what the encoder still holds, and write what comes of it."""

    @abstractmethod
    def _close(self) -> None:
        """Close the file."""

    @abstractmethod
    def _header_sha256(self) -> str:
        """See `SegmentFacts.extradata_sha256`, of the closed file."""


class SegmentWriter(FrameWriter):
    """A segment of video."""

    def __init__(self, encoding: Encoding, path: Path) -> None:
        super().__init__(encoding, path)
        self._muxed = 0
        form = SEGMENT_FORMATS[encoding.codec is Codec.DNXHR]
        self._container = av.open(str(path), "w", format=form, container_options=MATROSKA)
        self._stream = add_encoder(self._container, encoding)
        self._stream.time_base = RANK
        try:
            self._container.start_encoding()
        except av.error.FFmpegError as error:
            self._container.close()
            path.unlink(missing_ok=True)
            raise _unavailable(encoding, error) from None

    def _encode(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            assert packet.pts is not None
            self._delay = max(self._delay, self._muxed - packet.pts)
            if self._delay > self.encoding.reorder or (not self._muxed and not packet.is_keyframe):
                raise FilmFailed(
                    f"{self.encoding.library} gives packets in an order that the plan does not allow, so that its segments would "
                    "not join: set another codec or preset."
                )
            packet.time_base, packet.duration = RANK, 1
            if self.encoding.codec is Codec.DNXHR:
                _say_matrix(packet, self.encoding.colour)
            self._muxed += 1
            self._container.mux_one(packet)

    def _close(self) -> None:
        self._container.close()

    def _header_sha256(self) -> str:
        # As a reader finds it: the muxer rewrites what the encoder gave.
        with av.open(str(self.path)) as container:
            return extradata_sha256(container.streams.video[0])


def _say_matrix(packet: "Packet[Any]", colour: Colour) -> None:
    """Write the matrix into a DNxHR frame's header: colour volume, SMPTE ST 2019-1. libav's encoder says BT.709 for any.

    BT.601 has no number there; 3 means that the container tells.
    """
    data = bytearray(bytes(packet))
    data[0x2C] = data[0x2C] & ~0b110 | {1: 0, 9: 1}.get(colour.space, 3) << 1
    packet.update(bytes(data))


class PictureWriter(FrameWriter):
    """A segment whose every frame is a file, as a tar of them, named by rank: "0000000.png" (see `picture_name`).

    The tar is USTAR with nothing in its headers but names and sizes, so equal pictures give equal bytes.
    """

    def __init__(self, encoding: Encoding, path: Path) -> None:
        super().__init__(encoding, path)
        self._kept = 0
        context = av.CodecContext.create(encoding.encoder, "w")
        assert isinstance(context, VideoCodecContext)
        self._context = context
        self._context.options = dict(encoding.options)
        _set(self._context, encoding)
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115  # closed by _close

    def _encode(self, frame: av.VideoFrame | None) -> None:
        # An encoder that was never opened has nothing to give back. Every frame is alone, so files come in order, if late.
        for packet in self._context.encode(frame) if frame or self._shown else ():
            entry = tarfile.TarInfo(picture_name(self._kept, self.encoding))
            entry.size = packet.size
            self._tar.addfile(entry, io.BytesIO(bytes(packet)))
            self._kept += 1

    def _close(self) -> None:
        self._tar.close()

    def _header_sha256(self) -> str:
        return hashlib.sha256(b"").hexdigest()


def rank_of(packet: "Packet[Any]") -> int | None:
    """Which frame of its segment a packet holds, counted from 0; None where it is not stamped. Exact in either container."""
    if packet.pts is None or packet.time_base is None:
        return None
    return round(packet.pts * packet.time_base / RANK)


def picture_name(rank: int, encoding: Encoding) -> str:
    """The name, in its segment's tar, of the frame of this rank."""
    return f"{rank:07d}.{encoding.codec}"


def _unavailable(encoding: Encoding, error: av.error.FFmpegError) -> BadSpec | NodeFault:
    if encoding.encoder.endswith("_nvenc"):
        # It was tried when the worker started: another process of the machine may hold the sessions that its GPU has.
        return NodeFault(cannot_encode(encoding.encoder, error.strerror or str(error)))
    return BadSpec(
        f"{encoding.library} does not take {encoding.width}x{encoding.height} ({error.strerror}): set another codec."
    )


def extradata_sha256(stream: VideoStream) -> str:
    """SHA-256 of a stream's extradata, as read from its container."""
    return hashlib.sha256(stream.codec_context.extradata or b"").hexdigest()
