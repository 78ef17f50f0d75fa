"""The course "style": trains a network that paints photographs in the styles of given pictures.

What a step draws depends on its number alone.

Its sources have two roles: "" are the photographs that it learns to paint, and each picture of "style" is one style, named
after its file. Each crop of a batch is painted in one style or between two, in turn. What a picture looks like and what it
shows is judged on the maps of Tiny Darknet's first four stages.
"""

from math import cos, pi
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors.torch import save
from torch import Tensor

from actors.looks.package import SizeRule
from actors.looks.style.look import StyleShape
from actors.looks.style.network import StyleNet
from actors.training.course import (
    Lesson,
    Library,
    RoleData,
    StepLosses,
    TrainedLook,
    ValidationResult,
    WorkerRank,
    averaged,
    draws,
)
from actors.training.darknet import load_encoder
from actors.training.dataset.crops import batch_of
from actors.training.optimizers import clipped, moved, state_of, take_up
from actors.training.style.kinds import StyleCourseSettings
from actors.training.style.losses import content_distance, glare, variation
from actors.training.style.style_features import COARSEST, StyleDistance
from actors.training.style.validation import measured, on_sheet, shown_of
from jobs.document import Document
from jobs.errors import BadInput
from jobs.spec.training_recipe import Recipe

BETAS = (0.9, 0.99)
"""Of Adam: how much of the means of gradients and of their squares is kept at a step."""
WARM_UP = 0.02
"""Share of the steps in which the rate grows to its full height."""
SEEING = 0.08
"""Share of the steps in which the style's loss grows to its full weight: a network that paints before it sees paints blots."""
SMALLEST_CROP = 4 * COARSEST
"""Its coarsest map without its rim still has two rows."""
BETWEEN = 1
"""The place of random numbers that crops do not use."""
TINY = 1e-6
"""Keeps the root's slope finite."""
MOST_EXAMINED = 16
"""Held-out photographs that are measured, at most."""


class StyleCourse:
    """A style network in training."""

    def __init__(
        self, recipe: Recipe, settings: Document, library: Library, team: WorkerRank, device: torch.device
    ) -> None:
        assert isinstance(settings, StyleCourseSettings)
        self.recipe, self.wish, self.team, self.device = recipe, settings, team, device
        self.photographs, styles = library.get(""), library.get("style")
        if not self.photographs or not styles or not len(self.photographs.learnt) or not len(styles.learnt):
            raise BadInput(
                f"recipe {recipe.name}: a style course learns from photographs and from at least one picture whose source "
                "says role: style; give both."
            )
        if recipe.side % COARSEST or recipe.side < SMALLEST_CROP:
            raise BadInput(
                f"recipe {recipe.name}: side = {recipe.side}; crops of this course are multiples of {COARSEST}, and at least "
                f"{SMALLEST_CROP}."
            )
        self.shape = _shape(recipe, settings, styles)
        encoder = load_encoder(settings.features).to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.judge = StyleDistance(encoder, [shown_of(one).to(device) for one in styles.learnt])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            net = StyleNet(self.shape)
        self.net = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.adam = torch.optim.Adam(self.net.parameters(), betas=BETAS)

    def phase(self, step: int) -> str:
        return "seeing" if step < SEEING * self.recipe.steps else "painting"

    def lesson(self, step: int) -> Lesson:
        """Crops, and each one's weights of the styles (N S)."""
        rows = self.team.rows(self.recipe.batch)
        assert self.photographs
        shown = batch_of(self.photographs, self.recipe.side, self.recipe.seed, step, rows)
        return shown, torch.tensor([self._weights(step, row) for row in rows])

    def learn(self, step: int, lesson: Lesson) -> StepLosses:
        shown, weights_NS = (one.to(self.device, non_blocking=True) for one in lesson)
        shown = shown.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            own = self.judge.maps(shown)
        with self._autocast():
            logits = self.net.logits(shown, weights_NS)
        made = torch.sigmoid(logits)
        maps = self.judge.maps(made)
        # Distances, not squares: the slope of the largest square, mostly the palette's, drowns brushwork and what is shown.
        style = (weights_NS * self._apart(maps)).sum(1).mean()
        content = content_distance(maps[-1], own[-1]).mean()
        rough, bright = variation(made).mean(), glare(logits).mean()
        weight = min(1.0, step / (SEEING * self.recipe.steps))
        loss = weight * style + self.wish.content * content + self.wish.variation * rough + bright
        self._move(step, torch.autograd.grad(loss, list(self.net.parameters())))
        told = {"loss": loss, "style": style, "content": content, "variation": rough, "glare": bright}
        return StepLosses({name: value.detach() for name, value in told.items()})

    def _weights(self, step: int, row: int) -> list[float]:
        # Styles in turn, and after the last a picture between two of them: else the way from one to the other is left to chance.
        count = len(self.shape.styles)
        turn = (step * self.recipe.batch + row) % (count + (count > 1))
        if turn < count:
            return [float(style == turn) for style in range(count)]
        rng = draws(self.recipe.seed, step, row, BETWEEN)
        first, second = rng.choice(count, 2, replace=False).tolist()
        share = float(rng.random())
        return [{first: share, second: 1 - share}.get(style, 0.0) for style in range(count)]

    def _apart(self, maps_NCHW: list[Tensor]) -> Tensor:
        """Each picture's distance to each style (N S), the mean of its maps' roots."""
        pictures = torch.ones(len(maps_NCHW[0]), dtype=torch.long, device=self.device)
        each = [self.judge.style(maps_NCHW, style * pictures) for style in range(len(self.shape.styles))]
        return torch.stack([(one + TINY).sqrt().mean(1) for one in each], 1)

    def _move(self, step: int, gradients: tuple[Tensor, ...]) -> None:
        averaged(gradients, self.team)
        clipped(gradients)
        done = step / self.recipe.steps
        moved(self.adam, gradients, self.wish.rate * min(1.0, (done + 1e-3) / WARM_UP) * (1 + cos(pi * done)) / 2)

    def painted(self, shown_N3HW: Tensor, weights_NS: Tensor) -> Tensor:
        """R'G'B' in the styles, each picture with its own weights of them."""
        with self._autocast():
            made: Tensor = self.net(shown_N3HW, weights_NS)
        return made

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.judge.dtype, enabled=self.judge.dtype is not torch.float32)

    def state(self) -> dict[str, Tensor]:
        return state_of({"net": self.net, "adam": self.adam})

    def restore(self, state: dict[str, Tensor]) -> None:
        take_up({"net": self.net, "adam": self.adam}, state)

    @torch.no_grad()
    def examine(self) -> ValidationResult:
        assert self.photographs
        held = self.photographs.held_out or self.photographs.learnt
        shown = [shown_of(one).to(self.device) for one in held[:MOST_EXAMINED]]
        figures = measured(shown, self.judge, self.painted, len(self.shape.styles))
        verdict = figures["apart"] + self.wish.content * figures["content"]
        return ValidationResult(figures, verdict, on_sheet(shown, self.painted, len(self.shape.styles)))

    def product(self) -> TrainedLook:
        halves = {name: one.detach().cpu().half().contiguous() for name, one in self.net.state_dict().items()}
        size = SizeRule(rule="long", side=self.wish.size) if self.wish.size else SizeRule()
        paper = {
            "kind": "style",
            "domain": "rgb",
            "size": size.model_dump(mode="json"),
            "settings": {"size": self.wish.size},
            "network": self.shape.model_dump(mode="json"),
        }
        return TrainedLook({"weights.safetensors": save(halves)}, paper)


def _shape(recipe: Recipe, settings: StyleCourseSettings, styles: RoleData) -> StyleShape:
    names = [Path(one).stem for one in styles.names] or [f"style-{place}" for place in range(len(styles.learnt))]
    try:
        return StyleShape(widths=settings.widths, blocks=settings.blocks, styles=tuple(names))
    except ValidationError:
        raise BadInput(
            f"recipe {recipe.name}: each picture of a style gives it its file's name, of letters, digits, '.', '_' and '-', no "
            f"name twice; these are {', '.join(names)}."
        ) from None
