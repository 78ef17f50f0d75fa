"""Takes frames of a film to learn from, evenly spread over its length, upright and in R'G'B'; the same ones each time."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av.error
import numpy as np
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.container import decoded, decoder_of, named, opened, packets_of, picture_stream
from actors.media.metadata.vetting import refuse_costly
from actors.media.normalise import developed_frame
from actors.picture.frame_batches import batches_of
from actors.picture.png_sheet import Photo
from actors.survey.probe import picture_of
from jobs.errors import BadMedia
from jobs.spec.job import Reading

FAR_SECONDS = 4
"""To a frame further on than this a seek is tried; nearer ones are reached by decoding."""


class TimedFrame(NamedTuple):
    """A frame and when it is shown, in ticks of its film."""

    pts: int
    photo: Photo


def spread_frames(place: str, count: int, short_side: int) -> Iterator[TimedFrame]:
    """`count` frames of a film (fewer where it has no more), the middle ones of as many equal parts. Raises BadMedia."""
    what = named(place)
    refuse_costly(place)
    with opened(place) as container:
        stream = picture_stream(container, what)
        times = _times(container, stream, what, count)
        for frame in _frames_at(container, stream, what, times):
            yield TimedFrame(frame.pts or 0, _photo(frame, stream, what, short_side))


def _times(container: InputContainer, stream: VideoStream, what: str, count: int) -> list[int]:
    """In ticks of the stream."""
    base = Fraction(stream.time_base or 1)
    if stream.duration:
        length = Fraction(stream.duration)
    elif container.duration:
        length = Fraction(container.duration, 1_000_000) / base
    else:
        raise BadMedia(f"{what} does not say how long it is; remux it first (for example to mkv).")
    return [(stream.start_time or 0) + int(length * (2 * number + 1) / (2 * count)) for number in range(count)]


def _frames_at(container: InputContainer, stream: VideoStream, what: str, times: list[int]) -> Iterator[VideoFrame]:
    """The first frame at or after each time, none twice. Seeks over long gaps, until a seek only goes back."""
    decoder = decoder_of(stream)
    frames = _stamped(decoded(decoder, packets_of(container, stream, what)))
    far = FAR_SECONDS / Fraction(stream.time_base or 1)
    last, given = next(frames, None), -1
    seeks = True
    for time in times:
        if last is None:
            raise BadMedia(f"{what} has no picture that can be decoded; copy it again.")
        if seeks and time - (last.pts or 0) > far and _sought(container, stream, time):
            decoder.flush_buffers()
            frames = _stamped(decoded(decoder, packets_of(container, stream, what)))
            first = next(frames, None)
            seeks = first is not None and (first.pts or 0) > (last.pts or 0)
            last = first or last
        while (last.pts or 0) < time and (following := next(frames, None)) is not None:
            last = following
        if (last.pts or 0) > given:
            given = last.pts or 0
            yield last


def _stamped(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    return (frame for frame in frames if frame.pts is not None and frame.pts >= 0)


def _sought(container: InputContainer, stream: VideoStream, time: int) -> bool:
    try:
        container.seek(time, stream=stream)
    except av.error.FFmpegError:
        return False
    return True


def _photo(frame: VideoFrame, stream: VideoStream, what: str, short_side: int) -> Photo:
    if frame.interlaced_frame:
        raise BadMedia(
            f"{what} is interlaced; make a progressive copy and give that: ffmpeg -i <source> -map 0:v:0 -vf bwdif=mode=send_frame -c:v ffv1 <new>.mkv."
        )
    picture = picture_of(stream, frame, what, Reading(alpha=True), frame.interlaced_frame)
    if picture.development:
        frame = developed_frame(frame, picture.development)
    ((_, batch),) = batches_of([frame], picture, 1, torch.device("cpu"))
    height, width = batch.luma_NHW.shape[-2:]
    scale = min(1.0, short_side / min(height, width))
    rgb_1CHW = batch.rgb((round(height * scale), round(width * scale)))
    return np.ascontiguousarray((rgb_1CHW[0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy())
