"""What a spec says of its renderers: how many, what each one needs, and how many failures are forgiven."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document


class Workers(Document):
    """How many renderers may work at a time, what each one needs, and how often bad luck is forgiven."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Renderers at most; the default is as many as the GPUs take, or without GPUs one for each core of this machine."""
    gpus: Annotated[float, Field(ge=0, le=8)] | None = None
    """GPUs for each renderer; by default a share of one, by its memory and the cores beside it (1 where not known); 0 without GPUs."""
    cpus: Annotated[float, Field(gt=0, le=256)] | None = None
    """CPUs for each renderer; by default the machine's, shared evenly, on a local run; 4 on a cluster."""
    memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Memory that Ray sets aside for each renderer; by default none is."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Times a chunk may raise an error before it is set aside (on_error)."""
    losses: Annotated[int, Field(ge=1, le=1000)] = 8
    """Times a chunk may lose its worker (killed, out of memory, node gone) before it is set aside."""
    boot_seconds: Annotated[float, Field(gt=0)] = 900.0
    """How long a renderer may take to be placed and load its weights before the job gives up waiting."""
    mixed: Literal["warn", "refuse"] = "warn"
    """Renderers on several kinds of hardware, whose pictures differ in their last bits. warn: it is told. refuse: the first that
    renders makes its kind the job's, and machines of another are left alone."""
    hung_seconds: Annotated[float, Field(gt=0)] = 300.0
    """A renderer at work that says nothing for so long, and for 20 times the longest wait so far, is replaced."""
