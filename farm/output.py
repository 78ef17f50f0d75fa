"""The output's names: whose they are. Promises that a name which another job has is refused before any work, and given back by a job that comes to nothing; writes no film."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from farm.production import Production
from farm.scout import Scout
from jobs.errors import FarmError, Stopped
from jobs.handover import Held
from jobs.ownership import (
    Name,
    claim,
    give_back,
    name_of_deliverable,
    name_of_proof,
    name_of_reports,
    report_key,
)
from jobs.store import open_store


@contextmanager
def claimed_output(film: Production) -> Iterator[None]:
    """Every name that the film's run writes in the output is this job's.

    Raises NameTaken where one is another's. Where the block ends in an error of the farm's, names that are new to the job,
    and under which nothing lies, are free again.
    """
    spec = film.scout.spec
    names = [name_of_reports(spec), *(name_of_deliverable(spec, one) for one in film.deliverables)]
    with _claimed(film.scout, names, film.run):
        yield


@contextmanager
def claimed_proof(scout: Scout) -> Iterator[None]:
    """The folder of the job's contact sheets is this job's, as `claimed_output` has it."""
    with _claimed(scout, [name_of_proof(scout.spec)], uuid4().hex):
        yield


@contextmanager
def _claimed(scout: Scout, names: Sequence[Name], run: str) -> Iterator[None]:
    output = open_store(scout.spec.output)
    fresh = claim(scout.ledger, output, names, run)
    try:
        yield
    except FarmError as error:
        if not isinstance(error, Stopped):
            give_back(output, fresh)
        raise


def held_reports(film: Production) -> Held:
    """The run's hold on the names of the job's reports."""
    spec = film.scout.spec
    return Held(film.ledger, open_store(spec.output), report_key(spec.name), film.run)
