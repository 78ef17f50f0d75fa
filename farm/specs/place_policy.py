"""Refuses a spec or a recipe for a cluster that names a place which its operator has not allowed, by the field that names it.

A cluster's workers read and write as its operator, and a spec may be anybody's: without a word from the operator it names
no file of theirs, and where FARM_ALLOWED_PLACES is set, nothing in S3 beside it. What is opened later is asked of once more, as it
is opened (jobs/store/allowed_places.py). On Ray that is started here, for one film, whoever wrote the command is the operator.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from farm.fleet.ray_session import joins_cluster
from jobs.errors import BadSpec
from jobs.film.image_sequence_names import pattern
from jobs.spec.job import JobSpec, LookChoice
from jobs.spec.shots import GivenShots
from jobs.spec.training_recipe import Recipe
from jobs.store import locate
from jobs.store.allowed_places import FOLDERS, PLACES, check_environment, confined, is_allowed
from jobs.untrusted import is_local, texts


def confine_spec(
    spec: JobSpec, address: str | None, *, planned_only: bool = False, looks: Iterable[LookChoice] = ()
) -> AbstractContextManager[None]:
    """A block in which the spec is worked on, at a cluster or here. Raises BadSpec for a place that is not allowed where a cluster is to be joined at `address`.

    `planned_only`: nothing is kept or delivered, so store and output do not count. `looks`: those that it is shown in beside its own.
    """
    return _confine(_places(spec, planned_only), _places_of_looks(spec, looks), address)


def confine_recipe(recipe: Recipe, address: str | None) -> AbstractContextManager[None]:
    """The same for a training."""
    data = [(f"data, entry {number + 1}, pictures", one.pictures) for number, one in enumerate(recipe.data)]
    return _confine([("out", recipe.out), *data], named_places(recipe.course, "course"), address)


def confine_evaluation(
    options: Mapping[str, str | None], looks: Iterable[LookChoice], address: str | None
) -> AbstractContextManager[None]:
    """The same for an evaluation; `options`: places by the option that names them."""
    named = [(option, place) for option, place in options.items() if place is not None]
    return _confine(named, (place for look in looks for place in _places_of(look, "look")), address)


def _confine(
    named: Iterable[tuple[str, str]], by_looks: Iterable[tuple[str, str]], address: str | None
) -> AbstractContextManager[None]:
    joins = joins_cluster(address)
    if joins:
        check_environment()
        for field, place in named:
            _refuse(field, place, looks=False)
        for field, place in by_looks:
            _refuse(field, place, looks=True)
    return confined(joins)


def _refuse(field: str, place: str, *, looks: bool) -> None:
    # The number of an image sequence, %04d, is no part of a place that is there.
    folder = place.rpartition("/")[0] if pattern(place) else place
    if is_allowed(folder or "/", looks=looks):
        return
    if isinstance(locate(folder or "/"), Path):
        raise BadSpec(
            f"{field} = {place!r}: a job for a cluster names no local file that its operator has not allowed; "
            f"put it into S3, or into a folder that {FOLDERS} names."
        )
    raise BadSpec(
        f"{field} = {place!r}: a job for this cluster names only places that its operator has allowed; name one of those, or "
        f"have it added to {PLACES}."
    )


def _places(spec: JobSpec, planned_only: bool) -> Iterator[tuple[str, str]]:
    """Every place that the spec names itself, by its field."""
    yield "source", spec.source
    if not planned_only:
        yield "store", spec.store
        yield "output", spec.output
    if isinstance(spec.shots, GivenShots):
        yield "shots.file", spec.shots.file
    if spec.stills is not None:
        yield "stills", spec.stills
    yield from places_of_grades(spec)


def places_of_grades(spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Every file of a CDL or a LUT that a spec names, by its field."""
    named = [
        ("grade", spec.grade),
        *((f"override {number}, grade", one.grade) for number, one in enumerate(spec.overrides, 1)),
    ]
    for field, grade in named:
        if grade and isinstance(grade.cdl, str):
            yield f"{field}.cdl", grade.cdl
        if grade and grade.lut:
            yield f"{field}.lut", grade.lut


def _places_of_looks(spec: JobSpec, beside: Iterable[LookChoice]) -> Iterator[tuple[str, str]]:
    for look in beside:
        yield from _places_of(look, "look")
    yield from _places_of(spec.look, "look")
    for number, one in enumerate(spec.overrides):
        if one.look:
            yield from _places_of(one.look, f"override {number + 1}, look")


def _places_of(look: LookChoice, field: str) -> Iterator[tuple[str, str]]:
    if "/" in look.name:
        yield f"{field}.name", look.name
    yield from named_places(look.settings, f"{field}.settings")


def named_places(settings: object, field: str) -> Iterator[tuple[str, str]]:
    """Every text in settings that names a file of this machine, or a place in S3, with the path of its field."""
    for path, text in texts(settings, field):
        if text.startswith("s3://") or is_file_here(text):
            yield path, text


def is_file_here(text: str) -> bool:
    """Whether a text in a setting names a file of this machine: as a path does, and a name with an ending where there is such a file here."""
    return is_local(text) or ("." in text and os.path.lexists(text))
