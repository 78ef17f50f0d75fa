"""The base class of all documents of the farm: frozen, and any unknown field is refused."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from jobs.digest import unsealed


class Document(BaseModel):
    """Frozen, validated, and with no field nobody has heard of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


AnyPaper = TypeVar("AnyPaper", bound=Document)


def read_document(kind: type[AnyPaper] | TypeAdapter[AnyPaper], data: bytes) -> AnyPaper | None:
    """A document of one kind, sealed (jobs/digest.py) or not; None where it is damaged, or is none of this version's."""
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    try:
        return adapter.validate_json(json.dumps(unsealed(data)))
    except (ValueError, RecursionError):
        return None


MOST_FAULTS = 8
"""Told of one document: who wrote more will mend these first."""


def faults(error: ValidationError) -> list[Any]:
    """What is wrong with a document, each fault once, the first MOST_FAULTS, as pydantic tells it (`ErrorDetails`)."""
    wrong = error.errors()
    # A list with a wrong member is also called too short, for that member does not count.
    inside = {one["loc"][:depth] for one in wrong for depth in range(len(one["loc"]))}
    return [one for one in wrong if one["type"] != "too_short" or one["loc"] not in inside][:MOST_FAULTS]
