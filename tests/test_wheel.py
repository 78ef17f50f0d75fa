"""The wheel: everything that the farm reads is in it, and installed elsewhere it renders a film without its repository."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
PACKAGES = ("jobs", "actors", "farm")
SHARED = "film_farm-{version}.data/data/share/film-farm/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for building leaves folders beside what is built."""
    copy, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    unwanted = shutil.ignore_patterns("__pycache__", "secrets", "films")
    for name in (*PACKAGES, "deploy"):
        shutil.copytree(HOUSE / name, copy / name, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(HOUSE / name, copy)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, copy, cwd=out)
    (built,) = out.iterdir()
    return built


def run(*command: object, cwd: Path) -> str:
    """What a command says, which does not see this checkout: pip takes what lies on PYTHONPATH for installed."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "RAY_ADDRESS")}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.minutes
def test_every_file_that_the_farm_reads_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    listed = {
        path.relative_to(HOUSE).as_posix()
        for package in PACKAGES
        for path in (HOUSE / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert listed - inside == set()
    shared = SHARED.format(version=wheel.name.split("-")[1])
    dashboards = {f"{shared}grafana/dashboards/{each.name}" for each in (HOUSE / "deploy/grafana/dashboards").iterdir()}
    assert dashboards | {f"{shared}compose.yaml", f"{shared}prometheus/rules/films.yml"} <= inside


@pytest.mark.minutes
def test_installed_elsewhere_it_renders_a_film(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment that has nothing but the wheel, and this one's libraries by their path."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env/bin/python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=tmp_path,
    )
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    # What such a file names is searched last, and the .pth files in it, the editable farm's own among them, are not followed.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    where = run(python, "-c", "import farm, actors; print(farm.__file__, actors.__file__)", cwd=tmp_path)
    assert all(Path(each).is_relative_to(site) for each in where.split())
    command = tmp_path / "env/bin/farm"
    assert "Made sample.mp4" in run(command, "sample", "sample.mp4", cwd=tmp_path)
    said = run(command, "render", "sample.mp4", "--look", "colorize", "--out", "out", "--workers", 1, cwd=tmp_path)
    assert f"delivered {tmp_path}/out/sample.mp4" in said
    assert (tmp_path / "out/sample.review/index.html").is_file()
    assert (tmp_path / "env/share/film-farm/grafana/dashboards/film.json").is_file()
