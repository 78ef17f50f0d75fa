"""A call of any pool's method, for tests of a fleet that knows no film."""

from collections.abc import Sequence
from dataclasses import dataclass

from farm.fleet.calls import Call


@dataclass(frozen=True)
class PlainCall(Call):
    """All of it said by whoever makes it."""

    pool: str = ""
    method: str = ""
    arguments: tuple[object, ...] = ()
    priority: tuple[int, ...] = (0,)
    what: str = ""
    frames: int = 0
    parts: Sequence[Call] = ()
    remedy: str = ""
    ahead: bool = False
