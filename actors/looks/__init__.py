"""Finds looks by entry point, fits their settings to a film, and builds their generators.

A kind of look is a class, or a `LookKind`, in the entry point group "film_farm.looks" of any installed distribution (see `LookClass`). What it
runs may lie in a package (actors/looks/package.py): the one it ships with, or one that a spec names by its place (a path or
s3://) or by its name in the library. Finding and fitting a look loads no weights; building its generator (`hire`) does, once for each worker.
"""

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from actors.looks.kind import Needs, not_imported
from actors.looks.package import PAPER, Package, library, open_package, wrong_fields
from jobs.document import Document
from jobs.errors import BadLook, BadStore
from jobs.plan.plan import Look
from jobs.spec.job import LookChoice
from jobs.store import open_store
from jobs.store.allowed_places import own

if TYPE_CHECKING:  # a driver fits looks, and loads no torch
    import torch

    from actors.picture.generator import Generator

GROUP = "film_farm.looks"

MOST_GENERATORS = 16
"""Generators that one worker keeps: a job may have an override for each of a thousand shots."""


class LookClass(Protocol):
    """What a look's class must have, or an object such as `LookKind` in its place."""

    about: str
    """One line for `farm looks`."""
    version: int
    """Code version: raised whenever its pictures change, so that no old chunk is taken for a new one."""
    shipped: Path | None
    """The folder of the package it runs where none is named; None for a kind that needs none, or has none of its own."""
    settings: type[Document]
    """The settings it has, with defaults and bounds."""

    def needs(self, settings: Document, package: Package | None) -> Needs:
        """What it takes, under these settings. Raises BadLook for a package it cannot run, or where it needs one and has none."""

    def __call__(self, settings: Document, package: Package | None, device: "torch.device") -> "Generator":
        """The constructor: loads the weights. Raises BadLook where they cannot be used."""


def names() -> list[str]:
    """All looks that are installed, by name."""
    return list(_installed())


@cache
def _installed() -> tuple[str, ...]:
    # Hundredths of a second, and a store has a look or more for each of its jobs.
    return tuple(sorted(one.name for one in entry_points(group=GROUP)))


@cache
def find(name: str) -> LookClass:
    """The class of a look. Raises BadLook where there is none of this name or it cannot be imported."""
    found = {one.name: one for one in entry_points(group=GROUP)}
    if name not in found:
        raise BadLook(f"There is no look '{name}'; installed are: {', '.join(sorted(found))}.")
    try:
        made: LookClass = found[name].load()
    except (ImportError, AttributeError) as error:
        # The second: what is installed tells another name than the module has.
        raise not_imported(name, error) from None
    if made.shipped:
        own(made.shipped)
    return made


def fit(choice: LookChoice) -> Look:
    """A choice with all settings filled in, and what the look needs. Raises BadLook for settings it does not have."""
    name = placed(choice.name)
    kind, package = resolved(name)
    made = find(kind)
    settings = _settings(made, package, choice)
    needs = made.needs(settings, package)
    return Look(
        choice=LookChoice(name=name, settings=settings.model_dump(mode="json")),
        kind=kind,
        support=needs.support,
        weights=((package.digest,) if package else ()) + needs.digests,
        places=needs.places,
        version=made.version,
        adds_colour=needs.adds_colour,
        keeps=needs.keeps,
        propagates=needs.propagates,
        gpu_gib=needs.gpu_gib,
    )


def hire(look: Look, device: "torch.device") -> "Generator":
    """The generator of a fitted look, its weights loaded. Refuses weights that are not those the plan was made with."""
    kind, package = resolved(look.choice.name)
    made = find(kind)
    settings = _settings(made, package, look.choice)
    found = ((package.digest,) if package else ()) + made.needs(settings, package).digests
    if (kind, found) != (look.kind, look.weights):
        raise BadLook(
            f"The look '{look.title}': its weights are not those the film was planned with; install the same on every node."
        )
    return made(settings, package, device)


def generator_name(look: Look) -> str:
    """What a look's generator is kept under: whatever is done with its pictures, the network is one."""
    return look.ungraded.model_copy(update={"keeps": ""}).model_dump_json()


def recent(generators: "dict[str, Generator]", look: Look, device: "torch.device") -> "Generator":
    """The generator of a look, from `generators` or hired, and kept there as the latest of at most MOST_GENERATORS.

    With a generator that is dropped goes its network, unless another runs it (see actors/looks/networks.py).
    """
    name = generator_name(look)
    generator = generators.pop(name, None) or hire(look, device)
    while len(generators) >= MOST_GENERATORS:
        del generators[next(iter(generators))]
    generators[name] = generator
    return generator


def placed(name: str) -> str:
    """What a look is called on every machine: an installed kind by its name, a package by its whole place.

    A name without a slash that is no kind's is sought in the library. Raises BadLook where it is not there.
    """
    if name in names():
        return name
    try:
        if "/" in name:
            return open_store(name, looks=True).url
        there = open_store(library(), looks=True).stat(f"{name}/{PAPER}")
    except BadStore as error:
        raise BadLook(f"There is no look '{name}': {error}") from None
    if there is None:
        raise BadLook(
            f"There is no look '{name}'; installed are: {', '.join(names())}; the library is {library()}, and a look "
            "elsewhere is named by its place, as in ./looks/painter or s3://bucket/looks/painter."
        )
    return open_store(f"{library().rstrip('/')}/{name}", looks=True).url


def resolved(name: str) -> tuple[str, Package | None]:
    """The kind that runs a look, and the package it runs, of a name that is `placed`. Raises BadLook, or StoreFault."""
    if "/" not in name:
        shipped = find(name).shipped
        return name, open_package(str(shipped)) if shipped else None
    package = open_package(name)
    if package.paper.kind not in names():
        raise BadLook(
            f"The look {name} is of the kind '{package.paper.kind}', which is not installed here; "
            f"installed are: {', '.join(names())}."
        )
    return package.paper.kind, package


def _settings(made: LookClass, package: Package | None, choice: LookChoice) -> Document:
    try:
        return made.settings.model_validate({**(package.paper.settings if package else {}), **choice.settings})
    except ValidationError as error:
        fields = ", ".join(made.settings.model_fields) or "none"
        raise BadLook(f"Look '{choice.name}': {wrong_fields(error)} (its settings are: {fields}).") from None
