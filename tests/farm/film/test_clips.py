"""Real clips through the whole farm, Ray included: two in every run, and the network on a long static shot in `make test-slow`.

All clips, without Ray: tests/matrix/test_clips.py.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.verify.compare import compare
from farm.fleet.fleet import Fleet
from tests.actors.cutting import clip
from tests.farm.studio import Studio, same, spec_of

QUICK = ("chaplin.mp4", "flower-ntsc.mp4")


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Fleet("local", workers=2) as fleet:
        yield Studio(fleet)


@pytest.mark.minutes
@pytest.mark.parametrize("name", QUICK)
def test_none_gives_a_real_film_back(studio: Studio, tmp_path: Path, name: str) -> None:
    source = clip(name)
    report = studio.render(spec_of(source, tmp_path, chunk_seconds=5)).report()
    assert report.conforms
    found = same(tmp_path / "out/film.mkv", source)
    assert found.picture_equal == report.frames


@pytest.mark.slow
def test_colorize_in_many_chunks_equals_colorize_in_one(studio: Studio, tmp_path: Path) -> None:
    source = clip("person-static-139s.mp4")
    looks = {"look": {"name": "colorize"}}
    many = studio.render(spec_of(source, tmp_path / "many", chunk_seconds=5, **looks)).report()
    one = studio.render(spec_of(source, tmp_path / "one", chunk_seconds=3600, **looks)).report()
    assert many.seams > 20
    assert one.seams == 0
    same(tmp_path / "many/out/film.mkv", tmp_path / "one/out/film.mkv")
    assert compare(str(source), str(tmp_path / "many/out/film.mkv")).luma_equal == 1394
