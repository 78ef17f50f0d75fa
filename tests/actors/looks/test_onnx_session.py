"""A session of onnxruntime: bound tensors give what a plain run gives; a GPU that onnxruntime cannot use, and memory that runs out, are told apart from a bad look."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from actors.looks.onnx.session import Session
from jobs.errors import BadLook, NodeFault
from tests.actors.looks import exports
from tests.actors.looks.test_onnx_look import SAME, look_at

CPU = torch.device("cpu")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return exports.matrix(tmp_path / "m.onnx", [[1], [2]], [0, 0])


def test_bound_tensors_give_what_a_plain_run_gives(path: Path) -> None:
    session = Session(path, "The model m", CPU)
    assert (session.provider, session.runtime) == ("CPUExecutionProvider", "")
    (shown,), (made,) = session.inputs, session.outputs
    plain = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for size in ((4, 6), (4, 6), (5, 3), (4, 6)):
        picture = torch.rand(1, 1, *size).transpose(2, 3).contiguous().transpose(2, 3)  # not contiguous as it lies
        found = session.run({shown.name: picture}, made.name, torch.float32)
        (wanted,) = plain.run([made.name], {shown.name: np.ascontiguousarray(picture.numpy())})
        assert np.array_equal(found.numpy(), wanted)


class FakeSession:
    """What onnxruntime makes where its provider for CUDA cannot be loaded: a session on the processor, without a word."""

    error: Exception | None = None

    def __init__(self, path: str, options: Any, providers: list[Any]) -> None:
        self.asked = providers

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def run(self, wanted: list[str], given: dict[str, Any]) -> list[Any]:
        assert self.error is not None
        raise self.error


class ProcessorBuild:
    """onnxruntime as the plain package has it."""

    InferenceSession: Any = FakeSession
    SessionOptions: Any = onnxruntime.SessionOptions

    def get_available_providers(self) -> list[str]:
        return ["AzureExecutionProvider", "CPUExecutionProvider"]

    def preload_dlls(self) -> None:
        pass


class CudaSession(FakeSession):
    """What onnxruntime makes where its provider for CUDA was loaded."""

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_the_provider_that_really_runs_is_told(path: Path) -> None:
    runtime = ProcessorBuild()
    runtime.InferenceSession = CudaSession
    session = Session(path, "The model m", torch.device("cuda"), runtime)
    assert session.runtime == "onnxruntime CUDAExecutionProvider"


def failing(error: Exception) -> ProcessorBuild:
    runtime = ProcessorBuild()
    runtime.InferenceSession = type("Failing", (FakeSession,), {"error": error})
    return runtime


@pytest.mark.parametrize(
    "words",
    [
        "Failed to allocate memory for requested buffer of size 8589934592",
        "Available memory of 1048576 is smaller than requested bytes of 2097152",
        "CUDA failure 2: out of memory ; GPU=0",
    ],
)
def test_memory_that_runs_out_is_no_bad_look(path: Path, words: str) -> None:
    session = Session(path, "The model m", CPU, failing(refusals.RuntimeException(words)))
    with pytest.raises(torch.OutOfMemoryError, match="The model m"):
        session.run({"x": torch.zeros(1, 1, 2, 2)}, "y", torch.float32)


def test_what_it_cannot_run_is_a_bad_look(path: Path) -> None:
    session = Session(path, "The model m", CPU, failing(refusals.InvalidArgument("wrong rank")))
    with pytest.raises(BadLook, match=r"The model m cannot be run on 1x1x2x2: wrong rank\."):
        session.run({"x": torch.zeros(1, 1, 2, 2)}, "y", torch.float32)


def test_a_session_never_falls_back_to_the_processor_in_silence(path: Path) -> None:
    with pytest.raises(NodeFault) as caught:
        Session(path, "The model m", torch.device("cuda"), ProcessorBuild())
    assert "it is built for AzureExecutionProvider, CPUExecutionProvider" in str(caught.value)
    assert "install the farm with its extra 'gpu' and not 'cpu'" in str(caught.value)


def test_a_farm_without_onnxruntime_has_its_other_looks_and_says_what_brings_it(tmp_path: Path) -> None:
    place = look_at(exports.matrix(tmp_path / "m.onnx", np.eye(3), [0, 0, 0]), {"domain": "rgb", "network": SAME}).name
    script = f"""
import sys
sys.modules["onnxruntime"] = None
import torch
from actors.looks import fit, hire
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
hire(fit(LookChoice(name="colorize")), torch.device("cpu"))
try: hire(fit(LookChoice(name={place!r})), torch.device("cpu"))
except BadLook as error: print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "The look 'actors.looks.onnx.generator:OnnxGenerator' cannot be imported" in done.stdout
    assert "extra 'cpu' brings onnxruntime, on nodes with GPUs its extra 'gpu'" in done.stdout
