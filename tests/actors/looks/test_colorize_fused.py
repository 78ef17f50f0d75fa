"""The colouriser as it runs on a processor: the answers of the plain network, whatever the size and the company of a frame."""

import pytest
import torch
from torch import Tensor

from actors.looks.colorize.encoder import FeatureEncoder
from actors.looks.colorize.fused_inference import fused, running
from actors.looks.colorize.network import ColorNet
from actors.picture.device import working_dtype

CPU = torch.device("cpu")
BFLOAT16 = pytest.param(
    torch.bfloat16,
    marks=pytest.mark.skipif(
        working_dtype(CPU) != torch.bfloat16, reason="this processor has no bfloat16, so networks work in float32 here"
    ),
)
DTYPES = [torch.float32, BFLOAT16]


def network() -> ColorNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return ColorNet().eval().requires_grad_(False)


def lumas(count: int, height: int, width: int, dtype: torch.dtype) -> Tensor:
    made = torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(5))
    return made.to(dtype=dtype, memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", DTYPES)
@torch.inference_mode()
def test_it_answers_as_the_plain_network(dtype: torch.dtype) -> None:
    plain, quick = (network().to(dtype=dtype, memory_format=torch.channels_last) for _ in range(2))  # type: ignore[call-overload]
    fused(quick)
    for height, width in ((64, 96), (96, 64), (64, 96)):
        shown = lumas(1, height, width, dtype)
        # An activation fused is not rounded twice.
        torch.testing.assert_close(quick(shown), plain(shown), rtol=0, atol=1e-5 if dtype is torch.float32 else 4e-3)


@pytest.mark.parametrize("dtype", [BFLOAT16])
@torch.inference_mode()
def test_the_encoders_maps_are_the_same_to_the_bit(dtype: torch.dtype) -> None:
    plain, quick = (
        network().encoder.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for _ in range(2)
    )
    shown = lumas(1, 64, 96, dtype)
    assert isinstance(fused(quick), FeatureEncoder)
    assert all(torch.equal(one, other) for one, other in zip(quick(shown), plain(shown), strict=True))


@torch.inference_mode()
def test_a_frame_gets_the_same_answer_in_any_company() -> None:
    ready = running(network(), CPU)
    shown = lumas(4, 64, 96, working_dtype(CPU))
    together = ready(shown)
    assert torch.equal(torch.cat([ready(one) for one in torch.split(shown, 1)]), together)
    assert torch.equal(ready(shown[2:]), together[2:])
