"""The commands `farm cancel` and `farm clean`. Nothing is deleted without --yes."""

from typing import Annotated

import typer

from farm.cli import stopping
from farm.cli.options import AsJson
from farm.progress.plain_output import answer, tell


def cancel(
    jobs: Annotated[
        list[str],
        typer.Argument(
            metavar="JOB...", help="A job spec, the folder of a job (STORE/NAME), or the out of a training."
        ),
    ],
) -> None:
    """Stop jobs, from any machine, and wait until they have stopped. Finished work is kept: the same command resumes."""
    from farm.progress.lease_control import cancel_jobs

    stopping.says("No longer waiting: whoever was asked to stop does so within seconds.")
    cancel_jobs(jobs, tell)


def clean(
    store: Annotated[str, typer.Argument(help="A store: a folder or s3://bucket/prefix.")],
    job: Annotated[str | None, typer.Option("--job", help="One job of the store, by name; by default all.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only list.")] = False,
    all_but_last: Annotated[
        bool,
        typer.Option(
            "--all-but-last",
            help="Also what only earlier specs of delivered jobs need: changing back to one means rendering again.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what may be deleted of finished, interrupted and earlier work, with its size. Deletes only with --yes."""
    from farm.ops.clean import CleanOptions, show
    from farm.ops.clean import clean as cleaned
    from jobs.spec.names import key_asked_for

    found = cleaned(store, job and key_asked_for(job), CleanOptions(all_but_last=all_but_last, delete=yes))
    answer(found) if as_json else show(found)
