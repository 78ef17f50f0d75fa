"""Proofs of a film with painted stills show the propagated picture that will be delivered, and a render goes on with what was made for them."""

from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from farm.contact_sheets.still_run import StillRequest, SurveyedFilm, prove
from farm.film.calls import GuideCall
from farm.film.setup import decide_deliverables, open_film, preflight
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.plain_console import PlainConsole
from jobs.errors import BadSpec
from jobs.records.stills import Proof
from jobs.spec.job import JobSpec
from tests.farm.film.test_stills import BLUE, RED, TWO_SHOTS, chroma_of, cuts_in, job, painted, rendered
from tests.farm.inline import InlineFleet, quiet


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return TWO_SHOTS.make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return cuts_in(tmp_path_factory.mktemp("cuts"))


def proven(spec: JobSpec, fleet: InlineFleet) -> Proof:
    worker: Any = fleet
    survey = open_film(preflight(spec), fleet=worker, console=quiet())
    encoding = decide_deliverables(survey, worker, to_render=False)[0].encoding
    for _ in worker.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
        pass
    survey.fresh()
    said = EvaluationProgress(PlainConsole(file=StringIO()))
    return prove(SurveyedFilm(survey, worker, encoding, said), StillRequest())


def chroma_shown(spec: JobSpec, proof: Proof, shot: int) -> tuple[float, float]:
    """Mean Cb and Cr of a shot's still, by OpenCV's own BT.601, which is the film's."""
    key = proof.shots[shot - 1].stills[1]
    assert key
    picture = cv2.imread(str(Path(spec.output, key)))
    assert picture is not None
    cr, cb = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb).reshape(-1, 3).mean(0)[1:]
    return float(cb), float(cr)


def test_a_proof_shows_the_propagated_picture_and_a_render_finds_its_colour_made(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 20, chroma=BLUE)
    spec, fleet = job(film, tmp_path, cuts, stills, match="shot"), InlineFleet()
    proof = proven(spec, fleet)
    assert proof.lacking == ()
    assert [shot.frame for shot in proof.shots] == [30, 75]
    first = fleet.calls(GuideCall)
    shown = [chroma_shown(spec, proof, 1), chroma_shown(spec, proof, 2)]
    again = InlineFleet()
    assert proven(spec, again).rendered == 0
    assert again.verbs()["propagate"] == 0
    render = InlineFleet()
    rendered(spec, render)
    delivered = chroma_of(tmp_path / "out/film.mkv")
    for frame, found in zip((30, 75), shown, strict=True):
        # 16..240 of the film are 0..255 of a JPEG.
        wanted = 128 + (delivered[frame].mean((1, 2)) - 128) * 255 / 224
        np.testing.assert_allclose(found, wanted, atol=1.5)
    made = [call.order.digest(span) for call in (*first, *render.calls(GuideCall)) for span in call.order.spans]
    assert len(made) == len(set(made))


def test_a_proof_refuses_stills_of_other_frames_and_follows_one_that_is_changed(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 20, chroma=BLUE)
    spec = job(film, tmp_path, cuts, stills, match="shot")
    before = chroma_shown(spec, proven(spec, InlineFleet()), 1)
    painted(film, stills, 20, chroma=RED)
    after = chroma_shown(spec, proven(spec, InlineFleet()), 1)
    assert before[0] > 135 > 121 > after[0]
    (stills / "x.f000020.png").rename(stills / "x.f000075.png")
    fleet = InlineFleet()
    with pytest.raises(BadSpec, match=r"x\.f000075\.png does not show frame 75"):
        proven(spec, fleet)
    assert fleet.verbs()["propagate"] == 0
