"""Describes any film that libav can open, including one that the farm would refuse, and then says why it would."""

from fractions import Fraction

import av.error
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.container import named, opened, picture_stream, played
from actors.media.metadata.vetting import refuse_costly
from actors.survey.probe import colour_of, seconds_of, timecode_of
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Colour
from jobs.records.report import Inspection, Sight

_FULL = 2
"""libavutil's AVCOL_RANGE_JPEG."""


def inspection(url: str, *, trim: bool = False) -> Inspection:
    """What there is to say of one film, at a path or URL. Raises BadMedia where it cannot be opened, or shows no picture.

    `trim`: as the farm has it with `head: trim`.
    """
    refuse_costly(url)  # such a source is not opened below either
    surveyor = Surveyor(url)
    film, refused = None, ""
    try:
        surveyed = surveyor.film()
        FrameIndex.beginning(surveyor.pages(), trim=trim)
        film = surveyed
    except BadMedia as error:
        refused = str(error)
    with opened(url) as container:
        stream = picture_stream(container, named(url))
        try:
            first = next(played(container, stream, named(url)), None)
        except av.error.FFmpegError:
            first = None
        if first is None:
            raise BadMedia(refused or f"{named(url)} has no frame that can be decoded; copy it again.")
        return Inspection(refused=refused, seen=sight_of(container, stream, first, named(url)), film=film)


def sight_of(container: InputContainer, stream: VideoStream, first: VideoFrame, what: str) -> Sight:
    """What a film says of itself, by its header and its first frame. `what` names it in errors."""
    context = stream.codec_context
    return Sight(
        container=container.format.name,
        codec=context.codec.canonical_name,
        pix_fmt=first.format.name,
        width=first.width,
        height=first.height,
        aspect=Fraction(stream.sample_aspect_ratio or context.sample_aspect_ratio or 1),
        rotation=first.rotation % 360,
        interlaced=first.interlaced_frame or context.field_order > 1,
        colour=_colour(stream, first, what),
        rate=Fraction(stream.average_rate or stream.guessed_rate or 0),
        tick=Fraction(stream.time_base or 0),
        seconds=seconds_of(container),
        timecode=timecode_of(container, stream),
        sound=tuple(one.codec_context.codec.canonical_name for one in container.streams.audio),
        subtitles=tuple(one.codec_context.codec.canonical_name for one in container.streams.subtitles),
        chapters=len(container.chapters()),
    )


def _colour(stream: VideoStream, frame: VideoFrame, what: str) -> Colour:
    try:
        return colour_of(stream, frame, what)
    except BadMedia:
        # A matrix that the farm does not carry: told by its number, and reckoned with as BT.709's.
        tags = stream.codec_context
        return Colour(
            matrix="bt709",
            full_range=_FULL in (int(frame.color_range), tags.color_range),
            primaries=int(frame.color_primaries),
            transfer=int(frame.color_trc),
            space=int(frame.colorspace),
            assumed=True,
        )
