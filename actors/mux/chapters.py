"""Brings a film's chapters into the form that a container holds, each at its own time and with its own title.

An mp4 and a mov keep them as a track of titles, which begins with the film and has a title for each: so a chapter without
one is given its number, and where the first begins late an opening is put before it.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

from av.container import InputContainer

from actors.mux.tags import BOXES
from jobs.spec.codecs import Wrapping

OPENING = "Opening"
"""Title of what lies before the first chapter."""


def chapters_of(media: InputContainer, origin: Fraction, container: Wrapping) -> list[Any]:
    """The film's chapters as the container gets them, their times shifted by `origin` seconds, none before 0."""
    shifted = []
    for chapter in media.chapters():
        ticks = round(origin / (chapter["time_base"] or 1))
        shifted.append({**chapter, "start": max(0, chapter["start"] - ticks), "end": max(0, chapter["end"] - ticks)})
    return _as_track(shifted) if container in BOXES else shifted


def chapters_said(media: InputContainer, container: Wrapping) -> Iterator[str]:
    """In words, what the container adds to the film's chapters, or leaves out."""
    chapters = media.chapters()
    if container not in BOXES or not chapters:
        return
    if not all(_title(one) for one in chapters):
        yield f"those without a title are given their number, as in '{_numbered(1)}'"
    if min(_start(one) for one in chapters) > 0:
        yield f"the first begins late, and '{OPENING}' is put before it"
    starts = sorted(_start(one) for one in chapters)
    if any(one == other for one, other in pairwise(starts)):
        yield f"of those that begin together {container} holds the first"


def _as_track(chapters: list[Any]) -> list[Any]:
    titled = [
        {**one, "metadata": {**one["metadata"], "title": _title(one) or _numbered(number)}}
        for number, one in enumerate(chapters, 1)
    ]
    ordered = sorted(titled, key=_start)
    if ordered and (first := ordered[0])["start"]:
        ordered.insert(0, {**first, "start": 0, "end": first["start"], "metadata": {"title": OPENING}})
    kept = [one for place, one in enumerate(ordered) if not place or _start(one) > _start(ordered[place - 1])]
    return [{**one, "id": number} for number, one in enumerate(kept, 1)]


def _start(chapter: Any) -> Fraction:
    return Fraction(chapter["start"] * (chapter["time_base"] or 0))


def _title(chapter: Any) -> str:
    return str(chapter["metadata"].get("title", ""))


def _numbered(number: int) -> str:
    return f"Chapter {number}"
