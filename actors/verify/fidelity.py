"""Tells whether a frame of a deliverable is the source's own frame, as far as codec and look let that be told.

Bounds are set so that no real picture raises a false alarm.

equal        where the deliverable is lossless and of the source's own form, what the look keeps is equal bit for bit
near         where it is not, it is near by `Bounds`, and nearer to its own frame than to a neighbour, to the same picture
             shifted by a pixel, and to one whose Cb and Cr are swapped
likeness     of what a look makes anew, only that it is not unmistakably a neighbouring frame
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from actors.media.pixel_formats import developed, is_linear, is_rgb, plain, samples_of
from actors.verify.signals import Floats, Signals, signals_of
from jobs.film.source import Picture
from jobs.plan.plan import Keeps
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

CELL = 32
"""Side in pixels of the squares whose means are held against each other: many transform blocks, so that a codec keeps them."""

NEARER = 0.5
"""Another frame is taken for the one shown where its mean squared error is less than so much of the own frame's."""

UNSEEN = (1 / 255) ** 2 / 4
"""Mean squared error, white being 1, below which nothing is looked for: half a step of 8 bits."""

SITED = 5.0
"""Steps that a cell of chroma may be off besides, where it was resampled: half a sample at a hard edge between strong colours."""

UNMISTAKABLE, UNLIKE = 0.9, 0.5
"""Correlations of small pictures: a frame is another where it has at least the first with that and less than the second with its own."""


Around = Mapping[int, VideoFrame]


@dataclass(frozen=True)
class Bounds:
    """How far a codec may take a picture off, in steps of 8 bits."""

    cell: float
    """Greatest difference of the means of luma over CELL x CELL pixels."""
    chroma: float
    """The same of Cb and of Cr."""
    held: float = 0.0
    """Root mean square of luma's change from frame to frame up to which an encoder may hold the frame before: a coarse
    quantiser codes such a change as none, and the frame is then nearer to its neighbour than to its own."""


def bounds_of(encoding: Encoding) -> Bounds:
    """The bounds of one encoding; docs/log.md says how they were measured."""
    match encoding.codec:
        case Codec.H264 | Codec.HEVC:
            quality = int(encoding.options.get("crf", encoding.options.get("qp", "23")))
            step = 2 ** ((quality - 4) / 6)  # of the quantiser
            return Bounds(cell=min(40.0, 1.5 + 0.3 * step), chroma=min(40.0, 3 + 0.3 * step), held=0.1 * step)
        case Codec.PRORES | Codec.DNXHR:
            return Bounds(cell=4, chroma=5)
        case _:
            return Bounds(cell=1.5, chroma=3)


@dataclass(frozen=True)
class Verdict:
    """What was found of one frame."""

    how: str
    """equal, near, likeness, or nothing where it could not be compared."""
    difference: float
    """Greatest difference of luma, or of chroma where luma is not held: of samples where equal was asked for, else of cells; in steps of 8 bits."""
    wrong: str = ""
    """What is wrong, in words; empty where nothing is."""


class FidelityCheck:
    """Judges the frames of one deliverable."""

    def __init__(self, film: Picture, encoding: Encoding) -> None:
        self.film, self.encoding = film, encoding
        self.bounds = bounds_of(encoding)
        forms = (VideoFormat(one, 64, 64).components[-1] for one in (film.pix_fmt, encoding.pix_fmt))
        sampled = [(one.width, one.height) for one in forms]
        self._rgb = is_rgb(encoding.pix_fmt) or encoding.codec is Codec.EXR
        lying = (encoding.width, encoding.height)
        self._resized = (lying[::-1] if encoding.rotation % 180 else lying) != (film.width, film.height)
        resampled = sampled[0] != sampled[1] or self._resized or self._rgb
        self._most_chroma = self.bounds.chroma + (SITED if resampled else 0)

    def verdict(self, ours: VideoFrame, source: VideoFrame, around: Around, keeps: Keeps) -> Verdict:
        """`around`: the source's frames beside its own by number, as far as they are known."""
        size, wanted = (ours.width, ours.height), (self.encoding.width, self.encoding.height)
        if size != wanted:
            return Verdict("", 0.0, f"is a picture of {size[0]}x{size[1]} and not of {wanted[0]}x{wanted[1]}")
        if not keeps or self.encoding.burn_in:  # texts are drawn over what a look keeps
            return self._likeness(ours, source, around)
        if self._exact(ours, source):
            return self._equal(ours, source, around, keeps)
        return self._near(ours, source, around, keeps)

    # equal

    def _exact(self, ours: VideoFrame, source: VideoFrame) -> bool:
        """Whether bits may be held against bits: all that happened between was no arithmetic."""
        if self.encoding.codec is not Codec.FFV1 or self._resized or self.film.deinterlace:
            return False
        theirs = developed(source.format.name)
        arranged = bool(theirs) and not is_rgb(source.format.name) and not is_linear(source.format.name)
        same = plain(theirs) == plain(ours.format.name) or (theirs.startswith("gray") and self._depth(theirs, ours))
        return arranged and same and (ours.width, ours.height) == (source.width, source.height)

    @staticmethod
    def _depth(name: str, ours: VideoFrame) -> bool:
        return ours.format.components[0].bits == (8 if name == "gray" else int(name[4:].rstrip("le")))

    def _equal(self, ours: VideoFrame, source: VideoFrame, around: Around, keeps: Keeps) -> Verdict:
        made, own = samples_of(ours), samples_of(source)
        both = min(len(made), len(own))
        held = {"all": range(both), "luma": range(1), "chroma": range(1, both)}[keeps]
        step = 2.0 ** (ours.format.components[0].bits - 8)
        most = max((float(cv2.norm(made[one], own[one], cv2.NORM_INF)) / step for one in held), default=0.0)
        if not most:
            return Verdict("equal" if held else "", 0.0)
        for number, one in around.items():
            if all(np.array_equal(made[place], samples_of(one)[place]) for place in held):
                return Verdict("equal", most, f"is the source's frame {number}")
        what = "luma" if not np.array_equal(made[0], own[0]) and 0 in held else "chroma"
        return Verdict("equal", most, f"is not the source's own: its {what} is off by up to {most:.3g} steps of 8 bits")

    # near

    def _near(self, ours: VideoFrame, source: VideoFrame, around: Around, keeps: Keeps) -> Verdict:
        made = signals_of(ours, self.encoding.colour, self.film.colour.transfer)
        own = self._brought(source)
        if self.film.deinterlace and not self._resized:
            # Of either field every line stays.
            pairs = [(made.field(first), own.field(first)) for first in (0, 1)]
            first = min((0, 1), key=lambda one: _error(pairs[one][0].luma, pairs[one][1].luma))
            made, own = pairs[first]
            others = {number: self._brought(one).field(first) for number, one in around.items()}
        else:
            others = {number: self._brought(one) for number, one in around.items()}
        most, wrong = 0.0, ""
        if keeps != "chroma":
            most, wrong = self._luma(made, own, others, keeps)
        if keeps != "luma" and not wrong:
            off, wrong = self._chroma(made, own)
            most = max(most, off)
        return Verdict("near", most, wrong)

    def _brought(self, source: VideoFrame) -> Signals:
        """The source's frame in the deliverable's form, but for its depth and its sampling of chroma."""
        own = signals_of(source, self.film.colour).turned(self.encoding.rotation // 90)
        own = own.sized((self.encoding.width, self.encoding.height))
        clips = self._rgb and self.encoding.codec is not Codec.EXR
        return own.cut(self.film.colour.matrix) if clips else own

    def _luma(self, made: Signals, own: Signals, others: Mapping[int, Signals], keeps: Keeps) -> tuple[float, str]:
        difference = made.luma - own.luma
        if keeps == "luma" and made.whole is not None:
            # Where a colour was cut off, so was its luma.
            if np.count_nonzero(made.whole) < 0.05 * made.whole.size:
                return 0.0, ""
            difference = np.where(made.whole, difference, np.float32(0))
        cell = _cells(difference)
        wrong = self._other(made, own, others)
        if cell > self.bounds.cell and not wrong:
            wrong = (
                f"is not the source's own: its luma is off by {cell:.2f} steps of 8 bits in a square of {CELL} pixels"
            )
        return cell, wrong

    def _other(self, made: Signals, own: Signals, others: Mapping[int, Signals]) -> str:
        """In words, what a frame shows in its own picture's place; empty where it does not."""
        error = _error(made.luma, own.luma)
        if error < UNSEEN:
            return ""
        held = (self.bounds.held / 255) ** 2
        for number, one in others.items():
            if _error(one.luma, own.luma) > held and _error(made.luma, one.luma) < NEARER * error:
                return f"is the source's frame {number}"
        for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            seen = _shifted_error(own.luma, own.luma, across, down) > held
            if seen and _shifted_error(made.luma, own.luma, across, down) < NEARER * error:
                return f"is shifted by a pixel ({across:+d} across, {down:+d} down)"
        return ""

    def _chroma(self, made: Signals, own: Signals) -> tuple[float, str]:
        if not made.chroma or not own.chroma:
            return 0.0, ""
        off = max(_cells_apart(one, other, own.luma) for one, other in zip(made.chroma, own.chroma, strict=True))
        if off <= self._most_chroma:
            return off, ""
        swapped = max(
            _cells_apart(one, other, own.luma) for one, other in zip(made.chroma, own.chroma[::-1], strict=True)
        )
        if swapped < NEARER * off:
            return off, "has Cb and Cr swapped"
        return (
            off,
            f"is not the source's own: its chroma is off by {off:.2f} steps of 8 bits in a square of {CELL} pixels",
        )

    # likeness

    def _likeness(self, ours: VideoFrame, source: VideoFrame, around: Around) -> Verdict:
        made = _small(
            signals_of(ours, self.encoding.colour, self.film.colour.transfer).turned(-self.encoding.rotation // 90)
        )
        own = _alike(made, _small(signals_of(source, self.film.colour)))
        for number, one in around.items():
            if own < UNLIKE and _alike(made, _small(signals_of(one, self.film.colour))) > UNMISTAKABLE:
                return Verdict("likeness", 0.0, f"is the source's frame {number}")
        return Verdict("likeness", 0.0)


def _error(one: Floats, other: Floats) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L2SQR)) / one.size


def _shifted_error(made: Floats, own: Floats, across: int, down: int) -> float:
    """Mean squared error where `made` shows what `own` has so many pixels to the left and above."""
    height, width = made.shape
    one = made[max(0, down) : height + min(0, down), max(0, across) : width + min(0, across)]
    other = own[max(0, -down) : height + min(0, -down), max(0, -across) : width + min(0, -across)]
    return float(np.mean(np.square(one - other))) if one.size else float("inf")


def _grid(plane: Floats) -> tuple[int, int]:
    return max(1, plane.shape[1] // CELL), max(1, plane.shape[0] // CELL)


def _cells(difference: Floats) -> float:
    """The greatest mean over a cell, in steps of 8 bits."""
    return 255 * float(np.abs(cv2.resize(difference, _grid(difference), interpolation=cv2.INTER_AREA)).max())


def _cells_apart(one: Floats, other: Floats, luma: Floats) -> float:
    cells = (cv2.resize(plane, _grid(luma), interpolation=cv2.INTER_AREA) for plane in (one, other))
    return 255 * float(np.abs(next(cells) - next(cells)).max())


def _small(signals: Signals) -> Floats:
    """Luma at 32x18, its mean taken away."""
    small = np.asarray(cv2.resize(signals.luma, (32, 18), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(small - small.mean(), np.float32)


def _alike(one: Floats, other: Floats) -> float:
    """The absolute correlation of two small pictures; 0 where one of them is flat."""
    norm = float(np.linalg.norm(one) * np.linalg.norm(other))
    flat = min(float(one.std()), float(other.std())) < 0.02
    return 0.0 if flat else abs(float((one * other).sum())) / norm
