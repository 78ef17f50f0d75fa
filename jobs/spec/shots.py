"""Shots and frames as a job spec writes them: where the cuts come from, shot numbers, frame numbers and time codes."""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from jobs.document import Document
from jobs.film.timecode import names_a_frame

ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""A text without control characters."""


def _mark(value: object) -> object:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not number and not (isinstance(value, str) and names_a_frame(value)):
        raise ValueError(
            "a frame is its number, counted from 0, or its name: '01:00:10:00', '01:00:10;00' or '00:00:10.417'"
        )
    return value


FrameMark = Annotated[int | str, BeforeValidator(_mark)]
"""A frame: its number, its SMPTE time code, or its time on the clock from the film's first frame (jobs/film/timecode.py)."""


def _shot_range(value: object) -> object:
    said = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", said) if isinstance(said, str) else None
    if not found or int(found[1]) < 1:
        raise ValueError("shots are numbers counted from 1, as in 3 or 3-5")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise ValueError(f"the first shot is not after the last; for shots {last} to {first} write {last}-{first}")
    return said


ShotRange = Annotated[
    str,
    BeforeValidator(_shot_range),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9]{1,9}(-[0-9]{1,9})?$", "minimum": 1}),
]
"""A shot, or shots from the first to the last, both included."""


class DetectShots(Document):
    """Find the cuts in the picture: by PySceneDetect's AdaptiveDetector, and those amid fast motion by optical flow."""

    detect: Literal["adaptive"] = "adaptive"
    """The detector. By default adaptive, the only one: it compares each frame's change with its neighbours', so that a moving camera makes few false cuts,
    and asks optical flow where a frame shows nothing of the one before."""
    threshold: Annotated[float, Field(gt=0)] = 3.0
    """How many times the average change around it a frame's change must be to count as a cut. Lower finds more cuts, as in 2.5.
    By default 3, PySceneDetect's own."""
    min_frames: Annotated[int, Field(ge=1)] = 6
    """Shortest shot in frames: a cut sooner than this after the one before is ignored. By default 6, a quarter of a second
    at 24 frames/s, so that a photographer's flash does not make two shots."""


class GivenShots(Document):
    """Take the cuts from a list that the studio has."""

    file: Annotated[str, Field(min_length=1, pattern=ONE_LINE)]
    """The cut list: a path, file:// or s3:// of a CMX3600 EDL (.edl, record time codes), an OpenTimelineIO timeline (.otio) or a
    PySceneDetect CSV (.csv), as in s3://films/the-kid.edl."""


def _which_shots(value: object) -> str:
    given = "file" in value if isinstance(value, dict) else isinstance(value, GivenShots)
    return "GivenShots" if given else "DetectShots"


Shots = Annotated[
    Annotated[DetectShots, Tag("DetectShots")] | Annotated[GivenShots, Tag("GivenShots")], Discriminator(_which_shots)
]
