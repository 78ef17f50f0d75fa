"""Bringing looks into the library: whole, checked by hash, loaded once; from folders, S3 and bare files."""

from pathlib import Path
from typing import Any

import pytest
import torch

from actors.looks import fit, hire
from actors.looks.importing import add
from actors.looks.package import LookDocument, Package, open_package, shelved, write_package
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from jobs.store import open_store
from tests.actors.looks import exports
from tests.actors.looks.styles import tensors, write

CPU = torch.device("cpu")
TINT: dict[str, Any] = {
    "domain": "chroma",
    "licence": "MIT",
    "network": {"input": {"of": "luma"}, "output": {"of": "ab"}},
}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FILM_FARM_LOOKS", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def style(tmp_path: Path) -> Path:
    """A bare file of a style network."""
    return write(tmp_path / "Candy 2.safetensors", tensors(seed=1))


def packaged(place: Path | str, style: Path) -> Package:
    paper = LookDocument(name="painter", kind="fast-style", domain="rgb", licence="MIT", files={})
    return write_package(str(place), paper, {"weights.safetensors": style.read_bytes()})


def test_a_folder_is_added_as_it_is(library: Path, style: Path, tmp_path: Path) -> None:
    made = packaged(tmp_path / "painter", style)
    added = add(made.place)
    assert (added.place, added.digest) == (str(library / "painter"), made.digest)
    assert add(made.place, "oil").digest == made.digest, "another name is another folder, not another look"
    assert shelved() == ["oil", "painter"]
    assert fit(LookChoice(name="oil")).named() == fit(LookChoice(name=made.place)).named()
    assert add(made.place) == added, "twice is once"


def test_a_bare_style_becomes_a_package(library: Path, style: Path) -> None:
    added = add(str(style), fields={"licence": "MIT", "about": "sweet"})
    assert added.place == str(library / "candy-2")
    assert (added.paper.kind, added.paper.domain, added.paper.about) == ("fast-style", "rgb", "sweet")
    assert hire(fit(LookChoice(name="candy-2")), CPU)


def test_a_model_becomes_a_package_with_what_lies_beside_it(library: Path, tmp_path: Path) -> None:
    exports.beside(tmp_path / "tint.onnx", "tint.data")
    (tmp_path / "tint.data").write_bytes(b"\0" * 8)
    added = add(str(tmp_path / "tint.onnx"), fields=TINT)
    assert sorted(added.paper.files) == ["model.onnx", "tint.data"]
    assert hire(fit(LookChoice(name="tint")), CPU)


@pytest.mark.parametrize("location", ["/etc/hostname", "../other.data"])
def test_a_model_reads_nothing_outside_its_folder(library: Path, tmp_path: Path, location: str) -> None:
    exports.beside(tmp_path / "tint.onnx", location)
    with pytest.raises(BadLook, match="outside the model's folder; export the model with its weights inside"):
        add(str(tmp_path / "tint.onnx"), fields=TINT)
    assert not library.exists()


def test_from_s3_into_s3(library: Path, style: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_FARM_LOOKS", f"s3://{s3_bucket}/library")
    made = packaged(f"s3://{s3_bucket}/made/painter", style)
    added = add(made.place)
    assert (added.place, added.digest) == (f"s3://{s3_bucket}/library/painter", made.digest)
    assert shelved() == ["painter"]
    store = open_store(f"s3://{s3_bucket}/library")
    assert list(store.list("")) == ["painter/look.json", "painter/weights.safetensors"]
    store.write("bare/Candy.safetensors", style.read_bytes())
    add(f"s3://{s3_bucket}/library/bare/Candy.safetensors", fields={"licence": "MIT"})
    assert shelved() == ["candy", "painter"]


def test_a_name_that_another_look_has_is_refused(library: Path, style: Path, tmp_path: Path) -> None:
    add(str(style), "painter", {"licence": "MIT", "about": "another"})
    before = {path: path.read_bytes() for path in library.rglob("*") if path.is_file()}
    with pytest.raises(BadLook, match=r"There is another look at .*painter; choose another --name"):
        add(packaged(tmp_path / "painter", style).place)
    assert {path: path.read_bytes() for path in library.rglob("*") if path.is_file()} == before


def test_what_a_stopped_import_left_is_gone_on_with_or_refused(library: Path, style: Path, tmp_path: Path) -> None:
    made = packaged(tmp_path / "painter", style)
    (library / "painter").mkdir(parents=True)
    (library / "painter/weights.safetensors").write_bytes(style.read_bytes())
    assert shelved() == []
    assert add(made.place).digest == made.digest
    (library / "oil").mkdir()
    (library / "oil/weights.safetensors").write_bytes(b"another's")
    with pytest.raises(BadLook, match=r"oil/weights\.safetensors is there and is another look's"):
        add(made.place, "oil")
    assert (library / "oil/weights.safetensors").read_bytes() == b"another's"


def test_a_damaged_copy_in_the_library_is_seen(library: Path, style: Path, tmp_path: Path) -> None:
    made = packaged(tmp_path / "painter", style)
    (Path(add(made.place).place) / "weights.safetensors").write_bytes(b"damaged")
    with pytest.raises(BadLook, match=r"is not the file that its look\.json names; copy the whole look again"):
        add(made.place)


def text(path: Path) -> str:
    path.write_bytes(b"no weights")
    return str(path)


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("gone.safetensors", {"licence": "MIT"}, r"There is no file .*gone\.safetensors; check the path"),
        ("gone", {}, "There is no look at .*gone: it has no look.json"),
        ("w.safetensors", {}, "say the licence of its weights: --licence"),
        (
            "w.safetensors",
            {"licence": "MIT"},
            r"cannot be used: /[^ ]*/w\.safetensors is not a whole safetensors file",
        ),
        ("w.safetensors", {"licence": "MIT", "kind": "oil"}, r"w\.safetensors: kind = 'oil' is not installed here"),
        ("w.onnx", {"licence": "MIT"}, "is not a whole ONNX model"),
        ("w.pt2", {"licence": "MIT"}, r"w\.pt2 would have to be unpickled, which can run code; export"),
        ("w.pth", {"licence": "MIT"}, "would have to be unpickled"),
        ("folder", {"licence": "MIT"}, "is not a bare file: licence is said by its look.json"),
    ],
)
def test_what_cannot_be_added_is_refused_in_one_sentence(
    library: Path, tmp_path: Path, name: str, fields: dict[str, Any], words: str
) -> None:
    for bare in ("w.safetensors", "w.onnx", "w.pt2", "w.pth"):
        text(tmp_path / bare)
    with pytest.raises(BadLook, match=words) as error:
        add(str(tmp_path / name), fields=fields)
    assert "\n" not in str(error.value)
    assert "farm-spool" not in str(error.value), "a folder that nobody knows"
    assert not library.exists()


def test_a_model_without_a_manifest(library: Path, tmp_path: Path) -> None:
    exports.half(tmp_path / "w.onnx")
    with pytest.raises(BadLook, match="needs a manifest that says what its numbers mean: --manifest FILE"):
        add(str(tmp_path / "w.onnx"), fields={"licence": "MIT"})


@pytest.mark.parametrize(
    ("name", "words"), [("none", "is the name of an installed look"), ("A/b", "lower case letters")]
)
def test_a_name_that_cannot_be_had(library: Path, style: Path, tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(BadLook, match=words):
        add(packaged(tmp_path / "painter", style).place, name)
    assert not library.exists()
    assert open_package(str(tmp_path / "painter"))
