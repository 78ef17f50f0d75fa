"""Which local paths a spec may name when it is rendered on a cluster. Paths that the operator has not allowed are refused.

A cluster's workers read and write as its operator, and a spec may be anybody's: without a word from the operator it names
no file of theirs. On Ray that is started here, for one film, whoever wrote the command is the operator.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from farm.fleet.ray_session import joins_cluster
from jobs.errors import BadSpec
from jobs.spec.job import JobSpec, LookChoice
from jobs.spec.shots import GivenShots
from jobs.store import locate
from jobs.store.sequence import is_sequence
from jobs.untrusted import is_local, texts

FOLDERS = "FARM_ALLOWED_FOLDERS"
"""The environment variable: folders, separated as in PATH. What lies in them, links resolved, may be named."""


def refuse_local(spec: JobSpec, address: str | None, *, planned_only: bool = False) -> None:
    """Raises BadSpec for a local place that is not allowed, where a cluster is to be joined at `address`.

    `planned_only`: nothing is kept or delivered, so store and output do not count. A link that is changed afterwards is not seen.
    """
    if not joins_cluster(address):
        return
    for field, place in _places(spec, planned_only):
        if not is_allowed(place):
            raise BadSpec(
                f"{field} = {place!r}: a job for a cluster names no local file that its operator has not allowed; "
                f"put it into S3, or into a folder that {FOLDERS} names."
            )


def is_allowed(place: str) -> bool:
    """Whether a place is none of this machine's, or lies with all that it leads to in a folder that the operator names."""
    folders = [
        os.path.realpath(os.path.expanduser(one)) for one in os.environ.get(FOLDERS, "").split(os.pathsep) if one
    ]
    found = locate(place)
    return not isinstance(found, Path) or all(
        any(Path(real).is_relative_to(folder) for folder in folders) for real in _real(found, place)
    )


def _places(spec: JobSpec, planned_only: bool) -> Iterator[tuple[str, str]]:
    """Every place the spec names, by its field."""
    yield "source", spec.source_url
    if not planned_only:
        yield "store", spec.store
        yield "output", spec.output
    if isinstance(spec.shots, GivenShots):
        yield "shots.file", spec.shots.file
    if spec.stills is not None:
        yield "stills", spec.stills
    yield from _places_of(spec.look, "look")
    for number, one in enumerate(spec.overrides):
        if one.look:
            yield from _places_of(one.look, f"override {number + 1}, look")


def _places_of(look: LookChoice, field: str) -> Iterator[tuple[str, str]]:
    if "/" in look.name:
        yield f"{field}.name", look.name
    yield from local_texts(look.settings, f"{field}.settings")


def local_texts(settings: object, field: str) -> Iterator[tuple[str, str]]:
    """Every text in a look's settings that names a file of this machine, with the path of its field."""
    for path, text in texts(settings, field):
        # A name with an ending is a file where there is such a one here.
        if is_local(text) or ("." in text and os.path.lexists(text)):
            yield path, text


def _real(place: Path, said: str) -> Iterator[str]:
    """The place without links; of an image sequence its folder, and what links in it lead to."""
    if not is_sequence(said):
        yield os.path.realpath(place)
        return
    named = "%" in place.name or "#" in place.name
    folder = os.path.realpath(place.parent if named else str(place).partition("?")[0])
    yield folder
    if os.path.isdir(folder):
        with os.scandir(folder) as entries:
            yield from (os.path.realpath(one.path) for one in entries if one.is_symlink())
