"""The look that changes nothing: gives back what it gets, bit for bit. It is how the farm's exactness is proven; knows no weights."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from actors.looks.generator import Domain
from actors.plates import Plates
from jobs.paper import Paper
from jobs.plan import Support


class NoneSettings(Paper):
    """No settings."""


class NoneLook:
    """The film as it is."""

    about: ClassVar[str] = "gives the film back as it is, bit for bit: to transcode, and to prove the farm's exactness"
    version: ClassVar[int] = 1
    adds_colour: ClassVar[bool] = False
    settings: ClassVar[type[Paper]] = NoneSettings
    domain = Domain.CHROMA

    def __init__(self, settings: Paper, device: torch.device) -> None:
        pass

    @classmethod
    def support(cls, settings: Paper) -> Support:
        return Support()

    @classmethod
    def weights(cls, settings: Paper) -> tuple[Path, ...]:
        return ()

    def render(self, batches: Iterable[Plates]) -> Iterator[Tensor]:
        """The film's own chroma at its own size: compose does not resample what fits."""
        for plates in batches:
            yield plates.differences()
