"""Runs: the right frames of a film, as a chunk would be read, and figures that do not depend on where a run ends."""

from pathlib import Path

import pytest

from actors.evaluation.evaluate import Evaluator
from actors.evaluation.evaluation_orders import EvaluationMaterial
from actors.looks import fit
from actors.survey.frame_runs import frames_of, runs_of
from actors.survey.neighbouring_frames import NeighbouringFrames
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex
from jobs.plan.plan import Range, Support
from jobs.records.evaluation import JudgedPicture, SkippedPicture
from jobs.spec.job import LookChoice, Reading
from tests.actors.interlaced import interlaced
from tests.films import Recipe, fingerprint, read_number


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots of 18 frames."""
    return Recipe(frames=36, cuts=(18,), open_gop=True).make(tmp_path_factory.mktemp("film") / "film.mkv")


def test_frames_are_spread_evenly_and_no_run_crosses_a_cut(film: Path) -> None:
    found = runs_of(Surveyor(str(film)), 3, [Support(context=2), Support(context=5, warmup=9)])
    # Nine before for the memory, five after for the context; the cut is at 18.
    assert [(run.frame, run.read) for run in found.runs] == [
        (6, Range(0, 12)),
        (18, Range(18, 24)),
        (30, Range(21, 36)),
    ]
    for run in found.runs:
        assert [read_number(frame) for frame in frames_of(found.film, run, 1)] == list(range(*run.read))


def test_a_short_film_is_judged_whole(film: Path) -> None:
    found = runs_of(Surveyor(str(film)), 1000, [Support()])
    assert [run.frame for run in found.runs] == list(range(36))
    assert {run.read.frames for run in found.runs} == {1}


def test_frames_are_developed(tmp_path: Path) -> None:
    path = Recipe(frames=6, codec="ffv1", pix_fmt="bgr0").make(tmp_path / "rgb.mkv")
    found = runs_of(Surveyor(str(path)), 1, [Support(context=1)])
    assert found.film.picture.developed
    frames = frames_of(found.film, found.runs[0], 1)
    assert [(read_number(frame), frame.format.name) for frame in frames] == [
        (number, found.film.picture.pix_fmt) for number in (2, 3, 4)
    ]


def test_a_deinterlaced_frame_is_the_same_in_any_run(tmp_path: Path) -> None:
    surveyor = Surveyor(str(interlaced(tmp_path / "woven.mkv")), reading=Reading(deinterlace=True))
    narrow, wide = (runs_of(surveyor, 3, [Support(context=context)]) for context in (0, 4))
    for alone, among in zip(narrow.runs, wide.runs, strict=True):
        assert alone.head == 2
        (frame,) = frames_of(narrow.film, alone, 1)
        neighbours = frames_of(wide.film, among, 1)
        assert len(neighbours) == among.read.frames > 1
        assert fingerprint(frame) == fingerprint(neighbours[among.frame - among.read.start])


def test_a_film_that_is_no_longer_there_is_told(film: Path) -> None:
    found = runs_of(Surveyor(str(film)), 1, [Support()])
    gone = found.film.model_copy(update={"source": f"{film}.gone"})
    with pytest.raises(BadMedia, match="does not exist"):
        frames_of(gone, found.runs[0], 1)


def judges(film: Path) -> Evaluator:
    return Evaluator(EvaluationMaterial(str(film), None), [fit(LookChoice(name="test-window"))], (0.0, 1.0))


def judged(film: Path, *runs: NeighbouringFrames) -> list[JudgedPicture | SkippedPicture]:
    return list(judges(film).frames(0, Surveyor(str(film)).film(), runs))


def test_a_frame_is_judged_as_it_is_rendered_within_its_shot(film: Path) -> None:
    surveyor = Surveyor(str(film))
    index = FrameIndex(list(surveyor.pages()), complete=True)
    chosen = judges(film).choose(2)
    assert [run.read for run in chosen.runs] == [Range(4, 15), Range(22, 33)]
    (found, _) = judged(film, *chosen.runs)
    assert isinstance(found, JudgedPicture)
    assert (found.name, found.looks[0][0]) == ("frame 9", found.grey)
    (whole,) = judged(film, NeighbouringFrames(9, Range(0, 18), 0, index.span(0, 18)))
    assert whole == found
    (short,) = judged(film, NeighbouringFrames(9, Range(5, 15), 0, index.span(5, 15)))
    assert short != found
