"""Follows a job's driver from any machine, by the lease and log that it keeps in the store, until it ends."""

import re
from collections.abc import Iterator

from farm.progress.lease_control import find_job
from farm.progress.plain_console import PlainConsole, ProgressBar
from farm.progress.plain_output import tell
from farm.specs.spec_files import is_spec, read_spec
from jobs.errors import BadStore
from jobs.ledger.driver_log import last_log
from jobs.ledger.lease import NAME, SYSTEM, Clock, LeaseWatch, read_lease
from jobs.ledger.ledger import Ledger
from jobs.store import locate, open_store

POLL_SECONDS = 2.0
"""Between two looks into the store; a driver writes every ten seconds."""

_PROGRESS = re.compile(
    r"\S+ \S+ (?P<stage>\w+): (?P<says>(?P<done>\d[\d,]{0,20}) of (?:about )?(?P<total>\d[\d,]{0,20}) frames.*)"
)


def job_at(place: str) -> Ledger:
    """The job of a spec, or in a folder STORE/NAME. Raises BadStore where there is none."""
    if found := find_job(place):
        return found
    if is_spec(place):
        spec = read_spec(place)
        store, name = spec.store, spec.name
    else:
        store, _, name = (place if "://" in place else str(locate(place))).rstrip("/").rpartition("/")
    raise BadStore(
        f"There is no job '{name}' in {open_store(store or '/').url}; give a job spec, or the folder of a job (STORE/NAME)."
    )


class LogTail:
    """The log of a job's last driver, as it grows, and whether that driver is still at work."""

    def __init__(self, ledger: Ledger, clock: Clock = SYSTEM) -> None:
        self._ledger = ledger
        self._name, self._told = "", 0
        self._watch = LeaseWatch(clock)
        self.exit_code: int | None = None
        """How the last driver ended; None where it is at work, or was killed."""

    def new(self) -> list[str]:
        """Lines that have not been given yet; those of a driver that has begun since follow those of the one before."""
        log = last_log(self._ledger)
        if log is None:
            return []
        if log.name != self._name:
            self._name, self._told = log.name, 0
        self.exit_code = log.exit_code
        lines = log.lines[max(0, self._told - log.first) :]
        self._told = log.first + len(log.lines)
        return list(lines)

    def at_work(self) -> bool:
        """Whether a driver holds the lease. By this machine's steady clock alone: one that is silent for too long is gone."""
        return self._watch.look(read_lease(self._ledger.store, self._ledger.key(NAME))) != "free"


def follow(tail: LogTail, clock: Clock = SYSTEM) -> Iterator[str]:
    """Every line of the log until its driver has ended or is gone."""
    while True:
        working = tail.at_work()  # first: a driver's last words are there before it lets go
        yield from tail.new()
        if not working:
            return
        clock.wait(POLL_SECONDS)


def watch(ledger: Ledger, console: PlainConsole | None = None, clock: Clock = SYSTEM) -> int:
    """Show how a job is getting on until its driver ends; gives the driver's exit code. For one that was killed: 0 where the film is delivered, else 1."""
    tail = LogTail(ledger, clock)
    console = console or PlainConsole()
    with ProgressBar(console, "") as bar:
        for line in follow(tail, clock):
            _show(line, bar, console)
    if tail.exit_code is not None:
        return tail.exit_code

    from farm.ops.status import statuses  # takes seconds

    begun = ledger.store.stat(ledger.key("job.json"))
    state = statuses(ledger.store.url, ledger.job)[0].state if begun else "not begun"
    tell(
        f"farm: The job '{ledger.title()}' in {ledger.store.url}: nobody is at work on it, and its last driver left no word of its end; "
        f"it is {state}. Finished work is kept: submit or render it again, and it resumes."
    )
    return 0 if state == "delivered" else 1


def _show(line: str, bar: ProgressBar, console: PlainConsole) -> None:
    """A line of the log: progress in the bar, where there is one; all else above it."""
    found = _PROGRESS.fullmatch(line)
    if not bar or found is None:
        console.note(line)
        return
    done, total = (int(found[name].replace(",", "")) for name in ("done", "total"))
    bar.show(found["stage"], found["says"], done=done, total=total)
