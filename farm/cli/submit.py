"""The commands `farm submit`, `farm watch` and `farm logs`, for jobs whose driver runs on a Ray cluster."""

import shlex
from typing import Annotated

import typer

from farm.cli import stopping
from farm.cli.options import AsJson, TakeOver
from farm.progress.plain_output import answer, answer_line, tell
from jobs.errors import BadSpec

Dashboard = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="URL",
        envvar="RAY_API_SERVER_ADDRESS",
        help="The cluster's dashboard, as in http://head:8265; its token in RAY_AUTH_TOKEN or ~/.ray/auth_token.",
    ),
]
WATCHES = "No longer watching: the job goes on as it was."
"""Where that is stopped."""
Job = Annotated[str, typer.Argument(metavar="SPEC_OR_JOB", help="A job spec, or the folder of a job (STORE/NAME).")]


def submit(
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="A job spec; its store and output are the cluster's own.")
    ],
    address: Dashboard,
    take_over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Render a job spec on a Ray cluster.

    Files that the spec names on this machine are sent to its store. Returns when the film has begun.
    """
    from farm.specs.spec_files import read_spec

    wanted = read_spec(spec)

    from farm.ops.ray_jobs import RayJobs

    cluster = RayJobs(address)

    from farm.ops.submit import submit_job  # takes seconds: what is wrong with the spec or the address is said before
    from jobs.spec.names import key_asked_for

    done = submit_job(wanted, cluster, take_over=take_over, say=tell)
    how = "has begun" if done.began else "is with the cluster, which has not begun with it yet"
    tell(
        f"{done.job} {how}, as {done.submission}: `farm watch {shlex.quote(f'{done.store}/{key_asked_for(done.job)}')}`"
    )
    if as_json:
        answer(done)


def watch(place: Job) -> None:
    """Follow a job until its driver ends.

    It works from any machine that sees its store, and exits with the driver's own exit code.
    """
    from farm.ops.watch import job_at
    from farm.ops.watch import watch as watched

    stopping.says(WATCHES)
    if code := watched(job_at(place)):
        raise typer.Exit(code)


def logs(
    place: Job,
    follow: Annotated[bool, typer.Option("--follow", help="Print on until the driver ends.")] = False,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask the cluster with this dashboard instead of the store, as in http://head:8265."
        ),
    ] = None,
) -> None:
    """Print what the last driver of a job said.

    It is read from the store, and so is there when the cluster is gone.
    """
    from farm.ops.watch import LogTail, job_at
    from farm.ops.watch import follow as followed

    stopping.says(WATCHES)
    ledger = job_at(place)
    if address is not None:
        from farm.ops.ray_jobs import RayJobs, marks

        cluster = RayJobs(address)
        last = cluster.last(marks(ledger))
        if last is None:
            raise BadSpec(
                f"--address {address}: that cluster knows of no job '{ledger.title()}' in {ledger.store.url}."
            )
        for line in cluster.log(last).splitlines():
            answer_line(line)
        return
    tail = LogTail(ledger)
    for line in followed(tail) if follow else tail.new():
        answer_line(line)
