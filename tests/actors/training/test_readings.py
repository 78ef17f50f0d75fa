"""Readings: fifty steps' losses cost one wait, and each step keeps its own numbers; lessons are drawn ahead of their steps."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from actors.training.course import StepLosses
from actors.training.readings import STEPS, Readings, steps_between


class Fetches:
    """Counts how often the device is waited for."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        self.count += 1
        return list(tensors)


def test_fifty_steps_are_read_at_once() -> None:
    fetches = Fetches()
    readings = Readings(STEPS, fetches)
    for step in range(1, STEPS + 1):
        assert not readings.due
        right = torch.tensor(step / 64) if step % 2 else None
        narrow = torch.tensor(step / 3, dtype=torch.bfloat16)
        readings.add(step, "learning", StepLosses({"wide": torch.tensor(1 / step), "narrow": narrow}, right))
    assert readings.due
    assert fetches.count == 0
    found = list(readings.read())
    assert fetches.count == 1
    assert [one.step for one in found] == list(range(1, STEPS + 1))
    for step, _, said in found:
        wanted = {"wide": float(torch.tensor(1 / step)), "narrow": float(torch.tensor(step / 3, dtype=torch.bfloat16))}
        assert said.losses == wanted
        assert said.critic_right == (step / 64 if step % 2 else None)
    assert not readings.due
    assert list(readings.read()) == []


def test_what_is_no_number_is_read_as_such() -> None:
    readings = Readings(1)
    readings.add(7, "critic", StepLosses({"red": torch.tensor(math.nan)}))
    (one,) = readings.read()
    assert (one.step, one.phase) == (7, "critic")
    assert math.isnan(one.said.losses["red"])


@pytest.mark.parametrize(("device", "steps"), [("cpu", 1), ("cuda", 50)])
def test_a_processor_tells_each_step_at_once(device: str, steps: int) -> None:
    assert steps_between(torch.device(device)) == steps
