"""Painted stills through the real driver: each is shown on its own frame, propagated through its shot, and held against its frame."""

import hashlib
import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from farm.estimate.rerender_diff import again
from farm.film.calls import GuideCall, RenderCall
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.setup import decide_deliverables, enter, open_film, preflight
from farm.film.survey_run import SurveyRun
from farm.ops.clean import CleanOptions, clean
from farm.ops.status import statuses
from jobs.errors import BadSpec
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


TWO_SHOTS = Recipe(frames=FRAMES, size=(192, 112), rate=Fraction(10), gop=25, cuts=(CUT,))
"""Of 60 and 30 frames."""


def cuts_in(folder: Path) -> dict[str, str]:
    """The list of these shots, as a spec names it."""
    return {"file": str(shot_list(folder / "cuts.csv", 0, CUT, frames=FRAMES))}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return TWO_SHOTS.make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return cuts_in(tmp_path_factory.mktemp("cuts"))


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
    look = {"name": "colorize", "settings": {"size": 128}}
    return spec_of(film, folder, shots=cuts, look=look, stills=str(stills), chunk_seconds=60, **fields)


def rendered(spec: JobSpec, fleet: InlineFleet | None = None) -> FilmRun:
    return render_film(preflight(spec), fleet=fleet or InlineFleet(), console=quiet())  # type: ignore[arg-type]


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


def test_a_film_with_stills_is_the_same_in_any_number_of_chunks(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    """A seam beside a still and one at it: the still's detail is brought across both."""
    stills = painted(film, tmp_path / "stills", 20, 57, chroma=BLUE)
    pieces = job(film, tmp_path / "pieces", cuts, stills).model_copy(update={"chunk_seconds": 2.0})
    assert len(rendered(pieces).chunks) > 3
    rendered(job(film, tmp_path / "whole", cuts, stills))
    made = (chroma_of(tmp_path / name / "out/film.mkv") for name in ("pieces", "whole"))
    for one, other in zip(*made, strict=True):
        np.testing.assert_array_equal(one, other)


RETURNS = (40, 44, 48, CUT)
"""Cuts of a film whose fourth shot shows what the first does."""


@pytest.fixture(scope="module")
def returning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return replace(TWO_SHOTS, cuts=RETURNS).make(tmp_path_factory.mktemp("returning") / "film.mp4")


@pytest.mark.parametrize("asked", [None, "film", "shot"])
def test_a_still_is_matched_with_another_shot_that_shows_the_same_unless_told_not_to(
    returning: Path, tmp_path: Path, asked: str | None
) -> None:
    listed = {"file": str(shot_list(tmp_path / "cuts.csv", 0, *RETURNS, frames=FRAMES))}
    overrides = [{"shots": "4", "match": asked}] if asked else []
    stills = painted(returning, tmp_path / "stills", 20, chroma=BLUE)
    rendered(job(returning, tmp_path, listed, stills, overrides=overrides))
    chroma = chroma_of(tmp_path / "out/film.mkv")
    same = np.stack(chroma[RETURNS[2] : CUT])
    assert (off(same, BLUE) < off(same, GREY)) == (asked != "shot")


def test_a_shot_that_is_no_longer_matched_is_made_again_and_no_other(returning: Path, tmp_path: Path) -> None:
    listed = {"file": str(shot_list(tmp_path / "cuts.csv", 0, *RETURNS, frames=FRAMES))}
    spec = job(returning, tmp_path, listed, painted(returning, tmp_path / "stills", 20, chroma=BLUE))
    rendered(spec)
    changed = job(returning, tmp_path, listed, tmp_path / "stills", overrides=[{"shots": "4", "match": "shot"}])
    rendered(changed, fleet := InlineFleet())
    assert [call.order.read for call in fleet.calls(GuideCall)] == [(RETURNS[2], CUT)]
    assert [call.chunks for call in fleet.calls(RenderCall)] == [(4,)]


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


def layer(folder: Path, frame: int, colour: tuple[int, int, int]) -> Path:
    """A transparent picture with one broad stroke across its middle."""
    folder.mkdir(exist_ok=True)
    strokes = Image.new("RGBA", TWO_SHOTS.size)
    strokes.paste((*colour, 255), (20, 52, 172, 60))
    strokes.save(folder / f"x.f{frame:06d}.png")
    return folder


def test_a_changed_layer_of_strokes_changes_the_frames_of_its_spans_and_no_others(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    spec = job(film, tmp_path, cuts, layer(tmp_path / "stills", 20, (40, 60, 200)))
    made = rendered(spec)
    before = chroma_of(tmp_path / "out/film.mkv")
    (still,) = made.report().stills
    assert still.remarks == ("a layer of strokes: their colour spreads to what is alike around them",)
    # The stroke's own place, at half size.
    assert off(before[20][:, 27:29, 12:84], BLUE) < off(before[20][:, 27:29, 12:84], RED)
    layer(tmp_path / "stills", 20, (200, 60, 40))
    fleet = InlineFleet()
    found = surveyed(preflight(spec).spec, fleet)
    diff = again(found, decide_deliverables(found, fleet, to_render=False))  # type: ignore[arg-type]
    assert diff.propagated == ((0, CUT),)
    assert [(one.shot, one.why) for one in diff.shots] == [(1, ("stills changed: frame 20",))]
    fleet = InlineFleet()
    rendered(spec, fleet)
    assert {call.order.read.stop for call in fleet.calls(GuideCall)} == {CUT}
    after = chroma_of(tmp_path / "out/film.mkv")
    assert off(after[20][:, 27:29, 12:84], RED) < off(after[20][:, 27:29, 12:84], BLUE)
    for one, other in zip(before[CUT:], after[CUT:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_layer_without_a_stroke_changes_nothing(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "stills").mkdir()
    Image.new("RGBA", TWO_SHOTS.size).save(tmp_path / "stills/x.f000020.png")
    rendered(job(film, tmp_path / "empty", cuts, tmp_path / "stills"))
    rendered(job(film, tmp_path / "none", cuts, tmp_path / "stills").model_copy(update={"stills": None}))
    made = (chroma_of(tmp_path / name / "out/film.mkv") for name in ("empty", "none"))
    for one, other in zip(*made, strict=True):
        np.testing.assert_array_equal(one, other)


def surveyed(spec: JobSpec, fleet: InlineFleet) -> SurveyRun:
    """A film that an earlier run has surveyed."""
    survey = open_film(preflight(spec), fleet=fleet, console=quiet())  # type: ignore[arg-type]
    for _ in fleet.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
        pass
    survey.fresh()
    return survey


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


def png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + head
        + struct.pack(">I", zlib.crc32(head))
        + struct.pack(">I", 64)
        + b"IDAT"
        + bytes(64)
    )


REFUSED: dict[str, tuple[dict[str, Image.Image | bytes], str]] = {
    "no folder": ({}, "holds no still, .*check the path, or write some with `farm stills`"),
    "nothing that is a still": ({"notes.txt": b"blue coat", "a.png": b""}, "holds no still"),
    "an empty file": ({"a.f1.png": b""}, r"a\.f1\.png is empty; save it again"),
    "no picture": ({"a.f1.png": b"something else"}, r"a\.f1\.png cannot be read as a PNG, JPEG or TIFF.*save it again"),
    "400 megapixels": ({"a.f1.png": png_header(20000, 20000)}, r"a\.f1\.png .*megapixels.*save it at the film's size"),
    "CMYK": ({"a.f1.tif": Image.new("CMYK", (192, 112))}, r"a\.f1\.tif is CMYK without an ICC profile.*save it as RGB"),
    "floats": ({"a.f1.tif": Image.new("F", (192, 112))}, r"a\.f1\.tif is of a kind that is not read \(F\)"),
    "two of one frame": ({"a.f1.png": b"x", "b.f01.png": b"y"}, r"two stills of frame 1, a\.f1\.png and b\.f01\.png"),
    "another shape": ({"a.f1.png": Image.new("RGB", (160, 120))}, r"a\.f1\.png is 160x120, .*than the film's 192x112"),
    "more than one": (
        {"a.f1.png": b"x", "b.f2.tif": Image.new("CMYK", (192, 112)), "c.f3.png": Image.new("P", (192, 112))},
        r"2 stills cannot be used\. .*a\.f1\.png cannot be read.* b\.f2\.tif is CMYK",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_be_told_of_stills_is_told_before_any_work(
    film: Path, cuts: dict[str, str], tmp_path: Path, case: str
) -> None:
    files, sentence = REFUSED[case]
    for name, content in files.items():
        (tmp_path / "stills").mkdir(exist_ok=True)
        if isinstance(content, bytes):
            (tmp_path / "stills" / name).write_bytes(content)
        else:
            content.save(tmp_path / "stills" / name)
    fleet = InlineFleet()
    with pytest.raises(BadSpec, match=sentence) as refusal:
        rendered(job(film, tmp_path, cuts, tmp_path / "stills"), fleet)
    assert "\n" not in str(refusal.value)
    assert fleet.verbs().keys() <= {"film"}


def test_all_stills_that_are_of_other_frames_are_refused_at_once_and_before_anything_is_split(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 10, 20, 75, 80, chroma=BLUE)
    for frame, other in (("75", "900"), ("20", "75"), ("80", "20")):
        (stills / f"x.f0000{frame}.png").rename(stills / f"x.f{int(other):06d}.png")
    fleet = InlineFleet()
    with pytest.raises(BadSpec, match="3 stills cannot be used") as refusal:
        rendered(job(film, tmp_path, cuts, stills), fleet)
    for sentence in (
        "x.f000020.png does not show frame 20 (00:00:02.000)",
        "x.f000075.png does not show frame 75 (00:00:07.500)",
        "x.f000900.png is of frame 900; the film has",
    ):
        assert sentence in str(refusal.value)
    assert fleet.verbs()["reference"] == 3
    assert fleet.verbs().keys() & {"split", "propagate", "render", "finish"} == set()


def test_a_palette_is_read_as_what_it_shows(film: Path, cuts: dict[str, str], tmp_path: Path) -> None:
    stills = painted(film, tmp_path / "stills", 20, chroma=BLUE)
    with Image.open(stills / "x.f000020.png") as image:
        image.convert("RGB").quantize(256).save(stills / "x.f000020.png")
    rendered(job(film, tmp_path, cuts, stills))
    assert off(chroma_of(tmp_path / "out/film.mkv")[20], BLUE) < 6


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


def test_status_and_clean_know_a_job_s_stills_when_their_folder_is_gone(
    film: Path, cuts: dict[str, str], tmp_path: Path
) -> None:
    stills = painted(film, tmp_path / "stills", 20, chroma=BLUE)
    spec = job(film, tmp_path, cuts, stills)
    made = rendered(spec)
    made.ledger.keep_paper("report.json", made.report())
    segments = {f"records/{one.digest}.json" for one in made.segments_of(made.deliverables[0])}
    painted(film, stills, 20, chroma=RED)
    shutil.rmtree(stills)
    (told,) = statuses(spec.store, None)
    assert (told.state, told.chunks_done) == ("delivered", told.chunks)
    clean(spec.store, None, CleanOptions(all_but_last=True, delete=True))
    assert set(made.ledger.names("records/")) == segments
