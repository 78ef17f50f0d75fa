"""Production, with real pools in this process: which call follows from what, each made once, nothing finished made again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from farm.film.calls import CutsCall, FinishCall, RenderCall, SplitCall
from farm.film.film_run import FilmRun
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call
from farm.progress.console import ProgressConsole
from jobs.errors import FilmFailed
from jobs.ledger.finished_prefix import PrefixPage
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.deliverables import Decided, DeliverablePlan
from jobs.records.orders import FramesRendered, SegmentRecord, SplitRecord
from tests.farm.inline import InlineFleet, quiet, rendered, shot_list, survey_of, surveyed
from tests.farm.studio import same, spec_of
from tests.films import Recipe

RATE = Fraction(10)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 10 a second, with sound."""
    return Recipe(frames=60, size=(96, 64), rate=RATE, gop=4, sound="aac").make(
        tmp_path_factory.mktemp("film") / "film.mp4"
    )


@pytest.fixture(scope="module")
def one_keyframe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=60, size=(96, 64), rate=RATE, gop=600).make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def cuts(tmp_path: Path) -> dict[str, str]:
    """Shots of 4, 4, 4, 30, 6 and 12 frames."""
    return {"file": str(shot_list(tmp_path / "cuts.csv", 0, 4, 8, 12, 42, 48, frames=60))}


class Records(InlineFleet):
    """An inline fleet that keeps what it found."""

    def __init__(self, **lost_after: int) -> None:
        super().__init__(lost_after)
        self.found: list[Any] = []

    def run(self, calls: Any, then: Any) -> Any:
        for call, found in super().run(calls, then):
            self.found.append(found)
            yield call, found


def chunks_asked(fleet: InlineFleet, kind: type[SplitCall] | type[RenderCall]) -> list[list[int]]:
    """Chunks by call, for split and render."""
    return sorted(list(call.chunks) for call in fleet.asked if isinstance(call, kind))


def decided(survey: SurveyRun) -> tuple[DeliverablePlan, ...]:
    """The deliverables of a film that has been rendered once."""
    paper = survey.ledger.paper("deliverables.json", Decided)
    assert paper
    return paper.deliverables


def test_batches_hold_neighbours_up_to_the_chunk_target(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    fleet = InlineFleet()
    made = rendered(spec_of(film, tmp_path, shots=cuts, chunk_seconds=1.2), fleet)
    # A target of 12 frames: three short shots are one batch, the long one divides into three chunks.
    assert [chunk.core for chunk in made.chunks] == [
        (0, 4), (4, 8), (8, 12), (12, 24), (24, 33), (33, 42), (42, 48), (48, 60),
    ]  # fmt: skip
    assert chunks_asked(fleet, RenderCall) == [[1, 2, 3], [4], [5], [6], [7], [8]]
    assert chunks_asked(fleet, SplitCall) == chunks_asked(fleet, RenderCall)
    assert made.report().conforms
    same(tmp_path / "out/film.mkv", film)


def test_what_the_first_chunk_waits_for_gives_way_to_nothing(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.plan.survey_ranges.RANGE_SECONDS", 2.0)
    fleet = InlineFleet()
    made = rendered(spec_of(film, tmp_path, chunk_seconds=1.2), fleet)
    ahead = {call.chunks[0]: call.ahead for call in fleet.calls(SplitCall)}
    assert ahead == {chunk.number: chunk.number > 1 for chunk in made.chunks}
    assert [call.ahead for call in fleet.calls(CutsCall)] == [False, True, True]
    assert not any(call.ahead for call in (*fleet.calls(RenderCall), *fleet.calls(FinishCall)))


def test_batching_is_in_no_digest(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    rendered(spec_of(film, tmp_path, shots=cuts, chunk_seconds=3))
    fleet = InlineFleet()
    # Batches of another size, chunks of the same: all is on paper.
    again = rendered(spec_of(film, tmp_path, shots=cuts, chunk_seconds=6), fleet)
    assert fleet.verbs()["render"] == fleet.verbs()["split"] == 0
    assert again.report().chunks_rendered == 0


def test_only_what_lacks_a_segment_is_made(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    spec = spec_of(film, tmp_path, shots=cuts, chunk_seconds=1.2)
    first = rendered(spec)
    gone = [first.segments_of(first.deliverables[0])[place] for place in (1, 4)]
    for record in gone:
        first.ledger.store.delete(first.ledger.key(f"records/{record.digest}.json"))
    fleet, console = InlineFleet(), quiet()
    again = rendered(spec, fleet, console)
    assert chunks_asked(fleet, RenderCall) == [[2], [5]]
    # The packets of both lie in the store still, which the splitter sees for itself.
    assert (again.report().chunks_rendered, console.progress.resumed_frames, console.progress.done_frames) == (
        2,
        47,
        60,
    )
    assert set(console.progress.chunks.values()) == {"done"}
    same(tmp_path / "out/film.mkv", film)


def test_neighbours_with_a_finished_one_between_are_no_batch(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    spec = spec_of(film, tmp_path, shots=cuts, chunk_seconds=3)
    first = rendered(spec)
    for record in first.segments_of(first.deliverables[0])[0:3:2]:
        first.ledger.store.delete(first.ledger.key(f"records/{record.digest}.json"))
    fleet = InlineFleet()
    rendered(spec, fleet)
    assert chunks_asked(fleet, RenderCall) == [[1], [3]]


def test_nothing_is_left_but_to_finish(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    spec = spec_of(film, tmp_path, shots=cuts)
    rendered(spec)
    (tmp_path / "out/film.mkv").unlink()
    fleet = InlineFleet()
    report = rendered(spec, fleet).report()
    # A given list is read anew: it may have been changed.
    assert fleet.verbs() == {"film": 1, "decide": 1, "given_cuts": 1, "finish": 1}
    assert (report.conforms, report.chunks_rendered) == (True, 0)
    same(tmp_path / "out/film.mkv", film)


def test_each_deliverable_is_finished_once_and_last(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    fleet = Records()
    both = [{"name": "master", "codec": "ffv1"}, {"name": "view", "preset": "ultrafast"}]
    made = rendered(spec_of(film, tmp_path, shots=cuts, chunk_seconds=1.2, deliverables=both), fleet)
    verbs = [call.method for call in fleet.asked]
    first = verbs.index("finish")
    assert verbs[first:] == ["finish", "finish"]
    assert {call.what for call in fleet.asked[first:]} == {"master.mkv", "view.mp4"}
    # One render call brings both encodings of a chunk.
    assert fleet.verbs()["render"] == 6
    assert sum(isinstance(one, SegmentRecord) for one in fleet.found) == 2 * len(made.chunks)
    assert [one.file for one in made.report().deliverables] == ["master.mkv", "view.mp4"]


def pages(film: FilmRun) -> list[PrefixPage]:
    """What this job's finishers are told, page by page."""
    found = [film.ledger.paper(name, PrefixPage) for name in sorted(film.ledger.names("assembly/"))]
    return [one for one in found if one]


def test_a_plan_that_is_not_whole_is_begun_and_not_finished(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    spec = spec_of(film, tmp_path, shots=cuts)
    rendered(spec)
    whole = surveyed(spec)
    part = SurveyRun(spec, whole.film, whole.ledger, whole.looks)
    production = FilmRun(part, decided(part), quiet())
    # Every segment is on paper, and every frame's time; but the list of shots has not been read yet.
    (call,) = part.survey_calls()
    assert (call.method, production.calls_after_plan(part.fresh())) == ("given_cuts", [])
    assert _verbs(production.stitch_calls()) == ["finish"]
    assert [(one.segments, one.last) for one in pages(production)] == [({}, False)]
    production = FilmRun(whole, decided(whole), quiet())
    assert production.calls_after_plan(whole.plan.chunks) == []
    assert _verbs(production.stitch_calls()) == ["finish"]
    assert production.stitch_calls() == []
    # The pages of the run before are swept.
    (page,) = pages(production)
    assert (page.last, [len(names) for names in page.segments.values()]) == (True, [6])


def test_no_deliverable_begins_before_every_frames_time_is_known(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    rendered(spec)
    survey = survey_of(spec)
    survey.pages.pop()  # the empty one, which says that the index is whole
    production = FilmRun(survey, decided(survey), quiet())
    assert (production.stitch_calls(), pages(production)[:0]) == ([], [])


def test_finishers_are_told_of_the_finished_prefix_alone(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    prepared = Prepared(film, tmp_path, shots=cuts, chunk_seconds=1.2)
    made, names = prepared.film, [record.digest for record in prepared.segments]

    def told() -> list[str]:
        return [name for page in pages(made) for named in page.segments.values() for name in named]

    (call,) = made.stitch_calls()
    assert isinstance(call, FinishCall)
    for number, prefix in ((1, 0), (0, 2), (3, 2), (2, 4), (5, 4), (4, 6), (7, 6), (6, 8)):
        made.keep(prepared.segments[number])
        assert made.stitch_calls() == []
        # A page is not written for every chunk, but the end is told at once.
        assert told() == names[: len(told())]
        assert len(told()) <= prefix
        assert [page.last for page in pages(made)][-1] == (prefix == 8)
    assert told() == names
    assert {name.split("/")[1] for name in made.ledger.names("assembly/")} == {call.run}


def test_chunks_of_one_keyframe_are_one_split_call(one_keyframe: Path, tmp_path: Path) -> None:
    fleet = InlineFleet()
    shots = {"detect": "adaptive", "threshold": 1000}
    made = rendered(spec_of(one_keyframe, tmp_path, shots=shots, chunk_seconds=1), fleet)
    splits = [order for call in fleet.calls(SplitCall) for order in call.orders]
    lossless = [order.chunk for order in splits if order.form == "ffv1"]
    # Only the first begins at the keyframe; the others share one decoding.
    assert lossless == [2, 3, 4, 5, 6]
    assert chunks_asked(fleet, SplitCall) == [[1], lossless]
    assert chunks_asked(fleet, RenderCall) == [[1], [2], [3], [4], [5], [6]]
    assert made.report().conforms
    same(tmp_path / "out/film.mkv", one_keyframe)


@pytest.fixture(scope="module")
def calm(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Records:
    """A run in which nobody is lost."""
    fleet = Records()
    rendered(spec_of(film, tmp_path_factory.mktemp("calm"), chunk_seconds=3), fleet)
    return fleet


@pytest.mark.parametrize("verb", ["pages", "split", "render", "finish"])
def test_a_lost_worker_costs_no_second_of_anything(film: Path, tmp_path: Path, calm: Records, verb: str) -> None:
    fleet, console = Records(**{verb: 1}), quiet()
    made = rendered(spec_of(film, tmp_path, chunk_seconds=3), fleet, console)
    assert len(fleet.found) > len(calm.found)
    assert [call.what for call in fleet.asked] == [call.what for call in calm.asked]
    assert (console.progress.done_frames, console.progress.chunks) == (60, {1: "done", 2: "done"})
    assert (made.report().chunks_rendered, made.report().conforms) == (2, True)
    same(tmp_path / "out/film.mkv", film)


class Prepared:
    """A production whose survey is over and whose work has not begun, fed by hand."""

    def __init__(self, film: Path, folder: Path, **fields: Any) -> None:
        spec = spec_of(film, folder, **fields)
        donor = rendered(spec.model_copy(update={"store": f"{folder}/donor"}))
        self.survey = surveyed(spec)
        self.console: ProgressConsole = quiet()
        self.film = FilmRun(self.survey, donor.deliverables, self.console)
        self.splits = self.film.calls_after_plan(self.survey.plan.chunks)
        self.donor = Ledger.at(f"{folder}/donor", spec.name)
        self.segments = donor.segments_of(donor.deliverables[0])

    def split_records(self) -> list[SplitRecord]:
        """What the splitters would find, in film order."""
        orders = [order for call in self.splits if isinstance(call, SplitCall) for order in call.orders]
        records = [self.donor.record(order.digest) for order in sorted(orders, key=lambda order: order.chunk)]
        return [record for record in records if isinstance(record, SplitRecord)]


def test_a_batch_is_rendered_when_its_last_split_arrives(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    film_made = Prepared(film, tmp_path, shots=cuts, chunk_seconds=1.2)
    records, before = film_made.split_records(), film_made.film.renders_to_come
    assert [film_made.film.calls_after_split(record) for record in (records[2], records[0])] == [[], []]
    (call,) = film_made.film.calls_after_split(records[1])
    assert isinstance(call, RenderCall)
    assert film_made.film.renders_to_come == before - 1 > 0
    assert ([part.what for part in call.parts], call.frames) == (
        ["chunk 1", "chunk 2", "chunk 3"],
        sum(one.frames for one in call.parts),
    )
    assert (call.chunks, call.what, call.priority) == ((1, 2, 3), "chunks 1-3", (2, 1))
    states = [film_made.console.progress.chunks[number] for number in (1, 2, 3, 4)]
    assert states == ["split", "split", "split", "waiting"]
    # Each comes once more from a splitter that began anew: the renderers have them already.
    assert [film_made.film.calls_after_split(record) for record in records[:3]] == [[], [], []]


def test_frames_told_of_again_are_not_counted_again(film: Path, tmp_path: Path, cuts: dict[str, str]) -> None:
    prepared = Prepared(film, tmp_path, shots=cuts, chunk_seconds=1.2)
    told = [(4, 4), (4, 8), (4, 4), (4, 8), (4, 10), (5, 8), (4, 10)]
    counted = []
    for chunk, done in told:
        prepared.film.progress(FramesRendered(chunk=chunk, done=done))
        counted.append(prepared.console.progress.done_frames)
    assert counted == [4, 8, 8, 8, 10, 18, 18]
    assert [number for number, state in prepared.console.progress.chunks.items() if state == "rendering"] == [4, 5]


def test_a_segment_kept_twice_is_one_chunk(film: Path, tmp_path: Path) -> None:
    prepared = Prepared(film, tmp_path, chunk_seconds=60)
    (record,) = prepared.split_records()
    (call,) = prepared.film.calls_after_split(record)
    assert isinstance(call, RenderCall)
    (name,) = [call.orders[0].digest(one.encoding) for one in prepared.film.deliverables]
    segment = prepared.donor.record(name)
    assert isinstance(segment, SegmentRecord)
    assert _verbs(prepared.film.stitch_calls()) == ["finish"]
    prepared.film.keep(segment)
    prepared.film.keep(segment)
    assert (prepared.console.progress.chunks_rendered, prepared.console.progress.chunks) == (1, {1: "done"})
    assert prepared.film.stitch_calls() == []
    assert [list(page.segments.values()) for page in pages(prepared.film)] == [[], [(name,)]]


def _verbs(calls: Sequence[Call]) -> list[str]:
    return [call.method for call in calls]


def test_the_report_tells_the_plans_figures(film: Path, tmp_path: Path) -> None:
    shots = {"file": str(shot_list(tmp_path / "cuts.csv", 0, 20, frames=60))}
    look = {"name": "test-window", "settings": {"radius": 2, "declared": 2}}
    console = quiet()
    made = rendered(spec_of(film, tmp_path, look=look, shots=shots, chunk_seconds=1), console=console)
    console.progress.retries, console.progress.lost_workers = 2, 1
    report = made.report()
    assert [chunk.core for chunk in made.chunks] == [Range(start, start + 10) for start in range(0, 60, 10)]
    # Four seams inside the two shots, each with two frames of handles on either side: 16 of 60.
    assert (report.frames, report.shots, report.chunks, report.seams) == (60, 2, 6, 4)
    assert report.extra_frames_percent == 26.667
    assert (report.chunks_rendered, report.retries, report.conforms) == (6, 3, True)
    assert report.source == str(film)
    assert len(report.made_on) == 1
    proof = made.proofs["film.mkv"]
    made.hand_over(proof.model_copy(update={"conforms": False}))
    assert not made.report().conforms
    # Its worker was lost at the very end, so the proof comes again.
    made.hand_over(proof)
    made.hand_over(proof)
    assert (len(made.report().deliverables), made.report().conforms) == (1, True)
    made.proofs.clear()
    with pytest.raises(FilmFailed, match=r"ended without film\.mkv"):
        made.report()


def test_chunks_that_read_the_same_frames_are_all_rendered(film: Path, tmp_path: Path) -> None:
    # With handles as long as the film every chunk reads all of it, and one split serves them all.
    look = {"name": "test-window", "settings": {"radius": 1, "declared": 60}}
    fleet = Records()
    made = rendered(spec_of(film, tmp_path, look=look, chunk_seconds=2), fleet)
    assert [(chunk.core, chunk.read) for chunk in made.chunks] == [((n, n + 20), (0, 60)) for n in (0, 20, 40)]
    assert len({record.digest for record in fleet.found if isinstance(record, SplitRecord)}) == 1
    assert chunks_asked(fleet, RenderCall) == [[1], [2], [3]]
    assert made.report().conforms
