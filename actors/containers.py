"""Containers: how each one is written, and what its picture stream says of itself. Promises the film's rate, aspect, rotation and time code in all of them; moves no packet."""

from fractions import Fraction
from math import lcm

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from actors.media import MATROSKA
from actors.tags import tags_of
from jobs.deliverables import DeliverablePlan
from jobs.film import Film
from jobs.formats import Wrapping
from jobs.timing import FINEST, Timing

FORMATS: dict[Wrapping, str] = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "mxf": "mxf"}
"""libav's names of the containers."""


def container_options(container: Wrapping, timing: Timing, sounds: list[AudioStream]) -> dict[str, str]:
    """libav's options for the muxer; `sounds` are the source's streams that are carried."""
    if container == "mkv":
        return dict(MATROSKA)
    # An mp4 keeps a stream's start in movie ticks, by default milliseconds: these are fine enough for every stream.
    rates = [one.rate for one in sounds if one.rate]
    fine = lcm(1000, timing.time_base.denominator)
    ticks = next((one for one in (lcm(fine, *rates), fine) if one <= FINEST), timing.time_base.denominator)
    return {"fflags": "+bitexact", "movflags": "+faststart", "movie_timescale": str(ticks)}


def add_picture(
    out: OutputContainer, template: VideoStream, plan: DeliverablePlan, film: Film, timing: Timing, source: Stream
) -> VideoStream:
    """The picture's stream in `out`: `template` is a segment's stream, `source` the film's own."""
    stream = out.add_stream_from_template(template, opaque=True)
    context = stream.codec_context
    stream.time_base = timing.time_base
    # Where the rate varies Matroska must not promise one; mp4 reckons it from the stamps.
    context.framerate = timing.rate or Fraction(0)
    context.sample_aspect_ratio = plan.encoding.aspect
    if film.picture.rotation:
        stream.set_display_rotation(film.picture.rotation)
    stream.metadata.update(tags_of(source.metadata))
    if film.timecode:
        stream.metadata["timecode"] = film.timecode
    stream.disposition = source.disposition
    return stream
