"""A Ray of one's own that cannot start: one sentence, and no traceback."""

from pathlib import Path

import pytest

from tests.farm.shell import farm
from tests.films import Recipe


def test_a_ray_that_cannot_start_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = Recipe(frames=6, size=(64, 48)).make(tmp_path / "a.mp4")
    # A socket's name has a hundred characters at most.
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("long" * 30)))
    said = farm("render", film, "--look", "none", "--out", tmp_path / "out")
    assert said.code == 1
    assert said.sentence.startswith("Ray could not be started on this machine (")
    assert "AF_UNIX" in said.sentence
    assert said.sentence.endswith("Finished work is kept; the same command resumes from here.")
