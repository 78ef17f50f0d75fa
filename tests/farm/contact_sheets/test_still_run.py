"""Proofs: stills that are the delivered film's own frames, of every shot and look, made once; the sheet and the page over them."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import pytest
from av.video.frame import VideoFrame

from actors.looks import fit
from actors.media.planes import planes_of
from actors.picture.grading.reading import with_grades_read
from actors.render.still_orders import StillOrder
from actors.render.still_renderer import StillRenderer, chosen
from actors.survey.neighbouring_frames import around
from farm.cli.contact_sheets import proof as command
from farm.contact_sheets.calls import StillsCall
from farm.contact_sheets.still_run import ROWS, StillRequest, SurveyedFilm, looks_beside, prove
from farm.film.setup import decide_deliverables, open_film
from farm.film.shot_selection import ALL, ShotSelection, shots_chosen
from farm.fleet.calls import RetryPolicy
from farm.ops.clean import CleanOptions, clean
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.plain_console import PlainConsole
from jobs.digest import digest
from jobs.errors import BadLook, BadMedia, BadSpec, FilmFailed
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Look, Range
from jobs.records.stills import Proof
from jobs.spec.job import JobSpec, LookChoice
from jobs.store import open_store
from tests.actors.interlaced import interlaced
from tests.actors.picture.grading.luts import bent, cube
from tests.farm.film.review.test_page import Page
from tests.farm.inline import InlineFleet, quiet, rendered, shot_list
from tests.farm.options import called
from tests.farm.shell import farm
from tests.farm.studio import job_of, spec_of
from tests.films import Recipe, fingerprint, read_number, serial
from tests.paper import report_of


def look(name: str, **settings: Any) -> Look:
    return fit(LookChoice(name=name, settings=settings))


NEGATIVE, NONE = look("test-negative"), look("none")


def proven(spec: JobSpec, *looks: Look, shots: ShotSelection = ALL, fleet: InlineFleet | None = None) -> Proof:
    """As the studio has it proven, with everything done in this process."""
    worker: Any = fleet or InlineFleet()
    survey = open_film(job_of(spec), fleet=worker, console=quiet())
    survey.ledger.enter(spec)
    encoding = decide_deliverables(survey, worker, to_render=False)[0].encoding
    for _ in worker.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
        pass
    survey.fresh()
    said = EvaluationProgress(PlainConsole(file=StringIO()))
    return prove(SurveyedFilm(survey, worker, encoding, said), StillRequest(looks, shots))


def orders(fleet: InlineFleet) -> list[StillOrder]:
    return [call.order for call in fleet.calls(StillsCall)]


def assert_as_delivered(spec: JobSpec, fleet: InlineFleet, delivered: Path) -> None:
    """Each still of a proof, in its shot's own look, is the very frame of the delivered film."""
    frames = serial(delivered)
    prover = StillRenderer(spec.store, spec.name, (), 1, gpu=False)
    for order in orders(fleet):
        run, around_it = chosen(order, 1)
        own = order.looks[1]
        assert own is not None
        assert fingerprint(prover.finished(order, own, run, around_it)) == frames[run.frame]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots, of 18, 20 and 10 frames."""
    recipe = Recipe(frames=48, cuts=(18, 38), size=(96, 64), open_gop=True)
    return recipe.make(tmp_path_factory.mktemp("film") / "A film.mkv")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        *(("open GOP", name) for name in ("test-window", "test-negative", "test-calm", "none")),
        ("10 bit", "test-negative"),
        ("R'G'B'", "test-calm"),
        ("interlaced", "test-window"),
    ],
)
def test_a_still_is_the_very_frame_of_the_delivered_film(tmp_path: Path, source: str, name: str) -> None:
    forms: dict[str, dict[str, Any]] = {
        "open GOP": {"open_gop": True},
        "10 bit": {"pix_fmt": "yuv422p10le", "codec": "ffv1"},
        "R'G'B'": {"pix_fmt": "bgr0", "codec": "ffv1"},
    }
    path = tmp_path / "film.mkv"
    if source == "interlaced":
        interlaced(path)
    else:
        Recipe(frames=30, cuts=(12,), size=(96, 64), **forms[source]).make(path)
    settings = {"dissolve": 0, "warmup": 0} if name == "test-calm" else {}
    more = {"deinterlace": "bwdif"} if source == "interlaced" else {}
    spec = spec_of(path, tmp_path, look={"name": name, "settings": settings}, chunk_seconds=0.3, **more)
    fleet = InlineFleet()
    proven(spec, fleet=fleet)
    delivered = rendered(spec).report()
    assert delivered.conforms
    assert_as_delivered(spec, fleet, tmp_path / "out/film.mkv")


def test_a_proof_shows_the_grade_that_is_delivered(film: Path, tmp_path: Path) -> None:
    lut = tmp_path / "show.cube"
    lut.write_bytes(cube(bent, 5))
    spec = with_grades_read(spec_of(film, tmp_path / "graded", grade={"lut": str(lut)}))
    fleet = InlineFleet()
    graded = proven(spec, fleet=fleet)
    assert rendered(spec).report().conforms
    assert_as_delivered(spec, fleet, tmp_path / "graded/out/film.mkv")
    plain = proven(spec_of(film, tmp_path / "plain"))
    for one, other in zip(graded.shots, plain.shots, strict=True):
        assert one.stills[0] == other.stills[0]
        shown, ungraded = (
            cv2.imread(str(tmp_path / name / "out" / str(shot.stills[1])))
            for name, shot in (("graded", one), ("plain", other))
        )
        assert shown is not None
        assert ungraded is not None
        assert cv2.absdiff(shown, ungraded).mean() > 2


def test_every_shot_and_look_is_on_the_sheet_and_on_the_page(film: Path, tmp_path: Path) -> None:
    found = proven(spec_of(film, tmp_path), NEGATIVE, NONE)
    assert found.columns == ("source", "test-negative", "none")
    assert [(one.shot, one.start, one.frame) for one in found.shots] == [(1, 0, 9), (2, 18, 28), (3, 38, 43)]
    assert (found.rendered, found.lacking, found.sheets) == (9, (), ("film.proof/sheet-001.jpg",))
    page = Page(tmp_path / "out" / found.page)
    assert page.missing() == []
    assert len(page.places["img"]) == 9
    assert len(page.places["a"]) == 9 + 1
    assert "script" not in page.tags
    assert "Shot 2: frames 18 to 37" in page.words
    sheet = cv2.imread(str(tmp_path / "out" / found.sheets[0]))
    assert sheet is not None
    assert sheet.shape[1] > 3 * 96
    assert sheet.shape[0] > 3 * 64
    source, negative, none = (cv2.imread(str(tmp_path / "out" / str(key))) for key in found.shots[1].stills)
    assert source is not None
    assert negative is not None
    assert none is not None
    assert abs((source.astype(int) + negative).mean() - 255) < 6
    assert (source == none).all()


def test_by_default_each_shot_has_the_look_that_the_spec_gives_it(film: Path, tmp_path: Path) -> None:
    overrides = [{"shots": "2", "look": {"name": "test-negative"}}, {"frames": [42, 48], "look": {"name": "test-calm"}}]
    found = proven(spec_of(film, tmp_path, overrides=overrides), shots=shots_chosen("2-3"))
    assert [(one.shot, one.start, one.stop, one.looks[1].partition(" ")[0]) for one in found.shots] == [
        (2, 18, 38, "test-negative"),
        (3, 38, 42, "none"),
        (3, 42, 48, "test-calm"),
    ]
    assert found.columns == ("source", "as the spec has it")
    with pytest.raises(BadSpec, match="the film has shots 1 to 3"):
        proven(spec_of(film, tmp_path), shots=shots_chosen("4"))


def test_what_is_on_paper_is_not_made_again(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    first = proven(spec, NEGATIVE)
    stills = {path.name: path.read_bytes() for path in (tmp_path / "out/film.proof/stills").iterdir()}
    again = proven(spec, NEGATIVE)
    assert (first.rendered, again.rendered) == (6, 0)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out/film.proof/stills").iterdir()} == stills
    # Another deliverable of the same form, and another look beside the one that is there.
    other = spec_of(film, tmp_path, deliverables=[{"codec": "h264", "name": "film"}])
    assert proven(other, NEGATIVE, NONE).rendered == 3
    folder = tmp_path / "store/film/proof"
    damaged, gone, cut = sorted(folder.glob("*.jpg"))[:3]
    flipped = bytearray(damaged.read_bytes())
    flipped[-20] ^= 1
    damaged.write_bytes(flipped)
    gone.unlink()
    cut.write_bytes(b"")
    with pytest.raises(FilmFailed, match="damaged; the same command makes it again"):
        proven(spec, NEGATIVE, NONE)
    made = proven(spec, NEGATIVE, NONE)
    assert made.lacking == ()
    assert {
        path.name: path.read_bytes() for path in (tmp_path / "out/film.proof/stills").iterdir()
    }.items() >= stills.items()


def test_a_changed_source_is_refused(film: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(film.read_bytes())
    spec, fleet = spec_of(path, tmp_path), InlineFleet()
    proven(spec, fleet=fleet)
    path.write_bytes(film.read_bytes()[:-1])
    prover = StillRenderer(spec.store, spec.name, (), 1, gpu=False)
    order = orders(fleet)[0]
    with pytest.raises(BadMedia, match="was changed since its survey"):
        list(prover.take(StillOrder(**{**vars(order), "looks": (NEGATIVE,)})))


@dataclass(frozen=True)
class Fading(Recipe):
    """A film that is black for a while."""

    black: Range = Range(0, 0)  # noqa: RUF009  frozen

    def frame(self, number: int) -> VideoFrame:
        frame = super().frame(number)
        if self.black.start <= number < self.black.stop:
            for plane, value in zip(planes_of(frame), (16, 128, 128), strict=True):
                plane[:] = value
        return frame


@pytest.mark.parametrize(("black", "shown"), [(Range(8, 16), 6), (Range(0, 16), 18), (Range(0, 24), 12)])
def test_a_fade_is_passed_over(tmp_path: Path, black: Range, shown: int) -> None:
    path = Fading(frames=24, size=(96, 64), black=black).make(tmp_path / "film.mp4")
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, frames=24))}
    (shot,) = proven(spec_of(path, tmp_path, shots=cuts)).shots
    assert shot.frame == shown


def test_a_look_that_fails_costs_its_own_stills(film: Path, tmp_path: Path) -> None:
    fleet = InlineFleet(budget=RetryPolicy(attempts=2))
    found = proven(spec_of(film, tmp_path), look("test-broken"), NEGATIVE, shots=shots_chosen("1"), fleet=fleet)
    assert [bool(key) for key in found.shots[0].stills] == [True, False, True]
    (why,) = found.lacking
    assert why.startswith("shot 1, test-broken: ChunkFailed: the look gave a picture with values that are no numbers")
    page = Page(tmp_path / "out" / found.page)
    assert page.missing() == []
    assert f"no still: {why}" in page.words


def test_many_shots_are_on_several_sheets_and_an_earlier_proof_leaves_nothing(tmp_path: Path) -> None:
    count = ROWS + 2
    path = Recipe(frames=2 * count, size=(96, 64)).make(tmp_path / "film.mp4")
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", *range(0, 2 * count, 2), frames=2 * count))}
    found = proven(spec_of(path, tmp_path, shots=cuts))
    assert found.sheets == ("film.proof/sheet-001.jpg", "film.proof/sheet-002.jpg")
    output = open_store(str(tmp_path / "out"))
    output.write("film.proof/mine.txt", b"a note")
    few = proven(spec_of(path, tmp_path, shots=cuts), shots=shots_chosen("3"))
    assert few.rendered == 0
    assert len(list(output.list("film.proof/stills/"))) == 4
    assert {*output.list("film.proof/sheet"), *output.list("film.proof/mine")} == {
        "film.proof/sheet-001.jpg",
        "film.proof/mine.txt",
    }


def test_source_and_store_in_s3(film: Path, tmp_path: Path, s3_bucket: str) -> None:
    open_store(f"s3://{s3_bucket}").write("films/film.mkv", film.read_bytes())
    places = {"store": f"s3://{s3_bucket}/work", "output": f"s3://{s3_bucket}/out"}
    spec = spec_of(f"s3://{s3_bucket}/films/film.mkv", tmp_path, **places)
    found = proven(spec, shots=shots_chosen("2"))
    there = set(open_store(spec.output).list("film.proof/"))
    assert there >= {found.page, *found.sheets, *(str(key) for one in found.shots for key in one.stills)}
    assert proven(spec, shots=shots_chosen("2")).rendered == 0


def test_a_look_is_shown_what_it_needs_and_no_more() -> None:
    window, drift = look("test-window"), look("test-drift", warmup=10)
    assert around(20, NONE, Range(0, 50)) == Range(20, 21)
    assert around(20, window, Range(0, 50)) == Range(15, 26)
    assert around(20, window, Range(18, 22)) == Range(18, 22)
    assert around(20, drift, Range(0, 50)) == Range(10, 21)


def test_frames_are_read_from_the_keyframe_before_them(film: Path, tmp_path: Path) -> None:
    fleet = InlineFleet()
    proven(spec_of(film, tmp_path), look("test-window"), fleet=fleet)
    order = orders(fleet)[1]
    run, frames = chosen(order, 1)
    assert [read_number(one) for one in frames] == list(range(23, 34))
    assert (run.frame, run.span) == (28, order.runs[0].span)
    assert run.span.first > 0


def test_clean_knows_them(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    proven(spec, NEGATIVE)
    (told,) = clean(spec.store, None, CleanOptions())
    assert any("stills of proofs" in one for one in told.kept)
    rendered(spec)
    ledger = Ledger.at(spec.store, "film")
    ledger.keep_paper("report.json", report_of(digest(spec)), only_if_absent=False)
    (done,) = clean(spec.store, None, CleanOptions(delete=True))
    (pile,) = [one for one in done.may_go if "proofs" in one.what]
    assert (pile.objects, list(ledger.names("proof/"))) == (12, [])
    assert rendered(spec).console.progress.chunks_rendered == 0
    assert proven(spec, NEGATIVE).rendered == 6


def test_settings_go_to_the_looks_that_have_them() -> None:
    window, none = looks_beside(["test-window", "none"], {"radius": 2})
    assert window.choice.settings["radius"] == 2
    assert "radius" not in none.choice.settings
    with pytest.raises(BadSpec, match=r"--set colour: none of the looks none, test-window has it"):
        looks_beside(["none", "test-window"], {"colour": 1})
    with pytest.raises(BadLook, match="There is no look 'sepia'"):
        looks_beside(["sepia"], {})


def test_options_that_contradict_a_spec_are_refused(tmp_path: Path) -> None:
    place = str(tmp_path / "job.yaml")
    with pytest.raises(BadSpec, match="is a job spec: write its places and options into it"):
        called(command, place, workers=2)
    with pytest.raises(BadSpec, match="--set goes with --look"):
        called(command, place, setting=["strength=1"])
    with pytest.raises(BadSpec, match="--out is missing"):
        called(command, "film.mp4")
    with pytest.raises(BadSpec, match="shots are numbers counted from 1"):
        called(command, "film.mp4", shots="0")


@pytest.mark.minutes
def test_the_command(film: Path, tmp_path: Path) -> None:
    spec = tmp_path / "job.yaml"
    places = f"source: {film}\nstore: {tmp_path}/store\noutput: {tmp_path}/out\n"
    spec.write_text(f"version: 1\nname: film\n{places}look: {{name: none}}\n")
    looks = ("--look", "test-negative", "--look", "test-broken")
    said = farm("proof", spec, *looks, "--shots", "2", "--json", "--out", tmp_path / "else")
    assert said.code == 1
    assert "lacks 1 of 3 stills, the first: shot 2, test-broken: ChunkFailed: the look gave" in said.err
    found = Proof.model_validate_json(said.out)
    assert (found.rendered, found.columns) == (2, ("source", "test-negative", "test-broken"))
    assert Page(tmp_path / "else/film.proof/index.html").missing() == []
    # It is no part of the job: nobody holds it, and nothing of it is rendered.
    kept = {path.relative_to(tmp_path / "store/film").parts[0] for path in (tmp_path / "store/film").rglob("*.*")}
    assert kept == {"job.json", "spec.json", "specs", "survey", "proof", "identity.json"}
    assert not (tmp_path / "out").exists()
