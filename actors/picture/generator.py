"""The interface of a look's generator: frames in, one picture out for each, in the same order."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from torch import Tensor

from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch

BATCH = 8
"""Frames shown to a look at a time, at most: enough to keep a GPU busy, few enough for 4K in memory."""


class Generator(Protocol):
    """A look with its weights loaded, ready to render on one device.

    It is shown the frames of a read in order, in batches, and gives back as many pictures, in order, in batches of any
    size; it may look ahead. It sees the edge of what it is shown as the edge of the film: the plan adds as many frames
    on either side as the look's `Support` says, and throws their pictures away. A picture may depend on nothing else:
    not on its place in a batch, nor, unless its support dissolves, on where in the film the read begins.
    """

    domain: Domain
    """What `render` gives; it may depend on the settings."""

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """Pictures of `domain`, one for each frame shown."""


def runtime_of(generator: Generator) -> str:
    """What runs a generator in the place of torch, as its optional attribute `runtime` says: for the records of what it makes.

    Empty for torch, and for onnxruntime on a processor, of which records say nothing.
    """
    return str(getattr(generator, "runtime", ""))
