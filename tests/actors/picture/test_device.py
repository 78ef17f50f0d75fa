"""The device: on a processor, the plain thing. What a GPU does is not proven here; where there is one, that its numbers are the same."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.picture.device import CUBLAS, REHEARSAL, captured, fetched, received, sent, settled, stream_of, uploaded
from jobs.errors import NodeFault

HERE = [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]


@pytest.fixture(params=HERE, ids=str)
def device(request: pytest.FixtureRequest) -> torch.device:
    found: torch.device = request.param
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_numbers_go_and_come_back_as_they_are(device: torch.device, dtype: Any) -> None:
    rows: NDArray[Any] = np.arange(0, 64000, 100, dtype=np.int64).astype(dtype).reshape(16, 40)
    planes = [rows[:, :32], rows[:, 8:]]  # as views into wider lines, as decoders give them
    with torch.cuda.stream(stream_of(device)):
        there = uploaded(planes, device)
        back = fetched(there)
    assert there.device.type == device.type
    assert np.array_equal(back.numpy(), np.stack(planes))


def test_what_one_stream_made_another_may_use(device: torch.device) -> None:
    with torch.cuda.stream(stream_of(device)):
        made = torch.ones(512, 512, device=device) @ torch.ones(512, 512, device=device)
        mark = sent(device)
    with torch.cuda.stream(stream_of(device)):
        received(mark, (made,))
        assert bool((fetched(made + 1) == 513).all())


def test_a_captured_network_gives_what_the_network_gives(device: torch.device) -> None:
    torch.manual_seed(1)
    network = torch.nn.Conv2d(1, 2, 3).to(device).requires_grad_(False)
    shown = [torch.rand(2, 1, 8, 8, device=device) for _ in range(3)]
    run = captured(network, shown[0])
    made: list[Tensor] = [run(one) for one in shown]
    for one, other in zip(made, shown, strict=True):
        torch.testing.assert_close(one, network(other))


class OldDriver:
    """A machine whose driver is older than what torch was built for."""

    def refusal(self) -> str:
        return "The NVIDIA driver on your system is too old (found version 12040)"

    def driver(self) -> str:
        return "550.54.15"

    def build(self) -> str:
        return "2.13.0 for CUDA 13.0"


class GoodGpu:
    """A machine with a GPU that can be used; it says what was set when it was first asked."""

    def __init__(self) -> None:
        self.workspace = ""

    def refusal(self) -> str:
        self.workspace = os.environ.get(CUBLAS, "")
        return ""

    def driver(self) -> str:
        return "580.65.06"

    def build(self) -> str:
        return "2.13.0 for CUDA 13.0"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gives back what a worker sets for its whole process."""
    monkeypatch.setenv(CUBLAS, ":0:0")
    known = [getattr(torch.backends.cudnn, name) for name in ("benchmark", "deterministic", "allow_tf32")]
    yield
    for name, value in zip(("benchmark", "deterministic", "allow_tf32"), known, strict=True):
        setattr(torch.backends.cudnn, name, value)
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("trains", [False, True])
@pytest.mark.usefixtures("settings")
def test_a_gpu_is_set_to_repeat_itself_before_cuda_starts(trains: bool) -> None:
    here = GoodGpu()
    assert settled(gpu=True, here=here, trains=trains) == torch.device("cuda")
    assert here.workspace == ":4096:8"
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert torch.are_deterministic_algorithms_enabled() == trains


def test_nobody_gets_a_gpu_who_asked_for_none() -> None:
    assert settled(gpu=False, here=OldDriver()) == torch.device("cpu")


def test_a_gpu_that_cannot_be_used_is_an_error_and_never_the_processor() -> None:
    with pytest.raises(NodeFault) as caught:
        settled(gpu=True, here=OldDriver())
    said = str(caught.value)
    assert "too old (found version 12040) (driver 550.54.15, torch 2.13.0 for CUDA 13.0)" in said
    assert socket.gethostname() in said
    assert "gpus: 0" in said


@pytest.mark.skipif(len(HERE) > 1, reason="there is a GPU here")
def test_torch_says_why_there_is_no_gpu_here() -> None:
    with pytest.raises(NodeFault, match=r"cannot use it: .+ \(driver .+, torch 2\..+\)"):
        settled(gpu=True)


def test_gpus_that_are_numbers_alone_are_rehearsed_on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REHEARSAL, "1")
    assert settled(gpu=True, here=OldDriver()) == torch.device("cpu")


@pytest.mark.skipif(len(HERE) == 1, reason="there is no GPU here")
def test_a_gpu_takes_repeatable_kernels() -> None:
    settled(gpu=True)
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
