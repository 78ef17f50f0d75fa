"""What a spec says of its renderers: how many, what each one needs, and how many failures are forgiven."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document


class Workers(Document):
    """How many renderers may work at a time, what each one needs, and how often a failure is forgiven."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Most renderers at a time, as in 16. By default as many as the GPUs hold; without GPUs, one for each core of this machine."""
    gpus: Annotated[float, Field(ge=0, le=8)] | None = None
    """GPUs for each renderer: 1 gives each its own, 0.5 lets two share one, 0 renders on processors. By default the share that
    fits the GPU's memory and the cores beside it; 0 where there are no GPUs."""
    cpus: Annotated[float, Field(gt=0, le=256)] | None = None
    """CPU cores for each renderer, as in 4. By default an even share of this machine's, or 4 on a cluster."""
    memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Memory in GiB that Ray reserves for each renderer, as in 12, where machines would otherwise run out. By default none is reserved."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """How often a chunk may fail with an error before it is set aside (see on_error). By default 3: errors that pass are gone by then."""
    losses: Annotated[int, Field(ge=1, le=1000)] = 8
    """How often a chunk may lose its worker (killed, out of memory, node gone) before it is set aside, as in 20. By default 8, for spot
    nodes go through no fault of the chunk."""
    boot_seconds: Annotated[float, Field(gt=0)] = 900.0
    """How long a renderer may take to get its place and load its weights before the job gives up, in seconds, as in 1800. By default 900, time
    for a new node to start and fetch its image."""
    mixed: Literal["warn", "refuse"] = "warn"
    """Renderers on several kinds of hardware differ in the last bits of their pictures. warn, the default: the report says so, as no
    eye sees it. refuse: the job stays on the kind that renders first."""
    hung_seconds: Annotated[float, Field(gt=0)] = 300.0
    """A renderer that reports nothing for so many seconds, as in 600, and for 20 times its longest silence so far, is replaced. By default 300, far
    more than a frame takes."""
