"""Time codes: the name of each frame for people, and the frame for a name.

Time code is that of SMPTE ST 12-1: HH:MM:SS:FF counts every frame, HH:MM:SS;FF (drop-frame, at 29.97 and 59.94 frames a
second) leaves numbers out so that it keeps up with the clock: 00 and 01 (at 59.94: 00 to 03) of each minute that is no
tenth one. Both begin anew after 24 hours. A film whose rate has no time code, or varies, is told by the clock instead:
HH:MM:SS.mmm from its first frame, which no one can take for a time code.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np

from jobs.film.frame_index import Ints
from jobs.film.source import Film

TIMECODE_RATES = tuple(
    Fraction(rate) for rate in ("24000/1001", 24, 25, "30000/1001", 30, "48000/1001", 48, 50, "60000/1001", 60)
)
"""Frame rates that have SMPTE time codes."""

_RATE_TOLERANCE = Fraction(1, 5000)
"""Averages of rounded stamps come this near; 24 and 24000/1001 are five times as far apart."""

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;])(\d\d)", re.ASCII)
_CLOCK = re.compile(r"(\d\d+):([0-5]\d):([0-5]\d)\.(\d{1,3})", re.ASCII)


def timecode_rate(rate: Fraction) -> Fraction | None:
    """The rate with time codes that a rate means, exactly; None where it means none."""
    return next((one for one in TIMECODE_RATES if abs(rate / one - 1) < _RATE_TOLERANCE), None)


def names_a_frame(text: str) -> bool:
    """Whether a text has the form of a time code, or of a time on the clock."""
    return bool(_TIMECODE.fullmatch(text) or _CLOCK.fullmatch(text))


def clock(seconds: Fraction) -> str:
    """A time as HH:MM:SS.mmm, rounded."""
    whole, rest = divmod(int(seconds * 1000 + Fraction(1, 2)), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{rest:03d}"


def is_steady(pts: Ints, tick: Fraction, rate: Fraction) -> bool:
    """Whether frame n is shown n/rate seconds after the first, within half a frame: then counting frames tells the time."""
    frame = float(1 / (rate * tick))
    return bool((np.abs(pts - pts[0] - np.arange(len(pts)) * frame) < 0.5 * frame).all())


@dataclass(frozen=True)
class TimecodeCounting:
    """How the time codes of one rate count frames."""

    rate: Fraction
    """One of TIMECODE_RATES."""
    drop: bool = False
    """Drop-frame; at 29.97 and 59.94 alone."""

    @property
    def nominal(self) -> int:
        """Frame numbers in a second of time code: 24 at 23.976."""
        return round(self.rate)

    @property
    def _left_out(self) -> int:
        return self.nominal // 15 if self.drop else 0

    @property
    def _ten_minutes(self) -> int:
        return 600 * self.nominal - 9 * self._left_out

    @property
    def day(self) -> int:
        """Frames after which time code begins anew."""
        return 144 * self._ten_minutes

    def label(self, number: int) -> str:
        """The time code of a frame, counted from 00:00:00:00."""
        tens, rest = divmod(number % self.day, self._ten_minutes)
        minute = 60 * self.nominal - self._left_out
        counted = number % self.day + self._left_out * (9 * tens + max(0, (rest - self._left_out) // minute))
        seconds, frame = divmod(counted, self.nominal)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return f"{clock}{';' if self.drop else ':'}{frame:02d}"

    def number(self, label: str) -> int:
        """The frame of a time code, counted from 00:00:00:00. Raises ValueError with a sentence for one that no frame has."""
        found = _TIMECODE.fullmatch(label)
        if found is None:
            raise ValueError(f"'{label}' is no time code; one reads {self.label(0)}")
        hours, minutes, seconds, frame = (int(found[place]) for place in (1, 2, 3, 5))
        if hours > 23 or minutes > 59 or seconds > 59:
            raise ValueError(f"{label} is no time code: it ends at {self.label(-1)}")
        if frame >= self.nominal:
            raise ValueError(
                f"{label} is no time code: {self.nominal} frames a second are numbered 00 to {self.nominal - 1}"
            )
        if (found[4] == ";") != self.drop:
            said = "drop-frame, with ';' before the frames" if self.drop else "every frame, with ':' before the frames"
            raise ValueError(f"{label} is not one of the film's time codes, which count {said}")
        if minutes % 10 and not seconds and frame < self._left_out:
            instead = f"{label[:-2]}{self._left_out:02d}"
            raise ValueError(f"{label} is left out by drop-frame time code: the next one is {instead}")
        passed = 60 * hours + minutes
        return (60 * passed + seconds) * self.nominal + frame - self._left_out * (passed - passed // 10)


def counting_of(code: str, rate: Fraction) -> TimecodeCounting:
    """How a code of this rate counts: drop-frame where it says so and the rate leaves frames out."""
    return TimecodeCounting(rate, ";" in code and rate.denominator == 1001 and round(rate) in (30, 60))


def timecode_at(code: str, rate: Fraction, later: int = 0) -> str:
    """The time code that `code` means at a rate, `later` frames on, as SMPTE ST 12 writes it; empty where it means none.

    Some write ';' at rates that leave nothing out: it means ':' there. From 100 frames a second on two digits do not do.
    """
    exact = timecode_rate(rate) or rate
    counting = counting_of(code, exact)
    if counting.nominal not in range(1, 100):
        return ""
    try:
        return counting.label(counting.number(f"{code[:-3]}{';' if counting.drop else ':'}{code[-2:]}") + later)
    except ValueError:
        return ""


def frames_to(code: str, rate: Fraction) -> int | None:
    """Frames from 00:00:00:00 to a time code, at a rate; None where it is no time code at this rate."""
    exact = timecode_rate(rate)
    said = timecode_at(code, exact) if exact else ""
    return counting_of(code, exact).number(said) if exact and said else None


class FrameTimecodes:
    """The names of one film's frames, and of the place after its last."""

    def __init__(self, rate: Fraction, start: str = "", pts: Ints | None = None, tick: Fraction = Fraction(1)) -> None:
        """`rate`: nominal, or average. `start`: the first frame's time code; empty, or none at this rate: 00:00:00:00.

        `pts` are the times of the frames in ticks of `tick` seconds, ascending; without them the rate is constant.
        """
        exact = timecode_rate(rate)
        self._rate, self._pts, self._tick = exact or rate, pts, tick
        self.counting: TimecodeCounting | None = None
        """How its time codes count; None where it has none."""
        self.first = 0
        """Its first frame, counted from 00:00:00:00."""
        if exact and (pts is None or is_steady(pts, tick, rate)):
            self.counting = counting_of(start, exact)
            meant = timecode_at(start, exact)
            self.first = self.counting.number(meant) if meant else 0

    @classmethod
    def of(cls, film: Film, pts: Ints | None = None) -> Self:
        """Those of a film; `pts` are the times of its frames, as far as they are known."""
        known = pts if pts is not None and len(pts) else None
        return cls(film.picture.rate, film.timecode, known, film.picture.time_base)

    def name(self, frame: int) -> str:
        """Time code of a frame, or its time on the clock where the film has no time code."""
        if self.counting:
            return self.counting.label(self.first + frame)
        return clock(self.seconds(frame))

    def frame(self, name: str) -> int:
        """The frame so named; by the clock, the one nearest. A name beyond the film gives a number beyond it.

        Raises ValueError with a sentence for what names no frame.
        """
        if found := _CLOCK.fullmatch(name):
            hours, minutes, seconds = (int(part) for part in found.groups()[:3])
            return self._nearest(3600 * hours + 60 * minutes + seconds + Fraction(f"0.{found[4]}"))
        if self.counting:
            return (self.counting.number(name) - self.first) % self.counting.day
        why = "varies" if self._pts is not None and timecode_rate(self._rate) else f"is {float(self._rate):.6g}"
        raise ValueError(
            f"'{name}' names no frame: the film has no time code, for its rate {why}; "
            f"write a time from its first frame, such as {self.name(0)}"
        )

    def numbers(self, said: str, count: int) -> tuple[int, ...]:
        """Frames of a film of `count` by number, by ranges of numbers with both ends, and by name: "123,200-204,00:00:05:03".

        Raises ValueError with a sentence for what names none of its frames.
        """
        found = set[int]()
        for part in map(str.strip, said.split(",")):
            first, dash, last = part.partition("-")
            ends = [int(end) if end.isdecimal() else self.frame(end) for end in (first, last if dash else first)]
            if not 0 <= ends[0] <= ends[1] < count:
                raise ValueError(f"{part} is not in the film, whose frames are 0 to {count - 1}")
            found.update(range(ends[0], ends[1] + 1))
        return tuple(sorted(found))

    def spoken(self, first: int, last: int) -> str:
        """Frames `first` to `last`, both included, by number and by name."""
        return f"frames {first} to {last} ({self.name(first)} to {self.name(last)})"

    def seconds(self, frame: int) -> Fraction:
        """Time of a frame from the film's first; frames beyond the last are counted at the film's rate."""
        pts = self._pts
        if pts is None:
            return frame / self._rate
        beyond = frame - (len(pts) - 1)
        if beyond <= 0:
            return int(pts[frame] - pts[0]) * self._tick
        return self.seconds(len(pts) - 1) + beyond / self._rate

    def _nearest(self, seconds: Fraction) -> int:
        pts = self._pts
        if pts is None:
            return round(seconds * self._rate)
        if (beyond := seconds - self.seconds(len(pts))) > 0:
            return len(pts) + round(beyond * self._rate)
        after = int(np.searchsorted(pts, float(seconds / self._tick) + int(pts[0])))
        return min((abs(seconds - self.seconds(one)), one) for one in (after - 1, after) if one >= 0)[1]
