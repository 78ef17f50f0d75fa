"""The course "unpaired": what a recipe can tell it. Loads no torch (course.py does)."""

from typing import Annotated

from pydantic import Field

from actors.looks.unpaired.look import Shape
from actors.training.kind import CourseKind
from jobs.document import Document

ROLES = ("source", "target")


class UnpairedCourseSettings(Document):
    """What a recipe can tell the course."""

    shape: Shape = Shape()
    """Of both generators."""
    critic_width: Annotated[int, Field(ge=4, le=256)] = 32
    critic_halvings: Annotated[int, Field(ge=1, le=4)] = 3
    """3: critics judge patches of 70x70 pixels; 2: 34x34, 1: 16x16."""
    rate: Annotated[float, Field(gt=0, le=0.1)] = 2e-4
    """Adam's step size, for the first half of the steps."""
    cycle_source: Annotated[float, Field(ge=0, le=1000)] = 10.0
    """Weight of what is lost from source to target and back. Low where a target holds less than its source: a generator
    that must bring colours back from a pencil drawing hides them in the drawing."""
    cycle_target: Annotated[float, Field(ge=0, le=1000)] = 10.0
    """Weight of what is lost from target to source and back."""
    identity: Annotated[float, Field(ge=0, le=1000)] = 5.0
    """Weight of what a generator changes in a picture that is already of the kind it makes."""


UNPAIRED = CourseKind(UnpairedCourseSettings, "actors.training.unpaired.course:UnpairedCourse", ROLES)
