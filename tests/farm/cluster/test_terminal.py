"""Commands typed into an interactive shell on a real terminal, with an `ffmpeg` that touches it on the PATH: none is stopped by the kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.actors.training.albums import album
from tests.farm.interactive import BIN, Terminal
from tests.farm.learn.test_train import paper
from tests.films import Recipe

FFMPEG = """#!/bin/sh
# Notes that it was run, reads the terminal's settings and changes them as the true one does, and goes on as the true one.
echo "$@" >> '{ran}'
stty sane
exec '{true}' "$@"
"""


pytestmark = pytest.mark.timeout(900)
"""Ray is started by each command, on a busy machine."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=12, size=(96, 64)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def ffmpeg(folder: Path) -> Path:
    """A folder with an `ffmpeg` for the PATH: Debian's, where it is, run by one that touches the terminal for certain."""
    folder.mkdir()
    true = shutil.which("ffmpeg") or shutil.which("true")
    (folder / "ffmpeg").write_text(FFMPEG.format(ran=folder / "ran", true=true))
    (folder / "ffmpeg").chmod(0o755)
    return folder


def commands(film: Path, folder: Path) -> dict[str, str]:
    """What is typed."""
    recipe = paper(album(folder / "photos"), folder / "training", steps=4, check_every=2)
    return {
        "render": f"farm render {film} --look none --out {folder}/out",
        "proof": f"farm proof {film} --look none --out {folder}/out",
        "evaluate": f"farm evaluate none --on {film} --frames 2 --strengths 1",
        "train": f"farm train {recipe}",
    }


@pytest.mark.parametrize("command", ["render", "proof", "evaluate", "train"])
def test_no_command_is_stopped_and_none_runs_ffmpeg(film: Path, tmp_path: Path, command: str) -> None:
    there = ffmpeg(tmp_path / "bin")
    with Terminal(tmp_path, {"PATH": f"{BIN}:{there}:{os.environ['PATH']}"}) as terminal:
        assert terminal.run("ffmpeg -v quiet") in (0, 1), "it is found there"
        (there / "ran").unlink()
        assert terminal.run(commands(film, tmp_path)[command]) == 0, terminal.shown
        assert terminal.stopped() == []
    assert not (there / "ran").exists()


@pytest.mark.minutes
def test_it_is_rendered_as_well_where_no_ffmpeg_is(film: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("mv", "sh", "uname", "ldconfig"):
        if there := shutil.which(name):
            (tmp_path / "bin" / name).symlink_to(there)
    with Terminal(tmp_path, {"PATH": f"{BIN}:{tmp_path}/bin"}) as terminal:
        assert terminal.run("ffmpeg -version") == 127, "not found"
        assert terminal.run(commands(film, tmp_path)["render"]) == 0, terminal.shown
    assert (tmp_path / "out/film.report.json").exists()


TOUCHING = """
import sys
from farm.fleet.calls import PoolSpec
from farm.fleet.fleet import Fleet
from tests.farm.plain_call import PlainCall
with Fleet(sys.argv[1]) as fleet:
    fleet.hire([PoolSpec("toucher", "tests.farm.fleet_workers:Toucher", cpus=0.01)])
    (found,) = [found for _, found in fleet.run([PlainCall("toucher", "touch")], lambda call, found: ())]
    sys.exit(0 if found == (b"", False) else 3)
"""


def test_a_worker_has_no_terminal_though_what_it_runs_asks_for_one(tmp_path: Path) -> None:
    (tmp_path / "touching.py").write_text(TOUCHING)
    env = {"PYTHONPATH": str(Path(__file__).parents[3])}
    with Terminal(tmp_path, env) as terminal:
        assert terminal.run(f"{sys.executable} {tmp_path}/touching.py local") == 0, terminal.shown


IMPORTING = """
import importlib, pkgutil, sys
run = []
sys.addaudithook(lambda event, args: run.append(f"{event} {args}") if event in {
    "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty"} else None)
import actors, farm, jobs
for room in (jobs, actors, farm):
    for one in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        importlib.import_module(one.name)
print(*run, sep="\\n", end="")
"""


def test_no_module_runs_a_program_when_it_is_imported(tmp_path: Path) -> None:
    path = f"{ffmpeg(tmp_path / 'bin')}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING], capture_output=True, text=True, env={**os.environ, "PATH": path}, check=True
    )
    assert done.stdout == ""
