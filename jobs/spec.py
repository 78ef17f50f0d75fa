"""The job spec: everything a studio says about one film. Promises that what parses can be planned; knows no media and no store.

Format: YAML or JSON of `version: 1`. Unknown fields are refused. Seconds are for people; inside, time is frame numbers.
"""

import re
from enum import StrEnum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, field_validator, model_validator

from jobs.errors import BadSpec
from jobs.formats import Deliverable, Wrapping
from jobs.paper import Paper


class Drop(StrEnum):
    """What may be left out of a deliverable."""

    NOTHING = "nothing"
    """A stream that does not fit the container is refused before any work."""
    UNSUPPORTED = "unsupported"
    """Streams that do not fit are left out, and the report names them."""


Droppable = Annotated[int, Field(ge=0)] | Literal["audio", "subtitle", "data", "attachment", "video", "captions"]
"""A stream's number in the source, or a kind of stream."""


def _rate(value: object) -> Fraction:
    try:
        rate = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError('a rate reads 24, 23.976 or "24000/1001"') from None
    # People write 23.976 and 29.97 for the NTSC rates.
    near = [Fraction(round(rate * 1001 / 1000) * 1000, 1001)] if rate.denominator != 1 else []
    rate = next((one for one in near if abs(one - rate) < Fraction(1, 500)), rate)
    if not 1 <= rate <= 240:
        raise ValueError("a rate of 1 to 240 frames a second is allowed")
    return rate


SequenceRate = Annotated[Fraction, BeforeValidator(_rate), PlainSerializer(str, return_type=str)]


class LookChoice(Paper):
    """A look by its name, and its settings; the look itself says which settings it has (`farm looks`)."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    settings: dict[str, Any] = Field(default_factory=dict)


class Override(Paper):
    """Another look, or other settings, for some shots or for some frames. Where two overlap, the later one wins.

    The edges of a frame range are treated as cuts: nothing temporal crosses them.
    """

    shots: Annotated[str, Field(pattern=r"^\d+(-\d+)?$")] | None = Field(
        None, description="shot number or inclusive range of shot numbers, counted from 1: '3' or '3-5'"
    )
    frames: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]] | None = Field(
        None, description="[start, stop): frame numbers counted from 0, stop not included"
    )
    look: LookChoice

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.shots is None) == (self.frames is None):
            raise ValueError("an override names either shots or frames, one of the two")
        first, last = self.shot_numbers() if self.shots else self.frames or (0, 1)
        if self.shots and not 1 <= first <= last:
            raise ValueError("shots are counted from 1 and the first is not after the last, as in '3-5'")
        if self.frames and first >= last:
            raise ValueError("frames are [start, stop) with start before stop")
        return self

    def shot_numbers(self) -> tuple[int, int]:
        """First and last shot, both included, counted from 1; only where `shots` is given."""
        first, _, last = (self.shots or "").partition("-")
        return int(first), int(last or first)


class DetectShots(Paper):
    """Find the cuts in the picture (PySceneDetect's AdaptiveDetector)."""

    detect: Literal["adaptive"] = "adaptive"
    threshold: Annotated[float, Field(gt=0)] = 3.0
    """Adaptive threshold: how many times its neighbours' average a frame's change must be."""
    min_frames: Annotated[int, Field(ge=1)] = 6
    """A cut closer than this to the cut before it is not one (a flash, a photographer's light)."""


class GivenShots(Paper):
    """Take the cuts from a list that the studio has."""

    file: str
    """Path, file:// or s3:// of a PySceneDetect CSV (.csv) or a CMX3600 EDL (.edl, record time codes)."""


class Workers(Paper):
    """How many renderers may work at a time, what each one needs, and how often bad luck is forgiven."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Renderers at most; the default is one for each GPU, or without GPUs one for each core of this machine."""
    gpus: Annotated[float, Field(ge=0, le=8)] | None = None
    """GPUs for each renderer; by default 1 where the cluster has GPUs, else 0."""
    cpus: Annotated[float, Field(gt=0, le=256)] | None = None
    """CPUs for each renderer; by default the machine's, shared evenly, on a local run; 4 on a cluster."""
    memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Memory that Ray sets aside for each renderer; by default none is."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Times a chunk may raise an error before the film fails."""
    losses: Annotated[int, Field(ge=1, le=1000)] = 8
    """Times a chunk may lose its worker (killed, out of memory, node gone) before the film fails."""
    boot_seconds: Annotated[float, Field(gt=0)] = 900.0
    """How long a renderer may take to be placed and load its weights before the job gives up waiting."""


class JobSpec(Paper):
    """One job: one film, one look with overrides, any number of deliverables."""

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ ()-]{0,150}$")]
    """The job's name: a folder of this name in the store holds all its work."""
    source: str
    """The film: a path, file:// or s3://bucket/key."""
    store: str
    """Where work is kept: a folder, file:// or s3://bucket/prefix."""
    output: str
    """Where deliverables and report.json go: a folder, file:// or s3://bucket/prefix."""
    look: LookChoice = LookChoice(name="colorize")
    shots: DetectShots | GivenShots = DetectShots()
    overrides: tuple[Override, ...] = ()
    chunk_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 8.0
    """A shot longer than this is divided into chunks of at most this length."""
    workers: Workers = Workers()
    deliverables: Annotated[tuple[Deliverable, ...], Field(min_length=1, max_length=16)] = (Deliverable(),)
    drop: Drop | tuple[Droppable, ...] = Drop.NOTHING
    """Streams that may be left out where a container cannot hold them: nothing, unsupported, or a list of stream numbers
    and kinds (audio, subtitle, data, attachment, video, captions), which are left out of every deliverable."""
    video: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Stream number of the picture, where there are several; by default the one marked as default, else the first."""
    deinterlace: Literal["none", "bwdif"] = "none"
    """bwdif: interlaced pictures become progressive, one for each frame. Without it an interlaced source is refused."""
    rate: SequenceRate | None = None
    """Frames a second of an image sequence, as in 24 or "24000/1001"; for no other source."""

    @field_validator("source", "store", "output")
    @classmethod
    def _known_place(cls, place: str) -> str:
        scheme = urlsplit(place).scheme if "://" in place else ""
        if not place.strip() or scheme not in ("", "file", "s3") or "\0" in place:
            raise ValueError("a path, file:///path or s3://bucket/key is allowed")
        if scheme == "s3" and not re.match(r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/.*)?$", place):
            raise ValueError("an S3 place reads s3://bucket/key, the bucket in lower case letters, digits, '.' and '-'")
        return place

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        taken: set[str] = set()
        for one in self.deliverables:
            names = {file_name(self.title(one), end).lower() for end in one.wrappings}
            if names & taken:
                raise ValueError("two deliverables could get the same file name: give each a name of its own")
            taken |= names
        return self

    def title(self, deliverable: Deliverable) -> str:
        """A deliverable's file name without its ending."""
        return deliverable.name or stem(self.source)


def file_name(title: str, wrapping: Wrapping) -> str:
    """A deliverable's file name, or its folder's."""
    return title if wrapping == "folder" else f"{title}.{wrapping}"


def stem(place: str) -> str:
    """The file name of a path or URL without its last ending, made fit for a file name."""
    name = PurePosixPath(urlsplit(place).path if "://" in place else place.replace("\\", "/")).stem
    return re.sub(r"[^A-Za-z0-9._ ()-]", "_", name).lstrip("._ ()-")[:150] or "film"


def parse_spec(fields: Any, where: str) -> JobSpec:
    """A spec from what YAML or JSON gave; `where` names the file in the error.

    Raises BadSpec with one line for each wrong field: the field, the value given and what is allowed.
    """
    if not isinstance(fields, dict):
        raise BadSpec(f"{where}: a job spec is a mapping of fields such as name, source and look; see `farm schema`.")
    try:
        return JobSpec.model_validate(fields)
    except ValidationError as error:
        raise BadSpec(f"{where}: " + "; ".join(_sentence(one) for one in error.errors())) from None


def _sentence(error: Any) -> str:
    # Members of a union report under the class's name, which means nothing to a user.
    path = ".".join(str(part) for part in error["loc"] if part not in ("DetectShots", "GivenShots")) or "spec"
    if error["type"] == "missing":
        return f"{path} is missing"
    if error["type"] == "extra_forbidden":
        return f"{path} is not a field of the spec (see `farm schema`)"
    # A URL may carry credentials, and an error goes to logs.
    given = re.sub(r"//[^/@\s]*@", "//***@", repr(error["input"]))
    message = error["msg"].removeprefix("Value error, ")
    return f"{path} = {given if len(given) < 80 else given[:77] + '...'}: {message[:1].lower() + message[1:]}"
