"""Writes notes and verdicts as markers for editors: OpenTimelineIO, an EDL as DaVinci Resolve reads markers, CSV."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

import opentimelineio as otio

from actors.shot_lists.export import film_title, media_time
from jobs.errors import BadSpec
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes
from jobs.plan.ranges import Range

MarkerForm = Literal["otio", "edl", "csv"]
"""A form of markers; its file's ending."""
MARKER_FORMS: tuple[MarkerForm, ...] = get_args(MarkerForm)
Kind = Literal["approved", "rejected", "note"]
COLOURS: dict[Kind, str] = {"rejected": "RED", "note": "YELLOW", "approved": "GREEN"}
"""Of markers; where several lie on one frame, that of the first of these."""
LONGEST_IN_EDL = 200
"""Characters of a marker's words."""


@dataclass(frozen=True)
class FilmMarker:
    """Something that was said of some frames."""

    frames: Range
    kind: Kind
    words: str
    shot: int
    version: str


def marker_list(form: MarkerForm, film: Film, markers: Sequence[FilmMarker], names: FrameTimecodes) -> str:
    """The text of a list of markers, in film order. Raises BadSpec where a film has no such list."""
    ordered = sorted(markers, key=lambda one: (one.frames.start, one.frames.stop))
    match form:
        case "otio":
            return _otio(film, ordered, names)
        case "edl":
            return _edl(film, ordered, names)
        case "csv":
            return _csv(ordered, names)


def _otio(film: Film, markers: Sequence[FilmMarker], names: FrameTimecodes) -> str:
    """A timeline of one clip, the film, with a marker for each."""

    def between(frames: Range) -> otio.opentime.TimeRange:
        ends = (media_time(film, names, frame) for frame in frames)
        return otio.opentime.range_from_start_end_time(*ends)

    whole = between(Range(0, max((one.frames.stop for one in markers), default=1)))
    media = otio.schema.ExternalReference(target_url=film.source, available_range=whole)
    clip = otio.schema.Clip(film_title(film), media, whole)
    for one in markers:
        said = {"kind": one.kind, "frames": list(one.frames), "shot": one.shot, "version": one.version}
        marker = otio.schema.Marker(_name(one), between(one.frames), COLOURS[one.kind], {"film_farm": said})
        marker.comment = one.words
        clip.markers.append(marker)
    timeline = otio.schema.Timeline(film_title(film))
    if names.counting:
        timeline.global_start_time = media_time(film, names, 0)
    timeline.tracks.append(otio.schema.Track(name="V1", kind=otio.schema.TrackKind.Video, children=[clip]))
    return str(otio.adapters.write_to_string(timeline, "otio_json"))


def _edl(film: Film, markers: Sequence[FilmMarker], names: FrameTimecodes) -> str:
    """CMX3600: an event of one frame for each frame with markers, which no two may share, its marker as Resolve and as Avid write it."""
    if names.counting is None:
        raise BadSpec(
            f"{film.source} has no time code, for its rate has none or varies, and an EDL is made of time codes; "
            "write its markers as .otio or .csv."
        )
    drop = "" if names.counting.drop else "NON-"
    lines = [f"TITLE: {_line(film_title(film))[:60]}", f"FCM: {drop}DROP FRAME", ""]
    for number, (start, grouped) in enumerate(groupby(markers, key=lambda one: one.frames.start), 1):
        several = list(grouped)
        words = "; ".join(_line(_name(one)) for one in several)[:LONGEST_IN_EDL]
        colour = COLOURS[min((one.kind for one in several), key=list(COLOURS).index)]
        code, after = names.name(start), names.name(start + 1)
        lines += [
            f"{number:03d}  001      V     C        {code} {after} {code} {after}",
            f"* LOC: {code} {colour:7s} {words}",
            f" |C:ResolveColor{colour.title()} |M:{words} |D:{max(one.frames.frames for one in several)}",
            "",
        ]
    return "\n".join([*lines, ""])


def _csv(markers: Sequence[FilmMarker], names: FrameTimecodes) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        ("What", "Shot", "First frame", "Last frame", "First time code", "Last time code", "Version", "Words")
    )
    for one in markers:
        last = one.frames.stop - 1
        codes = names.name(one.frames.start), names.name(last)
        rows.writerow((one.kind, one.shot, one.frames.start, last, *codes, one.version, _cell(one.words)))
    return text.getvalue()


def _name(one: FilmMarker) -> str:
    return one.words if one.kind == "note" else f"{one.kind}{f': {one.words}' if one.words else ''}"


def _line(text: str) -> str:
    """One line without what divides fields."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029|]", " ", text).split())


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula is made a text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
