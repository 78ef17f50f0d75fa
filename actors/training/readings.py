"""Reads the losses of training steps from the device, many steps at a time, and gives them back step by step in order."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from actors.picture.device import fetched_together
from actors.training.course import GuardedValues, StepLosses

STEPS = 50
"""Of which a GPU's losses are read together: it is waited for once instead of once a step, and what a guard ends it ends so much later."""


def steps_between(device: torch.device) -> int:
    """Steps after which losses are read: a processor is never waited for, so each is told at once."""
    return STEPS if device.type == "cuda" else 1


class StepReading(NamedTuple):
    """What one step came to."""

    step: int
    phase: str
    said: GuardedValues


class Readings:
    """Losses that lie on the device."""

    def __init__(self, every: int, fetch: Callable[[Sequence[Tensor]], list[Tensor]] = fetched_together) -> None:
        self._every, self._fetch = every, fetch
        self._waiting: list[tuple[int, str, StepLosses]] = []

    def add(self, step: int, phase: str, said: StepLosses) -> None:
        """One more step. Waits for nothing."""
        self._waiting.append((step, phase, said))

    @property
    def due(self) -> bool:
        """Whether so many lie there that they should be read."""
        return len(self._waiting) >= self._every

    def read(self) -> Iterator[StepReading]:
        """All that lie there; the device is waited for once."""
        waiting, self._waiting = self._waiting, []
        numbers = [
            one for _, _, said in waiting for one in (*said.losses.values(), said.critic_right) if one is not None
        ]
        if not numbers:
            return
        # Doubles hold every narrower number as it is.
        (read,) = self._fetch([torch.stack([one.double() for one in numbers])])
        values = iter(read.tolist())
        for step, phase, said in waiting:
            losses = {name: next(values) for name in said.losses}
            right = None if said.critic_right is None else next(values)
            yield StepReading(step, phase, GuardedValues(losses, right))
