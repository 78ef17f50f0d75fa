"""Foreign networks made for tests, in the conventions of real exports, with arithmetic whose answers are known. Shares no code with the product."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]


def constant(name: str, numbers: Any, dtype: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.asarray(numbers, dtype), name)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    constants: Sequence[Any] = (),
    *,
    kind: int = TensorProto.FLOAT,
    domain: str = "",
) -> Any:
    """An ONNX model of these nodes."""
    graph = helper.make_graph(
        list(nodes),
        "network",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in outputs.items()],
        list(constants),
    )
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def matrix(path: Path, rows: Any, bias: Any, side: int | str = "side", **names: str) -> Path:
    """A 1x1 convolution: each output channel is a sum of the input's. The simplest network whose answer is known."""
    weight = np.asarray(rows, np.float32)[:, :, None, None]
    shown, made = names.get("shown", "input"), names.get("made", "output")
    sides: Shape = (side, side) if isinstance(side, int) else ("height", "width")
    found = model(
        [helper.make_node("Conv", [shown, "weight", "bias"], [made])],
        {shown: (1, weight.shape[1], *sides)},
        {made: (1, weight.shape[0], *sides)},
        [constant("weight", weight), constant("bias", bias)],
    )
    onnx.checker.check_model(found)
    onnx.save(found, path)
    return path


def siggraph17(path: Path) -> Path:
    """Inputs L (less 50, over 100), ab hints and their mask; a* and b* over 110: here 0.4 times L, and plus what was hinted."""
    nodes = [
        helper.make_node("Mul", ["input_l", "factor"], ["scaled"]),
        helper.make_node("Concat", ["scaled", "scaled"], ["twice"], axis=1),
        helper.make_node("Mul", ["input_ab", "mask"], ["hinted"]),
        helper.make_node("Add", ["twice", "hinted"], ["ab"]),
    ]
    sides = (256, 256)
    found = model(
        nodes,
        {"input_l": (1, 1, *sides), "input_ab": (1, 2, *sides), "mask": (1, 1, *sides)},
        {"ab": (1, 2, *sides)},
        [constant("factor", [0.4])],
    )
    onnx.checker.check_model(found)
    onnx.save(found, path)
    return path


def channels_last(path: Path) -> Path:
    """R'G'B' of 0..255, N H W C, and back, red and blue exchanged."""
    nodes = [helper.make_node("Gather", ["input", "order"], ["output"], axis=3)]
    shape = ("n", "height", "width", 3)
    onnx.save(model(nodes, {"input": shape}, {"output": shape}, [constant("order", [2, 1, 0], np.int64)]), path)
    return path


def half(path: Path) -> Path:
    """R'G'B' in 16 bit floats, given back as it is."""
    shape = (1, 3, "height", "width")
    nodes = [helper.make_node("Identity", ["input"], ["output"])]
    onnx.save(model(nodes, {"input": shape}, {"output": shape}, kind=TensorProto.FLOAT16), path)
    return path


def beside(path: Path, location: str) -> Path:
    """A model whose weights lie in another file, wherever `location` says."""
    weight = constant("weight", np.zeros((2, 1, 1, 1)))
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    weight.external_data.add(key="length", value="8")
    shape = ("height", "width")
    nodes = [helper.make_node("Conv", ["input", "weight"], ["output"])]
    found = model(nodes, {"input": (1, 1, *shape)}, {"output": (1, 2, *shape)}, [weight])
    path.write_bytes(found.SerializeToString())
    return path


def foreign_operation(path: Path) -> Path:
    """A model that needs a library of its own."""
    shape = (1, 3, "height", "width")
    nodes = [helper.make_node("Magic", ["input"], ["output"], domain="studio.x")]
    onnx.save(model(nodes, {"input": shape}, {"output": shape}, domain="studio.x"), path)
    return path
