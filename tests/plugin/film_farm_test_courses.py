"""A course that only tests use, installed as a studio would install its own: two small layers that learn red from blue and green. Promises everything a true one must, in milliseconds."""

import os
import signal
import threading
from pathlib import Path
from typing import ClassVar

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from actors.picture.png_sheet import sheet_of
from actors.training.course import (
    Lesson,
    Library,
    StepLosses,
    TrainedLook,
    ValidationResult,
    WorkerRank,
    averaged,
    draws,
)
from jobs.document import Document
from jobs.spec.training_recipe import Recipe
from tests.waiting import poll_until


class TinySettings(Document):
    """How it learns, and what shall go wrong."""

    rate: float = 0.05
    adversarial: int = 10**9
    """Step from which it says it is adversarial."""
    critic_right: float | None = None
    pale: float = 1.0
    """Colourfulness it says it makes, where the truth has 1."""
    spoilt_at: int = 10**9
    """Step from which it unlearns."""
    broken_at: int = 10**9
    """Step at which its loss is not a number."""
    ahead: bool = False
    """It learns a step only once the next one's lesson is being made."""
    halt: Path | None = None
    """A file that holds a step: there it waits as long as the file is there."""
    die: Path | None = None
    """A file that holds a step: there the worker is lost, once, and the file with it."""


class TinyCourse:
    """Learns by Adam; its state is its layers and the moments."""

    settings: ClassVar[type[Document]] = TinySettings
    roles: ClassVar[tuple[str, ...]] = ("",)

    def __init__(
        self, recipe: Recipe, settings: Document, library: Library, team: WorkerRank, device: torch.device
    ) -> None:
        assert isinstance(settings, TinySettings)
        self.recipe, self.wish, self.shelf, self.team = recipe, settings, library[""], team
        torch.manual_seed(recipe.seed)
        self.network = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)).to(device)
        self.parameters = list(self.network.parameters())
        self.moments = [torch.zeros_like(one) for one in self.parameters for _ in range(2)]
        self.device = device
        self.asked, self.latest = threading.Condition(), -1

    def phase(self, step: int) -> str:
        return "adversarial" if step >= self.wish.adversarial else "learning"

    def lesson(self, step: int) -> Lesson:
        """Pixels, R'G'B'."""
        with self.asked:
            self.latest = step
            self.asked.notify_all()
        rows = [self._pixels(step, place) for place in range(self.recipe.batch)][self.team.rank :: self.team.size]
        return (torch.cat(rows),)

    def learn(self, step: int, lesson: Lesson) -> StepLosses:
        if (halt := self.wish.halt) and halt.exists() and step == int(halt.read_text()):
            poll_until(lambda: not halt.exists(), 300)
        if (die := self.wish.die) and die.exists() and step == int(die.read_text()):
            die.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.wish.ahead and step + 1 < self.recipe.steps:
            with self.asked:
                assert self.asked.wait_for(lambda: self.latest > step, 30), "the next lesson is not made ahead"
        rgb = lesson[0].to(self.device)
        loss = (self.network(rgb[:, 1:]) - rgb[:, :1]).square().mean()
        loss.backward()
        gradients = [one.grad for one in self.parameters if one.grad is not None]
        averaged(gradients, self.team)
        self._move(gradients, step + 1)
        said = torch.tensor(float("nan")) if step == self.wish.broken_at else loss.detach()
        right = self.wish.critic_right
        return StepLosses({"red": said}, None if right is None else torch.tensor(right, dtype=torch.float64))

    def _pixels(self, step: int, place: int) -> Tensor:
        rng = draws(self.recipe.seed, step, place)
        photo = self.shelf.learnt[int(rng.choice(len(self.shelf.learnt), p=self.shelf.odds))]
        flat = photo.reshape(-1, 3)
        return torch.from_numpy(flat[rng.integers(0, len(flat), 32)]).float() / 255

    def _move(self, gradients: list[Tensor], count: int) -> None:
        """Adam, by Kingma and Ba 2015."""
        with torch.no_grad():
            for number, (one, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
                first, second = self.moments[2 * number : 2 * number + 2]
                first.lerp_(gradient, 0.1)
                second.lerp_(gradient.square(), 0.001)
                step = (first / (1 - 0.9**count)) / ((second / (1 - 0.999**count)).sqrt() + 1e-8)
                one.sub_(step, alpha=self.wish.rate if count <= self.wish.spoilt_at else -self.wish.rate)
                one.grad = None

    def state(self) -> dict[str, Tensor]:
        moments = {f"moment.{number}": one.cpu().clone() for number, one in enumerate(self.moments)}
        return {name: one.cpu().clone() for name, one in self.network.state_dict().items()} | moments

    def restore(self, state: dict[str, Tensor]) -> None:
        self.network.load_state_dict({name: one for name, one in state.items() if not name.startswith("moment.")})
        self.moments = [state[f"moment.{number}"].to(self.device) for number in range(len(self.moments))]

    @torch.no_grad()
    def examine(self) -> ValidationResult:
        photos = self.shelf.held_out or self.shelf.learnt[:1]
        rgb = torch.cat([torch.from_numpy(one.reshape(-1, 3)).float() / 255 for one in photos]).to(self.device)
        error = (self.network(rgb[:, 1:]) - rgb[:, :1]).square().mean().item()
        sheet = sheet_of([[one, np.ascontiguousarray(one[:, ::-1])] for one in photos])
        return ValidationResult({"error": error}, error, sheet, (self.wish.pale, 1.0))

    def product(self) -> TrainedLook:
        weights = {name: one.cpu().contiguous() for name, one in self.network.state_dict().items()}
        return TrainedLook(
            {"weights.safetensors": safetensors.torch.save(weights)}, {"kind": "none", "domain": "chroma"}
        )
