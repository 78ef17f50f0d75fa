"""Sets up each container: its muxer's options, and what its picture stream says of colour, rate, aspect, rotation and time code."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import takewhile
from math import lcm

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import AttachmentStream, Disposition, Stream
from av.video.stream import VideoStream

from actors.media.container import MATROSKA
from actors.mux.frame_access import is_cover
from actors.mux.hls.stream import FRAGMENTS
from actors.mux.pixel_aspect import HEAD
from actors.mux.tags import BOXES, PICTURE_TAGS, language_in, tags_of, wants_keys
from jobs.film.source import Film
from jobs.film.timecode import timecode_at
from jobs.plan.output_timing import FINEST, Timing
from jobs.records.deliverables import DeliverablePlan
from jobs.records.orders import Encoding
from jobs.spec.advice import SuggestedChange, UnfitDeliverable
from jobs.spec.codecs import Codec, Wrapping

FORMATS: dict[Wrapping, str] = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "mxf": "mxf", "hls": "mp4"}
"""libav's names of the containers."""

_UNTOLD = {
    Codec.TIFF: "primaries and transfer curve",
    Codec.DPX: "primaries and transfer curve",
    Codec.EXR: "primaries",
}
"""What libav does not write of the colours of pictures. EXR is linear by itself, and PNG says all."""

_MXF_TRANSFERS = (1, 6, 14, 15, 16, 18)
"""Transfer characteristics (ITU-T H.273) that libav writes into MXF; the first four are one curve, and written as 1."""


def container_options(
    container: Wrapping, timing: Timing, sounds: list[AudioStream], tags: dict[str, str]
) -> dict[str, str]:
    """libav's options for the muxer; `sounds` are the source's streams that are carried, `tags` the film's."""
    if container == "mkv":
        return dict(MATROSKA)
    if container == "mxf":
        return {"fflags": "+bitexact"}
    if container == "hls":
        return dict(FRAGMENTS)
    # An mp4 keeps a stream's start in movie ticks, by default milliseconds: these are fine enough for every stream.
    rates = [one.rate for one in sounds if one.rate]
    fine = lcm(1000, timing.time_base.denominator)
    ticks = next((one for one in (lcm(fine, *rates), fine) if one <= FINEST), timing.time_base.denominator)
    options = {"fflags": "+bitexact", "movie_timescale": str(ticks)}
    # Readers of titles as iTunes writes them know no keys, so these are for films that need them.
    return {**options, "movflags": "+use_metadata_tags"} if wants_keys(container, tags) else options


def add_picture(
    out: OutputContainer, template: VideoStream, plan: DeliverablePlan, film: Film, timing: Timing, source: Stream
) -> VideoStream:
    """The picture's stream in `out`: `template` is a segment's stream, `source` the film's own."""
    stream = out.add_stream_from_template(template, opaque=True)
    context, encoding = stream.codec_context, plan.encoding
    stream.time_base = timing.time_base
    # Where the rate varies Matroska must not promise one; mp4 reckons it from the stamps, but a time code counts by it.
    code = written_timecode(film, plan, timing)
    nominal = encoding.rate if plan.container in BOXES and code else Fraction(0)
    context.framerate = timing.rate or nominal
    context.sample_aspect_ratio = encoding.aspect
    colour = encoding.colour
    context.color_primaries, context.color_trc, context.colorspace = colour.primaries, colour.transfer, colour.space
    context.color_range = 2 if colour.full_range else 1
    if encoding.codec is Codec.PRORES:
        # The template forgets it, and without it 4444 is decoded as another profile.
        context.codec_tag = template.codec_context.codec_tag
    stream.metadata.update(tags_of(source.metadata, PICTURE_TAGS))
    if source.language:
        stream.metadata["language"] = language_in(plan.container, source.language)
    stream.disposition = source.disposition | Disposition.default
    if code:
        stream.metadata["timecode"] = code
    dress(stream, plan.container, film, encoding)
    return stream


def written_timecode(film: Film, plan: DeliverablePlan, timing: Timing) -> str:
    """The time code in a deliverable; empty where the film's has no meaning at its rate.

    A time code track begins with the film's clock, and so does a tag; MXF begins with its first frame, however late it is.
    """
    if plan.container == "hls":
        return ""
    late = max(Fraction(0), timing.origin - plan.origin) if plan.container == "mxf" else Fraction(0)
    return timecode_at(film.timecode, plan.encoding.rate, round(late * plan.encoding.rate))


def dress(stream: VideoStream, container: Wrapping, film: Film, encoding: Encoding) -> None:
    """What the picture's stream says of itself beside its codec: rotation, and the tag that players ask for."""
    if film.picture.rotation:
        stream.set_display_rotation(film.picture.rotation)
    if encoding.codec is Codec.HEVC and container in BOXES:
        # Parameter sets lie in the header alone; players of Apple take no other tag.
        stream.codec_context.codec_tag = "hvc1"


def refuse_turned(film: Film, container: Wrapping) -> None:
    """Raise Unfit where the container cannot say how the picture is turned."""
    if container == "mxf" and film.picture.rotation:
        raise UnfitDeliverable(
            f"{film.source} is shown turned by {film.picture.rotation} degrees, for which mxf has no word",
            SuggestedChange.of(container="mov"),
        )


def shapes_of(plan: DeliverablePlan, carried: Iterable[Stream]) -> dict[int, Fraction]:
    """Shapes of pixels that are written when the file is complete (`actors.mux.pixel_aspect`), by the number of their track.

    The picture is track 1; `carried` are the source's streams that come along, in their order in the file.
    """
    codec, aspect = plan.encoding.codec, plan.encoding.aspect
    if plan.container != "mkv":
        # libav says it of all else: by the codec or by the container.
        return {1: aspect} if (plan.container, codec) == ("mxf", Codec.DNXHR) and aspect != 1 else {}
    found = {1: aspect}
    tracks = (one for one in carried if not isinstance(one, AttachmentStream))
    for place, stream in enumerate(takewhile(lambda one: not is_cover(one), tracks), 2):
        if isinstance(stream, VideoStream):
            found[place] = stream.sample_aspect_ratio or Fraction(1)
    return {place: shape for place, shape in found.items() if shape != 1}


def rewritten(encoding: Encoding, container: Wrapping, carried: Iterable[Stream]) -> bool:
    """Whether more than the head is written again at the end; `carried` are the source's streams that come along.

    libav's MXF of frames that differ in size patches every partition; its Matroska writes the tags again, after the attachments.
    """
    if container == "mkv":  # libav's tags must lie in the head that a bucket's writer holds back
        return sum(len(one.data or b"") for one in carried if isinstance(one, AttachmentStream)) > HEAD
    return container == "mxf" and encoding.codec is Codec.PRORES


def unsaid(encoding: Encoding, container: Wrapping) -> tuple[str, ...]:
    """In words, what the container does not say of the picture, or of the film."""
    if container == "folder":
        lost = "titles and tags" if encoding.codec is Codec.DPX else "titles, tags and time code"
        words = [f"{lost} have no place in a folder of pictures"]
        if what := _UNTOLD.get(encoding.codec):
            words.append(f"{encoding.codec} does not say its {what}")
        return tuple(words)
    if container == "hls":
        return ("time code has no place in a review stream",)
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
