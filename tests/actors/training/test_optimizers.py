"""Optimizers put down and taken up: they go on bit for bit however their networks lie in memory; steps as they are asked for."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from actors.training.optimizers import clipped, moved, remember, state_of, take_up

Parts = dict[str, nn.Module | torch.optim.Optimizer]
ADAMS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "fused": lambda parameters: torch.optim.AdamW(parameters, fused=True),
    "foreach": lambda parameters: torch.optim.AdamW(parameters, foreach=True),
    "plain": torch.optim.Adam,
}


def parts(adam: str, memory_format: torch.memory_format) -> Parts:
    torch.manual_seed(4)
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 2, 5, bias=False))
    net.to(memory_format=memory_format)  # type: ignore[call-overload]
    return {"net": net, "moments": ADAMS[adam](net.parameters())}


def learn(taught: Parts, steps: range) -> None:
    net, adam = taught["net"], taught["moments"]
    assert isinstance(net, nn.Module)
    assert isinstance(adam, torch.optim.Optimizer)
    for step in steps:
        shown = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(step))
        loss = (net(shown) - shown[:, :2, :3, :5]).square().mean()
        moved(adam, torch.autograd.grad(loss, list(net.parameters())), 0.01)


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("adam", ADAMS)
def test_taken_up_it_goes_on_bit_for_bit(adam: str, memory_format: torch.memory_format) -> None:
    whole, first, second = (parts(adam, memory_format) for _ in range(3))
    learn(whole, range(5))
    learn(first, range(3))
    kept = load(save(state_of(first)))
    learn(first, range(3, 4))
    take_up(second, kept)
    assert_same(state_of(second), kept)
    learn(second, range(3, 5))
    assert_same(state_of(second), state_of(whole))


def test_moments_lie_in_memory_as_their_parameter_does() -> None:
    taught = parts("fused", torch.channels_last)
    learn(taught, range(1))
    take_up(taught, state_of(taught))
    adam = taught["moments"]
    assert isinstance(adam, torch.optim.Optimizer)
    strides = [(one.stride(), moments["exp_avg"].stride()) for one, moments in adam.state.items()]
    assert strides[0][0] == (27, 1, 9, 3), "three channels beside one another"
    assert all(one == other for one, other in strides)


def test_what_is_put_down_is_a_copy() -> None:
    taught = parts("plain", torch.contiguous_format)
    learn(taught, range(1))
    kept = state_of(taught)
    before = {name: one.clone() for name, one in kept.items()}
    learn(taught, range(1, 2))
    assert_same(kept, before)


def test_a_step_is_as_long_as_asked_and_leaves_no_gradients() -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))]
    sgd = torch.optim.SGD(weights, 1.0)
    moved(sgd, [torch.ones(2), torch.full((3,), 2.0)], 0.5)
    assert [one.tolist() for one in weights] == [[-0.5] * 2, [-1.0] * 3]
    assert all(one.grad is None for one in weights)
    with pytest.raises(ValueError, match="argument"):
        moved(sgd, [torch.ones(2)], 0.5)


def test_a_gradient_too_long_is_shortened_and_keeps_its_direction() -> None:
    gradients = [torch.full((1, 2, 2, 2), 3.0).to(memory_format=torch.channels_last), torch.full((3,), -1.0)]
    clipped(gradients)
    assert torch.cat([one.flatten() for one in gradients]).norm().item() == pytest.approx(1)
    assert gradients[0].flatten()[0].item() == pytest.approx(-3 * gradients[1][0].item())
    short = [torch.full((2,), 0.1)]
    clipped(short)
    assert short[0].tolist() == pytest.approx([0.1, 0.1])


def test_an_average_follows_quickly_at_first() -> None:
    average, network = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.zeros_(average.weight)
    nn.init.ones_(network.weight)
    remember(average, network, 0, 0.9)
    assert average.weight.item() == pytest.approx(0.9)
    nn.init.zeros_(average.weight)
    remember(average, network, 10_000, 0.9)
    assert average.weight.item() == pytest.approx(0.1)
