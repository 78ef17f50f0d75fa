"""`farm looks`, and a film in a look of the library, of a folder and of S3: from the command to the deliverable."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from actors.looks.importing import add
from farm.specs.spec_files import read_manifest, spec_for_film
from jobs.errors import BadSpec
from jobs.ledger.ledger import Ledger
from tests.actors.looks import exports
from tests.farm.inline import rendered
from tests.farm.shell import farm
from tests.farm.studio import spec_of
from tests.films import Recipe

MANIFEST = {
    "about": "everything a little red",
    "domain": "chroma",
    "licence": "CC0-1.0",
    "size": {"rule": "square", "side": 32},
    "network": {"input": {"of": "luma", "channels": 3}, "output": {"of": "ab"}},
}


@pytest.fixture
def red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that makes a* 30, its manifest beside it, and a library in a folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FILM_FARM_LOOKS", str(tmp_path / "library"))
    (tmp_path / "red.yaml").write_text(yaml.safe_dump(MANIFEST))
    return exports.matrix(tmp_path / "Red.onnx", [[0, 0, 0], [0, 0, 0]], [30, 0], side=32)


def test_a_model_is_added_and_shown(red: Path) -> None:
    said = farm("looks", "add", red.name, "--manifest", "red.yaml", "--name", "scarlet", cwd=red.parent)
    assert (said.code, said.out) == (0, ""), said.err
    assert said.err.endswith(f"Added {red.parent}/library/scarlet\n")
    found = farm("looks", "show", "scarlet", "--json").json
    assert (found["name"], found["kind"], found["licence"]) == ("scarlet", "onnx", "CC0-1.0")
    assert found["about"] == "everything a little red"


def test_what_cannot_be_added(red: Path) -> None:
    said = farm("looks", "add", red, "--licence", "MIT")
    assert (said.code, "needs a manifest" in said.sentence) == (2, True)


def test_a_manifest_is_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(BadSpec, match=r"list\.yaml: a manifest is a mapping of fields such as domain"):
        read_manifest(str(tmp_path / "list.yaml"))


def test_a_look_named_by_its_place_is_named_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = spec_for_film("a.mp4", look="./looks/mine", out="out", store=None, options={})
    assert spec.look.name == str(tmp_path / "looks/mine")
    assert spec_for_film("a.mp4", look="mine", out="out", store=None, options={}).look.name == "mine"
    assert spec_for_film("a.mp4", look="s3://b/mine", out="out", store=None, options={}).look.name == "s3://b/mine"


def test_a_film_in_a_look_of_the_library_a_folder_and_s3(
    red: Path, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Recipe(frames=12).make(tmp_path / "film.mp4")
    folder = add(str(red), fields=MANIFEST).place
    monkeypatch.setenv("FILM_FARM_LOOKS", f"s3://{s3_bucket}/looks")
    bucket = add(str(red), fields=MANIFEST).place
    assert bucket == f"s3://{s3_bucket}/looks/red"
    spec = spec_of(source, tmp_path, look={"name": "red"}, chunk_seconds=0.25)
    rendered(spec)
    ledger = Ledger.at(spec.store, spec.name)
    before = sorted(ledger.names("records/"))
    assert before
    for place in (folder, bucket):
        # One look, wherever it lies: nothing is rendered again.
        again = spec.model_copy(update={"look": spec.look.model_copy(update={"name": place})})
        rendered(again)
        assert sorted(ledger.names("records/")) == before
    with av.open(str(tmp_path / "out/film.mkv")) as container:
        red_y = [frame.to_ndarray(format="yuv444p")[2].astype(int) - 128 for frame in container.decode(video=0)]
    assert len(red_y) == 12
    assert np.mean(red_y) > 10
