"""Generators that are hired by name: what cannot be imported is one sentence; what a constructor raises comes as it is."""

import pytest
import torch

from actors.looks.kind import LookKind, Needs
from actors.looks.none import NoneSettings
from actors.looks.package import Package
from jobs.document import Document
from jobs.errors import BadLook


def needs(settings: Document, package: Package | None) -> Needs:
    return Needs()


def kind(generator: str) -> LookKind:
    return LookKind(about="a test", version=1, settings=NoneSettings, needs=needs, generator=generator)


class Lacking:
    """A generator whose library this node does not have."""

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        raise ImportError("libcudart.so.13 cannot be opened")


@pytest.mark.parametrize("name", ["no_such_module:Look", f"{__name__}:NoSuchClass", "not a name"])
def test_a_generator_that_is_not_installed_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(BadLook, match=r"cannot be imported \(.*\); reinstall its package on every node\.$"):
        kind(name)(NoneSettings(), None, torch.device("cpu"))


def test_what_a_constructor_raises_is_not_taken_for_a_bad_look() -> None:
    with pytest.raises(ImportError, match="libcudart"):
        kind(f"{__name__}:Lacking")(NoneSettings(), None, torch.device("cpu"))


def test_it_makes_what_it_names() -> None:
    look = kind("actors.looks.none:NoneLook")(NoneSettings(), None, torch.device("cpu"))
    assert type(look).__name__ == "NoneLook"
    assert kind("actors.looks.none:NoneLook").shipped is None
