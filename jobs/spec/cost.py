"""What a job costs: prices by the hour, and the most that may be spent."""

from typing import Annotated

from pydantic import Field

from jobs.document import Document

HOUR = 3600.0
"""Seconds."""


class Cost(Document):
    """What workers cost, and where the job is to stop. Worker seconds count from being placed on a node until they are let go."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    """Of all amounts here, as in ISO 4217."""
    gpu_hour: Annotated[float, Field(ge=0)] = 0.0
    """Of one whole GPU with what stands around it; a worker that takes half of one is charged half."""
    cpu_hour: Annotated[float, Field(ge=0)] = 0.0
    """Of one CPU, for every CPU that a worker is given, those of renderers included."""
    most: Annotated[float, Field(gt=0)] | None = None
    """When the job has cost so much, over all its runs, it stops and can be gone on with, once this is raised."""

    def of(self, gpu_seconds: float, cpu_seconds: float) -> float:
        """What so many seconds of GPUs and of CPUs cost."""
        return (gpu_seconds * self.gpu_hour + cpu_seconds * self.cpu_hour) / HOUR
