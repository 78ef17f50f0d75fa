"""How long a film's sound is and how loud: by libavfilter's ebur128 (EBU R128, ITU-R BS.1770-4), stream by stream, in one decoding."""

from collections.abc import Iterator
from typing import NamedTuple

import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from av.filter.context import FilterContext

from actors.media.container import named, opened
from jobs.errors import BadMedia

SILENT = -69.9
"""LUFS: below is the gate's own floor of -70."""
INTEGRATED = "lavfi.r128.I"


class Loudness(NamedTuple):
    """Of one stream."""

    seconds: float
    integrated: float | None
    """LUFS; None where nothing is loud enough to be counted."""


def loudness_of(url: str) -> list[Loudness]:
    """Of every sound stream, in order. Raises BadMedia where one is damaged."""
    with opened(url) as media:
        indices = [stream.index for stream in media.streams.audio]
    return [_measured(url, index) for index in indices]


def _measured(url: str, index: int) -> Loudness:
    meter, samples, rate = _Meter(), 0, 0
    try:
        with opened(url) as media:
            stream = media.streams[index]
            assert isinstance(stream, AudioStream)
            for frame in media.decode(stream):
                samples, rate = samples + frame.samples, frame.sample_rate
                meter.take(frame)
    except (av.error.FFmpegError, ValueError) as error:
        why = error.strerror if isinstance(error, av.error.FFmpegError) else error
        raise BadMedia(f"The sound of {named(url)} is damaged and cannot be measured ({why}); copy it again.") from None
    return Loudness(samples / rate if rate else 0.0, meter.integrated)


class _Meter:
    """One stream's graph. It is built by the first frame; a change of form within a stream ends what is measured."""

    def __init__(self) -> None:
        self.integrated: float | None = None
        self._graph = Graph()  # to be kept: what lies in it does not keep it
        self._ends: tuple[FilterContext, FilterContext] | None = None
        self._form: tuple[int, str, str] = (0, "", "")

    def take(self, frame: AudioFrame) -> None:
        form = frame.sample_rate, frame.format.name, frame.layout.name
        if self._ends is None:
            self._ends, self._form = self._built(*form), form
        if form != self._form:
            return
        source, sink = self._ends
        frame.pts = None  # loudness is of samples, whatever their times
        source.push(frame)
        for found in _pulled(sink):
            value = float(found.metadata.get(INTEGRATED, "-70"))
            self.integrated = round(value, 2) if value > SILENT else None

    def _built(self, rate: int, form: str, layout: str) -> tuple[FilterContext, FilterContext]:
        graph = self._graph
        source = graph.add_abuffer(sample_rate=rate, format=form, layout=layout)
        meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        return source, sink


def _pulled(sink: FilterContext) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
