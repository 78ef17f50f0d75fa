"""Painted stills through the real driver: each is shown on its own frame, propagated through its shot, and held against its frame."""

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from farm.estimate.rerender_diff import again
from farm.film.calls import GuideCall, RenderCall
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.setup import decide_deliverables, enter, open_film, preflight
from farm.film.survey_run import SurveyRun
from jobs.errors import BadMedia, BadSpec
from jobs.spec.job import JobSpec
from jobs.stills.exports import EXPORTS, ExportedStill, StillsExport
from jobs.store import source_identity
from tests.farm.inline import InlineFleet, quiet, shot_list
from tests.farm.studio import spec_of
from tests.films import Recipe

FRAMES, CUT = 90, 60
BLUE, RED = (150, 110), (110, 150)
"""Cb and Cr."""
GREY = (128, 128)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shots, of 60 and 30 frames."""
    recipe = Recipe(frames=FRAMES, size=(192, 112), rate=Fraction(10), gop=25, cuts=(CUT,))
    return recipe.make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"file": str(shot_list(tmp_path_factory.mktemp("cuts") / "cuts.csv", 0, CUT, frames=FRAMES))}


def decoded(path: Path) -> Iterator[VideoFrame]:
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def painted(film: Path, folder: Path, *frames: int, chroma: tuple[int, int], name: str = "x") -> Path:
    """Stills with one chroma throughout, on the film's own luma."""
    folder.mkdir(exist_ok=True)
    for number, frame in enumerate(decoded(film)):
        if number in frames:
            for plane, value in zip(frame.planes[1:], chroma, strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            assert cv2.imwrite(str(folder / f"{name}.f{number:06d}.png"), frame.to_ndarray(format="bgr24"))
    return folder


def job(film: Path, folder: Path, cuts: dict[str, str], stills: Path, **fields: Any) -> JobSpec:
    look = {"name": "colorize"}
    return spec_of(film, folder, shots=cuts, look=look, stills=str(stills), chunk_seconds=60, **fields)


def rendered(spec: JobSpec, fleet: InlineFleet | None = None) -> FilmRun:
    return render_film(preflight(spec), fleet=fleet or InlineFleet(), board=quiet())  # type: ignore[arg-type]


def chroma_of(path: Path) -> list[NDArray[np.int32]]:
    """Cb and Cr of each frame (2HW), as ffv1 delivers them."""
    found = []
    for frame in decoded(path):
        height, width = frame.height // 2, frame.width // 2
        planes = frame.to_ndarray(format="yuv420p")[frame.height :].reshape(2, height, width)
        found.append(planes.astype(np.int32))
    return found


def off(frame: NDArray[np.int32], chroma: tuple[int, int]) -> float:
    """Mean distance in codes."""
    return float(np.abs(frame - np.array(chroma)[:, None, None]).mean())


def test_a_still_is_shown_on_its_own_frame_and_propagated_through_its_shot_alone(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 20, chroma=BLUE)
    made = rendered(job(film, tmp_path, cuts, stills, match="shot"))
    assert made.report().conforms
    chroma = chroma_of(tmp_path / "out/film.mkv")
    assert off(chroma[20], BLUE) < 0.75
    nearer = [off(frame, BLUE) < off(frame, GREY) for frame in chroma]
    assert nearer == [True] * CUT + [False] * (FRAMES - CUT)
    (still,) = made.report().stills
    assert (still.file, still.frame, still.at) == ("x.f000020.png", 20, "00:00:02.000")


def test_a_still_is_matched_with_another_shot_that_shows_the_same(film: Path, tmp_path: Path) -> None:
    listed = {"file": str(shot_list(tmp_path / "cuts.csv", 0, 40, CUT, frames=FRAMES))}  # nothing changes at frame 40
    rendered(job(film, tmp_path, listed, painted(film, tmp_path / "stills", 20, chroma=BLUE)))
    chroma = chroma_of(tmp_path / "out/film.mkv")
    same = np.stack(chroma[40:CUT])
    assert off(same, BLUE) < off(same, GREY)


def test_a_changed_still_changes_the_frames_of_its_spans_and_no_others(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 20, 75, chroma=BLUE)
    spec = job(film, tmp_path, cuts, stills)
    rendered(spec)
    painted(film, stills, 75, chroma=RED)
    ready = preflight(spec)
    fleet = InlineFleet()
    found = surveyed(ready.spec, fleet)
    diff = again(found, decide_deliverables(found, fleet, to_render=False))  # type: ignore[arg-type]
    assert diff.propagated == ((CUT, FRAMES),)
    assert [(one.shot, one.why) for one in diff.shots] == [(2, ("stills changed: frame 75",))]
    fleet = InlineFleet()
    rendered(spec, fleet)
    assert [call.order.read for call in fleet.calls(GuideCall)] == [(CUT, FRAMES)]
    assert [call.chunks for call in fleet.calls(RenderCall)] == [(2,)]
    assert off(chroma_of(tmp_path / "out/film.mkv")[75], RED) < 0.75


def surveyed(spec: JobSpec, fleet: InlineFleet) -> SurveyRun:
    """A film that an earlier run has surveyed."""
    scout = open_film(preflight(spec), fleet=fleet, board=quiet())  # type: ignore[arg-type]
    for _ in fleet.run(scout.survey_calls(), lambda _, found: scout.calls_after_finding(found)):
        pass
    scout.fresh()
    return scout


def test_the_same_stills_elsewhere_make_nothing_again(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    rendered(job(film, tmp_path, cuts, painted(film, tmp_path / "stills", 20, chroma=BLUE)))
    fleet = InlineFleet()
    rendered(job(film, tmp_path, cuts, painted(film, tmp_path / "other", 20, chroma=BLUE, name="y")), fleet)
    assert fleet.verbs()["render"] == fleet.verbs()["propagate"] == fleet.verbs()["reference"] == 0


def test_an_export_put_back_unedited_is_no_still(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    stills = painted(film, tmp_path / "stills", 20, 75, chroma=BLUE)
    unedited = hashlib.sha256((stills / "x.f000075.png").read_bytes()).hexdigest()
    export = StillsExport(
        job="film",
        source=str(film),
        identity=source_identity(str(film)),
        stills=(ExportedStill(name="x.f000075.png", shot=2, frame=75, at="00:00:07.500", sha256=unedited),),
    )
    (stills / EXPORTS).write_text(export.model_dump_json())
    assert [one.frame for one in preflight(job(film, tmp_path, cuts, stills)).stills] == [20]


def test_a_still_of_another_frame_is_refused(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    stills = painted(film, tmp_path / "stills", 75, chroma=BLUE)
    (stills / "x.f000075.png").rename(stills / "x.f000020.png")
    with pytest.raises(BadMedia, match=r"x\.f000020\.png does not show frame 20 \(00:00:02\.000\)"):
        rendered(job(film, tmp_path, cuts, stills))


def test_a_still_beyond_the_film_is_refused(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    stills = painted(film, tmp_path / "stills", 75, chroma=BLUE)
    (stills / "x.f000075.png").rename(stills / "x.f000900.png")
    with pytest.raises(BadSpec, match="is of frame 900; the film has"):
        rendered(job(film, tmp_path, cuts, stills))


def test_a_still_that_changes_after_preflight_is_not_taken_for_the_one_that_was_listed(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 20, chroma=BLUE)
    ready = preflight(job(film, tmp_path, cuts, stills))
    painted(film, stills, 20, chroma=RED)
    with pytest.raises(BadSpec, match="was changed while it was read"):
        enter(ready)


def test_a_look_that_keeps_no_luma_refuses_a_still_of_its_shot(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    overrides = [{"shots": "2", "look": {"name": "none"}}]
    stills = painted(film, tmp_path / "stills", 75, chroma=BLUE)
    with pytest.raises(BadSpec, match="in shot 2, and the look 'none' there does not keep the film's luma"):
        rendered(job(film, tmp_path, cuts, stills, overrides=overrides))
