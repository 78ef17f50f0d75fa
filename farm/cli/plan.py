"""The command `farm plan`: a film's shots, chunks and deliverables, and how long rendering takes on fleets of given sizes."""

from typing import TYPE_CHECKING, Annotated

import typer

from farm.cli.options import (
    Address,
    AsJson,
    ChunkSeconds,
    Deinterlace,
    Depth,
    Dropped,
    Film,
    Head,
    Height,
    InContainer,
    JobName,
    LookName,
    OfCodec,
    Out,
    Profile,
    Propagate,
    Rate,
    Setting,
    Stills,
    StorePlace,
    Video,
    deliverable_of,
    fields_of,
)
from farm.progress.plain_output import answer

if TYPE_CHECKING:
    from jobs.spec.cost import Cost

Sizes = Annotated[
    str | None,
    typer.Option("--workers", metavar="N,N,...", help="Numbers of renderers, as in 8,32,128; a row for each."),
]
OfKinds = Annotated[
    str | None,
    typer.Option(
        "--fleet",
        metavar="KIND:N,...",
        help="A fleet of several kinds of hardware, by part of their names as they were measured, as in l4:8,a100:2; with "
        "prices of a renderer by the hour, l4:8@0.80,a100:2@3.70.",
    ),
]
GpuHour = Annotated[float | None, typer.Option(min=0, help="Price of one GPU for an hour; default: the spec's.")]
CpuHour = Annotated[float | None, typer.Option(min=0, help="Price of one CPU core for an hour; default: the spec's.")]
Currency = Annotated[str, typer.Option(metavar="XXX", help="Currency of these prices, as in ISO 4217.")]
BootSeconds = Annotated[
    float | None,
    typer.Option(
        min=0, help="Seconds until a renderer can work, with the start of its node; default: the node is there."
    ),
]


def plan(
    film: Film,
    look: LookName = None,
    setting: Setting = None,
    out: Out = None,
    codec: OfCodec = None,
    container: InContainer = None,
    profile: Profile = None,
    depth: Depth = None,
    height: Height = None,
    deinterlace: Deinterlace = None,
    head: Head = None,
    video: Video = None,
    rate: Rate = None,
    drop: Dropped = None,
    stills: Stills = None,
    propagate: Propagate = None,
    chunk_seconds: ChunkSeconds = None,
    workers: Sizes = None,
    fleet: OfKinds = None,
    gpu_hour: GpuHour = None,
    cpu_hour: CpuHour = None,
    currency: Currency = "EUR",
    boot_seconds: BootSeconds = None,
    store: StorePlace = None,
    name: JobName = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Show a film's shots, chunks, frames read twice, bytes and deliverables, with time and cost on fleets of given sizes. Renders nothing."""
    from farm.estimate.forecast import (  # takes seconds: what is wrong with the other options is said before
        ForecastRequest,
        fleets_of,
    )
    from farm.specs.spec_files import is_spec, spec_named

    asked = ForecastRequest(fleets_of(workers, fleet), _cost(gpu_hour, cpu_hour, currency), boot_seconds)
    options = fields_of(chunk_seconds=chunk_seconds, setting=setting, name=name, stills=stills, propagate=propagate)
    options |= fields_of(deinterlace=deinterlace, head=head, video=video, rate=rate, drop=drop)
    form = {"codec": codec, "container": container, "profile": profile, "depth": depth, "height": height}
    kept = bool(store or out) or is_spec(film)
    # Where nothing is delivered, any folder will do.
    spec = spec_named(film, look, out if is_spec(film) else out or ".", store, options | deliverable_of(**form))

    from farm.cli.sessions import plan_only
    from farm.estimate.estimate import show

    found = plan_only(spec, address=address, keep=kept, asked=asked)
    answer(found) if as_json else show(found)


def _cost(gpu_hour: float | None, cpu_hour: float | None, currency: str) -> "Cost | None":
    from jobs.spec.cost import Cost

    if gpu_hour is None and cpu_hour is None:
        return None
    return Cost(gpu_hour=gpu_hour or 0.0, cpu_hour=cpu_hour or 0.0, currency=currency)
