"""Cuts that the studio gives: a PySceneDetect CSV or a CMX3600 EDL. Promises frame numbers of this very film, or one sentence why not; decodes nothing."""

import csv
import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import opentimelineio as otio

from jobs.errors import BadSpec
from jobs.film import Film
from jobs.index import Ints
from jobs.store import read_small

TIMECODE_RATES = tuple(Fraction(rate) for rate in ("24000/1001", 24, 25, "30000/1001", 30, 48, 50, "60000/1001", 60))
"""Frame rates that have SMPTE time codes."""

_RATE_TOLERANCE = Fraction(1, 5000)
"""Averages of rounded stamps come this near; 24 and 24000/1001 are five times as far apart."""


def given_cuts(url: str, film: Film, pts: Ints) -> list[int]:
    """First frames after a cut, ascending, by the list at `url`: path, file:// or s3://, its name ending in .csv or .edl.

    `pts` are the times of all frames of the film, in ticks. Raises BadSpec where the list cannot be read as such, or
    names frames that the film does not have; BadMedia where the list is not there.
    """
    name = f"The shot list {url}"
    ending = url.rpartition(".")[2].lower()
    if ending not in ("csv", "edl"):
        raise BadSpec(f"{name} is neither a .csv (PySceneDetect) nor an .edl (CMX3600); give shots.file such a name.")
    try:
        text = read_small(url).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadSpec(f"{name} is not a text in UTF-8; export it again.") from None
    starts = _by_csv(text, name, film, pts) if ending == "csv" else _by_edl(text, name, film, pts)
    return _checked(starts, len(pts), name)


def _checked(starts: list[int], frames: int, name: str) -> list[int]:
    for before, after in pairwise(starts):
        if after <= before:
            raise BadSpec(f"{name} is not in order: a shot at frame {after} comes after one at frame {before}.")
    for start in starts:
        if not 0 <= start < frames:
            raise BadSpec(
                f"{name} has a cut at frame {start}, and the film has frames 0 to {frames - 1}; is it this film's list?"
            )
    return [start for start in starts if start > 0]


def _by_csv(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    rows = list(_rows(text, name))
    try:
        # PySceneDetect counts from 1 since 0.6, from 0 before; the first shot shows which.
        base = min(1, int(rows[0]["Start Frame"])) if rows else 1
        if _is_steady(film, pts):
            return [int(row["Start Frame"]) - base for row in rows]
        # On a variable rate PySceneDetect's numbers are times in disguise, so its times are taken.
        return [_frame_at(Fraction(row["Start Time (seconds)"]), film, pts) for row in rows]
    except (ValueError, KeyError, TypeError):
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
    yield from csv.DictReader(io.StringIO("\n".join(line for line in lines[head:] if line.strip())), delimiter=mark)


def _by_edl(text: str, name: str, film: Film, pts: Ints) -> list[int]:
    rate = next((rate for rate in TIMECODE_RATES if abs(film.picture.rate / rate - 1) < _RATE_TOLERANCE), None)
    if rate is None:
        raise BadSpec(
            f"{name} has time codes, and there are none at {float(film.picture.rate):g} frames a second; give a .csv."
        )
    try:
        timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
        # Times in a track count from its first event; a gap is a shot of its own.
        starts = [
            round(track.range_of_child(part).start_time.value)
            for track in timeline.video_tracks()[:1]
            for part in track
            if not isinstance(part, otio.schema.Transition)
        ]
    # The adapter raises its own errors, OTIO's and bare ones, all meaning the same.
    except Exception as error:
        raise BadSpec(f"{name} is not a CMX3600 EDL at {rate} frames a second ({error}); export it again.") from None
    if not starts:
        raise BadSpec(f"{name} has no event on a video track; export it again.")
    return starts if _is_steady(film, pts) else [_frame_at(start / rate, film, pts) for start in starts]


def _is_steady(film: Film, pts: Ints) -> bool:
    """Whether frame n is shown n/rate seconds after the first, within a tick of rounding and half a frame of average."""
    grid = np.arange(len(pts)) / float(film.picture.rate * film.picture.time_base)
    return bool((np.abs(pts - pts[0] - grid) < 0.5 / float(film.picture.rate * film.picture.time_base)).all())


def _frame_at(seconds: Fraction, film: Film, pts: Ints) -> int:
    """The frame nearest to a time from the film's first frame; a time beyond the film gives a number beyond it."""
    ticks = float(seconds / film.picture.time_base) + int(pts[0])
    after = int(np.searchsorted(pts, ticks))
    if after == len(pts):
        # Lists round to milliseconds: only what lies further off lies outside.
        return after - 1 if ticks - pts[-1] <= 0.001 / float(film.picture.time_base) else after
    return after - 1 if after and ticks - pts[after - 1] < pts[after] - ticks else after
