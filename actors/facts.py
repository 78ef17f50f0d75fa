"""What a film is, read from its header and its first frame. Promises to refuse, with one sentence, every picture the farm does not carry; judges no other frame."""

from fractions import Fraction
from typing import Any, Literal, cast

import av
import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from jobs.errors import BadMedia
from jobs.film import Colour, OtherStream, Picture

LARGEST = 8192
"""Pixels of a picture's longer side, at most."""

HD_LINES = 720
"""From here on an untagged picture is taken for BT.709."""

_UNSPECIFIED = (0, 2, 3)
"""H.273 code points that say nothing: reserved and unspecified (for the matrix, 0 is RGB)."""

_FULL = 2
"""libavutil's AVCOL_RANGE_JPEG."""

_MATRICES: dict[int, Literal["bt601", "bt709", "bt2020"]] = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020"}
_COMPANIONS = {1: (1, 1), 5: (5, 6), 6: (6, 6), 9: (9, 14)}
"""Primaries and transfer that go with a matrix, where the source does not name them."""


def carried(name: str) -> bool:
    """Whether the farm carries a pixel format: planar YUV or gray, little-endian, 8 to 16 bits, without alpha."""
    form = VideoFormat(name)
    parts = form.components
    return (
        name.startswith(("yuv", "gray"))
        and not name.startswith("grayf")
        and not (form.is_rgb or form.has_palette or form.is_big_endian)
        and len(parts) in (1, 3)
        and [part.plane for part in parts] == list(range(len(parts)))
        and all(8 <= part.bits <= 16 and not part.is_alpha for part in parts)
    )


def picture_of(stream: VideoStream, frame: VideoFrame, what: str) -> Picture:
    """The picture, by its stream and its first frame. Raises BadMedia where the farm does not carry such a picture."""
    if reason := _refusal(stream, frame):
        raise BadMedia(f"{what} {reason}")
    rate = stream.average_rate or stream.guessed_rate
    if not rate or not stream.time_base:
        raise BadMedia(f"{what} does not say its frame rate; remux it first (for example to mkv).")
    return Picture(
        stream=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        width=frame.width,
        height=frame.height,
        stored=frame.format.name,
        pix_fmt=frame.format.name,
        depth=frame.format.components[0].bits,
        time_base=Fraction(stream.time_base),
        rate=Fraction(rate),
        aspect=Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1),
        rotation=frame.rotation % 360,
        colour=colour_of(stream, frame, what),
    )


def _refusal(stream: VideoStream, frame: VideoFrame) -> str:
    name = frame.format.name
    # Field orders from 2 on are interlaced; 0 is unknown, 1 progressive.
    if frame.interlaced_frame or stream.codec_context.field_order > 1:
        return "is interlaced, and deinterlacing is not supported yet; deinterlace it first (for example with ffmpeg -vf bwdif)."
    if not carried(name):
        return f"has pixels in the form {name}; planar YUV or gray of 8 to 16 bits without alpha is carried, convert it first."
    if max(frame.width, frame.height) > LARGEST:
        return f"is {frame.width}x{frame.height}; up to {LARGEST} pixels in width and height are carried."
    if frame.rotation % 90 or _mirrored(frame):
        return (
            f"is shown mirrored or turned by {frame.rotation} degrees; only quarter turns are carried, turn it first."
        )
    return ""


def _mirrored(frame: VideoFrame) -> bool:
    # PyAV's own types call this container a dictionary of strings; it is a mapping to buffers.
    matrix: bytes | None = cast(Any, frame.side_data).get("DISPLAYMATRIX")
    if matrix is None:
        return False
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    return bool(a * d - b * c < 0)


def colour_of(stream: VideoStream, frame: VideoFrame, what: str) -> Colour:
    """How numbers become colours: what the picture says, else its container, else BT.601 below 720 lines and BT.709 above."""
    tags = stream.codec_context
    says = next((space for space in (int(frame.colorspace), tags.colorspace) if space not in (2, 3)), None)
    # A grey picture has no matrix of its own to be wrong about: RGB's code point on it says as little as none.
    assumed = says is None or (says == 0 and len(frame.format.components) == 1)
    space = (6 if frame.height < HD_LINES else 1) if assumed or says is None else says
    if space not in _MATRICES:
        raise BadMedia(
            f"{what} has colours by matrix {space} of H.273; BT.601, 709 and 2020 are carried, convert it first."
        )
    primaries, transfer = _COMPANIONS[space]
    return Colour(
        matrix=_MATRICES[space],
        full_range=frame.format.name.startswith("yuvj") or _FULL in (int(frame.color_range), tags.color_range),
        primaries=_said(int(frame.color_primaries), tags.color_primaries, primaries),
        transfer=_said(int(frame.color_trc), tags.color_trc, transfer),
        space=space,
        assumed=assumed,
    )


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


def seconds_of(container: InputContainer) -> float:
    """Length by the header; 0.0 where it does not say."""
    return max(0.0, (container.duration or 0) / av.time_base)


def timecode_of(container: InputContainer, picture: Stream) -> str:
    """SMPTE time code of the first frame, as a stream or the file tells it; empty where none does."""
    said = [picture.metadata, *(one.metadata for one in container.streams), container.metadata]
    return next((code for tags in said for name, code in tags.items() if name.lower() == "timecode"), "")
