"""Reads frames of a film by their display times in one opening, decoding from the keyframe before each run wanted.

A frame is the one shown at its time, or None. Shares no code with the cutting and reading of chunks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from fractions import Fraction
from itertools import chain
from typing import Any

import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.container import decoder_of
from jobs.film.frame_index import Ints
from jobs.plan.plan import Range

BACK_OFF_SECONDS = (0, 1, 5, 30)
"""How far before a keyframe a seek may aim, one after the other: an index by decode time misses the first try."""

READ_ON = 4
"""Frames that are decoded in vain rather than sought over."""

_STRICT = {"err_detect": "explode"}
"""Makes libav's decoders refuse a packet in which they find an error."""

_REFERENCES_TOLD = "h264"
"""The decoder whose packets say whether another refers to them."""

Numbered = Iterator[tuple[int, VideoFrame | None]]


class TimedFrames:
    """One video stream, its frames numbered by their times. Holds a decoder and no picture."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[InputContainer]],
        stream: int,
        times: Ints,
        entries: Ints,
    ) -> None:
        """`stream`: its index in the container; `times`: of all frames, ascending, in its ticks; `entries`: frames at which decoding can begin."""
        self._opened, self._stream, self._times, self._entries = opened, stream, times, entries
        self.decoded = 0
        """Frames decoded so far."""

    def runs(self, wanted: Sequence[Range]) -> Numbered:
        """The frames of each run, in order; runs ascend and do not overlap. None for a frame that cannot be decoded at its time.

        Raises BadMedia where the container cannot be opened.
        """
        with ExitStack() as stack:
            place = _Place(self, stack)
            for run in wanted:
                yield from place.run(run)

    def serially(self, numbers: Sequence[int]) -> Numbered:
        """Some frames, ascending, decoded from the film's beginning on without any seek, by two decoders, of which one refuses what is damaged.

        Of damage that a decoder fills in without a word the picture is whatever its memory held. Where the two differ: None.
        """
        with self._opened() as container, self._opened() as another:
            twice = zip(self._serial(container, numbers, _STRICT), self._serial(another, numbers, {}), strict=False)
            for (number, frame), (_, again) in twice:
                yield number, frame if frame is not None and again is not None and _equal(frame, again) else None

    def _serial(self, container: InputContainer, numbers: Sequence[int], options: Mapping[str, str]) -> Numbered:
        stream = _stream(container, self._stream)
        stream.codec_context.options = {**stream.codec_context.options, **options}
        return _picked(self._numbered(_decoded(stream, container.demux(stream), 0)), numbers)

    def begun_at(self, container: InputContainer, entry: int, first: int) -> "Numbered | None":
        """Frames from a keyframe on, those before `first` only as far as others need them; None where no seek finds it."""
        stream, time = _stream(container, self._stream), int(self._times[entry])
        for seconds in BACK_OFF_SECONDS:
            try:
                container.seek(time - int(seconds / (stream.time_base or Fraction(1))), stream=stream)
                packets = container.demux(stream)
                for packet in packets:
                    shown = packet.pts if packet.pts is not None else packet.dts
                    if shown is None or not packet.is_keyframe:
                        continue
                    if shown == time:
                        rest = _decoded(stream, chain((packet,), packets), int(self._times[first]))
                        return self._numbered(rest, entry)
                    if shown > time:
                        break
            except av.error.FFmpegError:
                continue
        return None

    def from_the_beginning(self, container: InputContainer, first: int) -> Numbered:
        """Frames from the first packet of a container that has just been opened."""
        stream = _stream(container, self._stream)
        return self._numbered(_decoded(stream, container.demux(stream), int(self._times[first])))

    def entry_of(self, frame: int) -> int:
        """The last frame up to this one at which decoding can begin; -1 where there is none."""
        place = int(np.searchsorted(self._entries, frame, "right")) - 1
        return int(self._entries[place]) if place >= 0 else -1

    def open(self, stack: ExitStack) -> InputContainer:
        """The container, until the stack is closed."""
        return stack.enter_context(self._opened())

    def _numbered(self, frames: Iterator[VideoFrame | None], least: int = 0) -> Numbered:
        """Frames with their numbers; those at times of no frame of the film are hidden ones. None once decoding went wrong, up to the next keyframe."""
        harmed = False
        for frame in frames:
            if frame is None:
                harmed = True
                continue
            self.decoded += 1
            time = frame.pts if frame.pts is not None else frame.dts
            number = int(np.searchsorted(self._times, time)) if time is not None else len(self._times)
            if number >= len(self._times) or self._times[number] != time or number < least:
                continue
            harmed = frame.is_corrupt or (harmed and self.entry_of(number) != number)
            yield number, None if harmed else frame


class _Place:
    """Where one reading of a film stands."""

    def __init__(self, film: TimedFrames, stack: ExitStack) -> None:
        self._film, self._stack = film, stack
        self._container = film.open(stack)
        self._fresh = True
        self._forward = False  # no seek finds its keyframes: it is read on to its end
        self._frames: Numbered = iter(())
        self._next: tuple[int, VideoFrame | None] | None = None

    def run(self, run: Range) -> Numbered:
        entry = self._film.entry_of(run.start)
        at = self._next[0] if self._next else -1
        if not 0 <= at <= run.start or (entry - at > READ_ON and not self._forward):
            self._begin(entry, run.start)
        for number in range(run.start, run.stop):
            while self._next is not None and self._next[0] < number:
                self._advance()
            if self._next is not None and self._next[0] == number:
                frame = self._next[1]
                yield number, frame
            else:
                yield number, None

    def _begin(self, entry: int, first: int) -> None:
        found = None
        if entry > 0:
            found = self._film.begun_at(self._container, entry, first)
            self._fresh = False
        if found is None:
            if not self._fresh:
                self._container = self._film.open(self._stack)
                self._forward = True
            found, self._fresh = self._film.from_the_beginning(self._container, first), False
        self._frames = found
        self._advance()

    def _advance(self) -> None:
        self._next = next(self._frames, None)


def _stream(container: InputContainer, index: int) -> VideoStream:
    stream = container.streams[index]
    assert isinstance(stream, VideoStream)
    if not stream.codec_context.is_open:
        decoder_of(stream)
    return stream


def _decoded(stream: VideoStream, packets: "Iterator[Packet[Any]]", first: int) -> Iterator[VideoFrame | None]:
    """Frames as the decoder gives them; None where it refuses a packet. Before `first`, in ticks, frames that none refers to are left out."""
    decoder = stream.codec_context
    try:
        for packet in packets:
            ends = packet.pts is None and packet.dts is None
            if not packet.size and not ends:  # a hole
                yield None
                continue
            if decoder.name == _REFERENCES_TOLD:
                early = packet.pts is not None and packet.pts < first
                decoder.skip_frame = "NONREF" if early else "DEFAULT"
            try:
                frames = decoder.decode(packet if packet.size else None)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                yield None
                continue
            yield from frames
    except av.error.FFmpegError:
        yield None


def _equal(one: VideoFrame, other: VideoFrame) -> bool:
    """Whether two decodings of a frame hold the same bytes, padding of lines left out."""
    return one.format.name == other.format.name and np.array_equal(one.to_ndarray(), other.to_ndarray())


def _picked(found: Numbered, numbers: Sequence[int]) -> Numbered:
    here: tuple[int, VideoFrame | None] | None = None
    for wanted in numbers:
        while here is None or here[0] < wanted:
            here = next(found, None)
            if here is None:
                return
        yield wanted, here[1] if here[0] == wanted else None
