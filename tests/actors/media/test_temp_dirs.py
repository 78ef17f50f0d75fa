"""Temporary folders: gone when the work is done, and swept where a killed worker could not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.media.temp_dirs import PREFIX, spool


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_spool_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    with spool("render") as name:
        assert Path(name).parent == tmp_path
        (Path(name) / "segment").write_text("x")
    assert not list(tmp_path.iterdir())


def test_what_a_dead_worker_left_is_swept_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, used, strange = (tmp_path / f"{PREFIX}{owner}-stitch-x" for owner in (gone.pid, os.getpid(), "somebody"))
    for folder in (left, used, strange):
        folder.mkdir()
    with spool("split"):
        assert not left.exists()
        assert used.exists()
        assert strange.exists()
