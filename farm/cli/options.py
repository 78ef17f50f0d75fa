"""The command line options that commands share, their help texts, and the job spec fields that they set. The spec validates the values."""

import json
from typing import Annotated, Any

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
    str | None, typer.Option("--look", help="The look, by name or place (a folder or s3://); see `farm looks`.")
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the look; may be given several times."),
]
OnlyShots = Annotated[
    str | None,
    typer.Option(
        "--shots", metavar="N-M", help="Render these shots alone, as in '3' or '3,5-7'; deliver where all is there."
    ),
]
OfShots = Annotated[
    str | None, typer.Option("--shots", metavar="N-M", help="Of these shots alone, as in '3' or '3,5-7'.")
]
Out = Annotated[
    str | None, typer.Option("--out", help="Folder or s3://bucket/prefix for deliverables, report and review page.")
]
OfCodec = Annotated[Codec | None, typer.Option("--codec", help="How the picture is encoded.")]
InContainer = Annotated[Container | None, typer.Option("--container", help="What the streams are wrapped in.")]
Profile = Annotated[str | None, typer.Option("--profile", help="prores: proxy to 4444xq; dnxhr: lb to 444.")]
Depth = Annotated[int | None, typer.Option("--depth", help="Bits a sample: h264, hevc, png, tiff and dpx.")]
Height = Annotated[int | None, typer.Option("--height", help="Lines of the deliverable; the width follows.")]
Crf = Annotated[int | None, typer.Option("--crf", help="Quality of h264 and hevc, 0 (best) to 51.")]
Deinterlace = Annotated[
    str | None, typer.Option("--deinterlace", metavar="bwdif", help="Make interlaced pictures progressive.")
]
Head = Annotated[
    str | None,
    typer.Option(
        "--head", metavar="trim", help="Begin a recording that starts amid a group of pictures where it can be decoded."
    ),
]


def trims(head: Head) -> bool:
    """What --head says to a command without a spec. Raises BadSpec."""
    if head not in (None, "whole", "trim"):
        raise BadSpec(f"--head {head}: it reads trim.")
    return head == "trim"


Video = Annotated[int | None, typer.Option("--video", help="Stream number of the picture, where there are several.")]
Rate = Annotated[
    str | None, typer.Option("--rate", help="Frames a second of an image sequence, as in 24 or 24000/1001.")
]
Dropped = Annotated[
    str | None,
    typer.Option(
        "--drop",
        metavar="WHAT",
        help="`unsupported`: leave out streams that the container cannot hold; or a list of stream numbers and kinds, "
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
ChunkSeconds = Annotated[float | None, typer.Option("--chunk-seconds", help="Longest chunk, in seconds.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Renderers at most.")]
Priority = Annotated[
    int | None,
    typer.Option("--priority", help="On a cluster: films with higher numbers get renderers first; -100 to 100."),
]
StorePlace = Annotated[str | None, typer.Option("--store", help="Where work is kept; by default a folder under --out.")]
JobName = Annotated[str | None, typer.Option("--name", help="The job's name in its store; by default the film's stem.")]
Address = Annotated[
    str | None,
    typer.Option("--address", envvar="RAY_ADDRESS", help="A Ray cluster's address; without one, Ray runs here."),
]
MetricsPort = Annotated[
    int,
    typer.Option(envvar="FARM_METRICS_PORT", min=0, max=65535, help="Port for Prometheus meanwhile; 0 takes any."),
]
TakeOver = Annotated[
    bool, typer.Option("--take-over", help="Go on in the place of whoever is at work on this, who then stops.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


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
