"""Measures any film, or one against its source, shot by shot, by the code that measures a job's chunks. Holds a few small pictures at a time."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

import av.error
import cv2
import numpy as np
from av.video.frame import VideoFrame

from actors.media.container import decoder_of, named, opened, picture_stream, played
from actors.media.pixel_formats import carried
from actors.media.planes import planes_of
from actors.render.review.flashes import FlashMeasure
from actors.render.review.levels import BeyondLevels, beyond_levels
from actors.render.review.measure import PieceMeasure
from actors.render.review.shrink import LIMITED, SMALLEST, WIDTH, Planes, shrunk, upright
from actors.shot_lists.cut_lists import given_cuts
from actors.survey.cut_search import CutSearch
from actors.survey.describe import sight_of
from actors.survey.surveyor import Surveyor
from actors.verify.loudness import Loudness, loudness_of
from jobs.errors import BadMedia, number_of
from jobs.film.frame_index import FrameIndex
from jobs.plan.plan import Range
from jobs.records.quality import QualityReport, SoundQuality
from jobs.records.report import Sight
from jobs.review.figures import MeasuredShot, quality_of
from jobs.spec.quality import QualityBounds

LATE = 8
"""Frames after which a cut is known: the detector looks at some on either side."""
MOST_SHOTS = 5000
"""A film has two thousand; what comes after counts as one."""
APART_SECONDS, APART_LOUDNESS = 0.1, 0.5
"""Sound that is longer or shorter by more, or louder by more LU, is told."""


class Shown(NamedTuple):
    """A frame as it is measured."""

    planes: Planes
    beyond: BeyondLevels


@dataclass
class _Film:
    """One side: what it is, and how many frames were read."""

    url: str
    sight: Sight | None = None
    frames: int = 0
    size: tuple[int, int] = (0, 0)
    """Height and width of the small pictures, upright."""


@dataclass
class _Shots:
    """The shots so far."""

    rate: float
    cuts: set[int] | None
    """First frames of shots, where they are given."""
    alone: bool
    found: list[MeasuredShot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._flash = FlashMeasure(self.rate)
        self._search = CutSearch(luma_only=True)
        self._detected: set[int] = set()
        self._waiting: deque[tuple[int, Shown, Shown]] = deque()
        self._piece: tuple[int, PieceMeasure] | None = None
        self._next = 0

    def take(self, number: int, source: Shown, film: Shown) -> None:
        if self.cuts is None:
            self._detected.update(self._search.push(number, np.dstack([source.planes[0]] * 3)))
        self._waiting.append((number, source, film))
        if len(self._waiting) > LATE:
            self._measure(*self._waiting.popleft())

    def ended(self) -> list[MeasuredShot]:
        while self._waiting:
            self._measure(*self._waiting.popleft())
        self._close()
        return self.found

    def _measure(self, number: int, source: Shown, film: Shown) -> None:
        begins = number in (self._detected if self.cuts is None else self.cuts)
        if begins and len(self.found) < MOST_SHOTS:
            self._close()
        if self._piece is None:
            self._piece = number, PieceMeasure(number, self._flash)
        beyond = film.beyond if self.alone else film.beyond.over(source.beyond)
        self._piece[1].take(source.planes, film.planes, beyond, alone=self.alone)
        self._next = number + 1

    def _close(self) -> None:
        if self._piece is not None:
            start, measure = self._piece
            frames = Range(start, self._next)
            shot = MeasuredShot(len(self.found) + 1, frames, frames.frames, [(start, measure.figures())], self.alone)
            self.found.append(shot)
            self._piece = None


def film_quality(
    url: str,
    source: str | None,
    bounds: QualityBounds,
    cuts: Sequence[int] | None = None,
    *,
    each_frame: Callable[[int], None] = lambda _: None,
) -> QualityReport:
    """What is measured of the film at `url`, a path or URL, and what the bounds say of it; `cuts`: first frames of shots.

    Frames are held against the source's of the same numbers. `each_frame` is told how many are. Raises BadMedia where one of the two cannot be read.
    """
    sides = [_Film(one) for one in (source, url) if one is not None]
    shots: _Shots | None = None
    # The source comes first: the film's pictures take its size.
    for number, pair in enumerate(zip_longest(*(_frames(one, sides[0]) for one in sides))):
        if shots is None:
            sight = sides[0].sight
            rate = float(sight.rate) if sight else 0.0
            shots = _Shots(rate or 25.0, None if cuts is None else set(cuts), alone=source is None)
        if None not in pair:
            shots.take(number, pair[0], pair[-1])
        each_frame(number + 1)
    assert shots  # a film without frames is refused
    return _report(sides, quality_shots=shots.ended(), bounds=bounds)


def listed_cuts(list_url: str, url: str) -> list[int]:
    """First frames of shots by a shot list (.csv, .edl or .otio) of the film at `url`. Raises BadSpec and BadMedia where one cannot be read."""
    surveyor = Surveyor(url)
    pts = FrameIndex.beginning(surveyor.pages(), trim=False).pts
    return given_cuts(list_url, surveyor.film(), pts)


def _report(sides: Sequence[_Film], quality_shots: Sequence[MeasuredShot], bounds: QualityBounds) -> QualityReport:
    film, source = sides[-1], sides[0] if len(sides) == 2 else None
    quality = quality_of(quality_shots, bounds)
    ours, theirs = loudness_of(film.url), loudness_of(source.url) if source else []
    others: Sequence[Loudness | None] = theirs + [None] * (len(ours) - len(theirs))
    sound = [_sound(number, *pair) for number, pair in enumerate(zip(ours, others, strict=False), 1)]
    lengths = []
    if source and source.frames != film.frames:
        lengths.append(f"the film has {number_of(film.frames, 'frame')} and its source {source.frames:,}")
    if source and len(ours) != len(theirs):
        lengths.append(f"the film has {number_of(len(ours), 'sound stream')} and its source {len(theirs)}")
    return QualityReport(
        film=film.url,
        source=source.url if source else None,
        frames=film.frames,
        source_frames=source.frames if source else None,
        quality=quality,
        sound=tuple(sound),
        warnings=(*(one.said(check) for one, check in quality.judged("warn")), *_unlike(sound)),
        failures=(*(one.said(check) for one, check in quality.judged("fail")), *lengths),
    )


def _sound(number: int, film: Loudness, source: Loudness | None) -> SoundQuality:
    return SoundQuality(
        stream=number,
        seconds=round(film.seconds, 3),
        loudness=film.integrated,
        source_seconds=round(source.seconds, 3) if source else None,
        source_loudness=source.integrated if source else None,
    )


def _unlike(sound: Sequence[SoundQuality]) -> Iterator[str]:
    for one in sound:
        if one.source_seconds is None:
            continue
        if abs(one.seconds - one.source_seconds) > APART_SECONDS:
            yield f"sound {one.stream} is {one.seconds:.2f} s long, and the source's {one.source_seconds:.2f} s"
        ours, theirs = one.loudness, one.source_loudness
        if (ours is None) != (theirs is None):
            yield f"sound {one.stream} is {'silent' if ours is None else 'heard'}, and the source's is not"
        elif ours is not None and theirs is not None and abs(ours - theirs) > APART_LOUDNESS:
            yield f"sound {one.stream} has {ours:.1f} LUFS, and the source's {theirs:.1f}"


def _frames(film: _Film, first: _Film) -> Iterator[Shown]:
    """One film's frames; notes its sight. Pictures are of `first`'s size."""
    with opened(film.url) as media:
        stream = picture_stream(media, named(film.url))
        decoder_of(stream)
        try:
            for frame in played(media, stream, named(film.url)):
                if film.sight is None:
                    film.sight = sight_of(media, stream, frame, named(film.url))
                    film.size = _size(film.sight)
                yield _shown(frame, film.sight, first.size)
                film.frames += 1
        except av.error.FFmpegError as error:
            raise BadMedia(
                f"{named(film.url)} is damaged at frame {film.frames} and cannot be measured ({error.strerror}); copy it again."
            ) from None
    if not film.frames:
        raise BadMedia(f"{named(film.url)} has no frame that can be decoded; copy it again.")


def _size(sight: Sight) -> tuple[int, int]:
    """Height and width of the small pictures, upright, with square pixels, both even."""
    width = max(1, round(sight.width * (sight.aspect or 1)))
    scale = min(1.0, WIDTH / width)
    lying = [max(SMALLEST, round(side * scale) + round(side * scale) % 2) for side in (sight.height, width)]
    return (lying[1], lying[0]) if sight.rotation % 180 else (lying[0], lying[1])


def _shown(frame: VideoFrame, sight: Sight, size: tuple[int, int]) -> Shown:
    colour = sight.colour
    if not carried(frame.format.name) and not frame.format.is_rgb:
        frame = frame.reformat(format="yuv444p16le")
    lying = size[::-1] if sight.rotation % 180 else size
    if frame.format.is_rgb:
        small = np.asarray(
            cv2.resize(frame.to_ndarray(format="rgb24"), lying[::-1], interpolation=cv2.INTER_AREA), np.uint8
        )
        ready = VideoFrame.from_ndarray(small, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=1, dst_color_range=LIMITED
        )
        planes = [np.asarray(plane, np.uint8) for plane in planes_of(ready)]
        return Shown(upright(planes, sight.rotation), BeyondLevels())
    return Shown(upright(shrunk(frame, colour, lying), sight.rotation), beyond_levels(frame, colour))
