"""Guesses from a few frames whether a film is black-and-white, interlaced or captioned.

PySceneDetect weighs hue, saturation and brightness alike. A grey film has no hue, so a cut there counts for a third of
what it is, and is missed; such a film is searched by brightness alone.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import av.error
import numpy as np
from av.container import InputContainer
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.container import named, opened, played
from actors.media.normalise import developed_frame
from actors.media.pixel_formats import developed
from actors.media.planes import planes_of
from actors.survey.captions import has_captions
from actors.survey.probe import span_of
from jobs.film.source import Development

LOOKS = 8
"""Places in the film that are looked at."""
AHEAD = 24
"""Frames between two looks once two places have led to the same key frame: a film with few of them is looked at from there on."""
NEUTRAL = 0.5
"""Mean distance of chroma from neutral, in 8-bit steps, up to which a frame has no colour."""
CONTENT = 8.0
"""Spread of luma, in 8-bit steps, from which a frame shows anything: black frames of a fade prove nothing."""


class ContentProbe(NamedTuple):
    """What a look at a few frames shows."""

    grey: bool
    """No frame looked at has colour, and at least one has content."""
    interlaced: bool
    """A frame looked at is interlaced."""
    captions: bool
    """A frame looked at carries closed captions."""


def glance(url: str, stream: int) -> ContentProbe:
    """A look at LOOKS places of the film. Raises BadMedia where it cannot be opened."""
    shown = coloured = interlaced = captions = False
    with opened(url) as container:
        for frame in _frames(container, container.streams[stream], named(url)):  # type: ignore[arg-type]
            interlaced, captions = interlaced or frame.interlaced_frame, captions or has_captions(frame)
            if coloured or not (form := developed(frame.format.name)):
                continue
            luma, *chroma = planes_of(_plain(frame, form))
            step = 2 ** (VideoFormat(form).components[0].bits - 8)
            neutral = 128 * step
            coloured = any(float(np.abs(one.astype(np.int32) - neutral).mean()) > NEUTRAL * step for one in chroma)
            shown = shown or float(luma.std()) > CONTENT * step
    return ContentProbe(shown and not coloured, interlaced, captions)


def _plain(frame: VideoFrame, form: str) -> VideoFrame:
    # By any matrix: what is neutral in one is neutral in all.
    development = Development(stored=frame.format.name, pix_fmt=form, matrix="bt709", deinterlace=False)
    return developed_frame(frame, development)


def _frames(container: InputContainer, stream: VideoStream, what: str) -> Iterator[VideoFrame]:
    start, length = span_of(container)
    decoder: Iterator[VideoFrame] = iter(())
    before, sought = None, True
    for place in range(LOOKS):
        if sought:
            # Where a container cannot seek, its first frames must do.
            with suppress(av.error.FFmpegError):
                container.seek(start + length * place // LOOKS)
            decoder = played(container, stream, what)
        with suppress(av.error.FFmpegError):
            frame = next(islice(decoder, 0 if sought else AHEAD - 1, None), None)
            if frame is not None and frame.pts == before:
                sought, frame = False, next(islice(decoder, AHEAD - 1, None), None)
            if frame is not None:
                before = frame.pts
                yield frame
