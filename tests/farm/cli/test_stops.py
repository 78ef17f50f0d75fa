"""A film that is stopped in its middle, as users stop it: nothing is left running, and the same command goes on to the same film."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from farm.specs.spec_files import read_spec
from tests.farm.inline import rendered
from tests.farm.shell import RAYS_OWN, Running, farm, segments
from tests.films import Recipe

LOOK = {"name": "test-window", "settings": {"radius": 30, "declared": 30}}
"""Slow: sixty frames of handles for each chunk of eleven."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=220, sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


def job(film: Path, folder: Path) -> Path:
    """A job spec that takes some seconds to render."""
    folder.mkdir()
    spec: dict[str, Any] = {
        "name": "film",
        "source": str(film),
        "store": f"{folder}/store",
        "output": f"{folder}/out",
        "look": LOOK,
        "chunk_seconds": 0.5,
        "workers": {"count": 1},
        "deliverables": [{"codec": "ffv1"}],
    }
    (folder / "job.json").write_text(json.dumps(spec))
    return folder / "job.json"


@pytest.fixture(scope="module")
def undisturbed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The film that nobody stopped, rendered without Ray."""
    spec = read_spec(str(job(film, tmp_path_factory.mktemp("undisturbed") / "work")))
    assert rendered(spec).report().conforms
    return Path(spec.output, "film.mkv").read_bytes()


def goes_on(spec: Path, undisturbed: bytes) -> None:
    """The same command finishes the film, makes no finished chunk again, and the film is the same to the last byte."""
    kept = segments(spec.parent / "store")
    assert not (spec.parent / "out/film.mkv").exists()
    said = farm("render", spec)
    assert said.code == 0, said.err
    report = json.loads((spec.parent / "out/film.report.json").read_text())
    assert report["conforms"]
    assert 0 < kept < report["chunks"]
    assert report["chunks_rendered"] == report["chunks"] - kept
    assert (spec.parent / "out/film.mkv").read_bytes() == undisturbed


def test_ctrl_c_in_mid_film(film: Path, undisturbed: bytes, tmp_path: Path) -> None:
    spec = job(film, tmp_path / "work")
    with Running(tmp_path, "render", spec) as render:
        render.until(lambda: segments(tmp_path / "work/store") >= 2)
        assert 'film_farm_frames_total{job="film"} 220.0' in render.metrics()
        with render.held():
            (status,) = farm("status", spec, "--json").json
        render.interrupt()
        said = render.said()
        assert (said.code, said.sentence) == (
            130,
            "Stopped. Finished work is kept; the same command resumes from here.",
        )
        assert render.left_running() == []
    assert (status["state"], status["frames"]) == ("rendering", 220)
    assert 2 <= status["chunks_done"] < status["chunks"]
    goes_on(spec, undisturbed)


@pytest.mark.minutes
def test_sigkill_of_the_driver_in_mid_film(film: Path, undisturbed: bytes, tmp_path: Path) -> None:
    spec = job(film, tmp_path / "work")
    with Running(tmp_path, "render", spec) as render:
        render.until(lambda: segments(tmp_path / "work/store") >= 2)
        render.kill()
        assert render.said().code == -9
        # A worker may finish what it is at: the record it leaves is as good as any.
        assert render.left_running(but=RAYS_OWN) == []
    goes_on(spec, undisturbed)
