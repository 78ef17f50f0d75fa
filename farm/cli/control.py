"""The commands `farm cancel`, `farm retry` and `farm clean`. Nothing is deleted without --yes."""

from typing import Annotated

import typer

from farm.cli import stopping
from farm.cli.options import AsJson
from farm.progress.plain_output import answer, tell
from jobs.errors import BadSpec, JobHeld


def cancel(
    jobs: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB...", help="A job spec, the folder of a job (STORE/NAME), or the `out` of a training."
        ),
    ],
) -> None:
    """Stop jobs, from any machine. Finished work is kept.

    Waits until they have stopped; `farm render` resumes them.
    """
    from farm.progress.lease_control import cancel_jobs

    stopping.says("No longer waiting: whoever was asked to stop does so within seconds.")
    cancel_jobs(jobs, tell)


def retry(
    place: Annotated[
        str, typer.Argument(metavar="SPEC_OR_STORE", help="A job spec, or a store (a folder or s3://bucket/prefix).")
    ],
    job: Annotated[str | None, typer.Option("--job", help="The job in the store, by name.")] = None,
    chunk: Annotated[int | None, typer.Option("--chunk", min=1, help="One chunk, by number; default: all.")] = None,
) -> None:
    """Release chunks that were set aside, for the next render.

    `farm render` of the job then renders them and delivers the film.
    """
    from farm.progress.lease_control import holder_of
    from farm.specs.spec_files import is_spec, read_spec
    from jobs.ledger.ledger import Ledger
    from jobs.ledger.quarantine import lift
    from jobs.spec.names import key_asked_for
    from jobs.store import open_store

    spec = read_spec(place) if is_spec(place) else None
    name = spec.name if spec else job
    if name is None:
        raise BadSpec("--job is missing: name the job of the store, as `farm status` shows it; or give the job's spec.")
    ledger = Ledger(open_store(spec.store if spec else place), spec.key if spec else key_asked_for(name))
    ledger.spec()
    if holder := holder_of(ledger):
        raise JobHeld(
            f"The job '{name}' in {ledger.store.url} is being rendered by {holder.paper.who}: wait for it to end, or stop it with "
            f"`farm cancel`, then retry."
        )
    lifted = lift(ledger, chunk)
    if not lifted:
        which = "No chunk" if chunk is None else f"No chunk {chunk}"
        raise BadSpec(f"{which} of the job '{name}' is set aside; the review page and report.json name those that are.")
    for one in lifted:
        tell(f"To be made again: {one.sentence}")


def clean(
    store: Annotated[str, typer.Argument(help="A store: a folder or s3://bucket/prefix.")],
    job: Annotated[str | None, typer.Option("--job", help="One job of the store, by name; default: all.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only list.")] = False,
    all_but_last: Annotated[
        bool,
        typer.Option(
            "--all-but-last",
            help="Also list what only earlier specs of delivered jobs need; to change back to one is to render again.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what may be deleted from a store; --yes deletes it.

    That is what finished, interrupted and earlier work has left, with its size.
    """
    from farm.ops.clean import CleanOptions, show
    from farm.ops.clean import clean as cleaned
    from jobs.spec.names import key_asked_for

    found = cleaned(store, job and key_asked_for(job), CleanOptions(all_but_last=all_but_last, delete=yes))
    answer(found) if as_json else show(found)
