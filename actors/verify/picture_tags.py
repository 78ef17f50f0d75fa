"""Checks what a deliverable's headers say of its picture: codec, size, colour, aspect, rate, time code."""

from collections.abc import Iterator
from fractions import Fraction

import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from actors.media.chroma_siting import siting_of, siting_said
from actors.media.pixel_formats import plain
from actors.mux.containers import transfer_said, written_timecode
from actors.mux.frame_access import is_cover
from actors.survey.probe import timecode_of
from jobs.film.source import Film
from jobs.film.timecode import timecode_at
from jobs.plan.output_timing import Timing
from jobs.records.deliverables import DeliverablePlan
from jobs.records.orders import Encoding
from jobs.spec.codecs import PROFILES, Codec, Wrapping

_CODECS = {Codec.DNXHR: "dnxhd"}
"""libav's names, where they are not ours."""

_PROFILES = {
    Codec.PRORES: {"proxy": "Proxy", "lt": "LT", "standard": "Standard", "hq": "HQ", "4444": "4444", "4444xq": "XQ"},
    Codec.DNXHR: {one: f"DNXHR {one.upper()}" for one in PROFILES[Codec.DNXHR]},
}
"""libav's names of the profiles."""

_UNSPECIFIED = 2

_SAME_MATRIX = {5: 6}
_SAME_CURVE = {6: 1, 14: 1, 15: 1}
"""H.273 code points of one meaning, of which MXF has one only: BT.601 for 625 and 525 lines; the curve of BT.709."""


def tags_findings(film: Film, plan: DeliverablePlan, timing: Timing, media: InputContainer) -> Iterator[str]:
    """In sentences, where the file `media` says something else of its picture than the paper."""
    if not media.streams.video or is_cover(media.streams.video[0]):
        raise av.error.InvalidDataError(0, "it has no picture")
    stream = media.streams.video[0]
    said = {**_codec_said(stream, plan), **_colour_said(stream, plan.encoding, plan.container)}
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1
    if siting := siting_said(plan.encoding, plan.container):
        said["chroma siting"] = (siting_of(stream) or "not told", siting)
    said["sample aspect"] = (aspect, plan.encoding.aspect)
    if timing.rate is not None and timing.frames > 1:
        said["rate"] = (_rate(stream, timing.rate), timing.rate)
    if code := written_timecode(film, plan, timing):
        # Parsed: readers write ';' in their own ways.
        told = timecode_of(media, stream)
        said["time code"] = (timecode_at(told, plan.encoding.rate) or told or "not told", code)
    if plan.container != "mxf":
        said["being shown first"] = (bool(stream.disposition & Disposition.default), True)
    for name, (ours, paper) in said.items():
        if ours != paper:
            yield f"its {name} is {_shown(ours)} and not {_shown(paper)}"


def _codec_said(stream: VideoStream, plan: DeliverablePlan) -> dict[str, tuple[object, object]]:
    context, encoding = stream.codec_context, plan.encoding
    said: dict[str, tuple[object, object]] = {
        "codec": (context.codec.canonical_name, _CODECS.get(encoding.codec, encoding.codec.value)),
        "size": ((context.width, context.height), (encoding.width, encoding.height)),
        "pixel format": (plain(context.pix_fmt or "none"), decoded_as(encoding)),
    }
    if names := _PROFILES.get(encoding.codec):
        said["profile"] = (context.profile, names[plan.deliverable.profile or PROFILES[encoding.codec][0]])
    return said


def decoded_as(encoding: Encoding) -> str:
    """The pixel format in which libav's decoder gives this encoding's frames: ProRes 4:4:4 comes back with 12 bits."""
    wide = encoding.codec is Codec.PRORES and encoding.pix_fmt == "yuv444p10le"
    return "yuv444p12le" if wide else encoding.pix_fmt


def _colour_said(stream: VideoStream, encoding: Encoding, container: Wrapping) -> dict[str, tuple[object, object]]:
    context, colour = stream.codec_context, encoding.colour
    matrix, transfer = (context.colorspace, colour.space), (context.color_trc, colour.transfer)
    if container == "mxf":
        matrix = (_SAME_MATRIX.get(matrix[0], matrix[0]), _SAME_MATRIX.get(matrix[1], matrix[1]))
        transfer = (_SAME_CURVE.get(transfer[0], transfer[0]), _SAME_CURVE.get(transfer[1], transfer[1]))
    # MXF says the range by its black level, which libav leaves out of 4:4:4: limited is what that means.
    said = context.color_range or (1 if container == "mxf" else 0)
    if not transfer_said(encoding, container):
        transfer = (transfer[0], _UNSPECIFIED)
    return {
        "colour matrix": matrix,
        "colour primaries": (context.color_primaries, colour.primaries),
        "transfer": transfer,
        "range": (said, 2 if colour.full_range else 1),
    }


def _rate(stream: VideoStream, wanted: Fraction) -> Fraction | None:
    # libav's MXF demuxer knows no average; Matroska keeps the rate as whole nanoseconds a frame.
    rate = stream.average_rate or stream.base_rate
    return wanted if rate is not None and abs(rate - wanted) < wanted / 10**6 else rate


def _shown(value: object) -> str:
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)
