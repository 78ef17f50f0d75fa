"""Which streams of a source may be left out of a deliverable: the field `drop`."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from jobs.spec.codecs import Drop

Kind = Literal["audio", "subtitle", "data", "attachment", "video", "captions", "chapters"]
Droppable = Annotated[int, Field(ge=0)] | Kind
"""A stream's number in the source, or a kind of stream."""


def _drop(value: object) -> object:
    # A union would complain once for each of its members.
    many = value if isinstance(value, list | tuple) else None
    good = value in tuple(Drop) if many is None else all(map(_droppable, many))
    if not good or many == []:
        raise ValueError(
            "allowed are nothing, unsupported, or a list of stream numbers and kinds, as in [3, subtitle]; "
            f"kinds are {', '.join(get_args(Kind))}"
        )
    return value


def _droppable(value: object) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return number or (isinstance(value, str) and value in get_args(Kind))


DropRule = Annotated[Drop | tuple[Droppable, ...], BeforeValidator(_drop)]
"""What may be left out: nothing; whatever a container cannot hold; or these streams and kinds."""
