"""The command `farm retry`: releases quarantined chunks, so that the next `farm render` of the job makes them again."""

from typing import Annotated

import typer

from farm.progress.plain_output import tell
from jobs.errors import BadSpec, JobHeld


def retry(
    place: Annotated[
        str, typer.Argument(metavar="SPEC_OR_STORE", help="A job spec, or a store (a folder or s3://bucket/prefix).")
    ],
    job: Annotated[str | None, typer.Option("--job", help="The job in the store, by name.")] = None,
    chunk: Annotated[int | None, typer.Option("--chunk", min=1, help="One chunk, by number; default: all.")] = None,
) -> None:
    """Retry chunks that were set aside: the next `farm render` of the job renders them and delivers the film."""
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
