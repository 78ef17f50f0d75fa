"""ONNX files that cannot be trusted or do not fit: refused in one sentence, before any frame."""

import io
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from actors.looks import fit, hire
from actors.looks.onnx.model import external_files
from actors.looks.package import LookDocument, write_package
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks import exports

CPU = torch.device("cpu")
LUMA_TO_AB: dict[str, Any] = {"input": {"of": "luma"}, "output": {"of": "ab"}}


def hired(
    path: Path, network: dict[str, Any] | None = None, files: dict[str, bytes] | None = None, **fields: Any
) -> Any:
    paper = {"name": "foreign", "kind": "onnx", "licence": "MIT", "domain": "chroma", "files": {}, **fields}
    paper["network"] = network or LUMA_TO_AB
    place = str(path.parent / "look")
    write_package(place, LookDocument.model_validate(paper), {"model.onnx": path.read_bytes(), **(files or {})})
    return hire(fit(LookChoice(name=place)), CPU)


def refused(path: Path, network: dict[str, Any] | None = None, **fields: Any) -> str:
    with pytest.raises(BadLook) as error:
        hired(path, network, **fields)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"The model {path.parent}/look/model.onnx")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's model lies."""
    return tmp_path / "m.onnx"


@pytest.fixture
def plain(path: Path) -> Path:
    """A model of one channel in, two out."""
    return exports.matrix(path, [[1], [2]], [0, 0])


def pickled(path: Path) -> bytes:
    torch.save({"weight": torch.zeros(1)}, path)
    return path.read_bytes()


@pytest.mark.parametrize("cut", [0, 1, 10, -3])
def test_what_is_no_whole_model(plain: Path, cut: int) -> None:
    plain.write_bytes(plain.read_bytes()[:cut])
    assert refused(plain).startswith((" is not a whole ONNX model; copy it again", " cannot be used: "))


@pytest.mark.parametrize("content", [b"not a model", b"\x00" * 100, b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_model(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refused(path) == " is not a whole ONNX model; copy it again, or export it with torch.onnx.export."


def test_what_would_have_to_be_unpickled(path: Path) -> None:
    program = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Identity(), (torch.zeros(1),)), program)
    for content in (pickled(path), program.getvalue(), b"\x80\x04\x95pickle"):
        path.write_bytes(content)
        assert refused(path).startswith(" is a PyTorch file, which can hold code (pickle) and is never opened; export")


def test_operations_that_need_a_library(path: Path) -> None:
    said = refused(exports.foreign_operation(path), {"input": {"of": "rgb", "channels": 3}, "output": {"of": "rgb"}})
    assert said.startswith(" cannot be used: ")
    assert "Magic" in said


@pytest.mark.parametrize("location", ["/etc/hostname", "../m.data", "m.data"])
def test_weights_outside_the_package(path: Path, location: str) -> None:
    (path.parent / "m.data").write_bytes(b"\0" * 8)
    assert f"has no file {location!r}; its look.json names: model.onnx" in refused(exports.beside(path, location))


def test_weights_beside_the_model_are_used(path: Path) -> None:
    exports.beside(path, "m.data")
    assert external_files(path, "it") == ["m.data"]
    hired(path, files={"m.data": b"\0" * 8})
    with pytest.raises(BadLook, match="cannot be used"):
        hired(path, files={"m.data": b"\0"})


@pytest.mark.parametrize(
    ("network", "fields", "words"),
    [
        (
            {"input": {"of": "luma", "name": "x"}, "output": {"of": "ab"}},
            {},
            "inputs input; its manifest names x (network",
        ),
        (
            {"input": {"of": "luma", "zeros": {"mask": 1}}, "output": {"of": "ab"}},
            {},
            "has the inputs input; its manifest names one input, mask",
        ),
        (
            {"input": {"of": "luma"}, "output": {"of": "ab", "name": "y"}},
            {},
            "has the outputs output; its manifest names y",
        ),
        (
            {"input": {"of": "luma", "channels": 3}, "output": {"of": "ab"}},
            {},
            "input has the shape 1 x 1 x height x width",
        ),
        (
            {"input": {"of": "luma"}, "output": {"of": "lab"}},
            {},
            "which is not 3 channels in NCHW, as its manifest says",
        ),
        ({**LUMA_TO_AB, "layout": "NHWC"}, {}, "not 1 channels in NHWC"),
        (LUMA_TO_AB, {"context": 2}, "which is not 5 channels in NCHW"),
    ],
)
def test_a_model_that_is_not_what_its_manifest_says(
    plain: Path, network: dict[str, Any], fields: dict[str, Any], words: str
) -> None:
    if network.get("layout"):
        plain = exports.matrix(plain, [[1], [2]], [0, 0], side=8)
    assert words in refused(plain, network, **fields)


def test_a_model_of_one_size_wants_a_rule_of_that_size(path: Path) -> None:
    exports.matrix(path, [[1], [2]], [0, 0], side=32)
    hired(path, size={"rule": "square", "side": 32})
    for size in ({"rule": "film"}, {"rule": "long", "side": 32}, {"rule": "square", "side": 64}):
        said = refused(path, size=size)
        assert " takes pictures of 32x32 alone, and its size is " in said
        assert said.endswith("; give the rule square with side 32.")


def test_other_ranks_and_numbers(path: Path) -> None:
    node = onnx.helper.make_node("Identity", ["input"], ["o"])
    onnx.save(exports.model([node], {"input": (1, 4)}, {"o": (1, 4)}), path)
    assert refused(path) == ": input has the shape 1 x 4, and not NCHW."
    shape = (1, 1, "h", "w")
    onnx.save(exports.model([node], {"input": shape}, {"o": shape}, kind=onnx.TensorProto.UINT8), path)
    assert "input is tensor(uint8); the farm runs networks on 32 or 16 bit floats" in refused(path)
    shape = (8, 1, "h", "w")
    onnx.save(exports.model([node], {"input": shape}, {"o": shape}), path)
    assert "input takes 8 pictures at once; export it for one" in refused(path)
