"""The training recipe: everything a user says about one training.

Format: YAML or JSON of `version: 1`. What a kind of course can be told beside, its `course`, is checked by the course itself.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from jobs.document import Document, faults
from jobs.errors import BadSpec
from jobs.untrusted import check_plain, scrub

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]


class Source(Document):
    """Where some of the pictures come from."""

    pictures: str
    """A folder of pictures (with all folders below it), a film, or s3:// of either."""
    share: Annotated[float, Field(gt=0)] = 1.0
    """How much of what is learnt from comes from here, against the other sources of the same role."""
    role: Literal["", "style", "source", "target"] = ""
    """What the course uses it for, where it tells its pictures apart: see the course."""
    same: Annotated[int, Field(ge=0, le=100)] = 0
    """Files whose names begin with the same so many characters show one photograph, and are held out together; 0: each its own."""
    held_out: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Photographs (of a film: frames) never learnt from, to measure with."""
    frames: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Of a film: how many of its frames, evenly spread."""
    licence: str = ""
    """Goes into the look's record."""


class TrainingWorkers(Document):
    """Who trains. The recipe's batch is shared out among them, so one recipe serves any number."""

    count: Annotated[int, Field(ge=1, le=1024)] = 1
    gpus: Annotated[float, Field(ge=0, le=8)] | None = None
    """For each worker; by default 1 where the cluster has GPUs, else 0."""
    cpus: Annotated[float, Field(gt=0, le=256)] = 1.0
    """For each worker: as many threads."""
    losses: Annotated[int, Field(ge=0, le=1000)] = 8
    """Times a worker may be lost before the training stops."""


class Recipe(Document):
    """One training: its course, its pictures, and where its checkpoints and the look go."""

    version: Literal[1] = 1
    name: Name
    """The look's name."""
    kind: str
    """The course: colorize, finetune, style or unpaired."""
    about: str = ""
    """One line for `farm looks`."""
    out: str
    """A folder or s3://bucket/prefix: checkpoints, sheets and figures; the finished look goes to `out`/look."""
    licence: Annotated[str, Field(min_length=1, max_length=300)]
    """Of the weights."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1926
    data: Annotated[tuple[Source, ...], Field(min_length=1, max_length=256)]
    short_side: Annotated[int, Field(ge=32, le=4096)] = 288
    """Pictures are kept in memory with a short side of at most so many pixels."""
    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    batch: Annotated[int, Field(ge=1, le=65_536)] = 16
    """Crops of one step, of all workers together."""
    side: Annotated[int, Field(ge=16, le=4096)] = 160
    """Height and width of a crop, in pixels."""
    check_every: Annotated[int, Field(ge=1)] = 500
    """Steps between two checkpoints with held-out figures and a sheet."""
    course: dict[str, Any] = Field(default_factory=dict)
    """The course's own settings."""
    workers: TrainingWorkers = TrainingWorkers()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.short_side < self.side:
            raise ValueError(f"short_side = {self.short_side} is less than a crop's side = {self.side}")
        if self.batch % self.workers.count:
            raise ValueError(
                f"batch = {self.batch} cannot be shared out among {self.workers.count} workers; give a multiple"
            )
        return self


def parse_recipe(fields: Any, where: str) -> Recipe:
    """A recipe from what YAML or JSON gave. Raises BadSpec: the field, the value given and what is allowed."""
    if not isinstance(fields, dict):
        raise BadSpec(f"{where}: a recipe is a mapping of fields such as name, kind, data and steps.")
    try:
        check_plain(fields)
        return Recipe.model_validate(fields)
    except ValidationError as error:
        raise BadSpec(f"{where}: {wrong_fields(error)}.") from None
    except ValueError as wrong:
        raise BadSpec(f"{where}: {wrong}.") from None


def wrong_fields(error: ValidationError, *within: str) -> str:
    """What is wrong with a recipe, or with the part of it that lies under `within`, field by field."""
    return "; ".join(_sentence(one, within) for one in faults(error))


def _sentence(error: Any, within: tuple[str, ...]) -> str:
    path = ".".join(map(str, (*within, *error["loc"]))) or "recipe"
    if error["type"] == "missing":
        return f"{path} is missing"
    if error["type"] == "extra_forbidden":
        return f"{path} is not a field of a recipe" + (" of this kind" if within else "")
    if error["type"] == "too_short":
        return f"{path} has {error['ctx']['actual_length']}, and wants {error['ctx']['min_length']} or more"
    message = error["msg"].removeprefix("Value error, ")
    return (
        message
        if isinstance(error["input"], dict)
        else f"{path} = {scrub(repr(error['input']))[:200]}: {message[:1].lower()}{message[1:]}"
    )
