"""Evaluates a look on what several shots of a film show: how far its colours are apart, without and with a still of another shot."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from actors.evaluation.evaluation_orders import ComparedFrames, JudgedPair, JudgedSide, SharedView
from actors.survey.neighbouring_frames import middles, run_over
from farm.fleet.calls import Call
from farm.fleet.fleet import Fleet
from farm.learn.film_evaluation import (
    FilmRequest,
    Surveyed,
    fit_colouriser,
    judged_on_film,
    refuse_grey,
    surveyed_for,
)
from farm.progress.pictures_console import EvaluationProgress
from jobs.errors import BadMedia, BadSpec, number_of
from jobs.plan.plan import Look, Range
from jobs.plan.spans import FARTHEST, PaintedFrame, Propagation
from jobs.records.evaluation import BetweenShotsEvaluation, ShotPair
from jobs.spec.job import LookChoice

FRAMES = 5
"""Of each shot that are held against those of other shots: the middle ones of as many equal parts."""
MOST_PARTS = 24
"""Of FARTHEST frames each, whose frames are held against those after them: the middle ones of as many equal parts of a long film."""
PAIRS = 24
"""Pairs that are judged, where nobody says how many."""


@dataclass(frozen=True)
class CompareCall(Call):
    """Find what some frames show that frames of other shots show as well."""

    order: ComparedFrames
    pool, method = "evaluator", "compare"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.order.number,)

    @property
    def what(self) -> str:
        read = self.order.run.read
        return f"frames {read.start} to {read.stop - 1}"


@dataclass(frozen=True)
class PairCall(Call):
    """Colour two frames that show the same, and judge them."""

    order: JudgedPair
    pool, method = "evaluator", "judge"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.order.number,)

    @property
    def what(self) -> str:
        return "frames {} and {}".format(*self.order.view.frames)


@dataclass(frozen=True, kw_only=True)
class BetweenShotsRequest(FilmRequest):
    """Which look is judged as well."""

    look: LookChoice
    pairs: int = PAIRS
    """At most, evenly spread over all that are found."""


def evaluate_between_shots(
    wish: BetweenShotsRequest, *, address: str | None = None, workers: int | None = None
) -> BetweenShotsEvaluation:
    """Judge a look. Raises BadInput for a look, a film or a place that cannot be had, for a grey film, and where no two shots show the same."""

    def refused(on: str) -> BadSpec:
        return BadSpec(f"--between-shots: {on} holds photographs; name a film.")

    return judged_on_film(judged_between_shots, wish, [wish.look], refused, address, workers)


def judged_between_shots(
    fleet: Fleet, on: str, wish: BetweenShotsRequest, progress: EvaluationProgress, workers: int | None = None
) -> BetweenShotsEvaluation:
    """The evaluation on a film at `on`, as workers know it."""
    look = fit_colouriser(wish.look)
    surveyed = surveyed_for(fleet, on, wish, "actors.evaluation.between_shots:BetweenShotsEvaluator", workers)
    shots = _chosen(surveyed.joined)
    orders = _comparisons(surveyed, shots)
    compared = len(set().union(*map(_pairs_of, orders)))
    alike = _alike(fleet, orders, shots, progress)
    if not alike:
        raise BadMedia(
            f"{on} shows nothing twice: of {number_of(compared, 'pair')} of shots that are at most {FARTHEST} frames apart none shares "
            "enough to judge by; name a film that comes back to a face or a place."
        )
    views = [alike[place] for place in middles(len(alike), wish.pairs)]
    found: dict[tuple[int, int], ShotPair] = {}
    progress.begin(2 * len(views), "judged")
    for _, judged in fleet.run([_pair(*of, look, surveyed, shots) for of in enumerate(views)], lambda *_: ()):
        found[judged.frames] = judged
        progress.judged(2 * len(found))
    progress.say()
    pairs = [found[place] for place in sorted(found)]
    refuse_grey(on, fmean(side.grey.chroma_rms for pair in pairs for side in pair.sides))
    return _summary(on, look, pairs, shots=len(surveyed.joined), compared=compared, alike=len(alike))


def _chosen(shots: Iterable[Range]) -> dict[int, int]:
    """The frames that are compared, in film order, each with the number of its shot."""
    return {shot.start + place: number for number, shot in enumerate(shots) for place in middles(shot.frames, FRAMES)}


def compared_parts(frames: Iterable[int]) -> list[int]:
    """The parts of the film, by number, whose frames are held against those after them."""
    parts = sorted({frame // FARTHEST for frame in frames})
    return [parts[place] for place in middles(len(parts), MOST_PARTS)]


def _comparisons(surveyed: Surveyed, shots: dict[int, int]) -> list[ComparedFrames]:
    """What is compared: the frames of one part of the film after the other, with those near enough after them."""
    orders = []
    for part in compared_parts(shots):
        own = [frame for frame in shots if frame // FARTHEST == part]
        held = {frame: shot for frame, shot in shots.items() if own[0] <= frame <= own[-1] + FARTHEST}
        run = run_over(surveyed.film, surveyed.frame_index, Range(own[0], max(held) + 1), own[0])
        orders.append(ComparedFrames(part, surveyed.film, held, frozenset(own), run))
    return orders


def _pairs_of(order: ComparedFrames) -> set[tuple[int, int]]:
    """The pairs of shots that one order compares."""
    return {
        (order.shots[one], order.shots[other])
        for one in order.own
        for other in order.shots
        if 0 < other - one <= FARTHEST and order.shots[one] != order.shots[other]
    }


def _alike(
    fleet: Fleet, orders: list[ComparedFrames], shots: dict[int, int], progress: EvaluationProgress
) -> list[SharedView]:
    """Of each two shots that show the same, the two frames that share most, in film order."""
    progress.begin(sum(len(order.shots) for order in orders), "compared")
    seen: set[tuple[tuple[int, ...], int]] = set()
    found: dict[tuple[int, int], SharedView] = {}
    for call, (number, views) in fleet.run(map(CompareCall, orders), lambda *_: ()):
        seen.add((call.priority, number))
        progress.judged(len(seen))
        found |= {view.frames: view for view in views}
    progress.say()
    best: dict[tuple[int, int], SharedView] = {}
    for frames in sorted(found):
        pair = shots[frames[0]], shots[frames[1]]
        if pair not in best or found[frames].places.shape[1] > best[pair].places.shape[1]:
            best[pair] = found[frames]
    return sorted(best.values(), key=lambda view: view.frames)


def _pair(number: int, view: SharedView, look: Look, surveyed: Surveyed, shots: dict[int, int]) -> PairCall:
    first, second = view.frames
    sides = _side(first, second, surveyed, shots), _side(second, first, surveyed, shots)
    return PairCall(JudgedPair(number, surveyed.film, look, view, sides))


def _side(frame: int, other: int, surveyed: Surveyed, shots: dict[int, int]) -> JudgedSide:
    """How a frame gets its colour, as in a film without stills, and in one whose only still is the other frame."""
    shot = surveyed.joined[shots[frame]]
    still = PaintedFrame(frame=other, still="truth")
    alone, matched = (
        next(span for span in Propagation(stills=stills).through(shot) if frame in range(*span.frames))
        for stills in ((), (still,))
    )
    film, index = surveyed.film, surveyed.frame_index
    itself = run_over(film, index, Range(frame, frame + 1), frame)
    return JudgedSide(alone, matched, run_over(film, index, matched.read, matched.read.start), itself)


def _summary(
    on: str, look: Look, pairs: list[ShotPair], *, shots: int, compared: int, alike: int
) -> BetweenShotsEvaluation:
    sides = [side for pair in pairs for side in pair.sides]
    return BetweenShotsEvaluation(
        on=on,
        look=look.choice,
        shots=shots,
        compared=compared,
        alike=alike,
        pairs=len(pairs),
        patches=sum(pair.patches for pair in pairs),
        truth=fmean(pair.truth for pair in pairs),
        alone=fmean(pair.alone for pair in pairs),
        unmatched=fmean(side.unmatched for side in sides),
        matched=fmean(side.matched for side in sides),
        unmatched_error=fmean(side.unmatched_error.de00 for side in sides),
        matched_error=fmean(side.matched_error.de00 for side in sides),
        each=tuple(pairs),
    )
