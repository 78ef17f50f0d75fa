"""Copies with burnt-in numbers through the driver: each frame of the file shows its own number, and no other file, still or clip has any of it."""

import hashlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from farm.film.calls import RenderCall, TranscodeCall
from farm.film.film_run import FilmRun
from farm.film.review.publisher import published
from farm.specs.spec_files import spec_named
from jobs.errors import BadSpec
from jobs.spec.job import JobSpec
from jobs.store import open_store
from tests.actors.encode.test_burn_in import read
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import spec_of
from tests.films import Recipe

MASTER = {"name": "master", "codec": "ffv1"}
VIEW = {"name": "view", "codec": "h264", "height": 540, "burn_in": {"version": "v2", "text": "<b>%{n}</b>"}}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Recipe(frames=40, cuts=(20,)).make(tmp_path / "film.mp4")


def run(source: Path, folder: Path, *deliverables: dict[str, Any], fleet: InlineFleet | None = None) -> FilmRun:
    spec = spec_of(source, folder, look={"name": "test-negative"}, chunk_seconds=0.5, deliverables=list(deliverables))
    return rendered(spec, fleet)


def shown(path: Path) -> list[str]:
    """What is read below on the right of each frame."""
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    return [read(np.ascontiguousarray(one[-2 * 22 :, one.shape[1] // 2 :]), 22) for one in frames]


def sums(folder: Path, pattern: str) -> dict[str, str]:
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(folder.glob(pattern))}


def test_each_frame_shows_its_number_and_nothing_else_is_touched(source: Path, tmp_path: Path) -> None:
    plain = run(source, tmp_path / "plain", MASTER)
    both = run(source, tmp_path / "both", MASTER, VIEW)
    assert both.report().conforms
    assert shown(tmp_path / "both/out/view.mp4") == [str(number) for number in range(40)]
    assert sums(tmp_path / "plain/out", "master.mkv") == sums(tmp_path / "both/out", "master.mkv")
    for one in (plain, both):
        published(one, one.report(), open_store(one.survey.spec.output))
    for pattern in ("*.review/stills/*", "*.review/clips/*"):
        found = [sums(tmp_path / name / "out", pattern) for name in ("plain", "both")]
        assert found[0]
        assert found[0] == found[1]


def test_a_copy_that_is_asked_for_later_is_encoded_from_the_master_and_shows_the_same(tmp_path: Path) -> None:
    large = Recipe(frames=20, cuts=(10,), size=(960, 540)).make(tmp_path / "film.mp4")
    run(large, tmp_path, MASTER)
    fleet = InlineFleet()
    later = run(large, tmp_path, MASTER, VIEW, fleet=fleet)
    assert (later.report().conforms, fleet.calls(RenderCall)) == (True, [])
    assert fleet.calls(TranscodeCall)
    assert shown(tmp_path / "out/view.mp4") == [str(number) for number in range(20)]


def test_nothing_is_made_of_a_copy_that_was_drawn_over(source: Path, tmp_path: Path) -> None:
    burnt: dict[str, Any] = {"name": "a", "codec": "prores", "burn_in": {}}
    clean: dict[str, Any] = {"name": "b", "codec": "prores"}
    run(source, tmp_path, burnt)
    fleet = InlineFleet()
    assert run(source, tmp_path, burnt, clean, fleet=fleet).report().conforms
    assert fleet.calls(TranscodeCall) == []
    assert fleet.calls(RenderCall)


def test_the_first_deliverable_may_be_one_and_the_page_has_none_of_it(source: Path, tmp_path: Path) -> None:
    plain = run(source, tmp_path / "plain", {**VIEW, "burn_in": None})
    burnt = run(source, tmp_path / "burnt", VIEW)
    stills = [
        [
            hashlib.sha256(data).hexdigest()
            for data in map(one.ledger.store.read, sorted(one.ledger.store.list("")))
            if data[:2] == b"\xff\xd8"
        ]
        for one in (plain, burnt)
    ]
    assert stills[0]
    assert sorted(stills[0]) == sorted(stills[1])


def test_review_adds_a_light_copy_to_a_film_and_to_a_spec(tmp_path: Path) -> None:
    def named(film: str, out: str | None, **options: Any) -> JobSpec:
        return spec_named(film, None, out, None, {"review": True, **options})

    spec = named("/films/a.mov", "/out", deliverables=[{"codec": "prores"}])
    master, copy = spec.deliverables
    assert (master.codec, master.burn_in, spec.title(copy), copy.height) == ("prores", None, "a-review", 540)
    assert copy.burn_in is not None
    alone = named("/films/a.mov", "/out")
    assert [alone.title(one) for one in alone.deliverables] == ["a", "a-review"]
    file = tmp_path / "job.yaml"
    text = "{version: 1, name: a, source: /films/a.mov, store: /store, output: /out, deliverables: [{codec: ffv1, name: m}, {name: v}]}"
    file.write_text(text)
    assert [one.name for one in named(str(file), None).deliverables] == ["m", "v", "m-review"]
    file.write_text(text.replace("name: v", "name: m-review"))
    with pytest.raises(BadSpec, match="two deliverables could get the same file name"):
        named(str(file), None)


@pytest.mark.parametrize("codec", ["ffv1", "dpx"])
def test_an_archive_is_never_drawn_over(codec: str, tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="burn_in is for h264, hevc, prores and dnxhr"):
        spec_of(tmp_path / "a.mov", tmp_path, deliverables=[{"codec": codec, "burn_in": {}}])
    with pytest.raises(BadSpec):
        spec_of(tmp_path / "a.mov", tmp_path, deliverables=[{"burn_in": {"text": "two\nlines"}}])
