"""What a look that is written elsewhere imports. The rest of the farm may move; these names stay here."""

from typing import TYPE_CHECKING

from actors.looks.kind import LookKind, Needs
from actors.looks.package import Package
from actors.picture.domain import Domain
from jobs.document import Document
from jobs.errors import BadLook
from jobs.plan.plan import Keeps, Support

if TYPE_CHECKING:
    from actors.picture.frame_batches import FrameBatch
    from actors.picture.generator import Generator

__all__ = [
    "BadLook",
    "Document",
    "Domain",
    "FrameBatch",
    "Generator",
    "Keeps",
    "LookKind",
    "Needs",
    "Package",
    "Support",
]


def __getattr__(name: str) -> object:
    # What loads torch is loaded where it is named, so that a look's description loads none in a driver.
    if name == "FrameBatch":
        from actors.picture.frame_batches import FrameBatch

        return FrameBatch
    if name == "Generator":
        from actors.picture.generator import Generator

        return Generator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
