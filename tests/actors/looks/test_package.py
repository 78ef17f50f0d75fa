"""A look as a folder, on disk and in S3: what look.json says, and files that are what it says."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from actors.looks.package import LARGEST_PAPER, LookDocument, Package, SizeRule, cache, open_package, write_package
from jobs.errors import BadLook
from jobs.store import open_store

WEIGHTS = b"w" * 3000


def paper(**fields: Any) -> LookDocument:
    return LookDocument.model_validate(
        {"name": "one", "kind": "colorize", "domain": "chroma", "licence": "MIT", "files": {}, **fields}
    )


def written(place: Path | str, data: bytes = WEIGHTS) -> Package:
    return write_package(str(place), paper(figures={"dE00": 10.5}), {"weights.safetensors": data})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = written(tmp_path / "one")
    assert made == open_package(str(tmp_path / "one")) == open_package(f"file://{tmp_path}/one")
    assert made.digest == hashlib.sha256((tmp_path / "one/look.json").read_bytes()).hexdigest()
    assert made.paper.figures == {"dE00": 10.5}
    assert made.file("weights.safetensors").read_bytes() == WEIGHTS
    with pytest.raises(BadLook, match=r"one has no file 'w'; its look\.json names: weights\.safetensors"):
        made.file("w")


def test_other_weights_are_another_look(tmp_path: Path) -> None:
    assert written(tmp_path / "a").digest == written(tmp_path / "b").digest
    assert written(tmp_path / "a").digest != written(tmp_path / "c", b"other").digest


def test_a_relative_place_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert written("./one").place == str(tmp_path / "one")


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"other"), lambda path: path.unlink()])
def test_a_file_that_is_not_what_the_paper_says(tmp_path: Path, change: Any) -> None:
    made = written(tmp_path / "one")
    change(tmp_path / "one/weights.safetensors")
    with pytest.raises(BadLook, match=r"one/weights\.safetensors .*; copy the whole look again\.$"):
        made.file("weights.safetensors")


def test_files_in_s3_are_fetched_once_and_checked(
    s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = f"s3://{s3_bucket}/looks/one"
    made = written(place)
    assert (made.place, open_package(f"{place}/")) == (place, made)
    path = made.file("weights.safetensors")
    assert path == cache() / made.digest / "weights.safetensors"
    assert path.read_bytes() == WEIGHTS
    open_store(place).write("weights.safetensors", b"other")
    assert made.file("weights.safetensors") == path, "what is here need not be fetched again"
    path.write_bytes(b"damaged")
    with pytest.raises(BadLook, match=rf"^{place}/weights\.safetensors is not the file that its look\.json names"):
        made.file("weights.safetensors")
    open_store(place).write("weights.safetensors", WEIGHTS)
    assert made.file("weights.safetensors").read_bytes() == WEIGHTS, "what was damaged is fetched again"
    assert [one.name for one in path.parent.iterdir()] == ["weights.safetensors"]
    path.unlink()
    open_store(place).delete("weights.safetensors")
    with pytest.raises(BadLook, match=r"lacks its file 'weights\.safetensors'"):
        made.file("weights.safetensors")


GOOD: dict[str, Any] = {"name": "one", "kind": "none", "domain": "rgb", "licence": "MIT", "files": {}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "Invalid JSON"),
        (b"\x80\x04\x95pickle", "Invalid JSON"),
        (b"[1]", "json: Input should be an object"),
        (b"{}", "name is missing; kind is missing; domain is missing; licence is missing; files is missing"),
        ({"name": "A Name"}, "name = 'A Name': string should match"),
        ({"domain": "lab"}, "domain = 'lab': input should be 'chroma', 'rgb' or 'luma'"),
        ({"version": 2}, "version = 2: input should be 1"),
        ({"code": "x"}, "code = 'x': there is no such field"),
        ({"files": {"../up": "0" * 64}}, r"files\.\.\./up.* = '\.\./up': string should match"),
        ({"files": {"w": "../../up"}}, "files.w = '../../up': string should match"),
        ({"files": {"look.json": "0" * 64}}, "look.json cannot hold its own hash"),
        ({"files": {f"f{n}": "0" * 64 for n in range(65)}}, "at most 64 items"),
        ({"size": {"rule": "square"}}, "size: the rule square needs a side"),
        ({"figures": {"dE00": "low"}}, "figures.dE00 = 'low'"),
        (b" " * LARGEST_PAPER + b"{}", "no look.json has more than"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_a_wrong_paper_is_refused_in_one_sentence(tmp_path: Path, text: Any, words: str) -> None:
    (tmp_path / "look.json").write_bytes(text if isinstance(text, bytes) else json.dumps({**GOOD, **text}).encode())
    with pytest.raises(BadLook, match=words) as error:
        open_package(str(tmp_path))
    assert str(tmp_path / "look.json") in str(error.value)
    assert "\n" not in str(error.value)


def test_where_there_is_no_look(tmp_path: Path, s3_bucket: str) -> None:
    for place in (str(tmp_path), str(tmp_path / "gone"), f"s3://{s3_bucket}/gone"):
        with pytest.raises(BadLook, match=f"^There is no look at {place}: it has no look.json; check the place"):
            open_package(place)


@pytest.mark.parametrize(
    ("rule", "side", "size"),
    [
        ({"rule": "film"}, None, (360, 640)),
        ({"rule": "film", "multiple": 32}, None, (352, 640)),
        ({"rule": "long", "side": 448, "multiple": 32}, None, (256, 448)),
        ({"rule": "long", "side": 448}, 320, (180, 320)),
        ({"rule": "square", "side": 512}, None, (512, 512)),
        ({"rule": "square", "side": 336, "multiple": 16}, 250, (256, 256)),
    ],
)
def test_the_size_that_a_network_sees(rule: dict[str, Any], side: int | None, size: tuple[int, int]) -> None:
    assert SizeRule.model_validate(rule).of(360, 640, side) == size
