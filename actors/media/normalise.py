"""Converts decoded frames to a form that the farm works on, once, as chunks are split.

A frame comes out the same in whichever chunk it is read.

R'G'B' becomes Y'CbCr of limited range, which every codec of a deliverable carries, and in which neither luma nor chroma of
any R'G'B' between black and white is cut; two bits more bring the very same R'G'B' back. Interlaced pictures become
progressive by libavfilter's bwdif. Everything else is only rearranged.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Literal

import av.error
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from actors.media.pixel_formats import Samples, is_linear, is_rgb, samples_of
from actors.media.planes import planes_of
from jobs.film.source import KR_KB, Development, FieldOrder

Floats = NDArray[np.float64]
Matrix = Literal["bt601", "bt709", "bt2020"]

BAND = 64
"""Rows reckoned at once: what they need stays in the processor's cache."""

_LIMITED = 1
_MODES = {"top": "tff", "bottom": "bff"}
_TICK = Fraction(1, 1000)


class Normaliser:
    """Develops frames one after another. Frames must come in display order, all of them, where they are deinterlaced."""

    def __init__(self, development: Development) -> None:
        self.development = development
        self._bwdif = _Bwdif(development.fields) if development.deinterlace else None

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """The frames that are finished now, under the pts that they came with: with a deinterlacer, one later."""
        ready = developed_frame(frame, self.development) if frame.format.name == self.development.stored else frame
        yield from (ready,) if self._bwdif is None else self._bwdif.push(ready)

    def flush(self) -> Iterator[VideoFrame]:
        """The frames still held, at the end."""
        if self._bwdif is not None:
            yield from self._bwdif.push(None)


def developed_frame(frame: VideoFrame, development: Development) -> VideoFrame:
    """One frame of the form `development.stored` in the form that the farm works on, not deinterlaced."""
    if development.stored == development.pix_fmt:
        return frame
    planes = planes_of(made := _blank(frame, development))
    samples, steps = samples_of(frame), float(2 ** frame.format.components[0].bits - 1)
    as_light, as_rgb = is_linear(development.stored), is_rgb(development.stored)
    for top in range(0, frame.height, BAND) if as_light or as_rgb else ():
        band = slice(top, top + BAND)
        signal = [curved(one[band]) if as_light else one[band] / steps for one in samples]
        levels = ycbcr(signal, development.matrix, made.format.components[0].bits) if as_rgb else [signal[0] * 65535]
        for plane, values in zip(planes, levels, strict=True):
            plane[band] = np.rint(values)
    if not (as_light or as_rgb):
        for plane, values in zip(planes, samples, strict=True):
            plane[:] = values
    return made


def _blank(frame: VideoFrame, development: Development) -> VideoFrame:
    """A frame to be filled, with the times and properties of `frame`."""
    if development.deinterlace:
        # Only libav's own conversion hands on which field comes first.
        return frame.reformat(format=development.pix_fmt, threads=1)
    made = VideoFrame(frame.width, frame.height, development.pix_fmt)
    made.pts = frame.pts
    if frame.time_base is not None:
        made.time_base = frame.time_base
    made.color_range = _LIMITED if is_rgb(development.stored) else int(frame.color_range)
    return made


def curved(light: Samples) -> Floats:
    """R'G'B' signals, 0 to 1, of linear light by ITU-R BT.709's curve; what is above 1 or below 0, or no number, is cut."""
    held = np.nan_to_num(light.astype(np.float64), nan=0.0).clip(0.0, 1.0)
    return np.where(held < 0.018, 4.5 * held, 1.099 * held**0.45 - 0.099)


def ycbcr(rgb: Sequence[Floats], matrix: Matrix, depth: int) -> tuple[Floats, Floats, Floats]:
    """Y', Cb and Cr in steps of `depth` bits, limited range, not rounded, of R', G', B' signals from 0 to 1 (ITU-T H.273)."""
    red, green, blue = rgb
    kr, kb = KR_KB[matrix]
    step = float(2 ** (depth - 8))
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    neutral, span = 128 * step, 224 * step
    chroma = [(one - luma) * (span / (2 * (1 - weight))) + neutral for one, weight in ((blue, kb), (red, kr))]
    return luma * (219 * step) + 16 * step, chroma[0], chroma[1]


class _Bwdif:
    """libavfilter's bwdif, frame by frame: as many come out as go in, in the same order."""

    def __init__(self, fields: FieldOrder) -> None:
        self._fields = fields
        self._graph: Graph | None = None
        self._names: deque[int | None] = deque()
        self._pushed = 0

    def push(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """The frames that are ready; None flushes. Frames not marked as interlaced come back as they are."""
        if frame is not None:
            graph = self._graph or self._begin(frame)
            self._names.append(frame.pts)
            # Frames are told apart by their order here: bwdif reckons with times, and decode places are none.
            frame.pts, frame.time_base, self._pushed = self._pushed, _TICK, self._pushed + 1
            graph.vpush(frame)
        elif self._graph is not None:
            graph = self._graph
            graph.vpush(None)
        else:
            return
        with suppress(BlockingIOError, av.error.EOFError):
            while True:
                done = graph.vpull()
                done.pts, done.time_base = self._names.popleft(), _TICK
                yield done

    def _begin(self, frame: VideoFrame) -> Graph:
        graph = self._graph = Graph()
        graph.threads = 1
        source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TICK)
        # deint=interlaced: films of both kinds keep their progressive frames; parity by each frame's own mark.
        bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        marks = [] if self._fields == "marked" else [graph.add("setparams", f"field_mode={_MODES[self._fields]}")]
        graph.link_nodes(source, *marks, bwdif, graph.add("buffersink")).configure()
        return graph
