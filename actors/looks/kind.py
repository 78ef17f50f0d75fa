"""Describes a kind of look to the planner: its settings, what it takes, and where its generator is found. Loads no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, NamedTuple

from actors.looks.package import Package
from jobs.document import Document
from jobs.errors import BadLook
from jobs.plan.plan import Keeps, Support

if TYPE_CHECKING:
    import torch

    from actors.picture.generator import Generator


STEADY_VERSION = 2
"""Of the filter that calms chroma: 1 compared luma where it stood, 2 follows motion. Raised whenever its pictures change."""


def steadied(radius: int, beyond: int = 0) -> Support:
    """What a look must be shown whose chroma is calmed over `radius` frames on either side; `beyond`: what it looks at by itself."""
    return Support(context=radius + beyond, steady_version=STEADY_VERSION if radius else 1)


class Needs(NamedTuple):
    """What a look takes, as far as its settings and package say."""

    support: Support = Support()
    """Frames it must be shown around a frame."""
    digests: tuple[str, ...] = ()
    """Of what it reads beside its package: other looks, files named in its settings, in an order that the settings fix."""
    places: tuple[str, ...] = ()
    """Settings that say where such things lie: they name nothing in the store, the digests do."""
    adds_colour: bool = True
    """False where a grey film stays grey."""
    keeps: Keeps = ""
    """What of the film's own picture it leaves as it is, bit for bit: finished films are held to it."""
    propagates: bool = False
    """Whether, unless the spec says otherwise, it colours a few frames of each shot, from which colour is propagated to all others.
    For colourisers: they keep luma, and need no memory of the frames before."""
    gpu_gib: float = 12.0
    """GPU memory that a renderer takes with it at most, for batches of 3840x2160, the CUDA context included (GiB). An estimate by
    the sizes of its tensors, until `python -m tests.bench.gpu` has measured it."""


@dataclass(frozen=True)
class LookKind:
    """A look whose generator is a class of its own, hired by name (see `actors.looks.LookClass`)."""

    about: str
    version: int
    settings: type[Document]
    needs: Callable[[Document, Package | None], Needs]
    generator: str
    """As in "package.module:Class"; called with settings, package and device."""
    shipped: Path | None = None

    def __call__(self, settings: Document, package: Package | None, device: "torch.device") -> "Generator":
        """The generator, its weights loaded. Raises BadLook where they cannot be used."""
        try:
            generator: Callable[..., Generator] = resolve_name(self.generator)
        except (ImportError, AttributeError, ValueError) as error:
            raise not_imported(self.generator, error) from None
        return generator(settings, package, device)


def not_imported(name: str, error: Exception) -> BadLook:
    """What is said of a look, or of its generator, that this node's installation does not have."""
    return BadLook(f"The look '{name}' cannot be imported ({error}); reinstall its package on every node.")
