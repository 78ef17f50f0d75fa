"""The command `farm plan`: a film's shots, chunks and deliverables, and how long rendering takes on fleets of given sizes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.cli.options import (
    AsJson,
    ChunkSeconds,
    ColourOptions,
    DeliverableOptions,
    Film,
    JobOptions,
    LookName,
    Out,
    SourceOptions,
    fields_of,
    with_groups,
)
from farm.progress.plain_output import answer

if TYPE_CHECKING:
    from farm.estimate.forecast import ForecastRequest
    from jobs.spec.cost import Cost

Sizes = Annotated[
    str | None,
    typer.Option("--workers", metavar="N,N,...", help="Numbers of renderers to forecast, as in 8,32,128."),
]
OfKinds = Annotated[
    str | None,
    typer.Option(
        "--fleet",
        metavar="KIND:N,...",
        help="A fleet of several kinds of hardware, named as they were measured, as in l4:8,a100:2; with prices of a "
        "renderer by the hour: l4:8@0.80,a100:2@3.70.",
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


@with_groups
def plan(
    film: Film,
    look: LookName = None,
    out: Out = None,
    chunk_seconds: ChunkSeconds = None,
    workers: Sizes = None,
    fleet: OfKinds = None,
    gpu_hour: GpuHour = None,
    cpu_hour: CpuHour = None,
    currency: Currency = "EUR",
    boot_seconds: BootSeconds = None,
    as_json: AsJson = False,
    *,
    colour: ColourOptions,
    deliverable: DeliverableOptions,
    source: SourceOptions,
    job: JobOptions,
) -> None:
    """Show shots, chunks, deliverables, time and cost. Renders nothing.

    Time and cost are told of fleets of given sizes, and what a changed spec would render again is listed.
    """
    from farm.estimate.forecast import (  # takes seconds: what is wrong with the other options is said before
        ForecastRequest,
        fleets_of,
    )

    asked = ForecastRequest(fleets_of(workers, fleet), _cost(gpu_hour, cpu_hour, currency), boot_seconds)
    options = fields_of(chunk_seconds=chunk_seconds) | colour.fields() | deliverable.fields() | source.fields()
    show_plan(film, look, out, options | job.fields(), job, asked, as_json=as_json)


def show_plan(
    film: str,
    look: str | None,
    out: str | None,
    options: dict[str, Any],
    job: JobOptions,
    asked: "ForecastRequest",
    *,
    as_json: bool = False,
) -> None:
    """Plan a film, or a spec, and tell what was found. `options`: fields of the spec."""
    from farm.specs.spec_files import is_spec, spec_named

    kept = bool(job.store or out) or is_spec(film)
    # Where nothing is delivered, any folder will do.
    spec = spec_named(film, look, out if is_spec(film) else out or ".", job.store, options)

    from farm.cli.sessions import plan_only
    from farm.estimate.estimate import show

    found = plan_only(spec, address=job.address, keep=kept, asked=asked)
    answer(found) if as_json else show(found)


def _cost(gpu_hour: float | None, cpu_hour: float | None, currency: str) -> "Cost | None":
    from jobs.spec.cost import Cost

    if gpu_hour is None and cpu_hour is None:
        return None
    return Cost(gpu_hour=gpu_hour or 0.0, cpu_hour=cpu_hour or 0.0, currency=currency)
