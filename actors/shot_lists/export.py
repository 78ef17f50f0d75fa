"""Writes shot lists for editors: CMX3600 EDL, OpenTimelineIO, PySceneDetect's CSV. Each, read back, gives the same cuts.

Editing programs take time lines and EDLs; a CSV is read by spreadsheets, by PySceneDetect, and by the farm itself. So the
CSV has PySceneDetect's own columns, and behind them, where its reader does not look, time codes, looks and chunks.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import PurePosixPath
from typing import Literal, get_args

import opentimelineio as otio

from jobs.errors import BadSpec
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes, clock
from jobs.plan.plan import Plan, Range

Form = Literal["edl", "otio", "csv"]
"""A form of shot list; its file's ending."""
FORMS: tuple[Form, ...] = get_args(Form)

COLUMNS = (
    "Scene Number",
    "Start Frame",
    "Start Timecode",
    "Start Time (seconds)",
    "End Frame",
    "End Timecode",
    "End Time (seconds)",
    "Length (frames)",
    "Length (timecode)",
    "Length (seconds)",
    "Start SMPTE Timecode",
    "End SMPTE Timecode",
    "Looks",
    "Chunks",
)
"""The first ten are PySceneDetect's: frames are counted from 1, the end is the last frame, its time that of the next shot."""


@dataclass(frozen=True)
class ListedShot:
    """One shot as lists tell it."""

    number: int
    frames: Range
    looks: tuple[str, ...]
    """By name: several where an override takes only some of its frames."""
    chunks: tuple[int, int]
    """Number of its first and of its last chunk."""


def listed(plan: Plan) -> list[ListedShot]:
    """The shots of a plan. The edges of a frame-range override are no cuts, and in no list."""
    found = []
    chunks = groupby(plan.chunks, key=lambda chunk: chunk.shot)
    shots = groupby(plan.shots, key=lambda shot: shot.number)
    for (number, parts), (_, pieces) in zip(shots, chunks, strict=True):
        parts_, pieces_ = list(parts), list(pieces)
        frames = Range(parts_[0].frames.start, parts_[-1].frames.stop)
        looks = tuple(dict.fromkeys(part.look.title for part in parts_))
        found.append(ListedShot(number, frames, looks, (pieces_[0].number, pieces_[-1].number)))
    return found


def shot_list(form: Form, film: Film, shots: Sequence[ListedShot], names: FrameTimecodes) -> str:
    """The text of one shot list. `names` are those of the whole film. Raises BadSpec where a film has no such list."""
    match form:
        case "edl":
            return _edl(film, shots, names)
        case "otio":
            return _otio(film, shots, names)
        case "csv":
            return _csv(shots, names)


def forms_of(names: FrameTimecodes) -> tuple[Form, ...]:
    """The forms in which a film's shots can be listed: an EDL only where it has time codes."""
    return FORMS if names.counting else tuple(form for form in FORMS if form != "edl")


def _edl(film: Film, shots: Sequence[ListedShot], names: FrameTimecodes) -> str:
    """CMX3600: one event for each shot, source and record times both the film's own time codes, the reel unknown (AX)."""
    if names.counting is None:
        raise BadSpec(
            f"{film.source} has no time code, for its rate has none or varies, and an EDL is made of time codes; "
            "list its shots as .otio or .csv."
        )
    clip = film_title(film)
    lines = [f"TITLE: {clip[:60]}", f"FCM: {'' if names.counting.drop else 'NON-'}DROP FRAME", ""]
    for shot in shots:
        start, stop = (names.name(frame) for frame in shot.frames)
        lines.append(f"{shot.number:03d}  AX       V     C        {start} {stop} {start} {stop}")
        lines += [f"* FROM CLIP NAME: {clip}", f"* SHOT {shot.number}: {_said(shot)}"]
    return "\n".join([*lines, ""])


def _otio(film: Film, shots: Sequence[ListedShot], names: FrameTimecodes) -> str:
    """A timeline of one clip for each shot, each with a marker at its head; frames are counted at the film's rate, or its clock's ticks."""

    def between(start: int, stop: int) -> otio.opentime.TimeRange:
        ends = (media_time(film, names, frame) for frame in (start, stop))
        return otio.opentime.range_from_start_end_time(*ends)

    whole = between(0, shots[-1].frames.stop)
    track = otio.schema.Track(name="V1", kind=otio.schema.TrackKind.Video)
    for shot in shots:
        said = {
            "shot": shot.number,
            "frames": list(shot.frames),
            "looks": list(shot.looks),
            "chunks": list(shot.chunks),
        }
        media = otio.schema.ExternalReference(target_url=film.source, available_range=whole)
        clip = otio.schema.Clip(f"{film_title(film)} shot {shot.number}", media, between(*shot.frames))
        head = between(shot.frames.start, shot.frames.start)
        clip.markers.append(
            otio.schema.Marker(f"shot {shot.number}: {_said(shot)}", head, metadata={"film_farm": said})
        )
        track.append(clip)
    timeline = otio.schema.Timeline(film_title(film))
    if names.counting:
        timeline.global_start_time = media_time(film, names, 0)
    timeline.tracks.append(track)
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


def _csv(shots: Sequence[ListedShot], names: FrameTimecodes) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for shot in shots:
        start, stop = shot.frames
        begin, end = names.seconds(start), names.seconds(stop)
        codes = (names.name(start), names.name(stop)) if names.counting else ("", "")
        rows.writerow(
            [
                shot.number,
                *(start + 1, clock(begin), _decimal(begin)),
                *(stop, clock(end), _decimal(end)),
                *(shot.frames.frames, clock(end - begin), _decimal(end - begin)),
                *codes,
                "; ".join(shot.looks),
                _chunks(shot),
            ]
        )
    return text.getvalue()


def media_time(film: Film, names: FrameTimecodes, frame: int) -> otio.opentime.RationalTime:
    """When a frame is shown in the source: frames are counted at the film's rate, or its clock's ticks."""
    if names.counting:
        return otio.opentime.RationalTime(names.first + frame, float(names.counting.rate))
    clock = 1 / film.picture.time_base
    return otio.opentime.RationalTime(round(names.seconds(frame) * clock), float(clock))


def _decimal(seconds: Fraction) -> str:
    return f"{float(seconds):.3f}"


def film_title(film: Film) -> str:
    """What lists call a film: its file's name."""
    return PurePosixPath(film.source.replace("\\", "/")).name or film.source


def _chunks(shot: ListedShot) -> str:
    first, last = shot.chunks
    return str(first) if first == last else f"{first}-{last}"


def _said(shot: ListedShot) -> str:
    return f"{', '.join(shot.looks)}, chunks {_chunks(shot)}"
