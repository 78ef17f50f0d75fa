"""The `farm` command: messages go to stderr, JSON to stdout; exits 0 delivered, 1 failed, 2 bad input, 130 interrupted and resumable."""

import shlex
from collections.abc import Callable
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
from farm.cli.inspect import inspect, notes, qc, share
from farm.cli.looks import looks
from farm.cli.options import (
    AsJson,
    ChunkSeconds,
    ColourOptions,
    DeliverableOptions,
    Film,
    JobOptions,
    LookName,
    MetricsPort,
    OnlyShots,
    Out,
    Priority,
    SourceOptions,
    TakeOver,
    WithReview,
    Workers,
    fields_of,
    with_groups,
)
from farm.cli.plan import plan, show_plan
from farm.cli.stills import stills
from farm.cli.submit import logs, submit, watch
from farm.cli.train import train
from farm.film.shot_selection import ALL, shots_chosen
from farm.progress.plain_output import answer, answer_json, answer_line, tell
from jobs.errors import BadSpec, BadStore, FarmError

LONGEST_LINE = 80
"""Characters of what a command does, in one line of help."""


class HeadedCommand(typer.core.TyperCommand):
    """A command in whose help options of a group stand under the group's heading."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        options = [(each, each.get_help_record(ctx)) for each in self.get_params(ctx)]
        _show(formatter, [(_heading(each), record) for each, record in options if record])


def _heading(option: Any) -> str:
    return option.rich_help_panel or ("Arguments" if option.param_type_name == "argument" else "Options")


def _show(formatter: Any, rows: list[tuple[str, tuple[str, str]]]) -> None:
    """Rows of help under their headings, in the order in which each is first met. In plain text: rich takes longer to load than all else."""
    for heading in dict.fromkeys(heading for heading, _ in rows):
        with formatter.section(heading):
            formatter.write_dl([row for its, row in rows if its == heading])


class CommandGroup(typer.core.TyperGroup):
    """Ends every command with the contract's exit code, and an error with its one sentence; lists commands under headings."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        listed = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        _show(
            formatter,
            [
                (getattr(each, "rich_help_panel", None) or "Commands", (name, each.get_short_help_str(LONGEST_LINE)))
                for name, each in listed
            ],
        )

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
    rich_markup_mode=None,
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


@with_groups
def render(
    film: Film,
    look: LookName = None,
    out: Out = None,
    chunk_seconds: ChunkSeconds = None,
    workers: Workers = None,
    priority: Priority = None,
    metrics_port: MetricsPort = 0,
    take_over: TakeOver = False,
    shots: OnlyShots = None,
    review: WithReview = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Render nothing: show what `farm plan` shows.")] = False,
    *,
    colour: ColourOptions,
    deliverable: DeliverableOptions,
    source: SourceOptions,
    job: JobOptions,
) -> None:
    """Render a film, or every deliverable of a job spec.

    Run it again to resume: finished work is kept.
    """
    chosen = ALL if shots is None else shots_chosen(shots)
    options = fields_of(chunk_seconds=chunk_seconds, workers=workers, priority=priority)
    options |= colour.fields() | deliverable.fields() | source.fields() | job.fields()
    options |= {"review": True} if review else {}
    if dry_run:
        _plan_instead(film, look, out, options, job, shots)
        return
    from farm.specs.spec_files import spec_named

    spec = spec_named(film, look, out, job.store, options)

    from farm.cli.sessions import deliver  # takes seconds: what is wrong with the options is said before

    deliver(spec, address=job.address, metrics_port=metrics_port, take_over=take_over, shots=chosen)


def _plan_instead(
    film: str, look: str | None, out: str | None, options: dict[str, Any], job: JobOptions, shots: str | None
) -> None:
    if shots is not None:
        raise BadSpec("--dry-run plans the whole film: leave out --shots.")
    from farm.estimate.forecast import NO_QUESTION

    show_plan(film, look, out, options, job, NO_QUESTION)


@with_groups
def shots(
    film: Film,
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The file to write: .edl, .otio or .csv.")],
    out: Out = None,
    *,
    source: SourceOptions,
    job: JobOptions,
) -> None:
    """Write a film's shots as an EDL, OpenTimelineIO or CSV file.

    The film is surveyed first if needed; nothing is rendered.
    """
    from farm.specs.spec_files import is_spec, spec_named

    given = is_spec(film)
    # Where nothing is delivered, any folder will do.
    place = out if given else out or "."
    spec = spec_named(film, None if given else "none", place, job.store, source.fields() | job.fields())

    from farm.cli.sessions import list_shots

    tell(f"Made {list_shots(spec, to, address=job.address, keep=bool(job.store or out) or given)}")


def status(
    place: Annotated[
        str, typer.Argument(metavar="SPEC_OR_STORE", help="A job spec, or a store (a folder or s3://bucket/prefix).")
    ],
    job: Annotated[str | None, typer.Option("--job", help="One job of the store, by name; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the progress of jobs, read from the store alone.

    It works on any machine that sees the store, during and after rendering.
    """
    stopping.says("No longer looking: nothing was changed.")
    from farm.ops.status import show, statuses
    from farm.specs.spec_files import is_spec, read_spec
    from jobs.spec.names import key_asked_for

    spec = read_spec(place) if is_spec(place) else None
    found = statuses(spec.store if spec else place, spec.key if spec else job and key_asked_for(job))
    answer(found) if as_json else show(found)


def schema(
    report: Annotated[bool, typer.Option("--report", help="Print the schema of the conform report instead.")] = False,
) -> None:
    """Print the JSON Schema of the job spec.

    It is for editors and checks; `farm init` puts it beside the spec.
    """
    from jobs.records.report import ConformReport
    from jobs.spec.job import JobSpec

    answer_json(
        (ConformReport if report else JobSpec).model_json_schema(mode="serialization" if report else "validation")
    )


def init(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The file to write, as in job.yaml.")] = Path("job.yaml"),
) -> None:
    """Write a commented job spec, and its schema for an editor."""
    from farm.specs.starter_spec import write_starter

    schema = write_starter(spec)
    tell(
        f"Made {spec} and {schema.name} beside it. Set its source and output, then: farm plan {shlex.quote(str(spec))}"
    )


def sample(
    path: Annotated[Path, typer.Argument(help="Where to write it (.mp4).")],
    stills: Annotated[
        Path | None, typer.Option(help="A folder for two painted stills of it, as render --stills takes them.")
    ] = None,
) -> None:
    """Make a short black-and-white film to try the farm with.

    It has cuts, fades and sound.
    """
    from farm.progress.frames_console import FramesProgress

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FramesProgress("draw") as progress:
            from actors.picture.sample.film import make_sample  # takes a second

            make_sample(path, stills=stills, each_frame=progress.done)
    except OSError as error:
        raise BadStore(f"{path} cannot be written ({error.strerror}); choose another place.") from None
    tell(f"Made {path}" if stills is None else f"Made {path}, and two painted stills of it in {stills}")


RENDER, COLOUR, REVIEW = "Render", "Colour", "Review"
CLUSTER, LOOKS, STORE = "Cluster", "Looks and training", "Store"
COMMANDS: tuple[tuple[str, Callable[..., None], str], ...] = (
    (RENDER, init, "farm init job.yaml"),
    (RENDER, plan, "farm plan job.yaml --workers 8,32,128"),
    (RENDER, render, "farm render film.mp4 --look colorize --out delivered"),
    (RENDER, retry, "farm retry job.yaml"),
    (RENDER, sample, "farm sample sample.mp4"),
    (RENDER, schema, "farm schema > job.schema.json"),
    (COLOUR, proof, "farm proof film.mp4 --look colorize --look style --out sheets"),
    (COLOUR, stills, "farm stills film.mp4 --out to-paint"),
    (REVIEW, inspect, "farm inspect delivered/film.mp4 film.mp4"),
    (REVIEW, qc, "farm qc delivered/film.mp4 --against film.mp4"),
    (REVIEW, notes, "farm notes job.yaml the-kid.notes.json --apply job-2.yaml"),
    (REVIEW, share, "farm share job.yaml --hours 48"),
    (REVIEW, shots, "farm shots film.mp4 --to cuts.edl"),
    (CLUSTER, doctor, "farm doctor s3://farm/work --address head:6379"),
    (CLUSTER, submit, "farm submit job.yaml --address http://head:8265"),
    (CLUSTER, watch, "farm watch s3://farm/work/the-kid"),
    (CLUSTER, logs, "farm logs job.yaml --follow"),
    (CLUSTER, cancel, "farm cancel s3://farm/work/the-kid"),
    (LOOKS, train, "farm train docs/training/finetune.yaml"),
    (LOOKS, evaluate, "farm evaluate colorize --on photographs --out judged"),
    (STORE, status, "farm status s3://farm/work"),
    (STORE, clean, "farm clean s3://farm/work"),
)
"""Under which heading of `farm --help` each is listed, and the example that its own help ends with."""

for _panel, _command, _example in COMMANDS:
    app.command(cls=HeadedCommand, rich_help_panel=_panel, epilog=f"Example: {_example}")(_command)
app.add_typer(looks, name="looks", rich_help_panel=LOOKS)
