"""The looks there are: found by entry point, fitted to a film on paper, hired with their weights. Promises one sentence for a wrong one; knows no chunk.

A look is a class in the entry point group "film_farm.looks" of any installed package (see `LookClass`). Finding and
fitting one loads no weights; hiring does, once for each worker.
"""

import hashlib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import ClassVar, Protocol

import torch
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from actors.looks.generator import Generator
from jobs.errors import BadLook
from jobs.paper import Paper
from jobs.plan import Look, Support
from jobs.spec import LookChoice

GROUP = "film_farm.looks"


class LookClass(Protocol):
    """What a class must have to be a look."""

    about: ClassVar[str]
    """One line for `farm looks`."""
    version: ClassVar[int]
    """Code version: raised whenever its pictures change, so that no old chunk is taken for a new one."""
    adds_colour: ClassVar[bool]
    """False where a grey film stays grey."""
    settings: ClassVar[type[Paper]]
    """The settings it has, with defaults and bounds."""

    @classmethod
    def support(cls, settings: Paper) -> Support:
        """Frames it needs around a frame, under these settings."""

    @classmethod
    def weights(cls, settings: Paper) -> tuple[Path, ...]:
        """The files with its weights, in an order that the settings fix; empty for a look without."""

    def __call__(self, settings: Paper, device: torch.device) -> Generator:
        """The constructor: loads the weights. Raises BadLook where they cannot be used."""


def names() -> list[str]:
    """All looks that are installed, by name."""
    return sorted(one.name for one in entry_points(group=GROUP))


@cache
def find(name: str) -> LookClass:
    """The class of a look. Raises BadLook where there is none of this name or it cannot be imported."""
    found = {one.name: one for one in entry_points(group=GROUP)}
    if name not in found:
        raise BadLook(f"There is no look '{name}'; installed are: {', '.join(sorted(found))}.")
    try:
        return found[name].load()  # type: ignore[no-any-return]
    except ImportError as error:
        raise BadLook(
            f"The look '{name}' cannot be imported ({error}); install its package anew on every node."
        ) from None


def fit(choice: LookChoice) -> Look:
    """A choice with all settings filled in, and what the look needs. Raises BadLook for settings it does not have."""
    made = find(choice.name)
    settings = _settings(made, choice)
    return Look(
        choice=LookChoice(name=choice.name, settings=settings.model_dump(mode="json")),
        support=made.support(settings),
        weights=tuple(_sha256(path) for path in made.weights(settings)),
        version=made.version,
        adds_colour=made.adds_colour,
    )


def hire(look: Look, device: torch.device) -> Generator:
    """The generator of a fitted look, its weights loaded. Refuses weights that are not those the plan was made with."""
    made = find(look.choice.name)
    settings = _settings(made, look.choice)
    for path, planned in zip(made.weights(settings), look.weights, strict=True):
        if _sha256(path) != planned:
            raise BadLook(
                f"{path}: these weights are not those the film was planned with; install the same on every node."
            )
    return made(settings, device)


def _settings(made: LookClass, choice: LookChoice) -> Paper:
    try:
        return made.settings.model_validate(choice.settings)
    except ValidationError as error:
        fields = ", ".join(made.settings.model_fields) or "none"
        wrong = "; ".join(map(_sentence, error.errors()))
        raise BadLook(f"Look '{choice.name}': {wrong} (its settings are: {fields}).") from None


def _sentence(wrong: ErrorDetails) -> str:
    name = ".".join(map(str, wrong["loc"]))
    if wrong["type"] == "missing":
        return f"{name} is missing"
    message = wrong["msg"].removeprefix("Value error, ")
    return f"{name} = {wrong['input']!r}: {message[:1].lower()}{message[1:]}"


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadLook(f"The weights {path} cannot be read ({error.strerror}); check the path.") from None
