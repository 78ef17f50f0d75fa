"""What a look takes, told before it is hired: frames around a frame, and what it reads. Promises paper alone; knows no look."""

from typing import NamedTuple

from jobs.plan.plan import Keeps, Support


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
    gpu_gib: float = 12.0
    """GPU memory that a renderer takes with it at most, for batches of 3840x2160, the CUDA context included (GiB). An estimate by
    the sizes of its tensors, until `python -m tests.bench.gpu` has measured it."""
