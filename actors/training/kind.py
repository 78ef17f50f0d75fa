"""Describes a kind of course to whoever orders a training: its settings, its roles, and where the course is found. Loads no torch."""

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Protocol

from jobs.document import Document
from jobs.errors import BadSpec
from jobs.spec.training_recipe import Recipe

if TYPE_CHECKING:
    import torch

    from actors.training.course import Course, Library, WorkerRank


class CourseClass(Protocol):
    """What a course's class must have, or an object such as `CourseKind` in its place."""

    @property
    def settings(self) -> type[Document]:
        """What a recipe can tell it."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of its sources; ("",) where it does not tell them apart."""

    def __call__(
        self, recipe: Recipe, settings: Document, library: "Library", team: "WorkerRank", device: "torch.device"
    ) -> "Course":
        """The constructor, from the recipe's seed: every worker builds the same. Raises BadInput for what it cannot use."""


@dataclass(frozen=True)
class CourseKind:
    """A course whose network and losses are in a class of its own, which workers alone load."""

    settings: type[Document]
    course: str
    """As in "package.module:Class"; called as `CourseClass` is."""
    roles: tuple[str, ...] = ("",)

    def __call__(
        self, recipe: Recipe, settings: Document, library: "Library", team: "WorkerRank", device: "torch.device"
    ) -> "Course":
        try:
            made: CourseClass = resolve_name(self.course)
        except (ImportError, AttributeError, ValueError) as error:
            raise not_imported(recipe.kind, error) from None
        return made(recipe, settings, library, team, device)


def not_imported(kind: str, error: Exception) -> BadSpec:
    """What is said of a course that this node's installation does not have."""
    return BadSpec(f"The course {kind!r} cannot be imported ({error}); reinstall its package on every node.")
