"""The course "matching": what a recipe can tell it. Loads no torch (course.py does)."""

from typing import Annotated

from pydantic import Field

from actors.training.kind import CourseKind
from jobs.document import Document


class MatchingCourseSettings(Document):
    """What a recipe of this kind can tell it."""

    rate: Annotated[float, Field(gt=0, le=0.1)] = 2e-3
    """Adam's, at its height; it falls to nothing along a straight line."""


MATCHING = CourseKind(MatchingCourseSettings, "actors.training.matching.course:MatchingCourse")
