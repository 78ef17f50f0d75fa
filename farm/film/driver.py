"""The driver: takes one film from source to deliverables. The same call made again resumes where the last one stopped.

Read `render_film` and you know what happens to a film.
"""

from collections import deque
from collections.abc import Iterable

from farm.film.calls import ChunkCall, RenderCall
from farm.film.film_run import FilmRun
from farm.film.output_names import claimed_output
from farm.film.report import put_down_made
from farm.film.review.publisher import review_page
from farm.film.setup import Preflight, decide_deliverables, enter, open_film
from farm.film.shot_selection import ALL, ShotSelection
from farm.fleet.calls import Call, RetriesExhausted
from farm.fleet.fleet import Fleet
from farm.progress.console import ProgressConsole
from farm.progress.mixed_hardware import MixedHardware, made_on
from farm.progress.throughput import pace_of
from jobs.errors import Damaged
from jobs.film.frame_index import Page
from jobs.records.cuts import Cuts
from jobs.records.deliverables import DeliverableFacts
from jobs.records.guides import GuideRecord, ReferenceRecord, RefusedStill
from jobs.records.orders import DeviceUsage, FramesRendered, HandlesRecord, SegmentRecord, SplitRecord
from jobs.records.report import Conform


def render_film(job: Preflight, *, fleet: Fleet, console: ProgressConsole, shots: ShotSelection = ALL) -> FilmRun:
    """Carry one film from source to deliverables. Safe to run again: what is on paper is read, not made anew.

    `shots`: the only ones to be rendered; the film is delivered where with them all of it is there.
    Gives the finished production; its report says whether every deliverable is what the plan says. Raises BadInput for
    what the user can mend, FilmFailed where the film could not be finished.
    """
    mended: set[str] = set()
    while True:
        try:
            return _carry(job, shots, fleet=fleet, console=console)
        except Damaged as damage:  # an object of the store; its record is set aside, and all the rest is on paper
            if damage.record in mended:
                raise
            mended.add(damage.record)
            if damage.missing:  # a worker did not find it, and neither does the driver
                job.ledger.set_aside(damage.record)
            console.begin_again(f"{damage} It is made again now.")


def _carry(job: Preflight, shots: ShotSelection, *, fleet: Fleet, console: ProgressConsole) -> FilmRun:
    survey = open_film(job, fleet=fleet, console=console)
    mixture = MixedHardware(console)
    fleet.expect("renderer", survey.expected_chunks)  # their weights are loaded while the film is surveyed
    film = FilmRun(survey, decide_deliverables(survey, fleet), console, shots)
    page = review_page(film)

    def follow(call: Call, found: object) -> Iterable[Call]:
        """What each finished piece makes possible. Survey, split and render work side by side."""
        mixture.heard(made_on(found))
        match call, found:
            case _, Page() | Cuts():  # the index or the cuts have grown, and the plan with them
                yield from survey.calls_after_finding(found)
                yield from film.calls_after_plan(survey.fresh())
            case _, SplitRecord():  # a chunk's packets, handles included, lie in the store
                yield from film.calls_after_split(found)
            case ChunkCall(), RetriesExhausted():  # a chunk went wrong too often: it is set aside, and the rest goes on
                yield from film.calls_after_failure(call, found)
            case _, FramesRendered():
                film.progress(found)
            case RenderCall(orders=orders), DeviceUsage():
                console.worked(found, pace_of(orders, found, console.progress.renderers_ready))
            case _, HandlesRecord():  # frames after a seam, as a neighbour renders them, are kept for a dissolve
                yield from film.calls_after_handles(found)
            case _, ReferenceRecord() | RefusedStill() | GuideRecord():  # a still is judged, or a span has its colour
                yield from film.calls_after_colour(found)
            case _, SegmentRecord():  # a chunk's core, or its dissolved opening, is encoded and kept
                page.keep(found)
            case _, DeliverableFacts() | Conform():  # a deliverable is stitched; it is proven, and in its place
                film.hand_over(found)
        for pool, calls in (("renderer", film.renders_to_come), ("surveyor", 0), ("splitter", 0)):
            fleet.expect(pool, calls, sure=survey.done)  # known exactly, so whoever is not needed any more goes
        yield from film.stitch_calls()  # once every frame's time is known; from then on deliverables grow with the finished prefix

    with claimed_output(film):  # what another job owns is refused before any work
        first = [*survey.survey_calls(), *film.calls_after_plan(survey.fresh()), *film.stitch_calls()]
        enter(job)  # nothing has refused it
        deque(fleet.run(first, lambda call, found: film.propagation.worth_making(follow(call, found))), maxlen=0)
    put_down_made(film)
    return film
