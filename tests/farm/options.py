"""Calls a command's own function in this process, with some of its options and the others at their defaults."""

from collections.abc import Callable
from inspect import signature


def called(command: Callable[..., None], film: str, **given: object) -> None:
    """The command on a film or a spec, as where nobody says any other option."""
    others = {name: each.default for name, each in signature(command).parameters.items() if name != "film"}
    command(**{**others, "film": film, **given})
