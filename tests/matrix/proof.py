"""What a film shows, read by PyAV alone: nothing of the farm's own reading is trusted. Tests nothing."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path

import av
from av.video.stream import VideoStream

from tests.films import fingerprint, read_number

MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Shown:
    """A film as a player shows it."""

    times: list[Fraction]
    """When each frame is shown, in seconds."""
    pictures: list[str]
    """A hash of each frame's planes."""
    numbers: list[int]
    """The number that each frame carries in its picture."""
    rotation: int
    aspect: Fraction
    colour: tuple[int, int, int, int]
    """Matrix, primaries, transfer and range, as the first frame says."""
    rate: Fraction | None


def shown(path: Path, stream: int | None = None) -> Shown:
    """A film decoded from its beginning to its end; edit lists are libav's to apply."""
    with av.open(str(path)) as media:
        picture = media.streams.video[0] if stream is None else media.streams[stream]
        assert isinstance(picture, VideoStream)
        picture.codec_context.thread_type = "SLICE"
        aspect = picture.sample_aspect_ratio or picture.codec_context.sample_aspect_ratio or 1
        rate = picture.average_rate
        times, pictures, numbers = [], [], []
        first = None
        for frame in media.decode(picture):
            assert frame.pts is not None
            assert frame.time_base is not None
            first = first or frame
            times.append(frame.pts * frame.time_base)
            pictures.append(fingerprint(frame))
            numbers.append(read_number(frame) if frame.width >= 64 else -1)
    assert first is not None
    colour = (int(first.colorspace), int(first.color_primaries), int(first.color_trc), int(first.color_range))
    return Shown(times, pictures, numbers, first.rotation % 360, Fraction(aspect), colour, rate)


def in_milliseconds(times: list[Fraction]) -> list[Fraction]:
    """What Matroska makes of a source's times: from 0 on, each rounded to the millisecond by itself, halves up."""
    origin = min(times[0], Fraction(0))
    return [floor((one - origin) / MILLISECOND + Fraction(1, 2)) * MILLISECOND for one in times]
