"""The training recipe: everything a user says about one training.

Format: YAML or JSON of `version: 1`. What a kind of course can be told beside, its `course`, is checked by the course itself.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from jobs.document import Document, faults
from jobs.errors import BadSpec
from jobs.field_paths import field_path
from jobs.untrusted import check_plain, scrub


def _look_name(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch("[a-z0-9][a-z0-9._-]{0,99}", value):
        raise ValueError(
            "a look's name has lower-case letters, digits, '.', '_' and '-', at most 100 of them, and begins with a letter or digit"
        )
    return value


Name = Annotated[str, BeforeValidator(_look_name), Field(max_length=100)]


class Source(Document):
    """Where some of the pictures come from."""

    pictures: str
    """Where the pictures are: a folder with all folders in it, a film, or s3:// of either, as in s3://photos/1920s."""
    share: Annotated[float, Field(gt=0)] = 1.0
    """How often crops come from here, in relation to the other sources of the same role: 2 is twice as often as 1. By default 1, all alike."""
    role: Literal["", "style", "source", "target"] = ""
    """What the course uses these pictures for: style, source or target, where it has several kinds of pictures (see the course
    in docs/training). By default empty: pictures to learn from."""
    same: Annotated[int, Field(ge=0, le=100)] = 0
    """Files whose names begin with the same so many characters are versions of one photograph and are held out together, as in 8.
    By default 0: each file is its own."""
    held_out: Annotated[int, Field(ge=0, le=100_000)] = 0
    """How many photographs (of a film: frames) are kept out of training to measure with, as in 64. By default none."""
    frames: Annotated[int, Field(ge=1, le=100_000)] = 200
    """How many frames of a film are used, evenly spread, as in 500. By default 200, for neighbouring frames teach little."""
    licence: str = ""
    """Licence of the pictures, as in CC BY 4.0; it goes into the look's record. By default empty: not stated."""


class TrainingWorkers(Document):
    """Who trains. The recipe's batch is shared out among them, so one recipe serves any number."""

    count: Annotated[int, Field(ge=1, le=1024)] = 1
    """Training workers, as in 4; the batch must be a multiple of it. By default 1."""
    gpus: Annotated[float, Field(ge=0, le=8)] | None = None
    """GPUs for each worker, as in 1. By default 1 where the cluster has GPUs, else 0."""
    cpus: Annotated[float, Field(gt=0, le=256)] = 1.0
    """CPU cores for each worker, as in 8, which are its threads too. By default 1."""
    losses: Annotated[int, Field(ge=0, le=1000)] = 8
    """How often a worker may be lost, as in 20, before the training stops; it resumes at the last checkpoint. By default 8, for spot nodes."""


class Recipe(Document):
    """One training: its course, its pictures, and where its checkpoints and the look go."""

    version: Literal[1] = 1
    """Version of this format, 1."""
    name: Name
    """Name of the look that is made, as in night-exteriors: lower-case letters, digits, '.', '_' and '-'."""
    kind: str
    """The course: colorize, finetune, style or unpaired (see docs/training)."""
    about: str = ""
    """One line about the look, as in Faded Kodachrome, shown by `farm looks`. By default empty."""
    out: str
    """Where checkpoints, sheets and figures go: a folder or s3://bucket/prefix. The finished look goes to the folder look in it."""
    licence: Annotated[str, Field(min_length=1, max_length=300)]
    """Licence of the weights, as in CC BY 4.0: a look is not used without one."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1926
    """Start of all random numbers: the same recipe and seed give the same weights. By default 1926: any number will do."""
    data: Annotated[tuple[Source, ...], Field(min_length=1, max_length=256)]
    """Where the pictures come from, as in [{pictures: s3://photos/1920s, held_out: 64}]."""
    short_side: Annotated[int, Field(ge=32, le=4096)] = 288
    """Pictures are scaled down to a short side of so many pixels, as in 360, to be kept in memory. By default 288, room for crops of 160, as the colouriser that comes with the farm was trained."""
    steps: Annotated[int, Field(ge=1, le=10_000_000)]
    """Training steps, one batch each, as in 20000."""
    batch: Annotated[int, Field(ge=1, le=65_536)] = 16
    """Crops per step, of all workers together, as in 32. By default 16, as that colouriser was trained."""
    side: Annotated[int, Field(ge=16, le=4096)] = 160
    """Height and width of a crop in pixels, as in 256. By default 160, as that colouriser was trained."""
    check_every: Annotated[int, Field(ge=1)] = 500
    """Steps between two checkpoints, each with figures and a sheet of the held-out pictures. By default 500: a look
    into it every few minutes."""
    course: dict[str, Any] = Field(default_factory=dict)
    """Settings of the course itself (see docs/training). By default the course's own."""
    workers: TrainingWorkers = TrainingWorkers()
    """How many workers train, and what each one needs, as in {count: 4, gpus: 1}. By default one."""

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
    path = field_path((*within, *error["loc"])) or "recipe"
    if error["type"] == "missing":
        return f"{path} is missing"
    if error["type"] == "extra_forbidden":
        return f"{path} is not a field of a recipe" + (" of this kind" if within else "")
    if error["type"] == "too_short":
        return f"{path} has {error['ctx']['actual_length']}; give at least {error['ctx']['min_length']}"
    message = error["msg"].removeprefix("Value error, ")
    return (
        message
        if isinstance(error["input"], dict)
        else f"{path} = {scrub(repr(error['input']))[:200]}: {message[:1].lower()}{message[1:]}"
    )
