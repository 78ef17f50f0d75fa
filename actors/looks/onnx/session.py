"""One onnxruntime session on one device: tensors in, a tensor out, without a copy through the CPU.

By onnxruntime's pages "CUDA Execution Provider" (options, preloading, compute streams) and "I/O Binding".
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from actors.picture.device import memory_ran_out, stream_number
from jobs.errors import BadLook, NodeFault

try:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals
except ImportError as error:
    raise ImportError(
        f"{error}: the farm's extra 'cpu' brings onnxruntime, on nodes with GPUs its extra 'gpu'"
    ) from error

REFUSALS = (
    refusals.EPFail,
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NoSuchFile,
    refusals.NotFound,
    refusals.NotImplemented,
    refusals.RuntimeException,
)
"""What onnxruntime raises."""

NUMBERS = {"tensor(float)": torch.float32, "tensor(float16)": torch.float16}
"""The numbers that are given and taken."""

_NUMPY = {torch.float32: np.float32, torch.float16: np.float16}
_CUDA = "CUDAExecutionProvider"
_PROCESSOR = "CPUExecutionProvider"


class Runtime(Protocol):
    """What is used of the module onnxruntime; a test answers as one of another build."""

    def get_available_providers(self) -> list[str]: ...

    def preload_dlls(self) -> None: ...

    InferenceSession: Any
    SessionOptions: Any


def installed() -> str:
    """For example "onnxruntime 1.27.0 for CPUExecutionProvider"."""
    return f"onnxruntime {onnxruntime.__version__} for {', '.join(onnxruntime.get_available_providers())}"


class Session:
    """A loaded model. Its answers depend on nothing but what one call is given."""

    def __init__(self, path: Path, where: str, device: torch.device, runtime: Runtime = onnxruntime) -> None:
        """`where` names the model in errors. Raises BadLook for a file that onnxruntime does not take; NodeFault where
        `device` is a GPU and this machine's onnxruntime cannot run on it: it would fall back to the processor in silence."""
        self.where, self.device = where, device
        self._stream = stream_number(device)
        if device.type == "cuda":
            runtime.preload_dlls()  # the CUDA libraries that torch brings; onnxruntime-gpu brings none
        try:
            self._session = runtime.InferenceSession(
                str(path), _options(runtime), providers=[_provider(device, self._stream)]
            )
        except REFUSALS as error:
            raise BadLook(f"{where} cannot be used: {_said(error)}") from None
        self.provider: str = self._session.get_providers()[0]
        """The execution provider that really runs it."""
        if device.type == "cuda" and self.provider != _CUDA:
            built = ", ".join(runtime.get_available_providers())
            raise NodeFault(
                f"{where} would run on the processor, for onnxruntime cannot use the GPU there (it is built for {built}); "
                "run the CUDA image there, or pip uninstall onnxruntime onnxruntime-gpu and install the farm with its extra 'gpu' "
                "and not 'cpu' (docs/deploy.md), or set workers: {gpus: 0}",
                lasting=True,
            )
        self.runtime = "" if self.provider == _PROCESSOR else f"onnxruntime {self.provider}"
        """For records (`actors.picture.generator.runtime_of`)."""
        self._shapes: dict[tuple[tuple[int, ...], ...], list[int]] = {}

    @property
    def inputs(self) -> list[Any]:
        """The model's inputs, with `name`, `type` and `shape`."""
        return list(self._session.get_inputs())

    @property
    def outputs(self) -> list[Any]:
        """The model's outputs, likewise."""
        return list(self._session.get_outputs())

    def run(self, given: Mapping[str, Tensor], wanted: str, dtype: torch.dtype) -> Tensor:
        """The output `wanted`, of `dtype`, on this session's device, for contiguous inputs that lie there.

        Raises BadLook where the model cannot be run on them, torch.OutOfMemoryError where memory ran out: that is no fault of the model's.
        """
        given = {name: one.contiguous() for name, one in given.items()}
        try:
            return self._bound(given, wanted, dtype)
        except REFUSALS as error:
            said, memory = _said(error), memory_ran_out(error)
        # Outside of the handler: onnxruntime's error must not be kept alive by the one raised here.
        if memory:
            raise torch.OutOfMemoryError(f"{self.where}: {said}")
        shapes = ", ".join("x".join(map(str, one.shape)) for one in given.values())
        raise BadLook(f"{self.where} cannot be run on {shapes}: {said}")

    def _bound(self, given: Mapping[str, Tensor], wanted: str, dtype: torch.dtype) -> Tensor:
        key = tuple(tuple(one.shape) for one in given.values())
        if key not in self._shapes:  # a model need not say how large its output is until it has made one
            (made,) = self._session.run([wanted], {name: one.cpu().numpy() for name, one in given.items()})
            self._shapes[key] = list(made.shape)
            return torch.from_numpy(made).to(self.device)
        made_here = torch.empty(self._shapes[key], dtype=dtype, device=self.device)
        binding = self._session.io_binding()
        for name, one in given.items():
            binding.bind_input(name, *self._place(one))
        binding.bind_output(wanted, *self._place(made_here))
        if self.device.type == "cuda" and not stream_number(self.device) == self._stream != 0:
            # What is given was made on a stream that onnxruntime does not follow.
            torch.cuda.current_stream(self.device).synchronize()
        self._session.run_with_iobinding(binding)
        return made_here

    def _place(self, one: Tensor) -> tuple[str, int, Any, list[int], int]:
        return self.device.type, self.device.index or 0, _NUMPY[one.dtype], list(one.shape), one.data_ptr()


def _options(runtime: Runtime) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    # Or a file could be a model of onnxruntime's own format, which nothing here has read.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.log_severity_level = 4  # what is wrong is said in our own words
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _provider(device: torch.device, stream: int) -> Any:
    if device.type != "cuda":
        return _PROCESSOR
    # cuDNN may not try out kernels, and float32 is float32: as actors/picture/device.py has it for torch. Memory is asked for as
    # it is needed, for torch wants the rest.
    settings = {
        "device_id": str(device.index or 0),
        "cudnn_conv_algo_search": "DEFAULT",
        "use_tf32": "0",
        "arena_extend_strategy": "kSameAsRequested",
    }
    # On torch's own stream nothing waits for the device at either end of a run. The default stream cannot be named.
    return _CUDA, {**settings, "user_compute_stream": str(stream)} if stream else settings


def _said(error: Exception) -> str:
    words = " ".join(str(error).split()).rpartition("[ONNXRuntimeError] : ")[2]
    return words[:300].rstrip(".") + "."
