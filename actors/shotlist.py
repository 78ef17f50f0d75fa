"""Cuts that the studio gives: a PySceneDetect CSV, a CMX3600 EDL or an OpenTimelineIO timeline. Promises frame numbers of this very film, or one sentence why not; decodes nothing."""

import csv
import io
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import opentimelineio as otio

from jobs.errors import BadSpec
from jobs.film import Film
from jobs.index import Ints
from jobs.store import read_small
from jobs.timecode import FrameNames, is_steady, timecode_rate

LONGEST = 1_000_000_000
"""Seconds that no clip lasts: what is longer is damage, and beyond what floats can tell apart."""


def given_cuts(url: str, film: Film, pts: Ints) -> list[int]:
    """First frames after a cut, ascending, by the list at `url`: path, file:// or s3://, its name ending in .csv, .edl or .otio.

    `pts` are the times of all frames of the film, in ticks. Of an EDL and of a timeline the first video track counts, its
    gaps too. Their time codes, over midnight too, count from the film's own where it has one and all of them lie in it; any
    others count from the list's first event. A timeline may count at another rate, where each of its cuts begins a frame. No media that a
    list names is opened. Raises BadSpec where the list cannot be read as such, or names frames that the film does not
    have; BadMedia where the list is not there.
    """
    name = f"The shot list {url}"
    read = {"csv": _by_csv, "edl": _by_edl, "otio": _by_otio}.get(url.rpartition(".")[2].lower())
    if read is None:
        raise BadSpec(
            f"{name} is neither a .csv (PySceneDetect) nor an .edl (CMX3600) nor an .otio (OpenTimelineIO); "
            "give shots.file such a name."
        )
    try:
        text = read_small(url).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadSpec(f"{name} is not a text in UTF-8; export it again.") from None
    return _checked(read(text, name, film, pts), FrameNames.of(film, pts), len(pts), name)


def _checked(starts: list[int], names: FrameNames, frames: int, name: str) -> list[int]:
    for before, after in pairwise(starts):
        if after <= before:
            raise BadSpec(f"{name} is not in order: a shot at frame {after} comes after one at frame {before}.")
    for start in starts:
        if not 0 <= start < frames:
            raise BadSpec(
                f"{name} has a cut at frame {start}, and the film has {names.spoken(0, frames - 1)}; "
                "is it this film's list?"
            )
    return [start for start in starts if start > 0]


def _by_csv(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    try:
        rows = list(_rows(text, name))
        # PySceneDetect counts from 1 since 0.6, from 0 before; the first shot shows which.
        base = min(1, int(rows[0]["Start Frame"])) if rows else 1
        if is_steady(pts, film.picture.time_base, film.picture.rate):
            return [int(row["Start Frame"]) - base for row in rows]
        # On a variable rate PySceneDetect's numbers are times in disguise, so its times are taken.
        return [_frame_at(Fraction(float(row["Start Time (seconds)"])), film, pts) for row in rows]
    # OverflowError: a time that is infinite, or as good as.
    except (ValueError, KeyError, TypeError, OverflowError, csv.Error):
        raise BadSpec(
            f"{name} has a row that is not a shot; export it again with PySceneDetect's list-scenes."
        ) from None


def _rows(text: str, name: str) -> Iterator[dict[str, str]]:
    lines = text.splitlines()
    # A row of time codes may come before the row of names.
    head = next((place for place, line in enumerate(lines[:2]) if "Start Frame" in line), None)
    if head is None:
        raise BadSpec(f"{name} has no column 'Start Frame'; export it with PySceneDetect's list-scenes.")
    mark = next((mark for mark in ",;\t" if f"Start Frame{mark}" in lines[head]), ",")
    body = io.StringIO("\n".join(line for line in lines[head:] if line.strip()))
    # Strict, lest a quote that is never closed swallow the rest of the list.
    yield from csv.DictReader(body, delimiter=mark, strict=True)


def _by_edl(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    rate = timecode_rate(film.picture.rate)
    if rate is None:
        raise BadSpec(
            f"{name} has time codes, and there are none at {float(film.picture.rate):g} frames a second; give a .csv."
        )
    drops = rate in (Fraction(30000, 1001), Fraction(60000, 1001))
    text = _with_days(_with_drop_frames(text) if drops else text)
    try:
        timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
        track: Any = next(iter(timeline.video_tracks()), [])
        # Times in a track count from its first event; a gap is a shot of its own.
        starts = [round(track.range_of_child(part).start_time.value) for part in track if not _is_transition(part)]
        before = track.source_range if starts else None
    # The adapter raises its own errors, OTIO's and bare ones, all meaning the same.
    except Exception as error:
        raise BadSpec(f"{name} is not a CMX3600 EDL at {rate} frames a second ({error}); export it again.") from None
    if not starts:
        raise BadSpec(f"{name} has no event on a video track; export it again.")
    names = FrameNames.of(film, pts)
    # The adapter keeps the first record time code as what the track leaves out before it.
    first = -round(before.start_time.value) if before else 0
    if names.counting and names.counting.drop == (drops and bool(_DROPPING.search(text))):
        starts = _from_film_start(starts, first, names, film, len(pts))
    return starts if names.counting else [_frame_at(start / rate, film, pts) for start in starts]


def _with_drop_frames(text: str) -> str:
    """An EDL that says FCM: DROP FRAME, with ';' in its time codes, by which the adapter knows them."""
    lines, drop = [], False
    for line in text.splitlines():
        if line.strip().startswith("FCM"):
            drop = "DROP" in line.upper() and "NON" not in line.upper()
        event = drop and line.strip()[:1].isdigit()
        lines.append(re.sub(r"(\d\d:\d\d:\d\d):(\d\d)", r"\1;\2", line) if event else line)
    return "\n".join(lines)


def _with_days(text: str) -> str:
    """An EDL whose time codes go on after midnight, as the adapter reads them: 24:00:00:00 and so on."""
    lines, recorded = [], 0
    for line in text.splitlines():
        codes = list(_CODE.finditer(line))
        if line.strip()[:1].isdigit() and len(codes) == 4:
            first, last = _hours(codes[0], 0), _hours(codes[2], recorded)
            hours = [first, _hours(codes[1], first), last, _hours(codes[3], last)]
            recorded = hours[3]
            said = (f"{hour:02d}{code[2]}" for hour, code in zip(hours, codes, strict=True))
            line = line[: codes[0].start()] + " ".join(said)
        lines.append(line)
    return "\n".join(lines)


def _hours(code: re.Match[str], before: int) -> int:
    """The hours of a time code, counted on over midnight where it falls by half a day: what falls by less is out of order."""
    hours = int(code[1])
    return hours + 24 * max(0, -((hours - before + 12) // 24))


_CODE = re.compile(r"(\d\d)(:\d\d:\d\d[:;]\d\d)")

_DROPPING = re.compile(r"^\s*\d.*\d\d;\d\d\s*$", re.MULTILINE)
"""An event of drop-frame time codes."""


def _by_otio(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    try:
        timeline = otio.adapters.read_from_string(text, "otio_json")
        if not isinstance(timeline, otio.schema.Timeline):
            raise ValueError(f"it holds a {type(timeline).__name__}")
        track: Any = next(iter(timeline.video_tracks()), [])
        lengths = [_seconds(part.duration()) for part in track if not _is_transition(part)]
        first = timeline.global_start_time
        begins = first and (round(first.value), timecode_rate(_rate(first)))
    # As above; and a clip may have no length, for which its media would have to be opened.
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        raise BadSpec(f"{name} is not a timeline of OpenTimelineIO ({said}); export it again.") from None
    if not lengths:
        raise BadSpec(f"{name} has no clip on a video track; export it again.")
    times = list(accumulate(lengths[:-1], initial=Fraction(0)))
    names = FrameNames.of(film, pts)
    if not names.counting:
        return [_frame_at(time, film, pts) for time in times]
    starts = [_exactly(time, names.counting.rate, name) for time in times]
    if begins is None or begins[1] != names.counting.rate:
        return starts
    return _from_film_start(starts, begins[0], names, film, len(pts))


def _is_transition(part: object) -> bool:
    return isinstance(part, otio.schema.Transition)


def _rate(time: otio.opentime.RationalTime) -> Fraction:
    rate = Fraction(time.rate)
    return timecode_rate(rate) or rate


def _seconds(time: otio.opentime.RationalTime) -> Fraction:
    seconds = Fraction(time.value) / _rate(time)
    if not 0 <= seconds < LONGEST:
        raise ValueError(f"a clip lasts {time.value:g} frames at {time.rate:g} a second")
    return seconds


def _exactly(time: Fraction, rate: Fraction, name: str) -> int:
    """The frame that begins at a time of a list that may count at another rate. Raises BadSpec where none does."""
    frame = round(time * rate)
    if abs(frame - time * rate) > Fraction(1, 100):
        raise BadSpec(
            f"{name} has a cut at {float(time):.3f} s, where no frame of a film of {rate} frames a second begins; "
            "export it at the film's own rate."
        )
    return frame


def _from_film_start(starts: list[int], first: int, names: FrameNames, film: Film, frames: int) -> list[int]:
    """Starts counted from the film's first frame, where the film has a time code and all of the list's lie in the film.

    `starts` count from the list's first event, and `first` is that event's own time code, counted from 00:00:00:00. Where
    a list counts otherwise, it is taken to begin with the film.
    """
    begins = first - names.first
    # Time code begins anew at midnight.
    begins = begins % names.counting.day if names.counting else begins
    within = [begins + start for start in starts]
    return within if film.timecode and all(0 <= start < frames for start in within) else starts


def _frame_at(seconds: Fraction, film: Film, pts: Ints) -> int:
    """The frame nearest to a time from the film's first frame; a time beyond the film gives a number beyond it."""
    ticks = float(seconds / film.picture.time_base) + int(pts[0])
    after = int(np.searchsorted(pts, ticks))
    if after == len(pts):
        # Lists round to milliseconds: only what lies further off lies outside.
        return after - 1 if ticks - pts[-1] <= 0.001 / float(film.picture.time_base) else after
    return after - 1 if after and ticks - pts[after - 1] < pts[after] - ticks else after
