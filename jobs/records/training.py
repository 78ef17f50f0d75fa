"""Documents of a training: what it tells while it runs, and what is kept of a checkpoint."""

from dataclasses import dataclass
from typing import Any

from jobs.digest import digest
from jobs.document import Document
from jobs.spec.training_recipe import Recipe

CHANGEABLE = ("about", "licence", "out", "check_every", "workers")
"""Fields of a recipe that may be changed while it trains: none of them changes what is learnt, but for the rounding of sums
over another number of workers."""


@dataclass(frozen=True)
class TrainingStarted:
    """The pictures are read, and what was kept is taken up."""

    step: int
    """Steps that are already done."""
    learnt: int
    """Pictures to learn from."""
    held_out: int


@dataclass(frozen=True)
class StepDone:
    """A step is done."""

    step: int
    """Steps done by now."""
    phase: str
    losses: dict[str, float]
    """Of this worker's share of the batch, by name."""


@dataclass(frozen=True)
class CheckpointSaved:
    """A checkpoint is kept."""

    step: int
    figures: dict[str, float]
    verdict: float
    """Lower is better."""
    best: bool
    """It is the best so far."""


@dataclass(frozen=True)
class TrainingFinished:
    """The look is made."""

    place: str
    """Where it lies."""
    step: int
    """The checkpoint it comes from."""
    verdict: float


Word = TrainingStarted | StepDone | CheckpointSaved | TrainingFinished


class Checkpoint(Document):
    """checkpoints/step-NNNNNNN.json: written last, so that what it names is whole."""

    step: int
    """Steps done."""
    sha256: str
    """Of the state beside it."""
    verdict: float
    figures: dict[str, float]
    losses: dict[str, float]
    """Means since the checkpoint before."""


class TrainingIdentity(Document):
    """training.json: what the training in this place was begun with."""

    recipe: Recipe
    pictures: str
    """Digest of the names and contents of all its pictures' files."""


def settled_fields(recipe: Recipe) -> dict[str, Any]:
    """The fields that decide what is learnt. Where the pictures lie is not among them: the pictures themselves are compared."""
    fields = recipe.model_dump(mode="json", exclude=set(CHANGEABLE))
    for source in fields["data"]:
        del source["pictures"], source["licence"]
    return fields


def recipe_digest(recipe: Recipe) -> str:
    """The name of all that decides what is learnt."""
    return digest(settled_fields(recipe))
