"""The survey, fed by hand: whatever the order and however often findings come, one film has one plan."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.mux.stream_plan import plan_deliverables
from actors.survey.surveyor import Surveyor
from farm.film.calls import ContinuedCall, CutsCall, GivenCutsCall, IndexCall
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call
from jobs.film.frame_index import Page
from jobs.plan.plan import Chunk, Range
from jobs.records.cuts import Cuts
from jobs.spec.advice import UnfitDeliverable
from jobs.spec.job import JobSpec
from tests.farm.inline import shot_list, survey_of
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.jobs.plan.test_output_timing import index_of

FRAMES = 200
CUTS = (30, 47, 52, 110, 150)
RATE = Fraction(2)
"""Frames a second: few, so that a small film has many ranges."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(frames=FRAMES, cuts=CUTS, rate=RATE, open_gop=True, gop=12)
    return recipe.make(tmp_path_factory.mktemp("film") / "film.mkv")


@pytest.fixture(scope="module")
def pages(film: Path) -> list[Page]:
    """The film's index in pages of 24 packets, the empty one at the end included."""
    whole = Page.join(list(Surveyor(str(film)).pages()))
    starts = range(0, len(whole), 24)
    return [_part(whole, start, start + 24) for start in starts] + [_part(whole, 0, 0)]


def _part(page: Page, start: int, stop: int) -> Page:
    return Page(**{name: getattr(page, name)[start:stop] for name in Page.__dataclass_fields__})


class Survey:
    """A survey by hand: the pages in order, the cuts as they are asked for."""

    _known: dict[tuple[object, ...], Cuts] = {}  # noqa: RUF012  cuts of one film, found once for all tests

    def __init__(self, spec: JobSpec, pages: Sequence[Page]) -> None:
        self.spec = spec
        self.survey = survey_of(spec)
        self.pages = list(pages)
        self.searches: list[CutsCall | ContinuedCall] = []
        self.chunks: list[Chunk] = []
        self._see(self.survey.survey_calls())

    def turn(self) -> None:
        """The next page arrives."""
        self._learn(self.pages.pop(0))

    def search(self, place: int = 0) -> None:
        """One of the ranges that were asked for has been looked through."""
        self._learn(self.look(self.searches.pop(place)))

    def finish(self) -> SurveyRun:
        """All that is left, in the plain order."""
        while self.pages:
            self.turn()
        while self.searches:
            self.search()
        return self.survey

    def look(self, call: CutsCall | ContinuedCall) -> Cuts:
        """What a search finds."""
        if isinstance(call, ContinuedCall):
            return Surveyor(self.spec.source).continued(*call.arguments)  # type: ignore[arg-type]
        name = (self.spec.source, *call.arguments[2:])
        if name not in self._known:
            self._known[name] = Surveyor(self.spec.source).cuts(*call.arguments)  # type: ignore[arg-type]
        return self._known[name]

    def _learn(self, found: Page | Cuts) -> None:
        self._see(self.survey.calls_after_finding(found))

    def _see(self, calls: Sequence[Call]) -> None:
        for call in calls:
            if isinstance(call, GivenCutsCall):
                self._learn(Surveyor(self.spec.source).given_cuts(call.url, call.film, call.pts))
        self.searches += [call for call in calls if isinstance(call, CutsCall | ContinuedCall)]
        self.chunks += self.survey.fresh()


@pytest.fixture
def spec(film: Path, tmp_path: Path) -> JobSpec:
    return spec_of(film, tmp_path, chunk_seconds=10, shots={"detect": "adaptive", "min_frames": 1})


def with_store(spec: JobSpec, folder: Path, **more: Any) -> JobSpec:
    return spec.model_copy(update={"store": str(folder), **more})


def starts(survey: SurveyRun) -> list[int]:
    return [shot.frames.start for shot in survey.plan.shots]


def test_the_plan_follows_the_cuts(spec: JobSpec, pages: list[Page]) -> None:
    by_hand = Survey(spec, pages)
    survey = by_hand.finish()
    assert survey.done
    assert starts(survey) == [0, *CUTS]
    assert (survey.plan.frames, survey.plan.chunks) == (FRAMES, by_hand.chunks)
    assert [chunk.number for chunk in by_hand.chunks] == list(range(1, len(by_hand.chunks) + 1))


@pytest.mark.parametrize("seed", range(6))
def test_findings_in_any_order_give_one_plan(spec: JobSpec, pages: list[Page], tmp_path: Path, seed: int) -> None:
    plain = Survey(spec, pages)
    plain.finish()
    some, mixed = random.Random(seed), Survey(with_store(spec, tmp_path / "mixed"), pages)
    while mixed.pages or mixed.searches:
        if mixed.pages and (not mixed.searches or some.random() < 0.5):
            mixed.turn()
        else:
            mixed.search(some.randrange(len(mixed.searches)))
        # What has been planned never changes.
        assert mixed.chunks == plain.chunks[: len(mixed.chunks)]
    assert mixed.survey.done
    assert mixed.survey.plan == plain.survey.plan


def test_the_last_range_first_plans_nothing(spec: JobSpec, pages: list[Page]) -> None:
    by_hand = Survey(spec, pages)
    while by_hand.pages:
        by_hand.turn()
    assert len(by_hand.searches) >= 4
    while len(by_hand.searches) > 1:
        by_hand.search(len(by_hand.searches) - 1)
        assert not by_hand.chunks
    by_hand.search()
    assert by_hand.survey.done


def test_pages_that_come_again_are_known(spec: JobSpec, pages: list[Page]) -> None:
    once = Survey(spec, pages)
    for _ in range(3):
        once.turn()
    known = len(once.searches)
    # The demux's worker was lost, so another began anew.
    once.pages = pages[:]
    for _ in range(3):
        once.turn()
    assert (len(once.survey.pages), len(once.searches)) == (3, known)
    once.finish()
    assert once.survey.calls_after_finding(pages[-1]) == []
    assert starts(once.survey) == [0, *CUTS]
    assert len(once.survey.ledger.pages(0)) == len(pages)


def test_cuts_that_come_again_change_nothing(spec: JobSpec, pages: list[Page]) -> None:
    by_hand = Survey(spec, pages)
    for _ in pages:
        by_hand.turn()
    first = by_hand.searches[0]
    by_hand.search()
    planned = by_hand.chunks[:]
    assert planned
    by_hand.survey.calls_after_finding(by_hand.look(first))
    assert by_hand.survey.fresh() == []
    by_hand.finish()
    assert starts(by_hand.survey) == [0, *CUTS]


def test_a_finished_survey_is_read_from_paper(spec: JobSpec, pages: list[Page]) -> None:
    first = Survey(spec, pages).finish()
    again = survey_of(spec)
    assert again.survey_calls() == []
    assert again.fresh() == first.plan.chunks
    assert again.done


def test_a_paper_that_tells_of_other_frames_than_its_name_is_sought_again(spec: JobSpec, pages: list[Page]) -> None:
    first = Survey(spec, pages).finish()
    name = max(first.ledger.names("survey/0/cuts-"))
    kept = first.ledger.paper(name, Cuts)
    assert kept
    first.ledger.keep_paper(
        name, kept.model_copy(update={"frames": Range(kept.frames.start, 2**32)}), only_if_absent=False
    )
    again = survey_of(spec)
    assert [call.searched for call in again.survey_calls() if isinstance(call, CutsCall)] == [kept.frames]
    assert all(chunk.core.stop <= kept.frames.start for chunk in again.fresh())


def test_a_broken_off_survey_goes_on_where_it_was(spec: JobSpec, pages: list[Page]) -> None:
    by_hand = Survey(spec, pages)
    for _ in range(5):
        by_hand.turn()
    asked = [call.searched for call in by_hand.searches]
    assert len(asked) >= 2
    by_hand.search(1)

    again = survey_of(spec)
    demux, *searches = again.survey_calls()
    assert isinstance(demux, IndexCall)
    assert demux.kept == 5 * 24
    assert demux.last is not None
    assert np.array_equal(demux.last.pts, pages[4].pts)
    assert [call.searched for call in searches if isinstance(call, CutsCall)] == [asked[0], *asked[2:]]
    # And the pages that such a demux brings are the ones that were missing.
    rest = Page.join(list(Surveyor(spec.source).pages(demux.kept, demux.last)))
    assert np.array_equal(rest.pts, Page.join(pages[5:]).pts)


def test_a_survey_under_way_plans_only_what_is_settled(spec: JobSpec, pages: list[Page]) -> None:
    by_hand = Survey(spec, pages)
    by_hand.turn()
    assert (by_hand.searches, by_hand.chunks) == ([], [])
    for _ in range(4):
        by_hand.turn()
    while by_hand.searches:
        looked_through = by_hand.searches[0].searched.stop
        by_hand.search()
        # The last shot goes on beyond what has been looked through: its end is not known, nor its last two chunks.
        known = max((cut for cut in CUTS if cut < looked_through), default=0)
        assert by_hand.survey.plan.edge == known
        beyond = max(0, -(-(looked_through - known) // 20) - 2)
        assert by_hand.survey.plan.frames == known + 20 * beyond
        assert not by_hand.survey.done
    assert 0 < by_hand.survey.plan.frames < 5 * 24
    assert not by_hand.survey.complete


def test_a_shot_without_end_is_begun_at_once(spec: JobSpec, pages: list[Page], tmp_path: Path) -> None:
    wish = spec_of(
        spec.source,
        tmp_path,
        chunk_seconds=4,
        shots={"detect": "adaptive", "threshold": 1000},
        overrides=[{"frames": [100, 140], "look": {"name": "test-negative"}}],
    )
    by_hand = Survey(wish, pages)
    while not by_hand.searches:
        by_hand.turn()
    looked_through = by_hand.searches[0].searched.stop
    assert looked_through < 100
    by_hand.search()
    # The last two may yet be of other lengths.
    chunks = -(-looked_through // 8) - 2
    assert [chunk.core for chunk in by_hand.chunks] == [(n, n + 8) for n in range(0, 8 * chunks, 8)] != []
    assert by_hand.survey.plan.shots == []
    whole = by_hand.finish()
    assert [shot.frames for shot in whole.plan.shots] == [(0, 100), (100, 140), (140, FRAMES)]
    again = Survey(with_store(wish, tmp_path / "again"), pages)
    while again.pages:
        again.turn()
    again.searches.reverse()
    assert again.finish().plan == whole.plan
    assert by_hand.chunks == again.chunks == whole.plan.chunks


@pytest.mark.parametrize(("least", "kept"), [(1, CUTS), (6, (30, 47, 110, 150)), (20, (30, 52, 110, 150)), (500, ())])
def test_cuts_too_near_each_other_are_none(
    spec: JobSpec, pages: list[Page], tmp_path: Path, least: int, kept: Sequence[int]
) -> None:
    wish = spec_of(spec.source, tmp_path, chunk_seconds=10, shots={"detect": "adaptive", "min_frames": least})
    assert starts(Survey(wish, pages).finish()) == [0, *kept]


def test_another_threshold_is_another_survey_of_cuts(spec: JobSpec, pages: list[Page], film: Path) -> None:
    Survey(spec, pages).finish()
    other = spec.model_copy(update={"shots": spec.shots.model_copy(update={"threshold": 1000.0})})
    searches = survey_of(other).survey_calls()
    assert {isinstance(call, CutsCall) and call.threshold for call in searches} == {1000.0}


def _given(survey: SurveyRun, pages: Sequence[Page]) -> Iterator[Call]:
    yield from survey.survey_calls()
    for page in pages:
        yield from survey.calls_after_finding(page)


def test_a_given_list_is_asked_for_once_all_times_are_known(spec: JobSpec, pages: list[Page], tmp_path: Path) -> None:
    listed = shot_list(tmp_path / "cuts.csv", 0, 20, 70, frames=FRAMES)
    survey = survey_of(spec_of(spec.source, tmp_path, shots={"file": str(listed)}))
    demux, call = _given(survey, pages)
    assert isinstance(demux, IndexCall)
    assert isinstance(call, GivenCutsCall)
    assert (survey.fresh(), survey.done) == ([], False)
    found = Surveyor(spec.source).given_cuts(call.url, call.film, call.pts)
    assert survey.calls_after_finding(found) == []
    survey.fresh()
    assert (starts(survey), survey.done) == ([0, 20, 70], True)
    assert survey.calls_after_finding(found) == []
    assert survey.fresh() == []


FALSE = (38, 70, 86, 125, 170)
"""Frames where the picture goes on."""


def propagated(spec: JobSpec, folder: Path, *listed: int, **more: Any) -> JobSpec:
    """By a list of cuts, with the colour propagated."""
    cuts = shot_list(folder / f"{len(listed)}.csv", 0, *listed, frames=FRAMES)
    look = {"name": "colorize", "settings": {"size": 128}}
    return spec_of(spec.source, folder, look=look, shots={"file": str(cuts)}, propagate=True, chunk_seconds=10, **more)


def test_colour_goes_over_listed_cuts_at_which_the_picture_goes_on(
    spec: JobSpec, pages: list[Page], tmp_path: Path
) -> None:
    every = sorted((*CUTS, *FALSE))
    survey = Survey(propagated(spec, tmp_path, *every), pages).finish()
    assert starts(survey) == [0, *every]
    joined = [shot.look.propagation and shot.look.propagation.joined for shot in survey.plan.shots]
    assert joined == [
        *[None, Range(30, 47), Range(30, 47), None],
        *[Range(52, 110)] * 3,
        *[Range(110, 150)] * 2,
        *[Range(150, 200)] * 2,
    ]
    true = Survey(propagated(spec, tmp_path, *CUTS), pages).finish()
    assert {span for chunk in survey.plan.chunks for span in chunk.spans} == {
        span for chunk in true.plan.chunks for span in chunk.spans
    }
    for alone in ({"look": {"name": "colorize", "settings": {"size": 256}}}, {"match": "shot"}):
        other = Survey(propagated(spec, tmp_path, *every, overrides=[{"shots": "3", **alone}]), pages).finish()
        assert all(shot.look.propagation and not shot.look.propagation.joined for shot in other.plan.shots[:4])


@pytest.mark.parametrize("seed", range(3))
def test_a_list_s_cuts_looked_at_in_any_order_give_one_plan(
    spec: JobSpec, pages: list[Page], tmp_path: Path, seed: int
) -> None:
    wish = propagated(spec, tmp_path, *sorted((*CUTS, *FALSE)))
    plain = Survey(wish, pages)
    plain.finish()
    some, mixed = random.Random(seed), Survey(with_store(wish, tmp_path / "mixed"), pages)
    while mixed.pages or mixed.searches:
        if mixed.pages:
            mixed.turn()
        else:
            mixed.search(some.randrange(len(mixed.searches)))
        assert mixed.chunks == plain.chunks[: len(mixed.chunks)]
    assert mixed.survey.plan == plain.survey.plan
    again = Survey(wish, [])
    assert not again.searches, "what was looked at stays known"
    assert again.survey.plan == plain.survey.plan
    shown = survey_of(wish)
    shown.survey_calls()
    shown.recall()
    shown.fresh()
    assert shown.plan == plain.survey.plan


def test_overrides_dress_the_shots_as_they_come(spec: JobSpec, pages: list[Page], tmp_path: Path) -> None:
    overrides = [
        {"shots": "2-3", "look": {"name": "test-negative"}},
        {"frames": [120, 130], "look": {"name": "test-window"}},
    ]
    wish = spec_of(
        spec.source, tmp_path, chunk_seconds=10, overrides=overrides, shots={"detect": "adaptive", "min_frames": 1}
    )
    survey = Survey(wish, pages).finish()
    dressed = {shot.frames: (shot.number, shot.look.choice.name) for shot in survey.plan.shots}
    assert dressed[Range(30, 47)] == (2, "test-negative")
    assert dressed[Range(47, 52)] == (3, "test-negative")
    assert dressed[Range(120, 130)] == (5, "test-window")
    assert dressed[Range(130, 150)] == (5, "none")
    assert survey.plan.shot_count == 6


@pytest.mark.parametrize(
    ("tick", "stamps", "ways"),
    [
        # mp4 cannot count so finely, and Matroska can.
        (Fraction(1, 3 * 10**9), [0, 10**8, 4 * 10**8 + 1], {"mkv": None, "mp4": ["mkv"]}),
        # Two frames within a millisecond: Matroska cannot tell them apart, and mp4 can.
        (Fraction(1, 90000), [0, 9, 4500], {"mkv": ["mp4"], "mp4": None}),
        # Neither can: nobody is sent from one to the other and back.
        (Fraction(1, 3 * 10**9), [0, 1, 10**8 + 1], {"mkv": [], "mp4": []}),
    ],
)
def test_no_two_containers_send_a_film_to_each_other(
    tmp_path: Path, film: Path, tick: Fraction, stamps: list[int], ways: dict[str, list[str] | None]
) -> None:
    for container, wanted in ways.items():
        spec = spec_of(film, tmp_path, deliverables=[{"codec": "ffv1", "container": container}])
        (deliverable,) = plan_deliverables(Surveyor(str(film)).film(), spec, str(film))
        survey = survey_of(spec)
        picture = survey.film.picture.model_copy(update={"time_base": tick, "rate": Fraction(30)})
        survey.film = survey.film.model_copy(update={"picture": picture})
        survey.index = index_of(stamps, last=10**8)
        if wanted is None:
            assert survey.timing(deliverable).frames == len(stamps)
            continue
        with pytest.raises(UnfitDeliverable) as refusal:
            survey.timing(deliverable)
        assert [dict(one.fields)["container"] for one in refusal.value.ways] == wanted
        assert "source" in str(refusal.value)
