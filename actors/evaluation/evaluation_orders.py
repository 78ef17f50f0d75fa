"""What evaluation workers are asked for: the material, spans of film and pairs of frames to judge, and photographs by name."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.survey.neighbouring_frames import NeighbouringFrames
from jobs.errors import BadMedia
from jobs.film.source import Film
from jobs.plan.plan import Look
from jobs.plan.spans import Span
from jobs.spec.job import Reading
from jobs.store import open_store

ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")


class EvaluationMaterial(NamedTuple):
    """Where an evaluation's pictures come from, and where its sheets go."""

    on: str
    """A folder of photographs, or a film; s3:// of either."""
    out: str | None
    """A folder or s3://bucket/prefix; None: no sheets."""
    reading: Reading = Reading()


class JudgedSpan(NamedTuple):
    """A span whose anchors are true frames, and those of its other frames that are judged."""

    number: int
    """Of its sheet."""
    film: Film
    span: Span
    judged: frozenset[int]
    run: NeighbouringFrames
    """All frames that the span reads."""
    look: Look | None = None
    """Whose own colour of the anchors, alone and with strokes, is propagated as well; None: the truth's alone."""
    strokes: int = 0
    """Drawn on each anchor."""


class SharedView(NamedTuple):
    """Two frames of different shots that show the same patches."""

    frames: tuple[int, int]
    places: NDArray[np.float32]
    """In both frames (2, N, 2)."""


class ComparedFrames(NamedTuple):
    """Frames of some shots that are held against those of other shots, as far as these are near."""

    number: int
    film: Film
    shots: dict[int, int]
    """Of each frame the number of its shot, in film order."""
    own: frozenset[int]
    """Frames that those after them are held against."""
    run: NeighbouringFrames
    """From the first of the frames to the last."""


class JudgedSide(NamedTuple):
    """One frame of a pair, which the look colours."""

    alone: Span
    """By which it gets its colour where the other frame is no still."""
    matched: Span
    """The same where it is one."""
    run: NeighbouringFrames
    """All frames that either span reads."""
    frame: NeighbouringFrames
    """It alone."""


class JudgedPair(NamedTuple):
    """Two frames that show the same patches, and how each gets its colour."""

    number: int
    """Of its sheet."""
    film: Film
    look: Look
    view: SharedView
    sides: tuple[JudgedSide, JudgedSide]


def names_in(place: str) -> list[str]:
    """The photographs of a folder or s3://bucket/prefix and all folders below, by name. Raises BadMedia where there is none."""
    found = [name for name in open_store(place).list("") if name.lower().endswith(ENDINGS)]
    if not found:
        raise BadMedia(f"{place} holds no photographs ({', '.join(ENDINGS)}); name a folder of them, or a film.")
    return found
