"""The driver: carries one film from source to deliverables. Promises that the same call goes on where it was left; touches no pixel, knows no Ray.

Read `render_film` and you know what happens to a film.
"""

from collections.abc import Iterable

from farm.board import Board
from farm.calls import Call
from farm.crews import crews_for
from farm.fleet import Fleet
from farm.production import Production
from farm.scout import Scout
from jobs.deliverables import DeliverableFacts, DeliverablePlan
from jobs.errors import BadMedia, NotConformed
from jobs.film import Film
from jobs.index import Page
from jobs.ledger import Ledger
from jobs.records import Cuts, FramesRendered, SegmentRecord, SplitRecord
from jobs.report import Conform, FilmReport
from jobs.spec import JobSpec


def render_film(spec: JobSpec, *, ledger: Ledger, fleet: Fleet, board: Board) -> FilmReport:
    """Carry one film from source to deliverables. Safe to run again: what is on paper is read, not made anew.

    Raises BadInput for what the user can mend, FilmFailed where the film could not be finished, NotConformed where a
    deliverable is not what the plan says.
    """
    ledger.enter(spec)
    scout = scout_for(spec, ledger=ledger, fleet=fleet, board=board)
    deliverables = decide_deliverables(spec, scout.film, fleet)
    film = Production(scout.film, scout, deliverables, ledger)
    proofs: list[Conform] = []

    def follow(found: object) -> Iterable[Call]:
        """What each finished piece makes possible. The survey, the renderers and the stitcher work side by side."""
        match found:
            case Page() | Cuts():  # the index or the cuts have grown, and so has the plan
                yield from scout.learn(found)
                yield from film.split(board.planned(scout.fresh()))
            case SplitRecord():  # a chunk's packets, handles included, lie in the store
                yield from film.render(found)
            case FramesRendered():
                board.rendered(found)
            case SegmentRecord():  # a chunk's core is rendered, encoded and kept
                film.keep(found)
                board.finished(found)
            case DeliverableFacts():
                yield from film.inspect(found)
            case Conform():
                proofs.append(found)
        yield from film.stitch()  # as soon as no chunk is missing

    fleet.hire(crews_for(spec, looks=scout.looks, cluster=fleet.cluster))
    fleet.run([*scout.begin(), *film.split(board.planned(scout.fresh())), *film.stitch()], follow)
    return film.report(proofs)
