"""The course "matching": trains the network by which propagation tells what has the same colour (see `actors.render.propagation.matching`).

What a step draws depends on its number alone. It learns from pairs of pictures of photographs (see `pairs`): the colours of
the first, matched, are to be those of the second, and the network's own guess of how far they are off is to be right. The
encoder that gives the features is that of the shipped look "colorize", and stays as it is.

What comes out is no look: `weights.safetensors` takes the place of the shipped network.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from actors.looks.colorize.look import COLORIZE
from actors.picture.motion.flow import Floats
from actors.render.propagation.features import FeatureExtractor, by_cell
from actors.render.propagation.matching import cells_of, relit
from actors.render.propagation.matching_network import TYPICAL, CellLabels, CommonFeatures, MatchingNetwork
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
from actors.training.matching.kinds import MatchingCourseSettings
from actors.training.matching.pairs import pair_of
from actors.training.matching.validation import MatchedPair, examined
from actors.training.optimizers import clipped, moved, remember, state_of, take_up
from jobs.document import Document
from jobs.errors import BadInput
from jobs.spec.training_recipe import Recipe

MULTIPLE = 32
"""A crop's side is a multiple of this, so that nothing is added at its edges."""
MEMORY = 0.995
"""Of the running average of weights, which is what is kept."""
OWN_ERROR = 0.3
"""What it counts that the guessed error is right, beside 1 for the colours."""
WORST = 200.0
"""Most that an error counts, in units of what was guessed: a first guess may be off by any factor."""
EXAMINED = 64
"""Pairs of held-out photographs that are measured, at most."""


class _Pair(NamedTuple):
    """A pair by cells: features and light of both, the first's labels, the second's luma and chroma."""

    features: tuple[Tensor, Tensor]
    light: tuple[Tensor, Tensor]
    labels: CellLabels
    luma: Tensor
    chroma: Tensor


class MatchingCourse:
    """A matching network in training."""

    def __init__(
        self, recipe: Recipe, settings: Document, library: Library, team: WorkerRank, device: torch.device
    ) -> None:
        assert isinstance(settings, MatchingCourseSettings)
        assert COLORIZE.shipped
        if recipe.side % MULTIPLE:
            raise BadInput(
                f"recipe {recipe.name}: side = {recipe.side}; crops of this course are multiples of {MULTIPLE} pixels, such as 256."
            )
        self.recipe, self.settings, self.team, self.device = recipe, settings, team, device
        self.shelf = library[""]
        if len(self.shelf.learnt) < 2:
            raise BadInput(f"recipe {recipe.name}: a pair takes two photographs; give this course more to learn from.")
        self.features = FeatureExtractor(COLORIZE.shipped / "weights.safetensors")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.network = MatchingNetwork().to(device)
            self.average = MatchingNetwork().to(device)
        self.average.load_state_dict(self.network.state_dict())
        self.adam = torch.optim.Adam(self.network.parameters())

    def phase(self, step: int) -> str:
        return "learning"

    def lesson(self, step: int) -> Lesson:
        """Pairs, N 2 3 side side: luma 0..1 and chroma -0.5..0.5."""
        pairs = []
        for row in self.team.rows(self.recipe.batch):
            rng = draws(self.recipe.seed, step, row)
            one, other = rng.choice(len(self.shelf.learnt), 2, replace=False, p=self.shelf.odds)
            pairs.append(pair_of(self.shelf.learnt[one], self.shelf.learnt[other], self.recipe.side, rng))
        return (torch.from_numpy(np.stack(pairs)),)

    def learn(self, step: int, lesson: Lesson) -> StepLosses:
        colours, own = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for pair in lesson[0]:
            matched = self._matched(self.network, pair.numpy())
            share = matched.error / matched.guessed
            colours = colours + matched.error.mean() / TYPICAL / len(lesson[0])
            own = own + (share.clamp_max(WORST) + (matched.guessed / TYPICAL).log()).mean() / len(lesson[0])
        loss = colours + OWN_ERROR * own
        gradients = torch.autograd.grad(loss, list(self.network.parameters()))
        averaged(gradients, self.team)
        clipped(gradients)
        moved(self.adam, gradients, self.settings.rate * (1 - step / self.recipe.steps))
        remember(self.average, self.network, step, MEMORY)
        return StepLosses({"loss": loss.detach(), "colours": colours.detach(), "own error": own.detach()})

    def _matched(self, network: MatchingNetwork, pair_23HW: Floats) -> MatchedPair:
        pair = self._by_cell(pair_23HW)
        common = CommonFeatures.among(pair.features[0])
        keys, queries = (network.embedded(one, common) for one in pair.features)
        found = network(queries, pair.light[1], keys, pair.labels.columns())
        chroma = relit(found.columns, pair.luma)
        return MatchedPair((chroma - pair.chroma).norm(dim=1), found.error, chroma, pair.chroma)

    def _by_cell(self, pair_23HW: Floats) -> _Pair:
        features, light, luma, chroma = [], [], [], []
        for planes in pair_23HW:
            known, shown = cells_of([self.features(np.ascontiguousarray(planes[0]))])
            # What was made in inference mode takes no part in training; a copy does.
            features.append(known.clone().to(self.device))
            light.append(shown.clone().to(self.device))
            cells = torch.from_numpy(by_cell(np.ascontiguousarray(planes.transpose(1, 2, 0)))).reshape(-1, 3)
            luma.append(cells[:, 0].to(self.device))
            chroma.append(cells[:, 1:].to(self.device))
        labels = CellLabels(chroma[0], luma[0], light[0], torch.ones_like(luma[0]))
        return _Pair((features[0], features[1]), (light[0], light[1]), labels, luma[1], chroma[1])

    def state(self) -> dict[str, Tensor]:
        return state_of({"network": self.network, "average": self.average, "adam": self.adam})

    def restore(self, state: dict[str, Tensor]) -> None:
        take_up({"network": self.network, "average": self.average, "adam": self.adam}, state)

    @torch.no_grad()
    def examine(self) -> ValidationResult:
        pairs = self._held_out()
        return examined(pairs, [self._matched(self.average, pair) for pair in pairs])

    def _held_out(self) -> Sequence[Floats]:
        held = self.shelf.held_out or self.shelf.learnt
        count = min(EXAMINED, 2 * len(held))
        rngs = [draws(self.recipe.seed, number, self.recipe.batch) for number in range(count)]
        return [
            pair_of(held[number % len(held)], held[(number * 7 + 3) % len(held)], self.recipe.side, rng)
            for number, rng in enumerate(rngs)
        ]

    def product(self) -> TrainedLook:
        kept = {name: one.detach().cpu().contiguous() for name, one in self.average.state_dict().items()}
        return TrainedLook({"weights.safetensors": save(kept)}, {"kind": "matching", "domain": "chroma"})
