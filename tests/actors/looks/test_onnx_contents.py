"""What an ONNX file may not be: other files hidden from a plain reader, loops, functions without end, weights that are no numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from actors.looks.importing import add
from actors.looks.onnx.contents import UnfitModel, contents_of
from actors.looks.onnx.model import external_files
from jobs.errors import BadLook
from tests.actors.looks import exports

MANIFEST = {
    "licence": "MIT",
    "domain": "chroma",
    "network": {"input": {"of": "luma"}, "output": {"of": "ab"}},
}
SIDES = (1, "height", "width")


def varint(number: int, least: int = 1) -> bytes:
    """A number as the format has it, in `least` bytes or more."""
    found = bytearray()
    while number > 127 or len(found) + 1 < least:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def lengthy(number: int, content: bytes, tag: Callable[[int], bytes] = varint) -> bytes:
    """A field that holds bytes."""
    return tag(number << 3 | 2) + varint(len(content)) + content


def with_tensor(tensor: bytes, tag: Callable[[int], bytes] = varint) -> bytes:
    """A model whose weight is this message."""
    weight = exports.constant("weight", np.zeros((2, 1, 1, 1)))
    node = helper.make_node("Conv", ["input", "weight"], ["output"])
    whole = exports.model([node], {"input": (1, *SIDES)}, {"output": (1, 2, *SIDES[1:])}, [weight])
    graph = onnx.GraphProto.FromString(whole.graph.SerializeToString())
    del graph.initializer[:]
    whole.ClearField("graph")
    return bytes(whole.SerializeToString() + lengthy(7, graph.SerializeToString() + lengthy(5, tensor, tag), tag))


def beside(location: str, tag: Callable[[int], bytes]) -> bytes:
    """A tensor that lies in another file."""
    plain = TensorProto(dims=[2, 1, 1, 1], data_type=1, name="weight", data_location=TensorProto.EXTERNAL)
    pair = lengthy(1, b"location") + lengthy(2, location.encode())
    return bytes(plain.SerializeToString()) + lengthy(13, pair, tag)


TAGS: dict[str, Callable[[int], bytes]] = {
    "bit 32": lambda tag: varint(tag | 1 << 32),
    "bit 40": lambda tag: varint(tag | 1 << 40),
    "longer than it takes": lambda tag: varint(tag, 5),
}


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
def test_a_tag_that_others_read_otherwise_hides_no_file(tmp_path: Path, tag: Callable[[int], bytes]) -> None:
    path = tmp_path / "m.onnx"
    (tmp_path / "secret").write_bytes(b"\0" * 8)
    for content in (with_tensor(beside("secret", tag)), with_tensor(beside("secret", varint), tag)):
        path.write_bytes(content)
        with pytest.raises(BadLook, match=r"m\.onnx is not a whole ONNX model; copy it again, or export it"):
            add(str(path), "hidden", MANIFEST)
    path.write_bytes(with_tensor(beside("secret", varint)))
    assert external_files(path, "it") == ["secret"]


def refused(path: Path, model: Any) -> str:
    onnx.save(model, path)
    with pytest.raises(BadLook) as error:
        add(str(path), "refused", MANIFEST)
    said = str(error.value)
    assert "\n" not in said
    return said.removeprefix(f"The model {path} ").removeprefix(f"{path} ")


def two_out(nodes: Any, constants: Any = ()) -> Any:
    return exports.model(nodes, {"input": (1, *SIDES)}, {"output": (1, 2, *SIDES[1:])}, constants)


def body(operation: str) -> Any:
    """A graph that goes round for ever, in a loop of this kind; or a branch."""
    truth = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    again = helper.make_tensor_value_info("again", TensorProto.BOOL, [])
    nodes = [helper.make_node("Identity", ["go"], ["again"])]
    return helper.make_graph(nodes, "body", [number, truth] if operation == "Loop" else [], [again])


def loop(operation: str) -> Any:
    return helper.make_node(operation, ["", "truth"], [], body=body(operation))


@pytest.mark.parametrize("operation", ["Loop", "Scan"])
def test_a_loop(tmp_path: Path, operation: str) -> None:
    concat = helper.make_node("Concat", ["input", "input"], ["output"], axis=1)
    branch = helper.make_graph([loop(operation)], "branch", [], [])
    nested = helper.make_node("If", ["truth"], [], then_branch=branch, else_branch=branch)
    truth = numpy_helper.from_array(np.array(True), "truth")
    for node in (loop(operation), nested):
        said = refused(tmp_path / "m.onnx", two_out([concat, node], [truth]))
        assert said == f"has a loop (the operation {operation}), which may never end; export the network unrolled."


def test_branches_within_branches(tmp_path: Path) -> None:
    inner = helper.make_graph([], "branch", [], [])
    for _ in range(20):
        node = helper.make_node("If", ["truth"], [], then_branch=inner, else_branch=inner.__class__())
        inner = helper.make_graph([node], "branch", [], [])
    said = refused(tmp_path / "m.onnx", two_out(inner.node))
    assert said == "has graphs within graphs more than 8 deep; export the network without branches."


def function(name: str, calls: str, times: int) -> Any:
    nodes = [helper.make_node(calls, ["x"], ["y"], domain="own") for _ in range(times)]
    return helper.make_function("own", name, ["x"], ["y"], nodes, [helper.make_opsetid("own", 1)])


def test_functions_that_grow_without_end(tmp_path: Path) -> None:
    nodes = [helper.make_node("f0", ["input"], ["output"], domain="own")]
    for chain, words in (
        ([function(f"f{number}", f"f{number + 1}", 10) for number in range(9)], "has more than 1,000,000 operations"),
        ([function("f0", "f1", 1), function("f1", "f0", 1)], "has functions that call each other without end"),
    ):
        model = two_out(nodes)
        model.functions.extend(chain)
        assert refused(tmp_path / "m.onnx", model).startswith(words)


def overloaded(overload: str, calls: str, times: int) -> Any:
    """A function of one name, told from others by its overload alone."""
    nodes = [helper.make_node("f", ["x"], ["y"], domain="own", overload=calls) for _ in range(times)]
    return helper.make_function("own", "f", ["x"], ["y"], nodes, [helper.make_opsetid("own", 1)], overload=overload)


def test_overloads_of_a_function_are_told_apart() -> None:
    model = two_out([helper.make_node("f", ["input"], ["output"], domain="own", overload="0")])
    model.functions.extend([overloaded("0", "1", 10), overloaded("1", "2", 10), overloaded("2", "none of these", 1)])
    contents_of(memoryview(model.SerializeToString()))
    model.functions.extend(overloaded(str(number), str(number + 1), 10) for number in range(3, 9))
    model.functions[2].node[0].overload = "3"
    model.functions[2].node.extend([model.functions[2].node[0]] * 9)
    with pytest.raises(UnfitModel, match="has more than 1,000,000 operations"):
        contents_of(memoryview(model.SerializeToString()))


@pytest.mark.parametrize("last", [0x3C00, 0x7E00])
def test_millions_of_halves_are_read_and_each_is_looked_at(last: int) -> None:
    """As some exporters write them: each half in up to three bytes."""
    halves = varint(0x3C00) * 3_000_000 + varint(last)
    data = memoryview(with_tensor(varint(2 << 3) + varint(10) + lengthy(5, halves)))
    if last == 0x3C00:
        contents_of(data)
    else:
        with pytest.raises(UnfitModel, match="weights that are no numbers"):
            contents_of(data)


@pytest.mark.parametrize("numbers", [varint(5 << 3) + varint(0x7E00), varint(4 << 3 | 5) + b"\0\0\xc0\x7f"])
def test_numbers_that_are_not_packed_are_not_passed_over(numbers: bytes) -> None:
    with pytest.raises(ValueError, match="not packed"):
        contents_of(memoryview(with_tensor(varint(2 << 3) + varint(10) + numbers)))


HALVES = TensorProto(dims=[2, 1, 1, 1], data_type=10, name="weight", int32_data=[0, 0x7E00])
BFLOATS = TensorProto(dims=[2, 1, 1, 1], data_type=16, name="weight", raw_data=b"\x80\x3f\xc1\x7f")


@pytest.mark.parametrize(
    "weight",
    [
        exports.constant("weight", np.full((2, 1, 1, 1), np.nan)),
        exports.constant("weight", np.full((2, 1, 1, 1), np.nan), np.float16),
        exports.constant("weight", np.full((2, 1, 1, 1), np.nan), np.float64),
        TensorProto(dims=[2, 1, 1, 1], data_type=1, name="weight", float_data=[0, np.nan]),
        HALVES,
        BFLOATS,
    ],
    ids=["raw", "half", "double", "listed", "listed halves", "bfloat16"],
)
def test_weights_that_are_no_numbers(tmp_path: Path, weight: Any) -> None:
    conv = helper.make_node("Conv", ["input", "weight"], ["output"])
    said = refused(tmp_path / "m.onnx", two_out([conv], [weight]))
    assert said == "has weights that are no numbers (NaN, in the tensor 'weight'); export it again from sound weights."


def test_weights_beside_a_model_that_are_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_FARM_LOOKS", str(tmp_path / "looks"))
    exports.beside(tmp_path / "m.onnx", "m.data")
    for data, fits in ((b"\0" * 8, True), (np.array([0, np.nan], "<f4").tobytes(), False)):
        (tmp_path / "m.data").write_bytes(data)
        if fits:
            add(str(tmp_path / "m.onnx"), "sound", MANIFEST)
        else:
            with pytest.raises(BadLook, match="has weights that are no numbers"):
                add(str(tmp_path / "m.onnx"), "unsound", MANIFEST)


def test_what_is_of_another_format_of_onnxruntime_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x1c\0\0\0ORTM" + b"\0" * 64)
    with pytest.raises(BadLook, match="is not a whole ONNX model"):
        add(str(tmp_path / "m.onnx"), "other", MANIFEST)
