"""Quality control through the driver: a figure that fails keeps a film from being delivered, and a raised bound delivers what is rendered."""

import json
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream

from farm.cli.sessions import hand_over
from farm.film.calls import FinishCall, RenderCall
from farm.film.film_run import FilmRun
from farm.film.review.publisher import published
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import PlainConsole
from jobs.errors import NotConformed
from jobs.ledger.ledger import figures_name
from jobs.records.quality import CheckSummary
from jobs.records.report import FilmReport
from jobs.review.figures import PieceFigures
from jobs.store import open_store
from tests.farm.film import test_stills
from tests.farm.inline import InlineFleet, quiet, rendered, shot_list
from tests.farm.studio import spec_of
from tests.films import Recipe


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Recipe(frames=40, cuts=(20,)).make(tmp_path / "film.mp4")


def run(source: Path, folder: Path, fleet: InlineFleet, **fields: Any) -> FilmRun:
    return rendered(spec_of(source, folder, chunk_seconds=0.5, **fields), fleet)


def plant(film: FilmRun, chunk: int, **figures: Any) -> None:
    """Something else was measured of a chunk that is rendered."""
    (segment,) = film.names(film.chunks[chunk], film.deliverables[0].encoding).values()
    kept = film.ledger.paper(figures_name(segment), PieceFigures)
    assert kept
    film.ledger.keep_paper(figures_name(segment), kept.model_copy(update=figures), only_if_absent=False)


def test_a_figure_that_fails_keeps_the_film_back_until_its_bound_is_raised(source: Path, tmp_path: Path) -> None:
    first = run(source, tmp_path, InlineFleet(), qc={"flicker": {"fail": 2}})
    assert first.report().conforms
    delivered = tmp_path / "out/film.mkv"
    delivered.unlink()
    plant(first, 2, flicker=3.0, flicker_at=33)

    fleet = InlineFleet()
    failed = run(source, tmp_path, fleet, qc={"flicker": {"fail": 2}})
    with pytest.raises(NotConformed) as refused:
        hand_over(failed.survey.spec, failed, quiet())
    sentence = str(refused.value)
    assert "shot 2 flickers by 3.0 steps of 8 bits where the source is still (frame 33, fail: 2)" in sentence
    assert "raise qc.flicker.fail in the spec" in sentence
    assert "overrides: shots 2)" in sentence
    assert not delivered.exists()
    assert (fleet.calls(RenderCall), fleet.calls(FinishCall)) == ([], [])
    report = FilmReport.model_validate_json((tmp_path / "out/film.report.json").read_bytes())
    assert (report.conforms, report.deliverables) == (False, ())
    found = {one.shot: one.figures["flicker"].verdict for one in report.quality.shots}
    assert found == {1: "pass", 2: "fail"}
    assert "quality control has it fail" in (tmp_path / "out/film.review/data.js").read_text()

    fleet = InlineFleet()
    raised = run(source, tmp_path, fleet, qc={"flicker": {"fail": 4}})
    said = StringIO()
    report = hand_over(raised.survey.spec, raised, ProgressConsole(console=PlainConsole(file=said)))
    assert "quality control: shot 2 flickers by 3.0 steps" in said.getvalue()
    assert raised.console.progress.quality["flicker"] == CheckSummary(warnings=1, worst=3.0)
    assert (report.conforms, delivered.exists(), fleet.calls(RenderCall)) == (True, True, [])
    assert report.quality.said("warn") == [
        "shot 2 flickers by 3.0 steps of 8 bits where the source is still (frame 33, warn: 0.75)"
    ]


def test_a_film_that_fails_as_it_is_rendered_gets_no_name(source: Path, tmp_path: Path) -> None:
    dark = {"cdl": {"slope": [0, 0, 0]}}  # every picture becomes black
    kinds = [
        {"name": "film", "codec": "ffv1"},
        {"name": "pictures", "codec": "dpx"},
        {"name": "view", "codec": "h264", "container": "hls"},
    ]
    fields: dict[str, Any] = {"look": {"name": "test-negative"}, "grade": dark, "deliverables": kinds}
    failed = run(source, tmp_path, InlineFleet(), qc={"black": {"fail": 3}}, **fields)
    assert failed.finishing.held_back
    assert failed.finishing.quality
    assert [one.shot for one, _ in failed.finishing.quality.judged("fail")] == [1, 2]
    out = tmp_path / "out"
    assert [*out.glob("film.mkv"), *out.glob("pictures/*"), *out.glob("*.sha256")] == []
    again = run(source, tmp_path, InlineFleet(), qc={"black": {"fail": 300}}, **fields)
    assert again.report().conforms
    assert (len([*out.glob("*.sha256")]), len([*out.glob("pictures/*")])) == (3, 40)


def test_one_of_two_shots_of_a_set_up_that_is_tinted_comes_first(tmp_path: Path) -> None:
    """Four shots: a set-up, another, and the first one twice more, the last of them warmer."""
    write_setups(tmp_path / "film.mkv", [1, 2, 1, 1])
    cuts = shot_list(tmp_path / "cuts.csv", 0, 8, 16, 24, frames=32)
    fields: dict[str, Any] = {"shots": {"file": str(cuts)}, "deliverables": [{"name": "film", "codec": "ffv1"}]}
    warm = [{"shots": 4, "controls": {"warmth": 0.15}}]
    made = rendered(spec_of(tmp_path / "film.mkv", tmp_path / "warm", overrides=warm, **fields))
    planted = apart(tmp_path / "warm/out/film.mkv", 17, 25)
    assert 2.5 < planted < 3.5
    (held,) = made.report().quality.judged("warn")
    assert (held[0].shot, held[1]) == (4, "setup")
    assert held[0].figures["setup"].value == pytest.approx(planted, rel=0.15)
    published(made, made.report(), open_store(made.survey.spec.output))
    text = (tmp_path / "warm/out/film.review/data.js").read_text().removeprefix("farmReview(").removesuffix(");\n")
    shots = json.loads(text)["shots"]
    assert [[one["kind"] for one in shot["findings"]] for shot in shots] == [[], [], [], ["setup"]]
    clean = rendered(spec_of(tmp_path / "film.mkv", tmp_path / "clean", **fields))
    assert clean.report().quality.judged("warn", "fail") == []


def test_a_look_with_a_memory_and_no_dissolve_is_found_at_its_seam(tmp_path: Path) -> None:
    source = Recipe(frames=120, cuts=(96,)).make(tmp_path / "film.mp4")
    look = {"name": "test-drift", "settings": {"memory": 0.999, "warmup": 0, "dissolve": 0}}
    made = rendered(spec_of(source, tmp_path, look=look, chunk_seconds=2.2))
    found = made.report().quality.judged("warn", "fail")
    assert [(one.shot, check, one.figures[check].at) for one, check in found] == [(1, "seam", 48)]


def test_a_shot_that_leaves_its_still_is_found(tmp_path: Path) -> None:
    """Blue where it was painted, and by the controls of its end no colour at all."""
    film = tmp_path / "film.mkv"
    write_setups(film, [1, 1, 1, 1, 2])
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, 32, frames=40))}
    stills = test_stills.painted(film, tmp_path / "stills", 10, chroma=(150, 110))
    grey = [{"frames": [24, 32], "controls": {"saturation": 0}, "ramp": 0}]
    kept = test_stills.rendered(test_stills.job(film, tmp_path / "kept", cuts, stills))
    left = test_stills.rendered(test_stills.job(film, tmp_path / "left", cuts, stills, overrides=grey))
    first = [one.report().quality.shots[0].figures["stills"] for one in (kept, left)]
    assert [(one.verdict, one.value > 6) for one in first] == [("pass", False), ("warn", True)]
    assert first[1].at in range(24, 32)
    assert "stills" not in left.report().quality.shots[1].figures


def write_setups(path: Path, seeds: list[int]) -> None:
    """Shots of eight frames, each of soft shapes in soft colours, by its seed."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("ffv1", rate=24)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 192, 112, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for number, seed in enumerate(seed for seed in seeds for _ in range(8)):
            rough = np.random.default_rng(seed).uniform(60, 190, (6, 10)).astype(np.float32)
            colour = np.random.default_rng(100 + seed).uniform(118, 138, (2, 4, 6)).astype(np.float32)
            luma = cv2.resize(rough, (192, 112), interpolation=cv2.INTER_CUBIC)
            luma[50:60, 5 * (number % 8) : 5 * (number % 8) + 12] = 200  # something moves
            chroma = [cv2.resize(one, (96, 56), interpolation=cv2.INTER_CUBIC) for one in colour]
            planar = np.concatenate([one.ravel() for one in (luma, *chroma)]).reshape(-1, 192)
            frame = av.VideoFrame.from_ndarray(planar.round().clip(16, 235).astype(np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 24)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


def apart(path: Path, *numbers: int) -> float:
    """dE between the mean colours of two frames, by OpenCV and libswscale."""
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    means = [frames[number].mean(axis=(0, 1), dtype=np.float32)[None, None] / np.float32(255) for number in numbers]
    first, second = (cv2.cvtColor(one, cv2.COLOR_RGB2LAB) for one in means)
    return float(np.linalg.norm(first - second))
