"""Finds training courses by entry point, and reads and checks their settings in a recipe.

A course is a class, or a `CourseKind`, in the entry point group "film_farm.courses" of any installed distribution (see `CourseClass`).
"""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from actors.training.kind import CourseClass, not_imported
from jobs.document import Document
from jobs.errors import BadSpec
from jobs.spec.training_recipe import Recipe, wrong_fields

GROUP = "film_farm.courses"


def names() -> list[str]:
    """The kinds of courses that are installed."""
    return sorted(one.name for one in entry_points(group=GROUP))


def find(kind: str) -> CourseClass:
    """What makes a course, and what it can be told. Raises BadSpec where there is none of this kind or it cannot be imported."""
    found = {one.name: one for one in entry_points(group=GROUP)}
    if kind not in found:
        raise BadSpec(f"kind = {kind!r}: there is no such course; installed are: {', '.join(sorted(found))}.")
    try:
        return found[kind].load()  # type: ignore[no-any-return]
    except (ImportError, AttributeError) as error:
        # The second: what is installed tells another name than the module has.
        raise not_imported(kind, error) from None


def settings_of(recipe: Recipe) -> Document:
    """What a recipe tells its course, checked. Raises BadSpec for a setting it does not have, or of a wrong value."""
    course = find(recipe.kind)
    try:
        return course.settings.model_validate(recipe.course)
    except ValidationError as error:
        fields = ", ".join(course.settings.model_fields) or "none"
        raise BadSpec(f"{wrong_fields(error, 'course')} (settings of {recipe.kind}: {fields}).") from None


def checked(recipe: Recipe) -> Recipe:
    """The recipe with all its course's settings filled in; those that are paths made absolute, for workers stand elsewhere.

    Raises BadSpec for an unknown kind, a setting the course does not have, a role it has no use for, and where no picture is
    held out.
    """
    course, settings = find(recipe.kind), settings_of(recipe)
    told = " and ".join(map(repr, filter(None, course.roles))) or "no roles: leave it out"
    for number, source in enumerate(recipe.data):
        if source.role not in course.roles:
            raise BadSpec(
                f"data, entry {number + 1}, role = {source.role!r}: a course of kind {recipe.kind} has {told}."
            )
    if missing := [role for role in course.roles if role not in {source.role for source in recipe.data}]:
        raise BadSpec(f"data: a course of kind {recipe.kind} needs pictures of the role {missing[0]!r}; name some.")
    if not any(source.held_out for source in recipe.data):
        raise BadSpec(
            "data: nothing is held out, and the best checkpoint is chosen by pictures never learnt from; give a source a "
            "held_out, such as 8."
        )
    fields: dict[str, Any] = settings.model_dump(mode="json")
    for name in type(settings).model_fields:
        if isinstance(value := getattr(settings, name), Path):
            fields[name] = str(value.expanduser().absolute())
    return recipe.model_copy(update={"course": fields})
