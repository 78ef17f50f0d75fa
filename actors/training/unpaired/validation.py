"""Validates a translation on held-out pictures, without any pairs.

Nobody knows what a held-out picture should become. Known is how far the made pictures, all together, are from the kind
they are to be of (sliced_wasserstein.py), and how much of each is lost on the way there and back: a generator that does nothing loses
nothing and stays far; one that makes up pictures comes near and loses all. The verdict is the sum, both in units of the
picture's range.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from actors.looks.unpaired.network import Translator, UnpairedCritic
from actors.picture.png_sheet import photo_of, sheet_of
from actors.training.course import ValidationResult
from actors.training.unpaired.sliced_wasserstein import Picture, kind_distance

SHOWN = 6
"""Held-out pictures of each kind on a sheet."""


@torch.no_grad()
def examined(
    generators: tuple[Translator, Translator],
    critics: tuple[UnpairedCritic, UnpairedCritic],
    source: Sequence[Tensor],
    target: Sequence[Tensor],
) -> ValidationResult:
    """Figures, verdict and sheet of both generators, there and back. `critics`: of targets and of sources.

    `source` and `target`: pictures, 1 3 H W each, 0..1. The sheet: source, made, back; then target, made, back.
    """
    there, back = generators
    made_target, made_source = [there(one) for one in source], [back(one) for one in target]
    back_source, back_target = [back(one) for one in made_target], [there(one) for one in made_source]
    figures = {
        "distance": kind_distance(_pictures(made_target), _pictures(target)),
        "distance of sources": kind_distance(_pictures(source), _pictures(target)),
        "distance back": kind_distance(_pictures(made_source), _pictures(source)),
        "cycle source": _mean_away(back_source, source),
        "cycle target": _mean_away(back_target, target),
        "identity": _mean_away([there(one) for one in target], target),
        "critic right": _told(critics[0], target, made_target),
        "critic right of sources": _told(critics[1], source, made_source),
    }
    rows = [*zip(source, made_target, back_source, strict=True)][:SHOWN]
    rows += [*zip(target, made_source, back_target, strict=True)][:SHOWN]
    sheet = sheet_of([[photo_of(one) for one in row] for row in rows])
    return ValidationResult(figures, figures["distance"] + figures["cycle source"], sheet)


def away(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference: the loss of a cycle and of identity."""
    return (one - other).abs().mean()


def told_right(true: Tensor, made: Tensor) -> Tensor:
    """Share of patches that a critic, which gave these, told right: one number, where they are."""
    return ((true > 0.5).float().mean() + (made < 0.5).float().mean()) / 2


def _told(critic: UnpairedCritic, true: Sequence[Tensor], made: Sequence[Tensor]) -> float:
    # Evaluating, or its spectral norm would take a step.
    critic.eval()
    judged = [torch.cat([critic(one).flatten() for one in pictures]) for pictures in (true, made)]
    critic.train()
    return float(told_right(*judged))


def _mean_away(some: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    return float(np.mean([float(away(one, other)) for one, other in zip(some, others, strict=True)]))


def _pictures(stack: Sequence[Tensor]) -> list[Picture]:
    return [one[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy() for one in stack]
