"""Stills exported to be painted: full size, known again, never written over once somebody has painted on them."""

from __future__ import annotations

import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from actors.looks import fit
from actors.media.planes import planes_of
from actors.picture.grading.reading import with_grades_read
from actors.picture.stills import of_source
from actors.stills.exporting import is_unedited
from actors.stills.headers import measured
from actors.stills.matching import match_still
from actors.stills.reading import read_still
from actors.survey.frame_runs import frames_read
from farm.cli.stills import stills as command
from farm.contact_sheets.calls import StillsCall
from farm.contact_sheets.export_run import ChoiceCall, ExportRequest, export_stills
from farm.contact_sheets.still_run import SurveyedFilm
from farm.film.setup import decide_deliverables, open_film
from farm.film.shot_selection import shots_chosen
from farm.fleet.calls import RetryPolicy
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadSpec
from jobs.plan.plan import Look
from jobs.spec.job import JobSpec, LookChoice
from jobs.stills.exports import StillsReport, exported_in
from jobs.stills.listing import stills_in
from jobs.store import open_store
from tests.actors.interlaced import interlaced
from tests.actors.picture.grading.luts import bent, cube
from tests.farm.inline import InlineFleet, quiet
from tests.farm.options import called
from tests.farm.shell import farm
from tests.farm.studio import job_of, spec_of
from tests.films import Recipe


def exported(spec: JobSpec, fleet: InlineFleet | None = None, **wish: Any) -> StillsReport:
    """As the command has it, with everything done in this process."""
    worker: Any = fleet or InlineFleet()
    survey = open_film(job_of(spec), fleet=worker, console=quiet())
    survey.ledger.enter(spec)
    encoding = decide_deliverables(survey, worker, to_render=False)[0].encoding
    for _ in worker.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
        pass
    survey.fresh()
    return export_stills(
        SurveyedFilm(survey, worker, encoding, EvaluationProgress(PlainConsole(file=StringIO()))), ExportRequest(**wish)
    )


def look(name: str) -> Look:
    return fit(LookChoice(name=name))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots, of 18, 20 and 10 frames."""
    recipe = Recipe(frames=48, cuts=(18, 38), size=(192, 112), open_gop=True)
    return recipe.make(tmp_path_factory.mktemp("film") / "A film.mkv")


def test_each_shot_has_its_stills_a_sheet_shows_them_and_they_are_listed(film: Path, tmp_path: Path) -> None:
    found = exported(spec_of(film, tmp_path))
    folder = tmp_path / "out"
    assert {still.shot for still in found.stills} == {1, 2, 3}
    assert all(1 <= sum(still.shot == shot for still in found.stills) <= 3 for shot in (1, 2, 3))
    listed = stills_in(str(folder))
    assert [(one.name, one.frame, one.sha256) for one in listed] == [
        (still.name, still.frame, still.sha256) for still in found.stills
    ]
    assert exported_in(str(folder)) == {one.sha256 for one in listed}
    assert is_unedited((folder / listed[0].name).read_bytes(), exported_in(str(folder)))
    assert found.sheets == ("contact-sheet-001.jpg",)
    sheet = cv2.imread(str(folder / found.sheets[0]))
    assert sheet is not None
    assert sheet.shape[0] > 3 * 112
    first = found.stills[0]
    assert first.name == f"shot0001.f{first.frame:06d}.{first.at.replace(':', '-')}.png"


@pytest.mark.parametrize("kind", ["plain", "turned", "wide pixels", "interlaced", "10 bit"])
def test_an_export_is_the_frame_as_a_player_shows_it_and_is_taken_back(kind: str, tmp_path: Path) -> None:
    path, more = tmp_path / "film.mkv", {}
    forms: dict[str, dict[str, Any]] = {
        "turned": {"rotation": 90},
        "wide pixels": {"aspect": 2},
        "10 bit": {"pix_fmt": "yuv422p10le", "codec": "ffv1"},
    }
    if kind == "interlaced":
        interlaced(path)
        more = {"deinterlace": "bwdif"}
    else:
        path = path.with_suffix(".mp4" if kind == "turned" else ".mkv")
        Recipe(frames=12, size=(192, 112), **forms.get(kind, {})).make(path)
    fleet = InlineFleet()
    found = exported(spec_of(path, tmp_path, **more), fleet, most=1)
    for still, call in zip(found.stills, fleet.calls(StillsCall), strict=True):
        order = call.order
        frame = frames_read(order.film, order.runs[0], 1)[0]
        data = (tmp_path / "out" / still.name).read_bytes()
        shown = of_source(frame, order.film.picture)
        image = read_still(data, still.name)
        assert image.rgb_HW3.shape == shown.shape
        assert np.abs(image.rgb_HW3 / 257 - shown).mean() < 2
        back = match_still(image, frame, order.film.picture, f"frame {still.frame}")
        assert back.weight_HW.shape == planes_of(frame)[0].shape
        assert not any("aligned" in remark for remark in back.remarks)


def test_grey_has_no_colour_and_a_look_has_its_own(film: Path, tmp_path: Path) -> None:
    grey, negative = (
        exported(spec_of(film, tmp_path, output=str(tmp_path / str(place))), looks=(one,), frames="20").stills[0].name
        for place, one in enumerate((None, look("test-negative")))
    )
    assert grey == negative
    one, other = (read_still((tmp_path / place / grey).read_bytes(), grey).rgb_HW3 / 257 for place in ("0", "1"))
    assert (one == one[:, :, :1]).all()
    assert np.ptp(other, 2).max() > 20


def test_run_again_nothing_is_made_and_what_was_painted_on_stays(film: Path, tmp_path: Path) -> None:
    spec, folder = spec_of(film, tmp_path), tmp_path / "out"
    first = exported(spec)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    fleet = InlineFleet()
    again = exported(spec, fleet)
    assert (first.rendered, again.rendered, again.edited) == (len(first.stills), 0, ())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    # One is painted on, one is gone; then another look is asked for.
    painted, gone, *others = (still.name for still in first.stills)
    (folder / painted).write_bytes(b"somebody's work")
    (folder / gone).unlink()
    third = exported(spec, looks=(look("test-negative"),))
    assert third.edited == (painted,)
    assert (folder / painted).read_bytes() == b"somebody's work"
    assert (folder / gone).exists()
    assert all((folder / name).read_bytes() != files[name] for name in others)
    assert {one.name for one in stills_in(str(folder)) if one.sha256 not in exported_in(str(folder))} == {painted}
    # Without the list, too, nothing of anybody's is lost; and what the farm has made itself is known.
    (folder / "stills.json").unlink()
    assert exported(spec).edited == (painted,)


def test_some_shots_and_some_frames(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    two = exported(spec, shots=shots_chosen("2"), most=1)
    assert [still.shot for still in two.stills] == [2]
    named = exported(spec, frames="0, 40-41,00:00:00:20")
    assert [(still.shot, still.frame) for still in named.stills] == [(1, 0), (2, 20), (3, 40), (3, 41)]
    # What was exported before stays known.
    assert exported_in(spec.output) == {still.sha256 for still in (*two.stills, *named.stills)}
    for frames, why in (
        ("48", "48 is not in the film, whose frames are 0 to 47"),
        ("9-3", "9-3 is not in the film"),
        ("x", "'x' names no frame|'x' is no time code"),
    ):
        with pytest.raises(BadSpec, match=why):
            exported(spec, frames=frames)
    with pytest.raises(BadSpec, match="the film has shots 1 to 3"):
        exported(spec, shots=shots_chosen("4"))
    with pytest.raises(BadSpec, match="none of these frames is in the shots 1; `farm plan`"):
        exported(spec, shots=shots_chosen("1"), frames="20")


def test_a_folder_with_another_films_stills_is_refused(film: Path, tmp_path: Path) -> None:
    exported(spec_of(film, tmp_path), frames="3")
    other = Recipe(frames=12, size=(96, 64)).make(tmp_path / "other.mkv")
    with pytest.raises(BadSpec, match=r"has stills of another film, .*A film\.mkv: give --out a folder of its own"):
        exported(spec_of(other, tmp_path, name="other", deliverables=[{"name": "other", "codec": "ffv1"}]), frames="3")


def test_a_look_that_fails_costs_its_still_and_is_told(film: Path, tmp_path: Path) -> None:
    fleet = InlineFleet(budget=RetryPolicy(attempts=2))
    found = exported(spec_of(film, tmp_path), fleet, looks=(look("test-broken"),), frames="3")
    assert found.stills == ()
    (why,) = found.lacking
    assert why.startswith(
        "the still of frame 3 of shot 1: ChunkFailed: the look gave a picture with values that are no numbers"
    )


def test_a_choice_is_made_once(film: Path, tmp_path: Path) -> None:
    spec, fleet = spec_of(film, tmp_path), InlineFleet()
    exported(spec, fleet)
    assert len(fleet.calls(ChoiceCall)) == 3
    papers = {path.name: path.read_bytes() for path in (tmp_path / "store/film/proof").glob("*.json")}
    exported(spec)
    assert {path.name: path.read_bytes() for path in (tmp_path / "store/film/proof").glob("*.json")} == papers


def test_a_bucket_has_them_too(film: Path, tmp_path: Path, s3_bucket: str) -> None:
    place = f"s3://{s3_bucket}/stills"
    found = exported(spec_of(film, tmp_path, output=place), shots=shots_chosen("3"))
    assert [one.name for one in stills_in(place)] == [still.name for still in found.stills]
    open_store(place).write(found.stills[0].name, b"painted")
    assert exported(spec_of(film, tmp_path, output=place), shots=shots_chosen("3")).edited == (found.stills[0].name,)


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(BadSpec, match="--out is missing"):
        called(command, "film.mp4")
    with pytest.raises(BadSpec, match="--grey goes without --look"):
        called(command, "film.mp4", out="x", look="none", grey=True)
    with pytest.raises(BadSpec, match="is a job spec: write its places and options into it"):
        called(command, "job.yaml", out="x", workers=2)


@pytest.mark.minutes
def test_the_command(film: Path, tmp_path: Path) -> None:
    said = farm("stills", film, "--out", tmp_path / "to paint", "--grey", "--shots", "2", "--most", "1", "--json")
    assert said.code == 0
    found = StillsReport.model_validate_json(said.out)
    (still,) = found.stills
    data = (tmp_path / "to paint" / still.name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == still.sha256
    # The store's own folder within is no still.
    assert [one.name for one in stills_in(str(tmp_path / "to paint"))] == [still.name]


def test_an_export_never_has_a_grade_or_a_control_in_it(film: Path, tmp_path: Path) -> None:
    lut = tmp_path / "show.cube"
    lut.write_bytes(cube(bent, 5))
    plain = exported(spec_of(film, tmp_path / "plain"), most=1)
    asked = spec_of(film, tmp_path / "graded", grade={"lut": str(lut)}, controls={"saturation": 2})
    graded = exported(with_grades_read(asked), most=1)
    assert [still.sha256 for still in graded.stills] == [still.sha256 for still in plain.stills]


def test_a_layer_for_strokes_lies_beside_its_grey_frame_and_is_no_still_until_it_is_drawn_on(
    film: Path, tmp_path: Path
) -> None:
    spec, folder = spec_of(film, tmp_path), tmp_path / "out"
    found = exported(spec, looks=(None,), most=1, strokes=True)
    assert len(found.stills) == 3
    for still in found.stills:
        layer = read_still((folder / still.name).read_bytes(), still.name)
        assert layer.rgb_HW3.shape == (112, 192, 3)
        assert layer.alpha_HW is not None
        assert not layer.alpha_HW.any()
        grey = cv2.imread(str(folder / still.name.replace(".f", ".grey-")))
        assert grey is not None
        assert grey.shape == (112, 192, 3)
        assert not np.ptp(grey.astype(np.int32), axis=2).any()
    assert [one.name for one in stills_in(str(folder))] == [still.name for still in found.stills]
    assert stills_in(str(folder), unedited=exported_in(str(folder))) == ()
    drawn = folder / found.stills[1].name
    picture = np.zeros((112, 192, 4), np.uint8)
    picture[50:54, 20:90] = (40, 60, 200, 255)
    assert cv2.imwrite(str(drawn), picture)
    data = drawn.read_bytes()
    again = exported(spec, looks=(None,), most=1, strokes=True)
    assert again.edited == (drawn.name,)
    assert drawn.read_bytes() == data
    (left,) = stills_in(str(folder), unedited=exported_in(str(folder)), measure=measured)
    assert (left.name, left.strokes) == (drawn.name, True)


@pytest.mark.parametrize("beside", [("--grey",), ("--look", "colorize")])
def test_layers_for_strokes_have_no_look(film: Path, tmp_path: Path, beside: tuple[str, ...]) -> None:
    said = farm("stills", film, "--out", tmp_path / "out", "--hints", *beside)
    assert (said.code, said.sentence) == (2, "--hints goes without --look, --grey and --set.")
