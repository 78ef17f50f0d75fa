"""The command line options that commands share, alone or as groups, their help texts, and the job spec fields that they set. The spec validates the values."""

import inspect
import json
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, ClassVar, get_args, get_type_hints

import typer

from jobs.errors import BadSpec
from jobs.spec.codecs import Codec, Container, Drop

Film = Annotated[
    str,
    typer.Argument(
        metavar="FILM_OR_SPEC",
        help="A film (path, file:// or s3://), an image sequence (shots/f.%04d.dpx, or its folder), or a job spec ending "
        "in .yaml, .yml or .json.",
    ),
]
LookName = Annotated[
    str | None, typer.Option("--look", help="The look, by name or by place (folder or s3://); `farm looks` lists them.")
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the look, as in strength=0.8; repeatable."),
]
OnlyShots = Annotated[
    str | None,
    typer.Option(
        "--shots",
        metavar="N-M",
        help="Render only these shots, as in 3 or 3,5-7. The film is delivered once all shots are rendered.",
    ),
]
WithReview = Annotated[
    bool,
    typer.Option(
        "--review",
        help="Make a light mp4 as well, 540 lines high, with time code, frame number and name drawn over the picture.",
    ),
]
OfShots = Annotated[str | None, typer.Option("--shots", metavar="N-M", help="Only these shots, as in 3 or 3,5-7.")]
Out = Annotated[
    str | None,
    typer.Option("--out", help="Where deliverables, report and review page go: a folder or s3://bucket/prefix."),
]
OfCodec = Annotated[Codec | None, typer.Option("--codec", help="Codec of the picture; default: h264.")]
InContainer = Annotated[
    Container | None, typer.Option("--container", help="Container; default: the usual one of the codec.")
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Profile: for prores proxy, lt, standard, hq, 4444 or 4444xq; for dnxhr lb, sq, hq, hqx or 444.",
    ),
]
Depth = Annotated[int | None, typer.Option("--depth", help="Bits per sample, of h264, hevc, png, tiff and dpx.")]
Height = Annotated[
    int | None,
    typer.Option("--height", help="Height in lines, as in 1080; the width follows. Default: the source's size."),
]
Crf = Annotated[int | None, typer.Option("--crf", help="Quality of h264 and hevc, from 0 (best) to 51; default: 16.")]
Deinterlace = Annotated[
    str | None, typer.Option("--deinterlace", metavar="bwdif", help="Make interlaced pictures progressive.")
]
Head = Annotated[
    str | None,
    typer.Option(
        "--head",
        metavar="trim",
        help="Start a recording that begins in the middle of a group of pictures at its first frame that can be decoded.",
    ),
]


def trims(head: Head) -> bool:
    """What --head says to a command without a spec. Raises BadSpec."""
    if head not in (None, "whole", "trim"):
        raise BadSpec(f"--head {head}: only trim is allowed.")
    return head == "trim"


Video = Annotated[int | None, typer.Option("--video", help="Stream number of the picture if the film has several.")]
Rate = Annotated[
    str | None, typer.Option("--rate", help="Frames per second of an image sequence, as in 24 or 24000/1001.")
]
Dropped = Annotated[
    str | None,
    typer.Option(
        "--drop",
        metavar="WHAT",
        help="Streams that may be left out: unsupported (all that the container cannot hold), or stream numbers and kinds, "
        "as in 3,subtitle.",
    ),
]
Stills = Annotated[
    str | None,
    typer.Option(
        "--stills",
        metavar="DIR",
        help="Pictures of the film's frames that a person has coloured, named as `farm stills` names them: their colour is propagated.",
    ),
]
Propagate = Annotated[
    bool | None,
    typer.Option(
        "--propagate/--every-frame",
        help="Whether the look colours a few frames of each shot, from which colour is propagated, or every frame for itself; "
        "by default propagated where the look is a colouriser, and with --stills.",
    ),
]
ChunkSeconds = Annotated[float | None, typer.Option("--chunk-seconds", help="Longest chunk in seconds; default: 8.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Most renderers at a time.")]
Priority = Annotated[
    int | None,
    typer.Option(
        "--priority", help="On a cluster, films with higher numbers get renderers first; -100 to 100, default: 0."
    ),
]
StorePlace = Annotated[
    str | None, typer.Option("--store", help="Where work in progress is kept; default: the folder store in --out.")
]
JobName = Annotated[
    str | None, typer.Option("--name", help="The job's name; default: the film's file name without its ending.")
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address", envvar="RAY_ADDRESS", help="Address of a Ray cluster; without it, Ray runs on this machine."
    ),
]
MetricsPort = Annotated[
    int,
    typer.Option(
        envvar="FARM_METRICS_PORT",
        min=0,
        max=65535,
        help="Port of the metrics for Prometheus during rendering; 0: any free one.",
    ),
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Take over from whoever is working on this job; they stop.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@dataclass(frozen=True)
class SourceOptions:
    """How the source is read."""

    PANEL: ClassVar[str] = "Source"
    deinterlace: Deinterlace = None
    head: Head = None
    video: Video = None
    rate: Rate = None
    drop: Dropped = None

    def fields(self) -> dict[str, Any]:
        """The fields of a spec that they are; so in the other groups."""
        return fields_of(**asdict(self))


@dataclass(frozen=True)
class ColourOptions:
    """Where a film's colour comes from, beside its look."""

    PANEL: ClassVar[str] = "Colour"
    setting: Setting = None
    stills: Stills = None
    propagate: Propagate = None

    def fields(self) -> dict[str, Any]:
        return fields_of(**asdict(self))


@dataclass(frozen=True)
class DeliverableOptions:
    """The one deliverable of a film that has no spec."""

    PANEL: ClassVar[str] = "Deliverable"
    codec: OfCodec = None
    container: InContainer = None
    profile: Profile = None
    depth: Depth = None
    height: Height = None
    crf: Crf = None

    def fields(self) -> dict[str, Any]:
        return deliverable_of(**asdict(self))


@dataclass(frozen=True)
class JobOptions:
    """What the job is called, and where it is worked on."""

    PANEL: ClassVar[str] = "Job"
    store: StorePlace = None
    name: JobName = None
    address: Address = None

    def fields(self) -> dict[str, Any]:
        """Without the places, which are no fields of a film's spec that stand alone."""
        return fields_of(name=self.name)


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are such groups are options of the command line, one for each field, under the group's heading in its help."""
    told = inspect.signature(command, eval_str=True)
    groups = {
        name: one.annotation
        for name, one in told.parameters.items()
        if isinstance(one.annotation, type) and is_dataclass(one.annotation)
    }

    @wraps(command)
    def spread(**given: Any) -> None:
        made = {
            name: group(**{one.name: given.pop(one.name) for one in fields(group)}) for name, group in groups.items()
        }
        command(**given, **made)

    options = [
        one for name, each in told.parameters.items() for one in (_options(groups[name]) if name in groups else (each,))
    ]
    options = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in options]
    spread.__dict__["__signature__"] = told.replace(parameters=options)
    spread.__annotations__ = {each.name: each.annotation for each in options}
    return spread


def _options(group: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for each in fields(group):
        kind, option = get_args(hints[each.name])
        option = copy(option)
        option.rich_help_panel = group.PANEL
        yield inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=Annotated[kind, option]
        )


def deliverable_of(**given: Any) -> dict[str, Any]:
    """The field `deliverables` for options that were given, one deliverable; nothing where none was."""
    fields = {name: value for name, value in given.items() if value is not None}
    return {"deliverables": [fields]} if fields else {}


def fields_of(
    *, workers: int | None = None, setting: list[str] | None = None, drop: str | None = None, **given: Any
) -> dict[str, Any]:
    """Fields of the spec for options that were given; `settings` are the look's. Raises BadSpec for a --set that is none."""
    fields = {name: value for name, value in given.items() if value is not None}
    if workers is not None:
        fields["workers"] = {"count": workers}
    if drop is not None:
        fields["drop"] = drop if drop in tuple(Drop) else [_number(one.strip()) for one in drop.split(",")]
    if setting:
        fields["settings"] = dict(_setting(one) for one in setting)
    return fields


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadSpec(f"--set {text}: write NAME=VALUE, as in --set strength=0.8.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
