"""Puts decoded frames into the order in which they are wanted; keeps the place of each that cannot be decoded, so that it can be concealed."""

from collections.abc import Iterable, Iterator, Sequence

import av
from av.video.frame import VideoFrame

from actors.media.planes import planes_of
from jobs.film.source import Mending

WINDOW = 64
"""Frames held back at most while an earlier one is awaited. Codecs reorder by 16 at most, threads by as many again."""


class Sorter:
    """Puts frames, named by their pts, into the order in which they are wanted. Holds no more than WINDOW."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted
        self._names = frozenset(wanted)
        self._held: dict[int, VideoFrame] = {}
        self.given = 0
        """Frames given out; while not complete, also the position of the one awaited."""

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """The frames that are due, now that `frame` has come. Raises LookupError where the awaited one can come no more."""
        if frame.pts is None or frame.pts not in self._names:
            return
        self._held[frame.pts] = frame
        while not self.complete and (due := self._held.pop(self._wanted[self.given], None)) is not None:
            self.given += 1
            yield due
        if len(self._held) > WINDOW:
            raise LookupError(self.given)

    @property
    def complete(self) -> bool:
        return self.given == len(self._wanted)


def in_order(frames: Iterable[VideoFrame], wanted: Sequence[int]) -> Iterator[VideoFrame]:
    """Exactly the frames whose pts are `wanted`, in that order. Raises LookupError(position) where one is missing."""
    sorter = Sorter(wanted)
    for frame in frames:
        yield from sorter.push(frame)
        if sorter.complete:
            return
    if not sorter.complete:
        raise LookupError(sorter.given)


class Concealer:
    """Puts frames, named by their pts, into the order in which they are wanted, with None for one that never came. Holds no more than WINDOW."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted
        self._place_of = {name: place for place, name in enumerate(wanted)}
        self._held: dict[int, VideoFrame] = {}
        self.given = 0
        """Places given out."""

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame | None]:
        """What is due, now that `frame` has come."""
        place = self._place_of.get(frame.pts, -1) if frame.pts is not None else -1
        if place >= self.given:
            self._held[place] = frame
        while self.given in self._held or len(self._held) > WINDOW:
            yield self._next()

    def flush(self) -> Iterator[VideoFrame | None]:
        """The rest: no more will come."""
        while self.given < len(self._wanted):
            yield self._next()

    def _next(self) -> VideoFrame | None:
        self.given += 1
        return self._held.pop(self.given - 1, None)


def with_holes(frames: Iterable[VideoFrame], wanted: Sequence[int]) -> Iterator[VideoFrame | None]:
    """Exactly as many as are wanted, in that order: None for each that is not among `frames`."""
    filler = Concealer(wanted)
    for frame in frames:
        yield from filler.push(frame)
        if filler.given == len(wanted):
            return
    yield from filler.flush()


def grey(mending: Mending) -> VideoFrame:
    """A frame of the form that is kept, every sample at half of its scale."""
    frame = av.VideoFrame(mending.width, mending.height, mending.pix_fmt)
    half = 1 << (frame.format.components[0].bits - 1)
    for plane in planes_of(frame):
        plane[:] = half
    return frame
