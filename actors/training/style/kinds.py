"""The course "style": what a recipe can tell it. Loads no torch (course.py does)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from actors.looks.style.look import Width
from actors.training.kind import CourseKind
from jobs.document import Document


class StyleCourseSettings(Document):
    """What a recipe of this kind can tell it."""

    features: Path
    """Tiny Darknet's published weights, a safetensors file."""
    widths: tuple[Width, Width, Width] = (24, 48, 96)
    blocks: Annotated[int, Field(ge=0, le=32)] = 5
    content: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """What it counts that the photograph is still to be seen, against 1 for the style."""
    variation: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """What it counts that neighbouring pixels are alike."""
    rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    """Adam's, at its height; it falls to nothing along a half cosine."""
    size: Annotated[int, Field(ge=64, le=8192)] | None = 640
    """Long side of the pictures that its look paints where nothing else is asked, in pixels. None: the film's own."""


STYLE = CourseKind(StyleCourseSettings, "actors.training.style.course:StyleCourse", roles=("", "style"))
