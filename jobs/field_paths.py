"""What a field of a document is called in messages: "workers.count", "deliverable 2, codec", "drop, entry 1"; people count from 1."""

import re
from collections.abc import Iterable
from functools import reduce

_MEMBERS = {"deliverables": "deliverable", "overrides": "override"}
"""Lists whose members have a name of their own; those of any other are entries."""


def member(path: str, part: str | int) -> str:
    """The path of a field, or of a list's member, counted here from 0, within the document or list at `path` ("": the whole)."""
    if isinstance(part, str):
        between = ", " if re.search(r"(^| )[0-9]+$", path) else "."
        return f"{path}{between}{part}" if path else part
    name = re.split(r"\.|, ", path)[-1]
    if name in _MEMBERS:
        return f"{path.removesuffix(name)}{_MEMBERS[name]} {part + 1}"
    return f"{path}{', ' if path else ''}entry {part + 1}"


def field_path(parts: Iterable[str | int]) -> str:
    """The path of a field by all its parts, as pydantic tells them."""
    return reduce(member, parts, "")
