"""The public API for looks written outside this project. Its names are stable; the rest of the farm may change."""

from actors.looks.kind import LookKind, Needs
from actors.looks.package import Package
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from jobs.document import Document
from jobs.errors import BadLook
from jobs.plan.plan import Keeps, Support

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
