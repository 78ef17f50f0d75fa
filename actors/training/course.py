"""The interface of a training course: a network that learns step by step, and can be saved and resumed.

The same recipe gives the same weights however often it is interrupted.

Everything random in a step is drawn from `draws(seed, step, ...)`, so that a step depends on the state before it and on its
number alone. A course keeps its whole state in tensors: networks, averages, the optimizers' moments.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.picture.png_sheet import Photo


@dataclass(frozen=True)
class RoleData:
    """The pictures of one role."""

    learnt: Sequence[Photo]
    """To learn from."""
    odds: NDArray[np.float64]
    """How often each is drawn; their sum is 1."""
    held_out: Sequence[Photo]
    """To measure with."""
    names: Sequence[str] = ()
    """Of `learnt`, for messages."""


Library = dict[str, RoleData]
"""The shelves of a recipe, by role; the role "" where the course does not tell its pictures apart."""


class WorkerRank(NamedTuple):
    """This worker among those that train together."""

    rank: int = 0
    size: int = 1

    def rows(self, batch: int) -> range:
        """The rows of a step's batch that this worker learns from."""
        mine = batch // self.size
        return range(self.rank * mine, (self.rank + 1) * mine)


Lesson = tuple[Tensor, ...]
"""What one step learns from, in this machine's memory, in an order that its course knows."""


class StepLosses(NamedTuple):
    """What a step came to, still on the course's device and of one number each: to read it is to wait for the step."""

    losses: dict[str, Tensor]
    critic_right: Tensor | None = None
    """See `GuardedValues`; None where the course has no such thing."""


class GuardedValues(NamedTuple):
    """What a guard looks at after a step; None where the course has no such thing."""

    losses: dict[str, float]
    critic_right: float | None = None
    """Share (0..1) of pictures that the critic told right, made and true; about 0.5 to 0.9 is healthy."""


@dataclass(frozen=True)
class ValidationResult:
    """What a checkpoint is worth, measured on held-out pictures."""

    figures: dict[str, float]
    verdict: float
    """By which the best checkpoint is chosen: lower is better."""
    sheet: Photo
    """Some held-out pictures: what was shown, what the network made, the truth where there is one."""
    spread: tuple[float, float] | None = None
    """Colourfulness of what is made and of the truth, for the guard against colour collapse."""


@dataclass(frozen=True)
class TrainedLook:
    """A finished look, as files and the part of look.json that the course knows."""

    files: dict[str, bytes]
    paper: dict[str, Any] = field(default_factory=dict)
    """Fields of LookPaper: kind, domain, size, context, settings, network."""


class Course(Protocol):
    """A generator in training. How it is made, and what a recipe can tell it: `actors.training.kind.CourseClass`."""

    def phase(self, step: int) -> str:
        """The name of the phase a step (from 0) belongs to: learning, critic, adversarial ..."""

    def lesson(self, step: int) -> Lesson:
        """What this worker learns from in a step: its share of the batch, drawn by the step's number alone.

        Another thread asks for it ahead of its step, so it touches nothing that `learn` changes and draws no random numbers
        that others draw too.
        """

    def learn(self, step: int, lesson: Lesson) -> StepLosses:
        """One step, numbered from 0, on its `lesson`: gradients averaged over the team, the networks moved. Waits for no device."""

    def state(self) -> dict[str, Tensor]:
        """Everything that `learn` changes, as tensors on the CPU; not the optimizer's step sizes, which follow from the step."""

    def restore(self, state: dict[str, Tensor]) -> None:
        """Goes on from a `state()` of the same recipe."""

    def examine(self) -> ValidationResult:
        """Measure what has been learnt on the pictures held out."""

    def product(self) -> TrainedLook:
        """What has been learnt, as a look."""


def draws(seed: int, *place: int) -> np.random.Generator:
    """Random numbers for one place of a training, as in draws(seed, step, rank): the same whenever and wherever asked."""
    return np.random.default_rng([seed, *place])


def averaged(gradients: Sequence[Tensor], team: WorkerRank) -> None:
    """The team's mean of each gradient, in place, as one exchange; alone, nothing is done."""
    if team.size == 1:
        return
    flat = torch.cat([one.reshape(-1) for one in gradients])
    torch.distributed.all_reduce(flat)
    flat /= team.size
    place = 0
    for one in gradients:
        one.copy_(flat[place : place + one.numel()].reshape(one.shape))
        place += one.numel()
