"""Reserves a job's file names in the output. A name that another job owns is refused before any work.

Names are released when the job fails or is cancelled and nothing lies under them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import uuid4

from farm.film.film_run import FilmRun
from farm.film.survey_run import SurveyRun
from jobs.errors import BadStore, FarmError, StoreDown, StoreFault
from jobs.output.handover import HeldName
from jobs.output.ownership import (
    ClaimedName,
    claim,
    give_back,
    name_of_deliverable,
    name_of_proof,
    name_of_reports,
    report_key,
)
from jobs.store import open_store


@contextmanager
def claimed_output(film: FilmRun) -> Iterator[None]:
    """Every name that the film's run writes in the output is this job's.

    Raises NameTaken where one is another's. Where the block ends in an error of the farm's, or was asked to stop by
    `farm cancel`, or the film fails for what was set aside (`on_error: fail`), names under which nothing lies are free again.
    Ctrl-C keeps them: it must not wait for a store.
    """
    spec = film.survey.spec
    names = [name_of_reports(spec), *(name_of_deliverable(spec, one) for one in film.deliverables)]
    with _claimed(film.survey, names, film.run):
        yield
    if (
        spec.on_error == "fail" and film.aside.held and not film.left_out
    ):  # it will be told so; what is held will be gone on with
        give_back(open_store(spec.output), names, film.run)


@contextmanager
def claimed_proof(survey: SurveyRun) -> Iterator[None]:
    """The folder of the job's contact sheets is this job's, as `claimed_output` has it."""
    with _claimed(survey, [name_of_proof(survey.spec)], uuid4().hex):
        yield


@contextmanager
def _claimed(survey: SurveyRun, names: Sequence[ClaimedName], run: str) -> Iterator[None]:
    output = open_store(survey.spec.output)
    claim(survey.ledger, output, names, run)
    try:
        yield
    except FarmError as error:
        if not isinstance(error, StoreDown):  # whose store would be waited for once more
            with suppress(BadStore, StoreDown, StoreFault):
                give_back(output, names, run)
        raise


def held_reports(film: FilmRun) -> HeldName:
    """The run's hold on the names of the job's reports."""
    spec = film.survey.spec
    return HeldName(film.ledger, open_store(spec.output), report_key(spec.key), film.run)
