"""The integer time stamp of every frame of a deliverable, without drift over any number of segments.

Four rules, and the report says which was used:

    own            the source's stamps, tick for tick (mp4, mov, mxf; mkv from a source that counts milliseconds)
    grid           the source's stamps are those of a constant rate but for rounding, so that rate, exactly (mp4, mov, mxf)
    milliseconds   Matroska counts milliseconds: each of the source's stamps, rounded by itself (mkv)
    numbered       a folder of pictures counts frames and keeps no times
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Literal

import numpy as np

from jobs.errors import number_of
from jobs.film.frame_index import FrameIndex, Ints
from jobs.film.source import Picture
from jobs.spec.advice import SuggestedChange, UnfitDeliverable
from jobs.spec.codecs import Wrapping

Rule = Literal["own", "grid", "milliseconds", "numbered"]

MILLISECOND = Fraction(1, 1000)

FINEST = 2**31 - 1
"""Ticks a second that mp4 and mov can count."""

RATES = tuple(
    Fraction(rate)
    for rate in (
        "24000/1001",
        24,
        25,
        "30000/1001",
        30,
        48,
        50,
        "60000/1001",
        60,
        "15000/1001",
        15,
        12,
        "25/2",
        10,
        16,
        18,
        20,
        5,
    )
)
"""Constant rates that are looked for where the source's own is none (averages of rounded stamps)."""

MXF_RATES = tuple(
    Fraction(rate * 1000, 1001) if slowed else Fraction(rate)
    for rate, slowed in (
        *((rate, True) for rate in (24, 30, 48, 60, 72, 96, 120)),
        *((rate, False) for rate in (24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120)),
    )
)
"""Rates that MXF has a number for (SMPTE ST 326), and that libav writes."""

NEARLY = Fraction(1, 100)
"""How far from its true rate a header's average may be, as a part of it."""


@dataclass(frozen=True)
class Timing:
    """When each frame of a deliverable is shown, in ticks of `time_base` seconds, from 0 on."""

    pts: Ints
    durations: Ints
    time_base: Fraction
    origin: Fraction
    """Seconds on the source's clock that are 0 in the deliverable: every stream is shifted by it."""
    rule: Rule
    rate: Fraction | None
    """Frames a second where the rate is constant, else None."""
    skipped: int = 0
    """Frames at the source's head that cannot be decoded and were left out."""

    @property
    def frames(self) -> int:
        return len(self.pts)

    def at(self, frame: int) -> Fraction:
        """Time of a frame in seconds."""
        return int(self.pts[frame]) * self.time_base

    @property
    def seconds(self) -> Fraction:
        """From the first frame's time to the end of the last."""
        return int(self.pts[-1] + self.durations[-1] - self.pts[0]) * self.time_base

    def decode_times(self, delay: int) -> Ints:
        """For each place in decode order its dts: all pts, sorted, shifted by `delay` frames; ascending, never above the pts."""
        step = max(1, int(self.durations[0]))
        before = self.pts[0] - step * np.arange(delay, 0, -1, dtype=np.int64)
        return np.concatenate([before, self.pts])[: self.frames]

    @property
    def sentence(self) -> str:
        """For the report: whose time stamps these are."""
        rate = f"constant {self.rate} frames a second" if self.rate else "variable rate"
        said = {
            "own": "the source's own time stamps, tick for tick",
            "grid": "an exact grid: the source's stamps are rounded, and lie within one tick or millisecond of it",
            "milliseconds": "the source's own time stamps, each rounded to Matroska's milliseconds",
            "numbered": "frames are numbered, and a folder of pictures keeps no times",
        }[self.rule]
        trimmed = (
            f"; left out at the head: {number_of(self.skipped, 'frame')}, not to be decoded (head: trim)"
            if self.skipped
            else ""
        )
        return f"{rate}; {said}{trimmed}"


def timing_for(index: FrameIndex, picture: Picture, container: Wrapping, origin: Fraction = Fraction(0)) -> Timing:
    """Time stamps for a deliverable of this film. `index` must be complete.

    `origin` is the time of the source that becomes 0; a film that begins before it begins at 0. In MXF and in a folder
    the first frame is at 0, whatever its time: neither can say otherwise. Raises Unfit where two frames would fall on
    one of Matroska's milliseconds, where mp4 and mov cannot count the clock, and where MXF has no number for the rate.
    """
    return replace(_timing(index, picture, container, origin), skipped=index.skipped)


def _timing(index: FrameIndex, picture: Picture, container: Wrapping, origin: Fraction) -> Timing:
    tick = picture.time_base
    first = int(index.pts[0]) * tick
    rate = constant_rate(index.pts, tick, picture.rate)
    match container:
        case "mkv":
            return _in_milliseconds(index, tick, min(origin, first), rate)
        case "mxf":
            return _in_frames(index, tick, rate)
        case "folder":
            return Timing(index.pts - index.pts[0], index.durations, tick, first, "numbered", rate)
        case "mp4" | "mov" | "hls":
            grid = _grid(index, tick, min(origin, first), rate)
            return grid or _own(index, tick, min(origin, first), rate)


def refuse_rate(picture: Picture, container: Wrapping) -> None:
    """Raise Unfit where the container has no number for the rate that the source's header tells; `timing_for` judges by every stamp.

    A header may tell an average, so a rate near one that MXF has is let through here.
    """
    if container == "mxf" and all(abs(picture.rate - one) > one * NEARLY for one in MXF_RATES):
        raise UnfitDeliverable(
            f"The source has {picture.rate} frames a second, and {_MXF_HOLDS}", SuggestedChange.of(container="mov")
        )


def constant_rate(pts: Ints, tick: Fraction, nominal: Fraction) -> Fraction | None:
    """The constant rate that every stamp has but for rounding, counted from the first; None where there is none."""
    gaps = np.unique(np.diff(pts))
    if len(gaps) == 1 and _plain(exact := 1 / (int(gaps[0]) * tick)):
        return exact
    candidates = [rate for rate in (nominal, *RATES) if _plain(rate)]
    fits = [
        (off, place, rate)
        for place, rate in enumerate(candidates)
        if (off := _off_grid(pts, tick, rate)) <= _rounding(tick, rate)
    ]
    # The source's own word first; among the others, the one that comes nearest.
    fits.sort(key=lambda fit: (fit[2] != nominal, fit[0], fit[1]))
    if fits:
        return fits[0][2]
    return 1 / (int(gaps[0]) * tick) if len(gaps) == 1 else None


def _plain(rate: Fraction) -> bool:
    # A rate somebody chose, not an average of rounded stamps.
    return 0 < rate <= 1000 and rate.denominator in (1, 2, 1001)


def _rounding(tick: Fraction, rate: Fraction) -> Fraction:
    # Two rounded stamps are off by one tick at most; where a frame is no whole number of ticks, stamps that a demuxer has
    # reckoned by whole ones (MPEG-PS has a stamp in few packets) add up to more, and still mean the rate.
    off = tick if (1 / (rate * tick)).denominator == 1 else max(tick, MILLISECOND)
    # Beyond a quarter of a frame, a short film with a frame left out would pass for a constant one.
    return off if 4 * off * rate <= 1 else Fraction(0)


def _off_grid(pts: Ints, tick: Fraction, rate: Fraction) -> Fraction:
    # The farthest that any stamp lies from first + k / rate, in seconds; in integers of 1 / (tick.den * rate.num).
    place = np.arange(len(pts), dtype=np.int64)
    off = (pts - pts[0]) * (tick.numerator * rate.numerator) - place * (rate.denominator * tick.denominator)
    return Fraction(int(np.abs(off).max()), tick.denominator * rate.numerator)


def _own(index: FrameIndex, tick: Fraction, origin: Fraction, rate: Fraction | None) -> Timing:
    ticks = lcm(tick.denominator, origin.denominator)
    scale = int(tick * ticks)
    if ticks > FINEST:
        raise UnfitDeliverable(
            f"The source counts time in 1/{ticks} s, finer than mp4 and mov can",
            *_in_another("mp4"),
            otherwise="remux the source with a coarser clock",
        )
    pts = index.pts * scale - int(origin * ticks)
    return Timing(pts, index.durations * scale, Fraction(1, ticks), origin, "own", rate)


def _in_another(container: Wrapping) -> Iterator[SuggestedChange]:
    # Of one kind are those with the same clock.
    clocks: dict[Wrapping, int] = {"mov": 0, "mp4": 0, "mkv": 1, "mxf": 2}
    return (SuggestedChange.of(container=one) for one, clock in clocks.items() if clock != clocks[container])


def _grid(index: FrameIndex, tick: Fraction, origin: Fraction, rate: Fraction | None) -> Timing | None:
    if rate is None or not _off_grid(index.pts, tick, rate):
        return None
    first = int(index.pts[0]) * tick - origin
    ticks = lcm(rate.numerator, first.denominator)
    if ticks > FINEST:
        return None
    step = int(ticks / rate)
    frames = len(index.pts)
    pts = int(first * ticks) + step * np.arange(frames, dtype=np.int64)
    return Timing(pts, np.full(frames, step, np.int64), Fraction(1, ticks), origin, "grid", rate)


_MXF_HOLDS = "MXF holds constant rates such as 24, 25, 30, 50, 60 and their 1000/1001 only"


def _in_frames(index: FrameIndex, tick: Fraction, rate: Fraction | None) -> Timing:
    """MXF counts frames, the first of which is at 0."""
    if rate not in MXF_RATES:
        said = f"{rate} frames a second" if rate else "a variable rate"
        raise UnfitDeliverable(f"The source has {said}, and {_MXF_HOLDS}", *_in_another("mxf"))
    frames = len(index.pts)
    rule: Rule = "grid" if _off_grid(index.pts, tick, rate) else "own"
    origin = int(index.pts[0]) * tick
    return Timing(np.arange(frames), np.ones(frames, np.int64), 1 / rate, origin, rule, rate)


def _in_milliseconds(index: FrameIndex, tick: Fraction, origin: Fraction, rate: Fraction | None) -> Timing:
    ends = np.append(index.pts, index.pts[-1] + index.durations[-1])
    exact = tick == MILLISECOND and (origin * 1000).denominator == 1
    rounded = np.fromiter(_rounded(ends, tick, origin), np.int64, len(ends))
    durations = np.diff(rounded)
    if (durations[:-1] <= 0).any():
        frame = int(np.flatnonzero(durations[:-1] <= 0)[0])
        raise UnfitDeliverable(
            f"Frames {frame} and {frame + 1} are shown within one millisecond, the finest that Matroska counts",
            *_in_another("mkv"),
            otherwise="give the source a clock and a rate that its frames keep apart",
        )
    return Timing(rounded[:-1], np.maximum(durations, 1), MILLISECOND, origin, "own" if exact else "milliseconds", rate)


def _rounded(ticks: Ints, tick: Fraction, origin: Fraction) -> Iterator[int]:
    # Each by itself, halves up, in whole numbers: no sum of rounded steps, so no drift.
    over = 2 * lcm(tick.denominator, origin.denominator)
    step, start = int(tick * over) * 1000, int(origin * over) * 1000
    return ((int(one) * step - start + over // 2) // over for one in ticks)
