"""Reads what a film is from its header and first frame, and refuses in one sentence any picture that the farm does not carry."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Literal, cast

import av
import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.chroma_siting import siting_of
from actors.media.constancy import INTERLACED
from actors.media.pixel_formats import developed, has_alpha, is_linear, is_rgb
from actors.survey.hdr_metadata import light_of
from actors.survey.properties import lost_in
from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import KNOWN_MATRIX, KNOWN_PIXELS
from jobs.film.source import Colour, FieldOrder, OtherStream, Picture
from jobs.spec.job import Reading

HD_LINES = 720
"""From here on an untagged picture is taken for BT.709."""

_UNSPECIFIED = (0, 2, 3)
"""H.273 code points that say nothing: reserved and unspecified (for the matrix, 0 is RGB)."""

_PROGRESSIVE = 1
"""libavcodec's AV_FIELD_PROGRESSIVE; 0 is unknown, and the others are interlaced."""

_TOP_FIRST = (2, 5)
"""AV_FIELD_TT and AV_FIELD_BT: the top field is shown first, whichever is coded first."""

_MARKING = ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "prores", "dvvideo", "dnxhd")
"""Codecs that mark each frame: where their header says interlaced, frames that are not marked are progressive."""

_FULL = 2
"""libavutil's AVCOL_RANGE_JPEG."""

_MATRICES: dict[int, Literal["bt601", "bt709", "bt2020"]] = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020"}
_COMPANIONS = {1: (1, 1), 5: (5, 6), 6: (6, 6), 9: (9, 14)}
"""Primaries and transfer that go with a matrix, where the source does not name them."""

_MATRIX_OF = {1: 1, 5: 5, 6: 6, 7: 6, 9: 9}
"""The matrix that goes with primaries."""

_FILES = ("png", "tiff", "dpx", "exr")
"""Codecs of picture files, whose grey is R'G'B' without its colours."""


def picture_of(stream: VideoStream, frame: VideoFrame, what: str, reading: Reading, interlaced: bool) -> Picture:
    """The picture, by its stream and its first frame. Raises BadMedia where the farm does not carry such a picture.

    `interlaced`: some frame was seen to be. What a frame is developed to follows from its own form alone.
    """
    woven = interlaced or stream.codec_context.field_order > _PROGRESSIVE
    if reason := _refusal(frame, reading, woven):
        raise BadMedia(f"{what} {reason}")
    rate = stream.average_rate or stream.guessed_rate
    if not rate or not stream.time_base:
        raise BadMedia(f"{what} does not say its frame rate; remux it first (for example to mkv).")
    pix_fmt = developed(frame.format.name)
    return Picture(
        stream=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        width=frame.width,
        height=frame.height,
        stored=frame.format.name,
        pix_fmt=pix_fmt,
        depth=VideoFormat(pix_fmt).components[0].bits,
        time_base=Fraction(stream.time_base),
        rate=Fraction(rate),
        aspect=Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1),
        rotation=frame.rotation % 360,
        colour=colour_of(stream, frame, what),
        deinterlace=woven,
        fields=_fields(stream, interlaced) if woven else "marked",
        alpha_dropped=has_alpha(frame),
        light=light_of(frame),
        siting=siting_of(stream),
        lost=lost_in(frame),
    )


def _fields(stream: VideoStream, interlaced: bool) -> FieldOrder:
    if interlaced or stream.codec_context.codec.canonical_name in _MARKING:
        return "marked"
    return "top" if stream.codec_context.field_order in _TOP_FIRST else "bottom"


def _refusal(frame: VideoFrame, reading: Reading, woven: bool) -> str:
    name = frame.format.name
    if not developed(name):
        return f"has pixels in the form {name}, which the farm does not know; convert it first, for example with {KNOWN_PIXELS}."
    if has_alpha(frame) and not reading.alpha:
        return (
            f"has an alpha channel ({name}), which no deliverable carries; "
            "set drop: unsupported (--drop unsupported) to leave it out."
        )
    if woven and not reading.deinterlace:
        return INTERLACED
    if frame.rotation % 90 or _mirrored(frame):
        return (
            f"is shown mirrored or turned by {frame.rotation} degrees; only quarter turns are carried, turn it first."
        )
    return ""


def _mirrored(frame: VideoFrame) -> bool:
    try:
        # PyAV's own types call this container a dictionary of strings; it is a mapping to buffers.
        matrix: bytes | None = cast(Any, frame.side_data).get("DISPLAYMATRIX")
    except ValueError:
        # PyAV 18.1 has no name for Exif, which libav finds in TIFF and JPEG, and shows none of a frame's side data then.
        return False
    if matrix is None:
        return False
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    return bool(a * d - b * c < 0)


def colour_of(stream: VideoStream, frame: VideoFrame, what: str) -> Colour:
    """How numbers become colours, once developed.

    What the picture says, else its container, else BT.601 below 720 lines and BT.709 above. R'G'B' is developed to limited
    range by the matrix of its primaries, BT.709's where it names none; grey picture files say nothing and mean full range.
    """
    tags, name = stream.codec_context, frame.format.name
    says = next((space for space in (int(frame.colorspace), tags.colorspace) if space not in (2, 3)), None)
    # A grey picture has no matrix of its own to be wrong about: RGB's code point on it says as little as none.
    assumed = says is None or (says == 0 and (len(frame.format.components) < 3 or is_rgb(name)))
    space = (6 if frame.height < HD_LINES else 1) if assumed or says is None else says
    if is_rgb(name):
        space = _MATRIX_OF.get(_said(int(frame.color_primaries), tags.color_primaries, 1), 1)
    if space not in _MATRICES:
        raise BadMedia(
            f"{what} has colours by matrix {space} of H.273; BT.601, 709 and 2020 are carried, convert it first, for example with {KNOWN_MATRIX}."
        )
    primaries, transfer = _COMPANIONS[space]
    return Colour(
        matrix=_MATRICES[space],
        full_range=_is_full(stream, frame),
        primaries=_said(int(frame.color_primaries), tags.color_primaries, primaries),
        # Linear light is given BT.709's curve as it is developed.
        transfer=1 if is_linear(name) else _said(int(frame.color_trc), tags.color_trc, transfer),
        space=space,
        assumed=assumed or is_rgb(name),
    )


def _is_full(stream: VideoStream, frame: VideoFrame) -> bool:
    name, tags = frame.format.name, stream.codec_context
    if is_rgb(name):
        return False
    if name.startswith(("gray", "ya")) and tags.codec.canonical_name in _FILES:
        return True
    # The picture's own word goes before its container's.
    return name.startswith("yuvj") or (int(frame.color_range) or tags.color_range) == _FULL


@contextmanager
def header_kept(stream: VideoStream) -> Iterator[None]:
    """Decode within the block, and the stream still says of its colours what its container says: a decoder writes its own
    "unspecified" over it (ProRes in mov does, where only the colr atom tells).
    """
    tags = stream.codec_context
    said = tags.colorspace, tags.color_primaries, tags.color_trc, tags.color_range
    yield
    tags.colorspace, tags.color_primaries, tags.color_trc, tags.color_range = said


def _said(frame: int, header: int, otherwise: int) -> int:
    return next((value for value in (frame, header) if value not in _UNSPECIFIED), otherwise)


def others_of(container: InputContainer, picture: VideoStream) -> tuple[OtherStream, ...]:
    """Every stream but the picture's, as the header names them."""
    return tuple(_other(stream) for stream in container.streams if stream.index != picture.index)


def _other(stream: Stream) -> OtherStream:
    kinds: dict[str, Any] = {kind: kind for kind in ("audio", "subtitle", "attachment", "video")}
    # libav has no codec context for data and attachments; their kind says enough.
    context = stream.codec_context
    codec = context.codec.canonical_name if context is not None else "unknown"
    return OtherStream(
        stream=stream.index, kind=kinds.get(stream.type, "data"), codec=codec, language=stream.language or ""
    )


def span_of(container: InputContainer) -> tuple[int, int]:
    """Where the container's times begin, and its length, in microseconds; 0 where its header does not say."""
    start, length = container.start_time or 0, container.duration or 0
    # These name the end, where others name the length.
    if container.format.name.startswith(("matroska", "nut", "asf")) and 0 < start < length:
        length -= start
    return start, max(0, length)


def seconds_of(container: InputContainer) -> float:
    """Length by the header; 0.0 where it does not say."""
    return span_of(container)[1] / av.time_base


def timecode_of(container: InputContainer, picture: Stream) -> str:
    """SMPTE time code of the first frame, as a stream or the file tells it; empty where none does."""
    said = [picture.metadata, *(one.metadata for one in container.streams), container.metadata]
    return next((code for tags in said for name, code in tags.items() if name.lower() == "timecode"), "")
