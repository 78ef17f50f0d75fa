"""Reads given cuts from a PySceneDetect CSV, a CMX3600 EDL or an OpenTimelineIO timeline, as frame numbers of the film."""

import csv
import io
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import opentimelineio as otio

from actors.shot_lists.edl import UnreadableLine, events_of
from actors.shot_lists.layers import shots_seen
from actors.shot_lists.otio import UnsupportedTimeline, begins, spans_of
from jobs.errors import BadSpec
from jobs.film.frame_index import Ints
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes, is_steady, timecode_rate
from jobs.store import read_small
from jobs.untrusted import check_json


def given_cuts(url: str, film: Film, pts: Ints) -> list[int]:
    """First frames after a cut, ascending, by the list at `url`: path, file:// or s3://, its name ending in .csv, .edl or .otio.

    `pts` are the times of all frames of the film, in ticks. Of an EDL and of a timeline counts what is seen: a higher video
    track covers the lower ones where it has a picture, and a gap is a shot of its own, but for one of a single frame, which
    belongs to the shot before it (some write the last frame of an event, and not the one after it). Their time codes, over
    midnight too, count from the film's own where it has one and all of them lie in it; any others count from the list's first
    event. A timeline may count at another rate, where each of its cuts begins a frame. No media that a list names is opened.
    Raises BadSpec where the list cannot be read as such, or names frames that the film does not have; BadMedia where the
    list is not there.
    """
    name = f"The shot list {url}"
    ending = url.rpartition(".")[2].lower()
    read = {"csv": _by_csv, "edl": _by_edl, "otio": _by_otio}.get(ending)
    if read is None:
        raise BadSpec(
            f"{name} is neither a .csv (PySceneDetect) nor an .edl (CMX3600) nor an .otio (OpenTimelineIO); "
            "give shots.file such a name."
        )
    text = _text(read_small(url), name, ending)
    return _checked(read(text, name, film, pts), FrameTimecodes.of(film, pts), len(pts), name)


def _text(data: bytes, name: str, ending: str) -> str:
    """A list's text. Old programs write EDLs and CSVs in the code page of their system: names are of no account here."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        if utf16 or ending == "otio":
            raise BadSpec(f"{name} is not a text in UTF-{16 if utf16 else 8}; export it again.") from None
        return data.decode("latin-1")


def _checked(starts: list[int], names: FrameTimecodes, frames: int, name: str) -> list[int]:
    for before, after in pairwise(starts):
        if after <= before:
            raise BadSpec(
                f"{name} is not in order: a shot at frame {after} comes after one at frame {before}; export it again."
            )
    for start in starts:
        if not 0 <= start < frames:
            raise BadSpec(
                f"{name} has a cut at frame {start}, and the film has {names.spoken(0, frames - 1)}; "
                "is it this film's list?"
            )
    return [start for start in starts if start > 0]


def _by_csv(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    steady = is_steady(pts, film.picture.time_base, film.picture.rate)
    starts: list[int] = []
    base, last = 1, 0
    try:
        for line, row in _rows(text, name):
            last = line
            if not starts:
                # PySceneDetect counts from 1 since 0.6, from 0 before; the first shot shows which.
                base = min(1, int(row["Start Frame"]))
            # On a variable rate PySceneDetect's numbers are times in disguise, so its times are taken.
            seconds = "" if steady else row["Start Time (seconds)"].replace(",", ".")
            starts.append(int(row["Start Frame"]) - base if steady else _frame_at(Fraction(float(seconds)), film, pts))
    # OverflowError: a time that is infinite, or as good as.
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, csv.Error):
        where = f" in or after line {last}" if last else ""
        raise BadSpec(
            f"{name} has a row that is not a shot{where}; export it again with PySceneDetect's list-scenes."
        ) from None
    return starts


def _rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by its column's names, and the line that it ends on."""
    lines = re.split(r"\r\n|\r|\n", text)
    # A row of time codes may come before the row of names, and before that what tells Excel the delimiter.
    for place, line in enumerate(lines[:4]):
        for mark in ",;\t|":
            names = [one.strip() for one in next(csv.reader([line], delimiter=mark), [])]
            if "Start Frame" in names:
                body = io.StringIO("\n".join(lines[place + 1 :]))
                # Strict, lest a quote that is never closed swallow the rest of the list.
                rows = csv.DictReader(body, names, delimiter=mark, strict=True)
                yield from ((place + 1 + rows.line_num, row) for row in rows)
                return
    raise BadSpec(f"{name} has no column 'Start Frame'; export it with PySceneDetect's list-scenes.")


def _by_edl(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    rate = timecode_rate(film.picture.rate)
    if rate is None:
        raise BadSpec(
            f"{name} has time codes, and there are none at {float(film.picture.rate):g} frames a second; give a .csv."
        )
    try:
        events = events_of(text, rate)
    except UnreadableLine as wrong:
        raise BadSpec(
            f"{name} is not a CMX3600 EDL at {rate} frames a second that is read here ({wrong}); correct that line, or give a .csv or "
            "an .otio."
        ) from None
    if not events.spans:
        raise BadSpec(f"{name} has no event on a video track; export it again.")
    first, *rest = (int(one) for one in shots_seen(events.spans, Fraction(2)))
    starts = [0, *(one - first for one in rest)]
    names = FrameTimecodes.of(film, pts)
    if names.counting and names.counting.drop == events.drop:
        starts = _from_film_start(starts, first, names, film, len(pts))
    return starts if names.counting else [_frame_at(start / rate, film, pts) for start in starts]


def _by_otio(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    try:
        check_json(text)
    except ValueError as wrong:
        raise BadSpec(
            f"{name} is larger than any timeline ({wrong}); export it without metadata, or give an .edl or a .csv."
        ) from None
    try:
        timeline = otio.adapters.read_from_string(text, "otio_json")
        if not isinstance(timeline, otio.schema.Timeline):
            raise ValueError(f"it holds a {type(timeline).__name__}")
    # The library raises its own errors and bare ones, all meaning the same.
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        raise BadSpec(f"{name} is not a timeline of OpenTimelineIO ({said}); export it again.") from None
    try:
        spans, _ = spans_of(timeline)
        first = begins(timeline)
    except UnsupportedTimeline as wrong:
        raise BadSpec(
            f"{name} is not a timeline of OpenTimelineIO that is read here ({wrong}); correct that, or give an .edl or a .csv."
        ) from None
    if not spans:
        raise BadSpec(f"{name} has no clip on a video track; export it again.")
    times = shots_seen(spans, Fraction(3, 2) / film.picture.rate, Fraction(0))
    names = FrameTimecodes.of(film, pts)
    if not names.counting:
        return [_frame_at(time, film, pts) for time in times]
    starts = [_exactly(time, names.counting.rate, name) for time in times]
    if first is None or first[1] != names.counting.rate:
        return starts
    return _from_film_start(starts, first[0], names, film, len(pts))


def _exactly(time: Fraction, rate: Fraction, name: str) -> int:
    """The frame that begins at a time of a list that may count at another rate. Raises BadSpec where none does."""
    frame = round(time * rate)
    if abs(frame - time * rate) > Fraction(1, 100):
        raise BadSpec(
            f"{name} has a cut at {float(time):.3f} s, where no frame of a film of {rate} frames a second begins; "
            "export it at the film's own rate."
        )
    return frame


def _from_film_start(starts: list[int], first: int, names: FrameTimecodes, film: Film, frames: int) -> list[int]:
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
