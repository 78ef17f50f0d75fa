"""A film through two storms, of the hundred of `make chaos`: whatever breaks, the film that arrives is the undisturbed one."""

from pathlib import Path

import pytest

from farm.specs.spec_files import read_spec
from tests.chaos.storm import Storm, job_of
from tests.farm.inline import rendered
from tests.films import Recipe
from tests.s3 import MotoServer

SEEDS = (8, 9, pytest.param(2, marks=pytest.mark.slow))
"""A mixed storm, workers, and a raylet; a driver is killed in tests/farm/cli/test_stops.py, a raylet in tests/farm/fleet/test_autoscaling.py, too."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=240, sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def undisturbed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    spec = read_spec(str(job_of(film, folder, str(folder / "store"))))
    assert rendered(spec).report().conforms
    return Path(spec.output, "film.mkv").read_bytes()


@pytest.mark.minutes
@pytest.mark.parametrize("seed", SEEDS)
def test_the_film_arrives_as_if_nothing_had_happened(
    film: Path, undisturbed: bytes, s3_server: MotoServer, tmp_path: Path, seed: int
) -> None:
    told = Storm(film, tmp_path / "work", s3_server, seed).weather()
    assert not told.worst
    assert told.finished_again == 0
    assert told.again <= told.in_flight
    assert (tmp_path / "work/out/film.mkv").read_bytes() == undisturbed, told
