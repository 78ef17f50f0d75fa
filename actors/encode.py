"""Encoding: from finished pictures to one segment. Promises that equal pictures give equal bytes, and equal settings segments that join; knows no plan.

A segment is Matroska whose stamps are not times but ranks: the frame shown k-th is stamped k milliseconds.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from actors.media import MATROSKA
from jobs.errors import BadSpec
from jobs.film import Film, Picture
from jobs.formats import Codec, Deliverable
from jobs.records import Encoding

THREADS = 4
"""Threads of every encoder. x264 gives other bytes for another number, so it is on paper, not the machine's choice."""

KEYFRAME_SECONDS = 2
"""Longest distance of two keyframes in h264: what a player seeks by, and an inspector decodes to see one frame."""

RANK = Fraction(1, 1000)
"""A segment's tick, because Matroska has no other: stamps are ranks, not times."""

_ENCODERS = {Codec.H264: "libx264", Codec.FFV1: "ffv1"}


def encoder_of(codec: Codec) -> str:
    """libav's name of the encoder."""
    return _ENCODERS[codec]


def encoding_for(film: Film, deliverable: Deliverable, grey_stays_grey: bool) -> Encoding:
    """Everything that fixes the bytes of this deliverable's picture.

    `grey_stays_grey`: no look of the job adds colour, so a grey film needs no chroma. Raises BadSpec where the codec
    cannot carry the film's size or pixels.
    """
    picture = film.picture
    if deliverable.codec is Codec.H264:
        pix_fmt, options = "yuv420p", _h264_options(film, deliverable)
    else:
        pix_fmt, options = _ffv1_pix_fmt(picture, grey_stays_grey), FFV1_OPTIONS
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return Encoding(
        codec=deliverable.codec,
        library=f"{encoder_of(deliverable.codec)} / libavcodec {version}",
        width=picture.width,
        height=picture.height,
        pix_fmt=pix_fmt,
        rate=picture.rate,
        time_base=1 / picture.rate,
        aspect=picture.aspect,
        colour=picture.colour,
        options=options,
        threads=THREADS,
    )


def _h264_options(film: Film, deliverable: Deliverable) -> dict[str, str]:
    picture = film.picture
    if picture.width % 2 or picture.height % 2:
        raise BadSpec(
            f"h264 takes even sizes only and {film.source} is {picture.width}x{picture.height}: "
            "set the deliverable's codec to ffv1."
        )
    return {
        "crf": str(deliverable.crf),
        "preset": deliverable.preset,
        "g": str(max(1, round(KEYFRAME_SECONDS * picture.rate))),
        "flags": "+cgop",
        # No VBV: a rate buffer would begin afresh, and starve, at every segment. No mbtree: with AVX-512 it gives other bytes
        # for the same pictures now and then, even in one thread (docs/log.md).
        "x264-params": "open-gop=0:vbv-maxrate=0:vbv-bufsize=0:nal-hrd=none:mbtree=0",
    }


FFV1_OPTIONS = {"level": "3", "slices": "4", "slicecrc": "1", "coder": "1", "context": "0", "g": "1"}
"""Every frame alone, in slices that are checked; the number of slices fixes the bytes."""


def _ffv1_pix_fmt(picture: Picture, grey_stays_grey: bool) -> str:
    # yuvj* is yuv* whose range is said twice; Encoding.colour says it once.
    pix_fmt = picture.pix_fmt.replace("yuvj", "yuv")
    if pix_fmt.startswith("gray") and not grey_stays_grey:
        pix_fmt = pix_fmt.replace("gray", "yuv444p")
    known = {one.name for one in av.Codec("ffv1", "w").video_formats or ()}
    if pix_fmt not in known:
        raise BadSpec(
            f"ffv1 cannot carry {picture.pix_fmt}, the film's pixel format: set the deliverable's codec to h264."
        )
    return pix_fmt


def add_encoder(container: OutputContainer, encoding: Encoding) -> VideoStream:
    """A stream of `container` that encodes as the paper says."""
    stream = container.add_stream(encoder_of(encoding.codec), rate=encoding.rate, options=dict(encoding.options))
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = encoding.width, encoding.height, encoding.pix_fmt
    context.time_base = encoding.time_base
    context.sample_aspect_ratio = encoding.aspect
    context.thread_count = encoding.threads
    _tag(context, encoding)
    return stream


def _tag(context: VideoCodecContext, encoding: Encoding) -> None:
    colour = encoding.colour
    context.color_primaries, context.color_trc, context.colorspace = colour.primaries, colour.transfer, colour.space
    # H.273's flag is 0 or 1; libav counts 1 for limited and 2 for full.
    context.color_range = 2 if colour.full_range else 1


@dataclass(frozen=True)
class SegmentFacts:
    """What a finished segment is."""

    frames: int
    delay: int
    """Frames by which decode order runs ahead of display order, at most."""
    extradata_sha256: str
    """Of the decoder's head start (avcC, or FFV1's configuration): segments join where it is one and the same."""
    sha256: str
    bytes: int


class SegmentWriter:
    """One segment being written. Used as a context; `facts` are there once it is closed. A failed one leaves no file."""

    def __init__(self, encoding: Encoding, path: Path) -> None:
        self.encoding = encoding
        self.path = path
        self._facts: SegmentFacts | None = None
        self._shown = self._muxed = self._delay = 0
        self._container = av.open(str(path), "w", format="matroska", container_options=MATROSKA)
        self._stream = add_encoder(self._container, encoding)

    def __enter__(self) -> Self:
        return self

    def write(self, frame: av.VideoFrame) -> None:
        """Encode the next frame. It must be of the encoding's size and pixel format; its pts is overwritten.

        Raises ValueError where it is not: converting it here would change the picture unseen.
        """
        got = (frame.width, frame.height, frame.format.name)
        if got != (wanted := (self.encoding.width, self.encoding.height, self.encoding.pix_fmt)):
            raise ValueError(f"a frame of {wanted} is encoded here, not of {got}")
        # Left from a decoder, these would dictate the encoder's decisions.
        frame.pts, frame.time_base, frame.pict_type = self._shown, self.encoding.time_base, PictureType.NONE
        self._shown += 1
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            assert packet.pts is not None
            self._delay = max(self._delay, self._muxed - packet.pts)
            packet.time_base, packet.duration = RANK, 1
            self._muxed += 1
            self._container.mux_one(packet)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._container.close()
            self.path.unlink(missing_ok=True)
            return
        self._mux(self._stream.encode(None))
        self._container.close()
        self._facts = self._read_back()

    def _read_back(self) -> SegmentFacts:
        with self.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        # As a reader finds it: the muxer rewrites what the encoder gave.
        with av.open(str(self.path)) as container:
            extradata = extradata_sha256(container.streams.video[0])
        return SegmentFacts(self._shown, self._delay, extradata, sha256, self.path.stat().st_size)

    @property
    def facts(self) -> SegmentFacts:
        """What was written. Raises RuntimeError before the segment is closed, or where it failed."""
        if self._facts is None:
            raise RuntimeError(f"the segment {self.path} is not finished")
        return self._facts


def extradata_sha256(stream: VideoStream) -> str:
    """SHA-256 of a stream's extradata, as read from its container."""
    return hashlib.sha256(stream.codec_context.extradata or b"").hexdigest()
