"""The look "none": gives frames back unchanged, bit for bit. The farm's exactness is tested with it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from actors.looks.kind import Needs
from actors.looks.package import Package
from actors.picture.domain import Domain
from jobs.document import Document

if TYPE_CHECKING:  # a driver fits it, and loads no torch
    import torch
    from torch import Tensor

    from actors.picture.frame_batches import FrameBatch


class NoneSettings(Document):
    """No settings."""


class NoneLook:
    """The film as it is."""

    about: ClassVar[str] = "gives the film back as it is, bit for bit: to transcode, and to prove the farm's exactness"
    version: ClassVar[int] = 1
    shipped: ClassVar[Path | None] = None
    settings: ClassVar[type[Document]] = NoneSettings
    domain = Domain.CHROMA

    def __init__(self, settings: Document, package: Package | None, device: "torch.device") -> None:
        pass

    @classmethod
    def needs(cls, settings: Document, package: Package | None) -> Needs:
        return Needs(adds_colour=False, keeps="all", gpu_gib=4.0)

    def render(self, batches: "Iterable[FrameBatch]") -> "Iterator[Tensor]":
        """The film's own chroma at its own size: compose does not resample what fits."""
        for batch in batches:
            yield batch.differences()
