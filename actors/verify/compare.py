"""Compares two films frame for frame, of any form that libav opens, and names the first difference.

Holds a few pictures at a time.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from math import log10

import av.error
import numpy as np
from av.video.frame import VideoFrame

from actors.media.container import decoder_of, named, opened, picture_stream, played
from actors.survey.describe import sight_of
from actors.survey.surveyor import Surveyor
from actors.verify.picture_difference import Floats, errors, luma_equal, picture_equal, shown, smaller, thumbnail
from actors.verify.sound_difference import sound_findings
from jobs.errors import BadMedia, number_of
from jobs.film.frame_index import FrameIndex
from jobs.film.timecode import FrameTimecodes
from jobs.records.report import Comparison, Psnr, Sight

SLIPPED = 0.25
"""How much nearer a frame must be to its neighbour in the other film than to its own number there, to count as slipped."""


@dataclass
class _Error:
    """Mean squared errors of pictures, summed."""

    total: float = 0.0
    worst: float = 0.0
    worst_at: int = 0

    def add(self, number: int, error: float) -> None:
        self.total += error
        if error > self.worst:
            self.worst, self.worst_at = error, number


@dataclass
class _Slips:
    """Whether one film lacks, or doubles, a frame: told by very small pictures, of which the last two are kept."""

    before: tuple[Floats, Floats] | None = None
    votes: "dict[str, array[int]]" = field(default_factory=lambda: {"lacks": array("q"), "doubles": array("q")})

    def look(self, number: int, ours: Floats, theirs: Floats) -> None:
        if self.before is not None:
            here, ahead, behind = (
                float(np.abs(one - other).mean())
                for one, other in ((ours, theirs), (ours, self.before[1]), (self.before[0], theirs))
            )
            if min(ahead, behind) < SLIPPED * here:
                self.votes["lacks" if ahead < behind else "doubles"].append(number)
        self.before = ours, theirs

    def first(self, frames: int) -> tuple[str, int] | None:
        """Whether the other film lacks or doubles a frame, and which: where most frames from there on are slipped alike."""
        for kind, numbers in self.votes.items():
            if numbers and 2 * len(numbers) > frames - numbers[0]:
                return kind, numbers[0] - 1
        return None


@dataclass
class _Tally:
    urls: tuple[str, str]
    trim: bool
    sights: list[Sight] = field(default_factory=list)
    starts: list[Fraction] = field(default_factory=list)
    times: "array[int]" = field(default_factory=lambda: array("q"))
    """The first film's, in its ticks: 8 bytes a frame, the only thing here that grows with the film."""
    frames: list[int] = field(default_factory=lambda: [0, 0])
    equal: dict[str, int] = field(default_factory=lambda: {"luma": 0, "picture": 0})
    first: dict[str, int] = field(default_factory=dict)
    forms: list[str] = field(default_factory=list)
    luma_is_one: bool = False
    measured_at: tuple[int, int] = (0, 0)
    luma: _Error = field(default_factory=_Error)
    rgb: _Error = field(default_factory=_Error)
    slips: _Slips = field(default_factory=_Slips)

    @property
    def both(self) -> int:
        """Frames that both films have."""
        return min(self.frames)

    @property
    def slack(self) -> Fraction:
        """Seconds that two times of one frame may be apart: a tick of the coarser clock where one of them had to round, and never a quarter of a frame."""
        ticks, rates = {one.tick for one in self.sights}, {one.rate for one in self.sights} - {0}
        if len(ticks) == 1 and all((1 / (rate * tick)).denominator == 1 for rate in rates for tick in ticks):
            return Fraction(0)
        return min([max(ticks), *(1 / (4 * rate) for rate in rates)])

    def differs(self, what: str, number: int) -> None:
        self.first.setdefault(what, number)


def compare(a: str, b: str, *, trim: bool = False, each_frame: Callable[[int], None] = lambda _: None) -> Comparison:
    """Films `a` and `b` (paths or URLs) of any codec, container, size, depth, chroma, range and rate, whether the farm renders such or not.

    Counts, times (from each film's first frame), decoded pictures, sound, tags. `trim`: each begins with the first frame that
    can be decoded, as with `head: trim`. `each_frame` is told how many frames are compared. Raises BadMedia where one cannot be read.
    """
    tally = _Tally((a, b), trim)
    for number, pair in enumerate(zip_longest(_frames(tally, 0), _frames(tally, 1))):
        ours, theirs = pair
        tally.frames[0] += ours is not None
        tally.frames[1] += theirs is not None
        if ours is not None and theirs is not None:
            _times(tally, number, ours[0], theirs[0])
            _pictures(tally, number, ours[1], theirs[1])
        each_frame(number + 1)
    sound = sound_findings(a, b, (tally.starts[0], tally.starts[1]))
    names = _names(tally)
    findings = [*_frame_findings(tally, names), *_tag_findings(tally), *sound.findings]
    return Comparison(
        same=not findings,
        findings=tuple(findings),
        compared=(*_compared(tally), *sound.compared),
        films=(tally.sights[0], tally.sights[1]),
        frames=(tally.frames[0], tally.frames[1]),
        times_differ_at=tally.first.get("times"),
        luma_differs_at=tally.first.get("luma"),
        luma_equal=tally.equal["luma"],
        picture_differs_at=tally.first.get("picture"),
        picture_equal=tally.equal["picture"],
        luma_psnr=_psnr(tally.luma, tally.both, names),
        rgb_psnr=_psnr(tally.rgb, tally.both, names),
        sound_packets=sound.packets,
        sound_samples=sound.samples,
    )


def _frames(tally: _Tally, side: int) -> Iterator[tuple[Fraction, VideoFrame]]:
    """One film's frames with their times in seconds. Notes its sight and its start; the first film's before the other's."""
    url, count = tally.urls[side], 0
    begin = int(FrameIndex.beginning(Surveyor(url).pages(), trim=True).pts[0]) if tally.trim else None
    with opened(url) as media:
        stream = picture_stream(media, named(url))
        decoder_of(stream)
        tick = stream.time_base or Fraction(1)
        try:
            for frame in played(media, stream, named(url)):
                ticks = frame.pts if frame.pts is not None else frame.dts or 0
                if begin is not None and ticks < begin:
                    continue
                if not count:
                    tally.sights.append(sight_of(media, stream, frame, named(url)))
                    tally.starts.append(ticks * tick)
                if not side:
                    tally.times.append(ticks)
                yield ticks * tick, frame
                count += 1
        except av.error.FFmpegError as error:
            raise BadMedia(
                f"{named(url)} is damaged at frame {count} and cannot be compared ({error.strerror}); copy it again."
            ) from None
    if not count:
        raise BadMedia(f"{named(url)} has no frame that can be decoded; copy it again.")


def _times(tally: _Tally, number: int, ours: Fraction, theirs: Fraction) -> None:
    # Each rounded once, and the first too.
    if abs((ours - tally.starts[0]) - (theirs - tally.starts[1])) > tally.slack:
        tally.differs("times", number)


def _pictures(tally: _Tally, number: int, ours: VideoFrame, theirs: VideoFrame) -> None:
    one, other = (shown(frame, sight.colour) for frame, sight in zip((ours, theirs), tally.sights, strict=True))
    tally.slips.look(number, thumbnail(one), thumbnail(other))
    if not tally.forms or one.form != other.form:
        tally.forms, tally.luma_is_one = [one.form, other.form], one.luma_form == other.luma_form != ""
        tally.measured_at = smaller(one, other)
    equal = picture_equal(one, other)
    for what, alike in (("luma", equal or luma_equal(one, other)), ("picture", equal)):
        if alike:
            tally.equal[what] += 1
        else:
            tally.differs(what, number)
    if not equal:
        luma, rgb = errors(one, other)
        tally.luma.add(number, luma)
        tally.rgb.add(number, rgb)


def _names(tally: _Tally) -> FrameTimecodes:
    sight = tally.sights[0]
    return FrameTimecodes(sight.rate or Fraction(1), sight.timecode, np.array(tally.times, np.int64), sight.tick)


def _psnr(error: _Error, frames: int, names: FrameTimecodes) -> Psnr | None:
    if not error.total:
        return None
    return Psnr(
        mean=round(-10 * log10(error.total / frames), 3),
        worst=round(-10 * log10(error.worst), 3),
        worst_at=error.worst_at,
        worst_name=names.name(error.worst_at),
    )


def _frame_findings(tally: _Tally, names: FrameTimecodes) -> Iterator[str]:
    a, b = tally.urls
    if tally.frames[0] != tally.frames[1]:
        yield f"{a} has {number_of(tally.frames[0], 'frame')} and {b} has {tally.frames[1]:,}"
    if slip := tally.slips.first(tally.both):
        kind, number = slip
        if kind == "lacks":
            yield f"{b} lacks frame {number} ({names.name(number)}): from there on it is a frame ahead"
        else:
            yield (
                f"{b} shows frame {number} ({names.name(number)}) twice, or another after it: "
                "from there on it is a frame behind"
            )
    if (at := tally.first.get("times")) is not None:
        yield f"from frame {at} ({names.name(at)}) on, times differ"
    if len(set(tally.forms)) == 1 or tally.luma_is_one:
        for what in ("luma", "picture") if len(set(tally.forms)) == 1 else ("luma",):
            if (at := tally.first.get(what)) is not None:
                yield (
                    f"frame {at} ({names.name(at)}) is the first whose {what} differs; "
                    f"{tally.equal[what]:,} of {tally.both:,} are equal"
                )
    if len(set(tally.forms)) == 2:
        yield f"pictures are of different forms, {tally.forms[0]} and {tally.forms[1]}, so none is equal bit for bit"
    yield from _distance(tally, names)


def _distance(tally: _Tally, names: FrameTimecodes) -> Iterator[str]:
    if "picture" not in tally.first:
        return
    said = [
        f"{what} {psnr.mean:.2f} dB, at worst {psnr.worst:.2f} dB in frame {psnr.worst_at} ({psnr.worst_name})"
        if (psnr := _psnr(error, tally.both, names))
        else f"{what} without any difference"
        for what, error in (("luma", tally.luma), ("R'G'B'", tally.rgb))
    ]
    width, height = tally.measured_at
    yield f"brought to one form at {width}x{height}, their PSNR is: {said[0]}; {said[1]}"


def _tag_findings(tally: _Tally) -> Iterator[str]:
    """What else makes two films be shown, or heard of, in different ways."""
    ours, theirs = (_tags(one) for one in tally.sights)
    for name, value in ours.items():
        if value != theirs[name]:
            yield f"the {name} is {value} in {tally.urls[0]} and {theirs[name]} in {tally.urls[1]}"


def _tags(sight: Sight) -> dict[str, object]:
    colour = sight.colour
    return {
        "sample aspect": sight.aspect,
        "rotation": sight.rotation,
        "colour matrix (H.273)": colour.space,
        "range": "full" if colour.full_range else "limited",
        "colour primaries (H.273)": colour.primaries,
        "transfer curve (H.273)": colour.transfer,
        # Some containers cannot but have one, and begin it at nought.
        "time code": sight.timecode if sight.timecode.strip("0:;") else "00:00:00:00",
        "number of subtitle streams": len(sight.subtitles),
        "number of chapters": sight.chapters,
    }


def _compared(tally: _Tally) -> Iterator[str]:
    yield f"frames, counted by decoding all of them: {tally.frames[0]} and {tally.frames[1]}"
    within = f"within {tally.slack} s, for their clocks round" if tally.slack else "to the tick"
    yield f"times from each film's first frame, {within}"
    width, height = tally.measured_at
    measured = f"as R'G'B' from black to white at {width}x{height}"
    if len(set(tally.forms)) == 1:
        yield f"pictures bit for bit, both {tally.forms[0]}; those that differ, {measured}"
    elif tally.forms:
        luma = "luma bit for bit; " if tally.luma_is_one else ""
        yield f"{luma}pictures {measured}, {tally.forms[0]} and {tally.forms[1]} being different forms"
    yield "tags of colour, range, pixel shape, rotation and time code; subtitles and chapters by their number alone"
