"""Paper: the base of every document of the farm. Promises that it is frozen and holds no field nobody has heard of; knows no document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Paper(BaseModel):
    """Frozen, validated, and with no field nobody has heard of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


MOST_FAULTS = 8
"""Told of one document: who wrote more will mend these first."""


def faults(error: ValidationError) -> list[Any]:
    """What is wrong with a document, each fault once, the first MOST_FAULTS, as pydantic tells it (`ErrorDetails`)."""
    wrong = error.errors()
    # A list with a wrong member is also called too short, for that member does not count.
    inside = {one["loc"][:depth] for one in wrong for depth in range(len(one["loc"]))}
    return [one for one in wrong if one["type"] != "too_short" or one["loc"] not in inside][:MOST_FAULTS]
