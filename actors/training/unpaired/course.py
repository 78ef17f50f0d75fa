"""The course "unpaired": learns to turn one kind of picture into another without pairs.

Each step depends on its number and on the state before it.

By Zhu, Park, Isola and Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (2017):
two generators, there and back, and two critics; least squares, cycle and identity losses; a rate that falls to 0 over the
second half. The paper's store of pictures made before is left out: each worker would have its own, and the state of a
training is one for all of them. Critics of spectral norm 1 keep the balance without it.
"""

import torch
from safetensors.torch import save
from torch import Tensor, nn

from actors.looks.unpaired.network import MULTIPLE, Translator, UnpairedCritic, smallest_side
from actors.picture.device import working_dtype
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
from actors.training.dataset.crops import tensor_of
from actors.training.optimizers import moved, remember, state_of, take_up
from actors.training.unpaired.kinds import ROLES, UnpairedCourseSettings
from actors.training.unpaired.validation import away, examined, told_right
from jobs.document import Document
from jobs.errors import BadInput
from jobs.spec.training_recipe import Recipe

MEMORY = 0.995
"""Of the moving average of the generators' weights."""
BETAS = (0.5, 0.99)
EXAMINED = 160
"""Held-out pictures are measured on squares of at most so many pixels from their middle."""
SMALLEST_HELD_OUT = 28
"""Sides of a held-out picture, at least: it is measured by patches of 7 pixels at a quarter of its size."""


class UnpairedCourse:
    """Two generators and two critics in training. `forward` makes targets of sources, `backward` sources of targets."""

    def __init__(
        self, recipe: Recipe, settings: Document, library: Library, team: WorkerRank, device: torch.device
    ) -> None:
        assert isinstance(settings, UnpairedCourseSettings)
        self.recipe, self.wish, self.library, self.team, self.device = recipe, settings, library, team, device
        _check(recipe, settings, library)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.forward, self.backward = Translator(settings.shape), Translator(settings.shape)
            critics = [UnpairedCritic(settings.critic_width, settings.critic_halvings) for _ in range(2)]
        self.critic_target, self.critic_source = critics
        self.kept_forward, self.kept_backward = Translator(settings.shape), Translator(settings.shape)
        self.kept_forward.load_state_dict(self.forward.state_dict())
        self.kept_backward.load_state_dict(self.backward.state_dict())
        for module in self._networks().values():
            module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.learning = [*self.forward.parameters(), *self.backward.parameters()]
        self.judging = [*self.critic_target.parameters(), *self.critic_source.parameters()]
        self.optimizers = {
            "generators": torch.optim.Adam(self.learning, settings.rate, BETAS),
            "critics": torch.optim.Adam(self.judging, settings.rate, BETAS),
        }
        dtype = working_dtype(device)
        self.narrow = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

    def phase(self, step: int) -> str:
        """One from first to last: generators and critics learn together."""
        return "adversarial"

    def lesson(self, step: int) -> Lesson:
        """Crops of sources, and of targets."""
        return tuple(self._crops(role, step) for role in ROLES)

    def learn(self, step: int, lesson: Lesson) -> StepLosses:
        """One step of the generators, then one of the critics on what was made."""
        rate = self.wish.rate * min(1.0, 2 * (1 - step / self.recipe.steps))
        source, target = (one.to(self.device, non_blocking=True) for one in lesson)
        with self.narrow:
            losses, made_target, made_source = self._translated(source, target)
        self._move("generators", self.learning, torch.stack(list(losses.values())).sum(), rate)
        with self.narrow:
            judged = [
                _judged(self.critic_target, target, made_target.detach()),
                _judged(self.critic_source, source, made_source.detach()),
            ]
            critics = torch.stack([(_short_of(1, true) + _short_of(0, made)) / 2 for true, made in judged]).sum()
        self._move("critics", self.judging, critics, rate)
        remember(self.kept_forward, self.forward, step, MEMORY)
        remember(self.kept_backward, self.backward, step, MEMORY)
        found = {name: value.detach() for name, value in (losses | {"critics": critics}).items()}
        return StepLosses(found, torch.stack([told_right(*pair) for pair in judged]).double().mean())

    def _translated(self, source: Tensor, target: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        # The losses of the generators, and what they made: targets of sources and sources of targets.
        wish = self.wish
        made_target, same_target = self.forward(torch.cat([source, target])).chunk(2)
        made_source, same_source = self.backward(torch.cat([target, source])).chunk(2)
        back_source, back_target = self.backward(made_target), self.forward(made_source)
        losses = {
            "adversarial": _short_of(1, self.critic_target(made_target))
            + _short_of(1, self.critic_source(made_source)),
            "cycle source": wish.cycle_source * away(back_source, source),
            "cycle target": wish.cycle_target * away(back_target, target),
            "identity": wish.identity * (away(same_target, target) + away(same_source, source)),
        }
        return losses, made_target, made_source

    def _move(self, name: str, parameters: list[nn.Parameter], loss: Tensor, rate: float) -> None:
        gradients = torch.autograd.grad(loss, parameters)
        averaged(gradients, self.team)
        moved(self.optimizers[name], gradients, rate)

    def _crops(self, role: str, step: int) -> Tensor:
        """N 3 side side, 0..1: this worker's part of the batch; the whole batch is the same for any number of workers.

        Never resized: a line is as wide as it was drawn, by which a kind of picture is told.
        """
        shelf, side = self.library[role], self.recipe.side
        crops = []
        for row in self.team.rows(self.recipe.batch):
            draw = draws(self.recipe.seed, step, ROLES.index(role), row)
            photo = shelf.learnt[draw.choice(len(shelf.learnt), p=shelf.odds)]
            top, left = (int(draw.integers(0, length - side + 1)) for length in photo.shape[:2])
            crop = photo[top : top + side, left : left + side]
            crops.append(crop[:, ::-1] if draw.random() < 0.5 else crop)
        return tensor_of(crops)

    def _networks(self) -> dict[str, nn.Module]:
        return {
            "forward": self.forward,
            "backward": self.backward,
            "kept_forward": self.kept_forward,
            "kept_backward": self.kept_backward,
            "critic_target": self.critic_target,
            "critic_source": self.critic_source,
        }

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {**self._networks(), **self.optimizers}

    def state(self) -> dict[str, Tensor]:
        """All six networks, with the vectors of their spectral norms, and the moments of both optimizers."""
        return state_of(self._parts())

    def restore(self, state: dict[str, Tensor]) -> None:
        take_up(self._parts(), state)

    def examine(self) -> ValidationResult:
        """On the pictures held out: `exam.examined` with the generators' averages."""
        critics = (self.critic_target, self.critic_source)
        return examined(
            (self.kept_forward, self.kept_backward), critics, self._held_out("source"), self._held_out("target")
        )

    def _held_out(self, role: str) -> list[Tensor]:
        # Squares from the middle, of one size on a shelf and of whole steps of the generators.
        shelf = self.library[role]
        side = min(EXAMINED, *(length for photo in shelf.held_out for length in photo.shape[:2])) // MULTIPLE * MULTIPLE
        tops = [[(length - side) // 2 for length in photo.shape[:2]] for photo in shelf.held_out]
        squares = [
            photo[top : top + side, left : left + side] for photo, (top, left) in zip(shelf.held_out, tops, strict=True)
        ]
        return [tensor_of([one]).to(self.device) for one in squares]

    def product(self) -> TrainedLook:
        """Both generators, in half precision."""
        files = {
            f"{name}.safetensors": save({k: v.half().cpu().contiguous() for k, v in kept.state_dict().items()})
            for name, kept in (("forward", self.kept_forward), ("backward", self.kept_backward))
        }
        # The size at which it has seen things, in the shape of a film.
        side = max(64, self.recipe.short_side * 16 // 9)
        paper = {
            "kind": "unpaired",
            "domain": "rgb",
            "size": {"rule": "long", "side": side},
            "settings": {"size": side},
            "network": self.wish.shape.model_dump(mode="json"),
        }
        return TrainedLook(files, paper)


def _check(recipe: Recipe, settings: UnpairedCourseSettings, library: Library) -> None:
    least = smallest_side(settings.critic_halvings)
    if recipe.side < least:
        raise BadInput(
            f"side = {recipe.side}: a critic of critic_halvings = {settings.critic_halvings} judges crops of at least {least} "
            "pixels; raise side, or lower critic_halvings."
        )
    for role in ROLES:
        if role not in library or not library[role].held_out:
            raise BadInput(
                f"There are no held-out pictures of the role {role!r}; give its sources a held_out, such as 16."
            )
        if small := [photo for photo in library[role].held_out if min(photo.shape[:2]) < SMALLEST_HELD_OUT]:
            size = "x".join(map(str, small[0].shape[1::-1]))
            raise BadInput(
                f"A held-out picture of the role {role!r} is of {size} pixels; give pictures of at least "
                f"{SMALLEST_HELD_OUT}x{SMALLEST_HELD_OUT}."
            )


def _short_of(wanted: int, judged: Tensor) -> Tensor:
    # Least squares (Mao et al. 2017): true patches are to be given 1, made ones 0, and a generator wants 1.
    return (judged - wanted).square().mean()


def _judged(critic: UnpairedCritic, true: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    first, second = critic(torch.cat([true, made])).chunk(2)
    return first, second
