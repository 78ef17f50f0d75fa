"""Takes the lease of a job or a training, tells who holds it, and asks the holder to stop (`farm cancel`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from farm.progress.plain_output import tell
from farm.specs.spec_files import is_spec, read_spec
from jobs.errors import BadStore, JobHeld
from jobs.ledger.lease import (
    NAME,
    POLL_SECONDS,
    SYSTEM,
    VOID_SECONDS,
    Clock,
    FoundLease,
    Lease,
    LeaseDocument,
    LeaseWatch,
    ask_to_stop,
    read_lease,
)
from jobs.ledger.ledger import Ledger
from jobs.spec.names import LONGEST_NAME, key_asked_for
from jobs.store import Store, locate, open_store

HEED_SECONDS = 2 * VOID_SECONDS
"""Whoever is asked to stop does at its next renewal, which comes within VOID_SECONDS; one that renews beyond this does not heed it."""


class LeaseHolder(NamedTuple):
    """Who holds a job, as far as its lease tells at a glance."""

    paper: LeaseDocument
    renewed: float | None
    """Seconds since it was renewed, by the store's own clock; None where that cannot be told."""


def lease_on_job(ledger: Ledger, *, take_over: bool = False, say: Callable[[str], object] = tell) -> Lease:
    """The lease of a job, to be held while it is worked on. `say`: told where somebody's lease is watched first."""
    return Lease(ledger.store, ledger.key(NAME), _job(ledger), take_over=take_over, say=say)


def lease_on_training(out: Store, *, take_over: bool = False, say: Callable[[str], object] = tell) -> Lease:
    """The lease of a training, by the place it writes to. `say`: likewise."""
    return Lease(out, NAME, f"The training in {out.url}", take_over=take_over, say=say)


def holder_of(ledger: Ledger) -> LeaseHolder | None:
    """Who works on a job now, told at once: by the age of its lease in the store, and by no machine's clock.

    A bucket tells an age to the second. Where a folder cannot be written from here, whoever has a lease is taken to hold it.
    """
    return holder_in(ledger, read_lease(ledger.store, ledger.key(NAME)))


def holder_in(ledger: Ledger, found: FoundLease | None) -> LeaseHolder | None:
    """Likewise, by the job's lease as it was just read."""
    if found is None or found.paper is None or found.paper.ended:
        return None
    renewed = ledger.store.age(ledger.key(NAME))
    return LeaseHolder(found.paper, renewed) if renewed is None or renewed < VOID_SECONDS else None


def cancel_jobs(places: Sequence[str], say: Callable[[str], None], clock: Clock = SYSTEM) -> None:
    """Ask whoever works on jobs to stop, and wait until they have, or are gone. `say`: a sentence of each job, as it comes.

    A place is a job spec, the folder of a job (STORE/NAME), or the `out` of a training. Raises BadStore, before anyone is
    asked, where there is no job; and at last JobHeld, where some went on for HEED_SECONDS.
    """
    jobs = [_found(place) for place in places]
    asked = [(*job, ask_to_stop(job[0], job[1])) for job in jobs]
    end, unheeded = clock.steady() + HEED_SECONDS, list[str]()
    for store, key, what, paper in asked:
        try:
            say(_awaited(store, key, what, paper, end, clock) if paper else f"{what}: nobody is at work on it.")
        except JobHeld as held:
            unheeded.append(str(held))
    if unheeded:
        raise JobHeld(" ".join(unheeded))


def find_job(place: str) -> Ledger | None:
    """The job of a spec, or in a folder STORE/NAME, by its name as it was written or by its folder's; None where there is none."""
    if is_spec(place):
        spec = read_spec(place)
        named: Iterable[Ledger] = (Ledger.at(spec.store, spec.key),)
    else:
        named = _named(place)
    return next((one for one in named if one.store.stat(one.key(NAME)) or one.store.stat(one.key("job.json"))), None)


def _named(place: str) -> Iterator[Ledger]:
    """The jobs that a place may mean: a name may have strokes in it."""
    locate(place)
    whole = (place if "://" in place else str(locate(place))).rstrip("/")
    store, _, name = whole.rpartition("/")
    yield Ledger.at(store or "/", key_asked_for(name))
    while store and not store.endswith("/") and len(name) <= LONGEST_NAME:
        store, _, last = store.rpartition("/")
        name = f"{last}/{name}"
        try:
            yield Ledger.at(store or "/", key_asked_for(name))
        except BadStore:  # the folder above may be nobody's to open
            return


def _found(place: str) -> tuple[Store, str, str]:
    """Where the lease of a job lies, and what the job is called."""
    if ledger := find_job(place):
        known = is_spec(place) or ledger.store.stat(ledger.key("job.json"))
        return ledger.store, ledger.key(NAME), _job(ledger) if known else f"{ledger.store.url}/{ledger.job}"
    if is_spec(place):
        spec = read_spec(place)
        store, what = None, f"The job '{spec.name}' in {open_store(spec.store).url}"
    else:
        store = open_store(place)
        what = store.url
    if store is None or not store.stat(NAME):
        raise BadStore(
            f"{what}: there is no such job; give a job spec, the folder of a job (STORE/NAME), or the out of a training."
        )
    return store, NAME, what


def _awaited(store: Store, key: str, what: str, asked: LeaseDocument, end: float, clock: Clock) -> str:
    """Wait for the one who was asked. By this machine's steady clock alone: a holder that stays silent is gone.

    Raises JobHeld for one that is still seen to renew at `end`.
    """
    seen, watch = asked, LeaseWatch(clock)
    while (sign := watch.look(found := read_lease(store, key))) != "free":
        if found is None or found.paper is None:
            break
        seen = found.paper
        if seen.token != asked.token:
            return f"{what}: {seen.who} has taken it over meanwhile."
        if sign == "alive" and clock.steady() >= end:
            raise JobHeld(
                f"{what}: {seen.who} was asked to stop and still renews its lease after {HEED_SECONDS:.0f} s, so it does not heed it. "
                "End that process on its machine, or go on in its place with --take-over; what is finished is kept."
            )
        clock.wait(POLL_SECONDS)
    seen = found.paper if found and found.paper else seen
    if seen.released:
        return f"{what}: stopped. Finished work is kept; the same command resumes from there."
    return f"{what}: {asked.who} does not answer and is taken for dead: nobody is at work on it."


def _job(ledger: Ledger) -> str:
    return f"The job '{ledger.title()}' in {ledger.store.url}"
