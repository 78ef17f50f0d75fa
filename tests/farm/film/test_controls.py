"""Controls through the real driver: they are put on propagated colour, propagate nothing again, and change their own frames alone."""

from fractions import Fraction
from pathlib import Path

import pytest

from actors.mux.stream_plan import plan_deliverables
from farm.estimate.rerender_diff import again
from farm.film.calls import GuideCall, RenderCall
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.setup import preflight
from farm.ops.status import statuses
from jobs.errors import BadMedia, BadSpec
from jobs.spec.grade import Cdl
from jobs.spec.job import JobSpec
from tests.actors.picture.grading.luts import bent, cube
from tests.actors.picture.grading.luts import same as same_colour
from tests.farm.inline import InlineFleet, quiet, rendered, shot_list, surveyed
from tests.farm.studio import same, spec_of
from tests.films import Recipe, serial


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 frames, 10 a second."""
    return Recipe(frames=36, size=(96, 64), rate=Fraction(10), gop=12).make(
        tmp_path_factory.mktemp("film") / "film.mp4"
    )


def spec(film: Path, folder: Path, **fields: object) -> JobSpec:
    return spec_of(film, folder, look={"name": "colorize"}, propagate=True, chunk_seconds=1.2, **fields)


def render(asked: JobSpec, fleet: InlineFleet | None = None) -> FilmRun:
    """With what its grades hold."""
    return render_film(preflight(asked), fleet=fleet or InlineFleet(), console=quiet())  # type: ignore[arg-type]


def delivered(made: FilmRun) -> Path:
    return Path(made.survey.spec.output) / "film.mkv"


def test_a_control_renders_its_own_frames_and_propagates_nothing(film: Path, tmp_path: Path) -> None:
    first = rendered(spec(film, tmp_path))
    before = serial(delivered(first))
    rest = {"saturation": 1.0, "strength": 1.0}
    turned = spec(
        film, tmp_path, controls=rest, gamut=None,
        overrides=[{"frames": [14, 22], "ramp": 1, "controls": {"saturation": 3.0, "warmth": 1.0}}],
    )  # fmt: skip
    survey = surveyed(turned)
    told = again(survey, plan_deliverables(survey.film, turned, turned.source))
    assert (told.chunks, told.propagated) == (1, ())
    assert "propagated colour is there" in told.sentence
    assert told.shots[0].why == ("controls changed: range 1 at rest -> frames 14 to 21",)
    fleet = InlineFleet()
    made = rendered(turned, fleet)
    assert (fleet.calls(GuideCall), [call.chunks for call in fleet.calls(RenderCall)]) == ([], [(2,)])
    assert made.report().conforms
    after = serial(delivered(made))
    changed = [number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert changed == list(range(14, 22))


def test_a_report_counts_what_leaves_the_gamut_on_its_luma(film: Path, tmp_path: Path) -> None:
    made = rendered(spec_of(film, tmp_path, controls={"saturation": 3.0}, gamut="report", chunk_seconds=2)).report()
    found = made.outside_gamut["film.mkv"]
    assert (made.conforms, found.frames, found.most >= found.mean > 0) == (True, 36, True)


def test_a_grade_is_known_by_what_its_files_hold(film: Path, tmp_path: Path) -> None:
    lut, cdl = tmp_path / "show.cube", tmp_path / "day.cc"
    lut.write_bytes(cube(bent, 5))
    cdl.write_text("<ColorCorrection><SOPNode><Slope>1 1 0.8</Slope></SOPNode></ColorCorrection>")
    plain = delivered(render(spec_of(film, tmp_path / "plain", chunk_seconds=2)))
    folder = tmp_path / "graded"
    graded = spec_of(film, folder, grade={"lut": str(lut), "cdl": str(cdl)}, chunk_seconds=2)
    made = render(graded)
    assert made.report().conforms
    assert not {*serial(delivered(made))} & {*serial(plain)}  # `none` gives the whole picture to a grade
    # Elsewhere, but the same: nothing is rendered; and `farm status` needs neither file.
    lut = lut.rename(tmp_path / "moved.cube")
    fleet = InlineFleet()
    render(spec_of(film, folder, grade={"lut": str(lut), "cdl": {"slope": [1, 1, 0.8]}}, chunk_seconds=2), fleet)
    assert fleet.calls(RenderCall) == []
    lut.unlink()
    (found,) = statuses(f"{folder}/store", None)
    assert found.chunks_done == found.chunks == 2
    # An identity, and a shot's own that rests, are no grade.
    lut.write_bytes(cube(same_colour, 5))
    same(delivered(render(spec_of(film, folder, grade={"lut": str(lut)}, chunk_seconds=2))), plain)
    resting = {"grade": {"lut": str(lut), "cdl": str(cdl)}, "overrides": [{"shots": "1-9", "grade": {"cdl": {}}}]}
    same(delivered(render(spec_of(film, folder, chunk_seconds=2, **resting))), plain)


def test_a_bad_grade_is_refused_before_any_work(film: Path, tmp_path: Path) -> None:
    lut = tmp_path / "show.cube"
    lut.write_bytes(b"LUT_3D_SIZE 2\n0 0 0\n")
    with pytest.raises(
        BadSpec, match=r"The LUT .*show.cube cannot be read: it says 8 rows of three numbers, and has 3"
    ):
        preflight(spec_of(film, tmp_path, grade={"lut": str(lut)}))
    with lut.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(BadMedia, match=r"has 1,073,741,824 bytes, and a file of this kind at most 67,108,864"):
        preflight(spec_of(film, tmp_path, grade={"lut": str(lut)}))
    assert not (tmp_path / "store").exists() or not [*(tmp_path / "store").rglob("*.json")]


def test_each_shot_has_the_cdl_of_the_edls_event_in_which_it_begins(tmp_path: Path) -> None:
    film = Recipe(frames=36, size=(64, 48), rate=Fraction(24)).make(tmp_path / "film.mp4")
    edl = tmp_path / "show.edl"
    edl.write_text(
        "001  A V C 01:00:00:00 01:00:00:06 00:00:00:00 00:00:00:12\n"
        "002  A V C 01:00:00:00 01:00:00:06 00:00:00:12 00:00:01:00\n* ASC_SAT 0.5\n"
    )
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, 12, 24, frames=36))}

    def asked(name: str) -> JobSpec:
        return preflight(spec_of(film, tmp_path, name=name, grade={"cdl": str(edl)}, shots=cuts)).spec

    shots = surveyed(asked("one")).plan.shots
    assert [shot.look.grading and shot.look.grading.cdl for shot in shots] == [None, Cdl(saturation=0.5), None]
    edl.write_text(edl.read_text().replace(" 00:", " 10:"))
    with pytest.raises(
        BadSpec,
        match=r"no shot of the film begins in one of the EDL's events, the first .* from 10:00:00:12 on; the film begins at 00:00:00:00",
    ):
        surveyed(asked("other"))
