"""The `farm` command: messages go to stderr, JSON to stdout; exits 0 delivered, 1 failed, 2 bad input, 130 interrupted and resumable."""

import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from farm.cli import stopping
from farm.cli.contact_sheets import proof
from farm.cli.control import cancel, clean, retry
from farm.cli.doctor import doctor
from farm.cli.evaluate import evaluate
from farm.cli.inspect import inspect
from farm.cli.looks import looks
from farm.cli.options import (
    Address,
    AsJson,
    ChunkSeconds,
    Crf,
    Deinterlace,
    Depth,
    Dropped,
    Film,
    Head,
    Height,
    InContainer,
    JobName,
    LookName,
    MetricsPort,
    OfCodec,
    OnlyShots,
    Out,
    Priority,
    Profile,
    Propagate,
    Rate,
    Setting,
    Stills,
    StorePlace,
    TakeOver,
    Video,
    Workers,
    deliverable_of,
    fields_of,
)
from farm.cli.plan import plan
from farm.cli.stills import stills
from farm.cli.submit import logs, submit, watch
from farm.cli.train import train
from farm.film.shot_selection import ALL, shots_chosen
from farm.progress.plain_output import answer, answer_json, answer_line, tell
from jobs.errors import BadStore, FarmError


class CommandGroup(typer.core.TyperGroup):
    """Ends every command with the contract's exit code, and an error with its one sentence."""

    def invoke(self, ctx: Any) -> Any:
        stopping.listen()
        try:
            return super().invoke(ctx)
        except FarmError as error:
            said = (stopping.sentence(), stopping.CODE) if stopping.begun() else (str(error), error.exit_code)
        except KeyboardInterrupt:
            said = stopping.sentence(), stopping.CODE
        tell(f"farm: {said[0]}")
        stopping.told()
        raise typer.Exit(said[1])


app = typer.Typer(
    name="farm",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
"""The command `farm`."""


def _version(wanted: bool) -> None:
    if wanted:
        answer_line(f"farm {version('film-farm')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the farm's version.")
    ] = False,
) -> None:
    """Film farm: colourise and restyle whole films, frame for frame."""


@app.command()
def render(
    film: Film,
    look: LookName = None,
    out: Out = None,
    setting: Setting = None,
    codec: OfCodec = None,
    container: InContainer = None,
    profile: Profile = None,
    depth: Depth = None,
    height: Height = None,
    crf: Crf = None,
    deinterlace: Deinterlace = None,
    head: Head = None,
    video: Video = None,
    rate: Rate = None,
    drop: Dropped = None,
    stills: Stills = None,
    propagate: Propagate = None,
    chunk_seconds: ChunkSeconds = None,
    workers: Workers = None,
    priority: Priority = None,
    store: StorePlace = None,
    name: JobName = None,
    address: Address = None,
    metrics_port: MetricsPort = 0,
    take_over: TakeOver = False,
    shots: OnlyShots = None,
) -> None:
    """Render a film, or all deliverables of a job spec. Run it again to resume: finished work is kept."""
    from farm.specs.spec_files import spec_named

    chosen = ALL if shots is None else shots_chosen(shots)
    options = fields_of(chunk_seconds=chunk_seconds, workers=workers, setting=setting, name=name, stills=stills)
    options |= fields_of(
        deinterlace=deinterlace, head=head, video=video, rate=rate, drop=drop, priority=priority, propagate=propagate
    )
    wish = {"codec": codec, "container": container, "profile": profile, "depth": depth, "height": height, "crf": crf}
    spec = spec_named(film, look, out, store, options | deliverable_of(**wish))

    from farm.cli.sessions import deliver  # takes seconds: what is wrong with the options is said before

    deliver(spec, address=address, metrics_port=metrics_port, take_over=take_over, shots=chosen)


@app.command()
def shots(
    film: Film,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The file to write: .edl, .otio or .csv.")],
    out: Out = None,
    deinterlace: Deinterlace = None,
    head: Head = None,
    video: Video = None,
    rate: Rate = None,
    drop: Dropped = None,
    store: StorePlace = None,
    name: JobName = None,
    address: Address = None,
) -> None:
    """Write a film's shots as an EDL, an OpenTimelineIO timeline or a CSV. Surveys the film first if needed; renders nothing."""
    from farm.specs.spec_files import is_spec, spec_named

    options = fields_of(deinterlace=deinterlace, head=head, video=video, rate=rate, drop=drop, name=name)
    given = is_spec(film)
    # Where nothing is delivered, any folder will do.
    place = out if given else out or "."
    spec = spec_named(film, None if given else "none", place, store, options)

    from farm.cli.sessions import list_shots

    tell(f"Made {list_shots(spec, to, address=address, keep=bool(store or out) or given)}")


@app.command()
def status(
    place: Annotated[
        str, typer.Argument(metavar="SPEC_OR_STORE", help="A job spec, or a store (a folder or s3://bucket/prefix).")
    ],
    job: Annotated[str | None, typer.Option("--job", help="One job of the store, by name; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the progress of jobs, from the store alone: on any machine, during and after rendering."""
    stopping.says("No longer looking: nothing was changed.")
    from farm.ops.status import show, statuses
    from farm.specs.spec_files import is_spec, read_spec
    from jobs.spec.names import key_asked_for

    spec = read_spec(place) if is_spec(place) else None
    found = statuses(spec.store if spec else place, spec.key if spec else job and key_asked_for(job))
    answer(found) if as_json else show(found)


@app.command()
def schema(
    report: Annotated[
        bool, typer.Option("--report", help="The schema of the conform report beside each deliverable.")
    ] = False,
) -> None:
    """Print the JSON Schema of the job spec, for editors and checks; with --report, that of the conform report."""
    from jobs.records.report import ConformReport
    from jobs.spec.job import JobSpec

    answer_json(
        (ConformReport if report else JobSpec).model_json_schema(mode="serialization" if report else "validation")
    )


@app.command()
def init(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The file to write, as in job.yaml.")] = Path("job.yaml"),
) -> None:
    """Write a job spec to begin with, its fields explained, and beside it the schema for your editor's completion."""
    from farm.specs.starter_spec import write_starter

    schema = write_starter(spec)
    tell(
        f"Made {spec} and {schema.name} beside it. Set its source and output, then: farm plan {shlex.quote(str(spec))}"
    )


@app.command()
def sample(path: Annotated[Path, typer.Argument(help="Where to write it (.mp4).")]) -> None:
    """Make a short black-and-white film with cuts, fades and sound, to try the farm."""
    from actors.picture.sample import make_sample

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make_sample(path)
    except OSError as error:
        raise BadStore(f"{path} cannot be written ({error.strerror}); choose another place.") from None
    tell(f"Made {path}")


app.command()(doctor)
app.command()(inspect)
app.command()(plan)
app.command()(proof)
app.command()(stills)
app.command()(retry)
app.command()(train)
app.command()(submit)
app.command()(watch)
app.command()(logs)
app.command()(cancel)
app.command()(clean)
app.command()(evaluate)
app.add_typer(looks, name="looks")
