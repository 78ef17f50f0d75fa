"""Sets up the CPU or GPU that a look works on, and copies pixels to it and back while it works.

Kernels on a GPU are repeatable, so that equal hardware gives equal pictures.

On a GPU each thread of a renderer has a stream of its own, copies go through pinned memory, and a thread waits for what
it needs. By PyTorch 2.13's notes "CUDA semantics" (streams, pinned memory, graphs) and "Reproducibility".
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from jobs.errors import NodeFault

WARM_UP = 3
"""Forward passes before a network is captured: libraries make their handles and choose their kernels in the first."""


MEMORY_RAN_OUT = (
    "out of memory",
    "can't allocate memory",
    "alloc_failed",
    "failed to allocate memory",
    "than requested bytes",
)
"""In the words of CUDA, of the processor's allocator, of cuBLAS and cuDNN, and of onnxruntime, which raise plain errors."""

REHEARSAL = "FARM_REHEARSE_GPUS"
"""Set to 1 on a cluster whose GPUs are numbers that Ray was told, not devices: then workers that are given one use the processor."""

CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
REPEATABLE = (":4096:8", ":16:8")
"""Workspaces with which cuBLAS gives one answer, by NVIDIA's cuBLAS documentation, "Results reproducibility"."""

DRIVER = Path("/proc/driver/nvidia/version")


class Gpu(Protocol):
    """This machine's GPU, as far as it must be known before any work; a test answers for machines of other kinds."""

    def refusal(self) -> str:
        """Why torch cannot use it; empty where it can."""

    def driver(self) -> str:
        """The version of its driver; empty where there is none."""

    def build(self) -> str:
        """Which torch this is, and the CUDA it was built for."""


class CudaGpu:
    """The GPU that torch sees first."""

    def refusal(self) -> str:
        """Torch's own reason, one line: `torch.cuda.is_available` tells none."""
        try:
            torch.cuda.init()  # type: ignore[no-untyped-call]
        except (RuntimeError, AssertionError) as error:  # the latter of a torch without CUDA
            return " ".join(str(error).split()).partition(". ")[0].rstrip(".") or type(error).__name__
        return "" if torch.cuda.device_count() else "torch sees none"

    def names(self) -> list[str]:
        """What torch can use, by the names of the hardware, with their memory."""
        found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
        return [f"{one.name}, {one.total_memory / (1 << 30):.0f} GiB" for one in found]

    def driver(self) -> str:
        """As the kernel module tells it, without a program of NVIDIA's."""
        try:
            words = DRIVER.read_text().splitlines()[0].split()
        except (OSError, IndexError):
            return ""
        return next((word for word in words if word[:1].isdigit() and "." in word), "")

    def build(self) -> str:
        """For example "2.13.0 for CUDA 13.0"."""
        return f"{torch.__version__} for {f'CUDA {torch.version.cuda}' if torch.version.cuda else 'processors alone'}"


def settled(gpu: bool, here: Gpu | None = None, *, trains: bool = False) -> torch.device:
    """The device to work on, set to give equal pictures on equal hardware. `gpu`: a GPU was given to this worker.

    Raises NodeFault where it cannot be used: hours on a processor, paid for as a GPU's, are worse than an error.

    cuDNN may not try out kernels, for which is fastest changes from run to run, and another one gives other last bits; nor
    take one that adds up in whatever order. Where it `trains`, all of torch takes repeatable kernels, as far as it has them:
    it warns of what it runs otherwise. What a look works out in float32 is float32, not TF32's 10 bits. cuBLAS keeps one workspace, for with several streams it may else choose anew.
    """
    if not gpu or os.environ.get(REHEARSAL) == "1":
        return torch.device("cpu")
    here = here or CudaGpu()
    if os.environ.get(CUBLAS) not in REPEATABLE:  # read once, as CUDA starts: before anybody asks for a GPU
        os.environ[CUBLAS] = REPEATABLE[0]
    if why := here.refusal():
        raise NodeFault(
            f"a worker was given a GPU and cannot use it: {why} (driver {here.driver() or 'not found'}, torch {here.build()}); "
            "install a driver and a torch of one CUDA generation there (docs/deploy.md), or set workers: {gpus: 0} to "
            "render on processors",
            lasting=True,
        )
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(trains, warn_only=True)
    return torch.device("cuda")


def memory_ran_out(error: BaseException) -> bool:
    """Whether an error says that there is no more memory, the device's or the machine's."""
    says = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(one in says for one in MEMORY_RAN_OUT)


def stream_of(device: torch.device) -> torch.cuda.Stream | None:
    """A stream of one's own on a GPU, for `torch.cuda.stream`, which makes nothing of None.

    There are 32 on a device, dealt out in turn: make few and keep them, or two of one's own are the same.
    """
    return torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]


def stream_number(device: torch.device) -> int:
    """This thread's stream, as CUDA numbers it: 0 is the default stream, and what there is where there is no GPU."""
    if device.type != "cuda" or not torch.cuda.is_available():
        return 0
    return int(torch.cuda.current_stream(device).cuda_stream)


def sent(device: torch.device) -> torch.cuda.Event | None:
    """A mark behind all that this thread's stream was given so far, for `received` in another thread."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()
    return event


def received(mark: torch.cuda.Event | None, tensors: Sequence[Tensor]) -> None:
    """From here on this thread's stream may use tensors made before `mark` on another. The thread itself does not wait."""
    if mark is None:
        return
    stream = torch.cuda.current_stream(tensors[0].device)
    stream.wait_event(mark)
    for one in tensors:
        # Else their memory is given away on the other stream as soon as nobody here names them, used up or not.
        one.record_stream(stream)


def uploaded(planes: Sequence[NDArray[Any]], device: torch.device) -> Tensor:
    """Planes of one size, HW each, 8 or 16 bit, as one tensor NHW of the same numbers on `device`; this thread's stream copies."""
    if device.type != "cuda":
        return torch.from_numpy(np.stack(planes))
    dtype = torch.uint8 if planes[0].dtype == np.uint8 else torch.uint16
    # PyTorch keeps pinned memory for the next one, once the copy that it was used for is over.
    pinned = torch.empty((len(planes), *planes[0].shape), dtype=dtype, pin_memory=True)
    np.stack(planes, out=pinned.numpy())
    return pinned.to(device, non_blocking=True)


def fetched(tensor: Tensor) -> Tensor:
    """The same numbers in this machine's memory. Waits for what this thread's stream was given until now, and sleeps meanwhile."""
    return fetched_together([tensor])[0]


def fetched_together(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Tensors of one device in this machine's memory: all copies are begun, into pinned memory, and waited for once."""
    if not tensors or tensors[0].device.type != "cuda":
        return list(tensors)
    here = [torch.empty(one.shape, dtype=one.dtype, pin_memory=True) for one in tensors]
    for pinned, one in zip(here, tensors, strict=True):
        pinned.copy_(one, non_blocking=True)
    there = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    there.record()
    there.synchronize()
    return here


def captured(network: Callable[[Tensor], Tensor], example: Tensor) -> Callable[[Tensor], Tensor]:
    """A network that is only ever shown tensors like `example` (shape, dtype, layout), ready to be run without launching it kernel by kernel.

    On a GPU it is recorded once as a CUDA graph and replayed; elsewhere it is the network itself. It must not wait for
    the device, nor take a way that depends on what it is shown. Of several threads one at a time may run it, on one stream.
    """
    if example.device.type != "cuda":
        return network
    given, stream = example.clone(), torch.cuda.current_stream(example.device)
    if stream == torch.cuda.default_stream(example.device):  # which cannot be recorded
        stream = torch.cuda.Stream(example.device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(example.device))
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode():
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                network(given)
        # thread_local: another thread may allocate or copy meanwhile, and must not spoil the recording.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            made = network(given)
    torch.cuda.current_stream(example.device).wait_stream(stream)

    @torch.inference_mode()
    def replayed(shown: Tensor) -> Tensor:
        if shown.shape != given.shape:
            raise ValueError(f"a network captured for {tuple(given.shape)} was shown {tuple(shown.shape)}")
        given.copy_(shown)
        graph.replay()
        return made.clone()  # the next run writes into the same memory

    return replayed


def working_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, else float32."""
    if device.type == "cuda":
        # Emulated, as on Turing, it is slower than float32 and rounds otherwise.
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if torch.backends.cpu.get_cpu_capability() != "DEFAULT" and _cpu_has_bf16() else torch.float32


def _cpu_has_bf16() -> bool:
    # Linux names the instructions it may use; elsewhere the safe answer is no.
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
