"""Containers: how each one is written, and what its picture stream says of itself. Promises the film's colours, rate, aspect, rotation and time code, or a refusal; moves no packet."""

from fractions import Fraction
from math import lcm

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from actors.media import MATROSKA
from actors.tags import PICTURE_TAGS, tags_of
from jobs.deliverables import DeliverablePlan
from jobs.errors import BadSpec
from jobs.film import Film
from jobs.formats import Codec, Wrapping
from jobs.records import Encoding
from jobs.timing import FINEST, Timing

FORMATS: dict[Wrapping, str] = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "mxf": "mxf"}
"""libav's names of the containers."""

BOXES: tuple[Wrapping, ...] = ("mp4", "mov")
"""Containers made of ISO boxes: they keep edit lists and a time code track."""

ROUNDED = Fraction(1, 100)
"""How far from square pixels may be to be written as square where no other can be: a display size rounded to whole pixels."""

_SQUARE_ONLY: dict[tuple[Codec, Wrapping], Wrapping] = {
    (Codec.FFV1, "mkv"): "mp4",
    (Codec.PRORES, "mkv"): "mov",
    (Codec.DNXHR, "mxf"): "mov",
}
"""Pairs that say nothing of the pixels' shape (PyAV cannot set Matroska's; libav's MXF writes DNxHR as square), and the
container that says it. H.264 and HEVC say it themselves."""

_MXF_TRANSFERS = (1, 6, 14, 15, 16, 18)
"""Transfer characteristics (ITU-T H.273) that libav writes into MXF; the first four are one curve, and written as 1."""


def container_options(container: Wrapping, timing: Timing, sounds: list[AudioStream]) -> dict[str, str]:
    """libav's options for the muxer; `sounds` are the source's streams that are carried."""
    if container == "mkv":
        return dict(MATROSKA)
    if container == "mxf":
        return {"fflags": "+bitexact"}
    # An mp4 keeps a stream's start in movie ticks, by default milliseconds: these are fine enough for every stream.
    rates = [one.rate for one in sounds if one.rate]
    fine = lcm(1000, timing.time_base.denominator)
    ticks = next((one for one in (lcm(fine, *rates), fine) if one <= FINEST), timing.time_base.denominator)
    return {"fflags": "+bitexact", "movie_timescale": str(ticks)}


def add_picture(
    out: OutputContainer, template: VideoStream, plan: DeliverablePlan, film: Film, timing: Timing, source: Stream
) -> VideoStream:
    """The picture's stream in `out`: `template` is a segment's stream, `source` the film's own."""
    stream = out.add_stream_from_template(template, opaque=True)
    context, encoding = stream.codec_context, plan.encoding
    stream.time_base = timing.time_base
    # Where the rate varies Matroska must not promise one; mp4 reckons it from the stamps, but a time code counts by it.
    nominal = encoding.rate if plan.container in BOXES and film.timecode else Fraction(0)
    context.framerate = timing.rate or nominal
    context.sample_aspect_ratio = encoding.aspect
    colour = encoding.colour
    context.color_primaries, context.color_trc, context.colorspace = colour.primaries, colour.transfer, colour.space
    context.color_range = 2 if colour.full_range else 1
    if encoding.codec is Codec.PRORES:
        # The template forgets it, and without it 4444 is decoded as another profile.
        context.codec_tag = template.codec_context.codec_tag
    stream.metadata.update(tags_of(source.metadata, PICTURE_TAGS))
    stream.disposition = source.disposition
    dress(stream, plan.container, film, encoding)
    return stream


def dress(stream: VideoStream, container: Wrapping, film: Film, encoding: Encoding) -> None:
    """What the picture's stream says of itself beside its codec: rotation, time code, and the tag that players ask for."""
    if film.picture.rotation:
        stream.set_display_rotation(film.picture.rotation)
    if film.timecode:
        stream.metadata["timecode"] = film.timecode
    if encoding.codec is Codec.HEVC and container in BOXES:
        # Parameter sets lie in the header alone; players of Apple take no other tag.
        stream.codec_context.codec_tag = "hvc1"


def refuse_shape(film: Film, encoding: Encoding, container: Wrapping) -> None:
    """Raise BadSpec where the container cannot say the pixels' shape, or how the picture is turned."""
    instead = _SQUARE_ONLY.get((encoding.codec, container))
    if instead and abs(encoding.aspect - 1) > ROUNDED:
        raise BadSpec(
            f"{film.source} has pixels of {encoding.aspect}, and {encoding.codec} in {container} cannot be written with that "
            f"shape: set the deliverable's container to {instead}."
        )
    if container == "mxf" and film.picture.rotation:
        raise BadSpec(
            f"{film.source} is shown turned by {film.picture.rotation} degrees, for which mxf has no word: set the "
            "deliverable's container to mov."
        )


def squared(encoding: Encoding, container: Wrapping) -> bool:
    """Whether pixels that are nearly square are written as square, because the container can write no others."""
    return (encoding.codec, container) in _SQUARE_ONLY and encoding.aspect != 1


def unsaid(encoding: Encoding, container: Wrapping) -> tuple[str, ...]:
    """In words, what the container does not say of the picture, or of the film."""
    if container != "mxf":
        return ()
    said = ["titles and tags have no place in mxf"]
    if not transfer_said(encoding, container):
        said.append(f"mxf has no word for the transfer curve {encoding.colour.transfer} (ITU-T H.273)")
    return tuple(said)


def transfer_said(encoding: Encoding, container: Wrapping) -> bool:
    """Whether the transfer characteristics are tagged. ProRes says its own, DNxHR leaves it to the container."""
    known = container != "mxf" or encoding.colour.transfer in _MXF_TRANSFERS
    return known or encoding.codec is Codec.PRORES
