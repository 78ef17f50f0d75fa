"""The job spec: everything a user says about one film.

Format: YAML or JSON of `version: 1`. Unknown fields are refused. Seconds are for people; inside, time is frame numbers.
"""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from jobs.document import Document
from jobs.film.image_sequence_names import parted, rate_of
from jobs.spec.codecs import Drop
from jobs.spec.controls import Controls, Gamut
from jobs.spec.cost import Cost
from jobs.spec.formats import Deliverable
from jobs.spec.grade import Grade
from jobs.spec.names import JobName, file_name, is_reserved, job_key, same_file, stem
from jobs.spec.quality import QualityBounds
from jobs.spec.shots import ONE_LINE, DetectShots, FrameMark, ShotRange, Shots
from jobs.spec.streams import DropRule
from jobs.spec.workers import Workers
from jobs.untrusted import is_placeable

SequenceRate = Annotated[Fraction, BeforeValidator(rate_of), PlainSerializer(str, return_type=str)]


class LookChoice(Document):
    """A look by its name or its place, and its settings; the look itself says which settings it has (`farm looks`)."""

    name: Annotated[str, Field(min_length=1, max_length=1000, pattern=ONE_LINE)]
    """The look: the name of one that is installed or in your library, as in colorize, or the place of a look's folder, as in
    ./looks/painter or s3://bucket/painter. `farm looks` lists those there are."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the look, as in {strength: 0.9}. Each look has its own, and defaults that suit most films: `farm looks` lists them."""


class Override(Document):
    """Another look, other settings, other controls, or a lock, for some shots or for some frames. Where two overlap, the later wins.

    The edges of a frame range with a look are treated as cuts: nothing temporal crosses them.
    """

    shots: ShotRange | None = None
    """The shots that it is for, counted from 1 as `farm plan` shows them: 3, or 3-5 with both included. Give shots
    or frames, not both: by default neither."""
    frames: tuple[FrameMark, FrameMark] | None = None
    """The frames that it is for, as [start, stop], stop not included: frame numbers counted from 0, as in [0, 240], or time
    codes as `farm plan` shows them, as in [10:00:00:00, 10:00:10:00]. Given in place of shots; by default neither."""
    look: LookChoice | None = None
    """The look of these shots or frames, in place of the job's, as in {name: colorize, settings: {saturation: 0.7}}. By default
    the job's, where `locked` is true and nothing else changes."""
    controls: Controls | None = None
    """Strength, saturation, warmth and hues of these shots or frames, as in {saturation: 0.8}; what they do not name stays as the film's.
    They make no cut. By default the film's."""
    ramp: Annotated[int, Field(ge=0, le=1000)] = 12
    """Frames over which `controls` come in and go out at the edges of a frame range, but where there is a cut. By default 12; 0: at once."""
    grade: Grade | None = None
    """A CDL and a LUT of these shots, in place of the film's, as in {cdl: sh010.cc}; not of a frame range. By default the film's."""
    match: Literal["film", "shot"] | None = None
    """Which stills these shots take colours from, in place of the film's `match`, as in shot; not of a frame range. By default the film's."""
    locked: bool = False
    """true: these pictures are approved and stay as they were last rendered; a change of the spec that would alter them is
    refused for as long as the lock stands here. A lock makes no cut at its edges. By default nothing is locked."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.shots is None) == (self.frames is None):
            raise ValueError("an override names either shots or frames, one of the two")
        if not (self.look or self.controls or self.grade or self.match or self.locked):
            raise ValueError("an override says another look, controls, a grade, match, or locked: true")
        if self.grade and self.shots is None:
            raise ValueError("a grade is for whole shots: name shots, or give these frames controls, which ramp")
        if self.match and self.shots is None:
            raise ValueError("match is for whole shots: name shots, not frames")
        start, stop = self.frames or (0, 1)
        if isinstance(start, int) and isinstance(stop, int) and start >= stop:
            raise ValueError("frames are [start, stop], start before stop, as in [0, 240]")
        return self

    def shot_numbers(self) -> tuple[int, int]:
        """First and last shot, both included, counted from 1; only where `shots` is given."""
        first, _, last = (self.shots or "").partition("-")
        return int(first), int(last or first)


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
    """Version of this format, 1, so that a spec means the same in later versions of the farm."""
    name: JobName
    """The job's name, as in the-kid or Die Bäume am Weg: any printable text. All work on the job is kept in the store in a
    folder that is made of it, so the same name with the same store goes on with the same job."""
    source: str
    """The film to render: a path, file:// or s3://bucket/key, as in s3://films/the-kid.mxf. An image sequence by its pattern, as
    in shots/f.%04d.dpx or shots/f.####.dpx, or by its folder, together with `rate`. The source is never changed."""
    store: str
    """Where the work in progress is kept: a folder, file:// or s3://bucket/prefix, as in s3://farm/work. Many jobs may share
    a store. On a cluster every machine must reach it."""
    output: str
    """Where deliverables, report and review page go: a folder, file:// or s3://bucket/prefix, as in s3://films/delivered."""
    look: LookChoice = LookChoice(name="colorize")
    """What the film becomes, as in {name: colorize, settings: {strength: 0.9}}. By default colorize, the colouriser, with its own settings."""
    shots: Shots = DetectShots()
    """Where the cuts are: {detect: adaptive} finds them in the picture, {file: cuts.edl} takes them from a list. By default
    they are found, for nothing temporal may cross a cut."""
    overrides: tuple[Override, ...] = ()
    """Exceptions for some shots or frames: another look, other settings, or a lock. By default the job's look is used everywhere."""
    controls: Controls = Controls()
    """Strength, saturation, warmth and hues of the whole film's colour, after the look, as in {saturation: 0.9, hue: {skin: {shift: -4}}}.
    A change renders the film again, and propagates nothing again. By default none."""
    grade: Grade | None = None
    """A CDL and a LUT after the look and its controls, as in {cdl: {slope: [1.1, 1, 1]}, lut: show.cube}. A look that gives chroma takes their chroma alone
    and keeps the film's luma. By default none."""
    gamut: Gamut | None = None
    """Colours that leave the legal gamut (EBU R103: R'G'B' from -5 to 105 %) on their luma. hold: their chroma is softly held, their hue kept;
    clip: their chroma is cut at the limit, their hue kept; report: they stay, and report.json counts them. By default they stay, uncounted."""
    stills: Annotated[str, Field(min_length=1, max_length=4096, pattern=ONE_LINE)] | None = None
    """Where the stills lie that a person has coloured: a folder, file:// or s3://bucket/prefix. Files are named as `farm stills`
    names them, as in shot0003.f000123.png. Each gives its colours to its own frame and, propagated, to its shot. By default none."""
    propagate: bool | None = None
    """true: the look colours a few frames of each shot, and colour is propagated from these to the others; false: it colours every
    frame. By default true where there are `stills`, and for `colorize` and imported colourisers (ONNX), whose colours flicker less so.
    Only for looks that leave luma alone."""
    match: Literal["film", "shot"] = "film"
    """Which stills a frame takes colours from where it shows the same things. film, the default: also those of other shots, at
    most 960 frames away, for a cut often returns to the same set. shot: those of its own shot only."""
    chunk_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 8.0
    """Longest chunk in seconds, as in 4; a longer shot is divided. Shorter chunks spread over more machines and lose less when one fails,
    longer ones read fewer frames twice. By default 8, where about 1 % of a film is read twice."""
    workers: Workers = Workers()
    """The renderers: how many, what each one needs, and how many failures are forgiven. The defaults suit the machine or cluster."""
    order: Literal["film", "preview"] = "film"
    """Which chunks are rendered first. film, the default: from beginning to end. preview: first a sample spread over the film, with
    a review page of it, then the rest."""
    preview_every: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """With order: preview, the sample is every n-th chunk, as in 10. By default about 5 % of the film and at most 24 chunks,
    enough to judge it by."""
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """On a cluster, films with higher numbers, as in 10, get renderers first, from the next chunk on; equals share evenly. From -100 to 100, by
    default 0, so that an urgent film can be put above the others and a patient one below."""
    on_error: Literal["fail", "passthrough", "hold"] = "fail"
    """What happens when a chunk has failed too often and all others are rendered. fail, the default: the job fails, for a film
    with a gap should not go out unnoticed. passthrough: the film is delivered with the source's own frames there. hold: nothing
    is delivered until `farm retry`, or until this is changed."""
    deliverables: Annotated[tuple[Deliverable, ...], Field(min_length=1, max_length=16)] = (Deliverable(),)
    """The files to be made of the film, 1 to 16 from one rendering, as in [{codec: ffv1}, {codec: h264, name: view}]. By default one h264."""
    inspect: Literal["edges", "all"] = "edges"
    """Which frames of the finished film are compared with the source, decoded anew. edges, the default: those beside chunk edges and
    runs between them, at most a tenth of a long film, because faults appear there. all: every frame, as for an archive."""
    qc: QualityBounds = QualityBounds()
    """How much of flicker, and of jumps at seams, is let pass before the review page puts a shot first, as in {flicker: 0.5, seam: 2}. By
    default what clean films are far from."""
    drop: DropRule = Drop.NOTHING
    """Streams that may be left out where a container cannot hold them. nothing, the default: such a stream is refused before any
    work, so none is lost unnoticed. unsupported: whatever does not fit. A list of stream numbers and kinds, as in [3, subtitle]:
    these are left out of every deliverable (audio, subtitle, data, attachment, video, captions, chapters)."""
    video: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Stream number of the picture where the source has several, as in 1, counted from 0 as `farm inspect` shows them. By default the one
    marked as default, else the first."""
    deinterlace: Literal["none", "bwdif"] = "none"
    """bwdif: interlaced pictures are made progressive, one for each frame. By default none: an interlaced source is refused,
    because a look would spoil its fields."""
    head: Literal["whole", "trim"] = "whole"
    """trim: a recording that starts in the middle of a group of pictures begins with its first frame that can be decoded. By default
    whole: such a source is refused, so that no frame is lost unnoticed."""
    rate: SequenceRate | None = None
    """Frames per second of an image sequence, as in 24 or "24000/1001"; the files do not say. By default none: any other source
    has its own."""
    cost: Cost | None = None
    """Prices of workers, and the most that the job may cost, as in {gpu_hour: 1.10, most: 120}. By default nothing is reckoned."""

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
        if self.stills is not None and self.propagate is False:
            raise ValueError("stills are propagated: leave out propagate: false, or leave out stills")
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        taken: set[str] = set()
        for one in self.deliverables:
            names = {same_file(file_name(self.title(one), end)) for end in one.wrappings}
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
    def propagates(self) -> bool | None:
        """Whether colour is propagated, as far as the spec says; None: each look, and when the job was begun, decide."""
        return True if self.stills is not None else self.propagate

    @property
    def reading(self) -> Reading:
        """How the source is read."""
        alpha = all(self.dropped(one) is Drop.UNSUPPORTED for one in self.deliverables)
        return Reading(video=self.video, deinterlace=self.deinterlace == "bwdif", alpha=alpha)

    @property
    def grades(self) -> tuple[Grade, ...]:
        """Every grade that it names: the film's, and those of overrides."""
        return tuple(grade for grade in (self.grade, *(one.grade for one in self.overrides)) if grade)

    @property
    def source_url(self) -> str:
        """The source as it is opened: an image sequence with its rate, as in "shots/f.%04d.dpx?rate=24000/1001"."""
        return self.source if self.rate is None else f"{self.source}?rate={self.rate}"

    @property
    def key(self) -> str:
        """The job's folder in its store, and the beginning of the names of its report and review page."""
        return job_key(self.name)

    def dropped(self, deliverable: Deliverable) -> DropRule:
        """Which streams may be left out of a deliverable."""
        return self.drop if deliverable.drop is None else deliverable.drop

    def title(self, deliverable: Deliverable) -> str:
        """A deliverable's file name without its ending."""
        return deliverable.name or stem(self.source, sequence=self.rate is not None)
