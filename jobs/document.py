"""The base class of all documents of the farm: frozen, and any unknown field is refused. What is read from a store is data: it is bounded here."""

import json
import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from jobs.digest import unsealed

LARGEST_DOCUMENT = 256 << 20
"""Bytes: one that lists every frame of the longest film has far fewer."""
DEEPEST_DOCUMENT = 64
"""Lists and mappings within each other."""
LONGEST_VALUE = 1 << 20
"""Characters of one text: tags of a source may hold a whole leaflet."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""How many there are of something."""
Amount = Annotated[float, Field(ge=0, le=1e15)]
"""Seconds, money, frames a second: what is never negative, and for no film beyond this."""
UnixTime = Annotated[float, Field(ge=0, le=253_402_300_799)]
"""Seconds since 1970; until the end of the year 9999, which is as far as a calendar goes."""


class Document(BaseModel):
    """Frozen, validated, and with no field nobody has heard of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


AnyPaper = TypeVar("AnyPaper", bound=Document)


def read_document(kind: type[AnyPaper] | TypeAdapter[AnyPaper], data: bytes) -> AnyPaper | None:
    """A document of one kind, sealed (jobs/digest.py) or not; None where it is damaged, or is none of this version's."""
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    try:
        if len(data) > LARGEST_DOCUMENT:
            return None
        value = unsealed(data)
        _check_bounds(value)
        return adapter.validate_json(json.dumps(value))
    except (ValueError, RecursionError):
        return None


def _check_bounds(value: object) -> None:
    """Raises ValueError for a value that no document of ours holds, in a field where anything may stand."""
    left: list[tuple[object, int]] = [(value, 0)]
    while left:
        each, depth = left.pop()
        match each:
            case dict() | list() if depth == DEEPEST_DOCUMENT:
                raise ValueError("too deep")
            case dict():
                left += ((inner, depth + 1) for inner in (*each.keys(), *each.values()))
            case list():
                left += ((inner, depth + 1) for inner in each)
            case str() if len(each) > LONGEST_VALUE:
                raise ValueError("too long a text")
            case float() if not math.isfinite(each):
                raise ValueError("no finite number")
            case int() if not -(2**63) <= each < 2**63:
                raise ValueError("too large a number")


MOST_FAULTS = 8
"""Told of one document: who wrote more will mend these first."""


def faults(error: ValidationError) -> list[Any]:
    """What is wrong with a document, each fault once, the first MOST_FAULTS, as pydantic tells it (`ErrorDetails`)."""
    wrong = error.errors()
    # A list with a wrong member is also called too short, for that member does not count.
    inside = {one["loc"][:depth] for one in wrong for depth in range(len(one["loc"]))}
    return [one for one in wrong if one["type"] != "too_short" or one["loc"] not in inside][:MOST_FAULTS]
