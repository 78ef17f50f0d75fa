"""The job spec: everything a user says about one film.

Format: YAML or JSON of `version: 1`. Unknown fields are refused. Seconds are for people; inside, time is frame numbers.
"""

import re
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    field_validator,
    model_validator,
)

from jobs.document import Document
from jobs.film.image_sequence_names import parted, pattern, rate_of
from jobs.film.timecode import names_a_frame
from jobs.spec.codecs import FOLDERS, Drop, Wrapping
from jobs.spec.cost import Cost
from jobs.spec.formats import Deliverable
from jobs.spec.workers import Workers
from jobs.untrusted import is_placeable

Kind = Literal["audio", "subtitle", "data", "attachment", "video", "captions", "chapters"]
Droppable = Annotated[int, Field(ge=0)] | Kind
"""A stream's number in the source, or a kind of stream."""


def _drop(value: object) -> object:
    # A union would complain once for each of its members.
    many = value if isinstance(value, list | tuple) else None
    good = value in tuple(Drop) if many is None else all(map(_droppable, many))
    if not good or many == []:
        raise ValueError(
            "it reads nothing, unsupported, or a list of stream numbers and kinds, as in [3, subtitle]; "
            f"kinds are {', '.join(get_args(Kind))}"
        )
    return value


def _droppable(value: object) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return number or (isinstance(value, str) and value in get_args(Kind))


def _mark(value: object) -> object:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not number and not (isinstance(value, str) and names_a_frame(value)):
        raise ValueError(
            "a frame is its number, counted from 0, or its name: '01:00:10:00', '01:00:10;00' or '00:00:10.417'"
        )
    return value


FrameMark = Annotated[int | str, BeforeValidator(_mark)]
"""A frame: its number, its SMPTE time code, or its time on the clock from the film's first frame (jobs/film/timecode.py)."""


ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
"""A text without control characters."""

SequenceRate = Annotated[Fraction, BeforeValidator(rate_of), PlainSerializer(str, return_type=str)]


class LookChoice(Document):
    """A look by its name or its place, and its settings; the look itself says which settings it has (`farm looks`)."""

    name: Annotated[str, Field(min_length=1, max_length=1000, pattern=ONE_LINE)]
    """Of an installed look or of one in the library; or where a look's folder lies: ./looks/painter, s3://bucket/painter."""
    settings: dict[str, Any] = Field(default_factory=dict)


class Override(Document):
    """Another look, other settings, or a lock, for some shots or for some frames. Where two overlap, the later look wins.

    The edges of a frame range are treated as cuts: nothing temporal crosses them.
    """

    shots: Annotated[str, Field(pattern=r"^[0-9]{1,9}(-[0-9]{1,9})?$")] | None = Field(
        None, description="shot number or inclusive range of shot numbers, counted from 1: '3' or '3-5'"
    )
    frames: tuple[FrameMark, FrameMark] | None = Field(
        None,
        description="[start, stop), stop not included: frame numbers counted from 0, or time codes as `farm plan` shows "
        "them, as in ['01:00:10:00', '01:00:12:12']",
    )
    look: LookChoice | None = None
    locked: bool = False
    """What a run has made of these frames stays: a spec that would change their pictures is refused. Then `look` may be left
    out, and their edges are no cuts. It holds as long as the spec says it."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.shots is None) == (self.frames is None):
            raise ValueError("an override names either shots or frames, one of the two")
        if self.look is None and not self.locked:
            raise ValueError("an override says another look, or locked: true")
        first, last = self.shot_numbers() if self.shots else (1, 1)
        if not 1 <= first <= last:
            raise ValueError("shots are counted from 1 and the first is not after the last, as in '3-5'")
        start, stop = self.frames or (0, 1)
        if isinstance(start, int) and isinstance(stop, int) and start >= stop:
            raise ValueError("frames are [start, stop) with start before stop")
        return self

    def shot_numbers(self) -> tuple[int, int]:
        """First and last shot, both included, counted from 1; only where `shots` is given."""
        first, _, last = (self.shots or "").partition("-")
        return int(first), int(last or first)


class DetectShots(Document):
    """Find the cuts in the picture (PySceneDetect's AdaptiveDetector)."""

    detect: Literal["adaptive"] = "adaptive"
    threshold: Annotated[float, Field(gt=0)] = 3.0
    """Adaptive threshold: how many times its neighbours' average a frame's change must be."""
    min_frames: Annotated[int, Field(ge=1)] = 6
    """A cut closer than this to the cut before it is not one (a flash, a photographer's light)."""


class GivenShots(Document):
    """Take the cuts from a list that the studio has."""

    file: Annotated[str, Field(min_length=1, pattern=ONE_LINE)]
    """Path, file:// or s3:// of a PySceneDetect CSV (.csv), a CMX3600 EDL (.edl, record time codes) or an OpenTimelineIO
    timeline (.otio)."""


def _which_shots(value: object) -> str:
    given = "file" in value if isinstance(value, dict) else isinstance(value, GivenShots)
    return "GivenShots" if given else "DetectShots"


Shots = Annotated[
    Annotated[DetectShots, Tag("DetectShots")] | Annotated[GivenShots, Tag("GivenShots")], Discriminator(_which_shots)
]


class Reading(Document):
    """What the spec says of how its source is read."""

    video: int | None = None
    """Stream number of the picture; None: the one marked as default, else the first."""
    deinterlace: bool = False
    """Interlaced pictures are made progressive; without it they are refused."""
    alpha: bool = False
    """An alpha channel may be left out; without it a picture that has one is refused."""


class JobSpec(Document):
    """One job: one film, one look with overrides, any number of deliverables."""

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ ()-]{0,150}$")]
    """The job's name: a folder of this name in the store holds all its work."""
    source: str
    """The film: a path, file:// or s3://bucket/key. An image sequence by its pattern, shots/f.%04d.dpx or shots/f.####.dpx, or
    by its folder, with `rate`, or with the rate behind it: shots/f.%04d.dpx?rate=24."""
    store: str
    """Where work is kept: a folder, file:// or s3://bucket/prefix."""
    output: str
    """Where deliverables, report and review page go: a folder, file:// or s3://bucket/prefix."""
    look: LookChoice = LookChoice(name="colorize")
    shots: Shots = DetectShots()
    overrides: tuple[Override, ...] = ()
    stills: Annotated[str, Field(min_length=1, max_length=4096, pattern=ONE_LINE)] | None = None
    """Where pictures of the film's frames lie that a person has coloured: a folder, file:// or s3://bucket/prefix. Files are named by
    their frames as `farm stills` names them, shot0003.f000123.png. Each shows its colour on its own frame, and it is propagated
    through its shot."""
    propagate: bool | None = None
    """Whether a look that leaves luma alone colours a few frames of each shot, from which colour is propagated to all others, instead
    of every frame for itself. By default where there are stills, and for `colorize` and imported colourisers (ONNX)."""
    match: Literal["film", "shot"] = "film"
    """Which stills show the same things as a frame: film, also those of other shots, at most 960 frames away; shot, its own shot's alone."""
    chunk_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 8.0
    """A shot longer than this is divided into chunks of at most this length."""
    workers: Workers = Workers()
    order: Literal["film", "preview"] = "film"
    """preview: the first chunk, the last and some between them, evenly, before all others (farm/film/chunk_order.py); then in the film's order."""
    preview_every: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """With order: preview, every how manieth chunk; by default as many as make about 5 % of the film, and 24 at most."""
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """On a cluster: renderers go to the films with higher numbers first, at the next chunk's end; equals share evenly."""
    on_error: Literal["fail", "passthrough", "hold"] = "fail"
    """A chunk that went wrong too often is set aside and the others are made. Then fail: the job fails. passthrough: the film
    is delivered, with the source's own frames there. hold: nothing is delivered until `farm retry`, or another on_error."""
    deliverables: Annotated[tuple[Deliverable, ...], Field(min_length=1, max_length=16)] = (Deliverable(),)
    inspect: Literal["edges", "all"] = "edges"
    """Which frames of the finished film are held against the source's, decoded anew. edges: those beside seams and cuts, and
    runs between them, for which a tenth of the film is decoded at most (of a film of up to 240 frames, all). all: every frame."""
    drop: Annotated[Drop | tuple[Droppable, ...], BeforeValidator(_drop)] = Drop.NOTHING
    """Streams that may be left out where a container cannot hold them: nothing, unsupported, or a list of stream numbers
    and kinds (audio, subtitle, data, attachment, video, captions, chapters), which are left out of every deliverable."""
    video: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Stream number of the picture, where there are several; by default the one marked as default, else the first."""
    deinterlace: Literal["none", "bwdif"] = "none"
    """bwdif: interlaced pictures become progressive, one for each frame. Without it an interlaced source is refused."""
    head: Literal["whole", "trim"] = "whole"
    """trim: a recording that begins amid a group of pictures is begun with the first frame that can be decoded. Without it such
    a source is refused."""
    rate: SequenceRate | None = None
    """Frames a second of an image sequence, as in 24 or "24000/1001"; for no other source."""
    cost: Cost | None = None
    """What workers cost by the hour, and the most that the job may cost."""

    @model_validator(mode="before")
    @classmethod
    def _one_rate(cls, fields: Any) -> Any:
        # Places are compared and joined: only `source_url` has a rate behind its source.
        source = fields.get("source") if isinstance(fields, dict) else None
        place, said = parted(source) if isinstance(source, str) else ("", None)
        if said is None or (fields.get("rate") is not None and str(fields["rate"]) != said):
            return fields
        return {**fields, "source": place, "rate": said}

    @field_validator("source")
    @classmethod
    def _no_second_rate(cls, place: str) -> str:
        if parted(place).rate is not None:
            raise ValueError("it names another rate than the field rate; give the rate once")
        return place

    @field_validator("source", "store", "output", "stills")
    @classmethod
    def _known_place(cls, place: str | None) -> str | None:
        if place is None:
            return None
        scheme, url, _ = place.partition("://")
        foreign = url and "/" not in scheme and scheme not in ("file", "s3")
        if not place.strip() or foreign or not is_placeable(place):
            raise ValueError("a path, file:///path or s3://bucket/key is allowed")
        if scheme == "s3" and not re.match(r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/.*)?$", place):
            raise ValueError("an S3 place reads s3://bucket/key, the bucket in lower case letters, digits, '.' and '-'")
        return place

    @model_validator(mode="after")
    def _stills_are_propagated(self) -> Self:
        if self.stills is not None and not self.propagates:
            raise ValueError("stills are propagated: leave out propagate: false, or leave out stills")
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        taken: set[str] = set()
        for one in self.deliverables:
            names = {file_name(self.title(one), end).lower() for end in one.wrappings}
            if names & taken:
                raise ValueError("two deliverables could get the same file name: give each a name of its own")
            taken |= names
            if any(is_reserved(file_name(self.title(one), end)) for end in one.wrappings):
                raise ValueError(
                    f"the deliverable {self.title(one)!r} is a folder of a name that the farm uses for what it writes beside "
                    "deliverables: give it a name of its own"
                )
        return self

    @property
    def propagates(self) -> bool:
        """Whether colour is propagated."""
        return self.propagate if self.propagate is not None else self.stills is not None

    @property
    def reading(self) -> Reading:
        """How the source is read."""
        return Reading(video=self.video, deinterlace=self.deinterlace == "bwdif", alpha=self.drop is Drop.UNSUPPORTED)

    @property
    def source_url(self) -> str:
        """The source as it is opened: an image sequence with its rate, as in "shots/f.%04d.dpx?rate=24000/1001"."""
        return self.source if self.rate is None else f"{self.source}?rate={self.rate}"

    def title(self, deliverable: Deliverable) -> str:
        """A deliverable's file name without its ending."""
        return deliverable.name or stem(self.source, sequence=self.rate is not None)


RESERVED = re.compile(
    r"unproven|.*(\.sha256|\.conform\.json|\.report\.json|\.review|\.proof|\.shots\.[a-z]+)", re.IGNORECASE
)
"""Names in an output of what is no deliverable (jobs/output/ownership.py): such a folder would lie where another job's file shall lie."""


def is_reserved(name: str) -> bool:
    """Whether a deliverable may not be called so; files, which end as their container does, never are."""
    return RESERVED.fullmatch(name) is not None


def file_name(title: str, wrapping: Wrapping) -> str:
    """A deliverable's file name, or its folder's."""
    return title if wrapping in FOLDERS else f"{title}.{wrapping}"


def stem(place: str, *, sequence: bool = False) -> str:
    """The name of a path or URL without its last ending, made fit for a file name.

    An image sequence, shots/f.%04d.dpx or shots/f.####.dpx, is called f, or as its folder where nothing but the number is
    its name. `sequence`: this is one, so a place without such a pattern is a folder, and what looks like an ending is none.
    """
    place, rate = parted(place)
    path = PurePosixPath(place.partition("://")[2] if "://" in place else place.replace("\\", "/"))
    if found := pattern(path.name):
        name = re.sub(r"[._ -]$", "", found["head"]) or path.parent.name
    else:
        name = path.name if sequence or rate else path.stem
    return re.sub(r"[^A-Za-z0-9._ ()-]", "_", name).lstrip("._ ()-")[:150] or "film"
