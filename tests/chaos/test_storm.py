"""A film through three storms, of the hundred of `make chaos`: whatever breaks, the film that arrives is the undisturbed one."""

from pathlib import Path

import pytest

from farm.settings import read_spec
from tests.chaos.storm import job_of, weather
from tests.farm.inline import rendered
from tests.films import Recipe
from tests.s3 import MotoServer


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=120, sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def undisturbed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    spec = read_spec(str(job_of(film, folder, str(folder / "store"))))
    assert rendered(spec).report().conforms
    return Path(spec.output, "film.mkv").read_bytes()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_film_arrives_as_if_nothing_had_happened(
    film: Path, undisturbed: bytes, s3_server: MotoServer, tmp_path: Path, seed: int
) -> None:
    told = weather(film, tmp_path / "work", s3_server, seed)
    assert not told.worst
    assert (tmp_path / "work/out/film.mkv").read_bytes() == undisturbed, told
