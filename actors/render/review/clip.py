"""Encodes a segment's frames, source and result side by side, as a small H.264 clip that browsers play.

One clip holds both, so that a page shows the same frame of both, whatever a browser does. Frame n is shown at n / rate: a
page finds each by counting. Each frame of a film is made so: it is shrunk first, by libswscale, and costs few milliseconds.
"""

from collections.abc import Collection
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from actors.media.planes import planes_of
from actors.picture.stills import of_finished, shown_size
from actors.render.review.flashes import FlashMeasure
from actors.render.review.levels import beyond_levels
from actors.render.review.measure import PieceMeasure
from actors.render.review.shrink import LIMITED, SMALLEST, WIDTH, Planes, shrunk, upright
from jobs.film.source import Colour, Picture
from jobs.records.orders import Encoding

OPTIONS = {"preset": "superfast", "crf": "24", "g": "12", "bf": "0"}
"""A keyframe each half second, so that stepping back is quick; without B-frames, so that the first frame is at 0."""
FASTSTART = {"movflags": "+faststart"}


class ReviewClip:
    """One clip in the making. Used as a context; a failed one leaves no file."""

    def __init__(
        self, film: Picture, encoding: Encoding, path: Path, first: int, painted: Collection[int] = ()
    ) -> None:
        """`first`: the number of its first frame; `painted`: frames that are shown as they were painted."""
        self.film = film
        self.encoding = encoding
        self.path = path
        self.measure = PieceMeasure(first, FlashMeasure(float(film.clip_rate)), painted)
        height, width = (max(SMALLEST, side + side % 2) for side in shown_size(film, WIDTH))
        self._size = height, width
        self._container = av.open(str(path), "w", format="mp4", options=FASTSTART)
        rate = film.clip_rate
        self._stream = self._container.add_stream("libx264", rate=rate, options=OPTIONS)
        if film.rotation % 180:
            height, width = width, height
        _set(self._stream, (height, 2 * width), 1 / rate, encoding.colour)
        self._shown = 0

    def __enter__(self) -> Self:
        return self

    def take(self, source: av.VideoFrame, finished: av.VideoFrame) -> None:
        """The next frame, as the film has it and as the look's picture is encoded."""
        before = self._shrunk(source, self.film.colour, 0)
        after = self._shrunk(finished, self.encoding.colour, -self.encoding.rotation)
        beyond = beyond_levels(finished, self.encoding.colour).over(beyond_levels(source, self.film.colour))
        self.measure.take(before, after, beyond)
        sides = [np.hstack(pair) for pair in zip(before, after, strict=True)]
        planar = np.concatenate([side.ravel() for side in sides]).reshape(-1, sides[0].shape[1])
        frame = av.VideoFrame.from_ndarray(planar, format="yuv420p")
        frame.pts, frame.time_base = self._shown, self._stream.codec_context.time_base
        self._shown += 1
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        done = False
        try:
            if kind is None and self._shown:
                self._container.mux(self._stream.encode(None))
                done = True
        finally:
            self._container.close()
            if not done:
                self.path.unlink(missing_ok=True)

    def _shrunk(self, frame: av.VideoFrame, colour: Colour, lying: int) -> Planes:
        """The picture upright; `lying`: degrees that it is turned first, to lie as the film stores its own."""
        if frame.format.is_rgb:
            return self._of_pictures(frame)
        size = self._size[::-1] if lying % 180 else self._size
        return upright(shrunk(frame, colour, size), lying + self.film.rotation)

    def _of_pictures(self, frame: av.VideoFrame) -> Planes:
        """Of R'G'B', which is upright then."""
        photo = of_finished(frame, self.film, self.encoding, WIDTH)
        size = self._size[::-1] if self.film.rotation % 180 else self._size
        whole = np.asarray(cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        ready = av.VideoFrame.from_ndarray(whole, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=self.encoding.colour.space, dst_color_range=LIMITED
        )
        return [np.asarray(plane, np.uint8) for plane in planes_of(ready)]


def _set(stream: VideoStream, size: tuple[int, int], time_base: Fraction, colour: Colour) -> None:
    context = stream.codec_context
    context.height, context.width = size
    context.pix_fmt, context.time_base, context.thread_count = "yuv420p", time_base, 1
    # As with stills, R'G'B' is shown as it is, whatever its primaries and transfer.
    context.color_primaries = context.color_trc = 1
    context.colorspace, context.color_range = colour.space, int(LIMITED)
