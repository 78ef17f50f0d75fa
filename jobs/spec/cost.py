"""What a job costs: prices by the hour, and the most that may be spent."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from jobs.document import Document

HOUR = 3600.0
"""Seconds."""


def _currency(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise ValueError("a currency is three capital letters, as in EUR or USD")
    return value


class Cost(Document):
    """What workers cost, and where the job is to stop. Worker seconds count from being placed on a node until they are let go."""

    currency: Annotated[str, BeforeValidator(_currency), Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})] = "EUR"
    """Currency of all amounts here, three letters of ISO 4217, as in USD. By default EUR. Nothing is converted."""
    gpu_hour: Annotated[float, Field(ge=0)] = 0.0
    """Price of one GPU for an hour, with its machine, as in 1.10; half of it for a renderer that uses half of one. By default 0,
    for a machine that is there anyway."""
    cpu_hour: Annotated[float, Field(ge=0)] = 0.0
    """Price of one CPU core for an hour, as in 0.05, for each that a worker is given. By default 0, for a machine that is there anyway."""
    most: Annotated[float, Field(gt=0)] | None = None
    """The most that the job may cost, over all its runs, as in 120. It then stops; finished work is kept, and with a higher limit
    it goes on. By default there is no limit."""

    def of(self, gpu_seconds: float, cpu_seconds: float) -> float:
        """What so many seconds of GPUs and of CPUs cost."""
        return (gpu_seconds * self.gpu_hour + cpu_seconds * self.cpu_hour) / HOUR
