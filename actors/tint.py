"""Whether a film is black-and-white: a look at a few frames. Promises a quick, honest guess that only the search for cuts leans on; knows no shots.

PySceneDetect weighs hue, saturation and brightness alike. A grey film has no hue, so a cut there counts for a third of
what it is, and is missed; such a film is searched by brightness alone.
"""

from collections.abc import Iterator
from contextlib import suppress

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media import opened
from actors.planes import planes_of

LOOKS = 8
"""Places in the film that are looked at."""
NEUTRAL = 0.5
"""Mean distance of chroma from neutral, in 8-bit steps, up to which a frame has no colour."""
CONTENT = 8.0
"""Spread of luma, in 8-bit steps, from which a frame shows anything: black frames of a fade prove nothing."""


def is_grey(url: str, stream: int) -> bool:
    """True where no frame looked at has colour and at least one has content. Raises BadMedia where the film cannot be opened."""
    shown = False
    with opened(url) as container:
        for frame in _frames(container, container.streams[stream]):  # type: ignore[arg-type]
            step = 2 ** (frame.format.components[0].bits - 8)
            luma, *chroma = planes_of(frame)
            neutral = 128 * step
            if any(float(np.abs(plane.astype(np.int32) - neutral).mean()) > NEUTRAL * step for plane in chroma):
                return False
            shown = shown or float(luma.std()) > CONTENT * step
    return shown


def _frames(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    length = container.duration or 0
    for place in range(LOOKS):
        # Where a container cannot seek, its first frames must do.
        with suppress(av.error.FFmpegError):
            container.seek(length * place // LOOKS)
        with suppress(av.error.FFmpegError):
            frame = next(iter(container.decode(stream)), None)
            if frame is not None:
                yield frame
