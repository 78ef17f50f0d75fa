"""The lease: which driver works on a job. It is advisory: correctness never depends on it.

It lies beside the job's other documents and changes by compare-and-set alone. Its holder renews it while it works; who takes it
over, or asks its holder to stop, changes it, and the holder sees that at its next renewal.

No two machines' clocks are compared. Whoever wants the job watches the lease: a holder is alive when it is seen to renew,
and gone when it has not for VOID_SECONDS of the watcher's own steady clock (docs/decisions/0028-one-clock.md).
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Annotated, Literal, NamedTuple, Self
from uuid import uuid4

from pydantic import Field

from jobs.digest import sealed
from jobs.document import Count, Document, UnixTime, read_document
from jobs.errors import BadStore, FarmError, JobHeld, Stopped, StoreDown, StoreFault
from jobs.processes import identity, is_gone
from jobs.store import Store

NAME = "lease.json"
"""Where it lies in a job's folder, or in the `out` of a training."""
RENEW_SECONDS = 10.0
"""Between two renewals."""
VOID_SECONDS = 30.0
"""Without a renewal its holder is taken for dead."""
POLL_SECONDS = 0.5
"""Between two looks at a lease that is watched."""
LARGEST = 1 << 16
"""Bytes of a lease."""
_TRIES = 20
"""Times it is looked at again because it was changed just then."""
_GOES_ON = "Finished work is kept; the same command resumes from here."


class LeaseDocument(Document):
    """lease.json."""

    kind: Literal["lease"] = "lease"
    token: Annotated[str, Field(max_length=100)]
    """Tells one command at work from any other."""
    host: Annotated[str, Field(max_length=255)]
    pid: Count
    process: Annotated[str, Field(max_length=400)]
    """What tells this process from any other that its machine ever had; empty where the system does not say."""
    began: UnixTime
    """When the command began, in seconds of Unix time by the holder's clock."""
    until: UnixTime
    """VOID_SECONDS after its last renewal, likewise: it tells one renewal from another, and is compared with no other clock."""
    stop: Annotated[str, Field(max_length=400)] = ""
    """Who asked the holder to stop."""
    released: bool = False
    """The holder has ended."""

    @property
    def who(self) -> str:
        """For people."""
        return (
            f"process {self.pid} on {self.host}, begun {datetime.fromtimestamp(self.began, UTC):%Y-%m-%d %H:%M:%S} UTC"
        )

    @property
    def ended(self) -> bool:
        """Its holder has let go, or is a process of this machine that is gone: certain, whatever any clock says."""
        return self.released or is_gone(self.process)


class FoundLease(NamedTuple):
    """A lease as it lies in the store."""

    paper: LeaseDocument | None
    """None where it cannot be read: then nobody holds it."""
    version: str


def read_lease(store: Store, key: str) -> FoundLease | None:
    """The lease at `key`, or None where nobody ever had one."""
    there = store.stat(key)  # first, so that what is read is no older than its version
    if there is None:
        return None
    paper = read_document(LeaseDocument, store.read(key)) if there.bytes <= LARGEST else None
    return FoundLease(paper, there.version)


class Clock:
    """The clocks of this machine. Tests have their own."""

    def now(self) -> float:
        """Unix time in seconds, which may be wrong and may be set."""
        return time.time()

    def steady(self) -> float:
        """Seconds since some moment; never set."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


SYSTEM = Clock()

Sign = Literal["free", "alive", "unknown"]
"""What is known of a lease's holder: there is none, or it is gone; it was seen to renew; it has not been watched for long enough."""


class LeaseWatch:
    """One watcher's view of a lease, by its own steady clock alone. Look at it again and again."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._began = False
        self._renewal: tuple[str, float] | None = None
        self._renewed: float | None = None
        self._since = clock.steady()

    def look(self, found: FoundLease | None) -> Sign:
        """What a lease that was just read tells. What others change in it, as `ask_to_stop` does, is no sign of life."""
        paper = found.paper if found else None
        renewal = (paper.token, paper.until) if paper else None
        now = self._clock.steady()
        if renewal != self._renewal or not self._began:
            self._renewed = now if self._began else None
            self._began, self._renewal, self._since = True, renewal, now
        if paper is None or paper.ended or now - self._since >= VOID_SECONDS:
            return "free"
        return "unknown" if self._renewed is None else "alive"


def ask_to_stop(store: Store, key: str) -> LeaseDocument | None:
    """Ask whoever holds the lease to stop, which it does at its next renewal. Gives its lease; None where it has ended.

    Whether its holder is alive is not known here: watch for its renewals.
    """
    for _ in range(_TRIES):
        found = read_lease(store, key)
        if found is None or found.paper is None or found.paper.ended:
            return None
        asked = found.paper.model_copy(update={"stop": f"process {os.getpid()} on {socket.gethostname()}"})
        if store.replace(key, sealed(asked), found.version):
            return asked
    raise StoreFault(f"The lease {store.url}/{key} changes too often to be written; try again.")


class Lease:
    """One command's hold on a job: a context manager, ticked while it works. Needs no thread.

    Where somebody has it already, it is watched for up to VOID_SECONDS at the beginning, unless it is to `take_over`: raises
    JobHeld when its holder is seen to renew it. Where the block ends in one of the farm's errors and the lease is lost,
    that is what is told: it is the cause.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        what: str,
        *,
        take_over: bool = False,
        say: Callable[[str], object] = lambda _: None,
        clock: Clock = SYSTEM,
    ) -> None:
        """`what`, for people: "the job 'film' in /store". `say`: told, in a sentence, that somebody's lease is watched."""
        self._store, self._key, self._what = store, key, what
        self._take_over = take_over
        self._say = say
        self._clock = clock
        self._version = ""
        self._renewed, now = clock.steady(), clock.now()
        self.paper = LeaseDocument(
            token=uuid4().hex,
            host=socket.gethostname(),
            pid=os.getpid(),
            process=identity(os.getpid()),
            began=now,
            until=now,
        )

    def __enter__(self) -> Self:
        watch = LeaseWatch(self._clock)
        for _ in range(_TRIES):
            if self._write(read_lease(self._store, self._key) if self._take_over else self._free(watch)):
                return self
        raise StoreFault(f"The lease {self._store.url}/{self._key} changes too often to be written; try again.")

    def tick(self) -> None:
        """To be called often. Renews the lease when that is due. Raises Stopped where the holder was asked to stop, or has lost it."""
        if self._clock.steady() - self._renewed >= RENEW_SECONDS:
            self.renew()

    def renew(self) -> None:
        """Renew it at once. Raises as `tick` does; that the store fails in passing is no reason to stop."""
        self._renewed = self._clock.steady()
        with suppress(StoreFault):
            if not self._write(FoundLease(None, self._version)):
                self._look()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if isinstance(error, FarmError) and not isinstance(error, Stopped):
                with suppress(BadStore, StoreDown):
                    self.renew()
        finally:
            # What is not released is void soon.
            with suppress(BadStore, StoreDown, StoreFault):
                self._release()

    def _free(self, watch: LeaseWatch) -> FoundLease | None:
        """The lease as it lies there, once nobody holds it. Raises JobHeld where its holder is seen to renew it."""
        told = False
        while True:
            found = read_lease(self._store, self._key)
            sign = watch.look(found)
            if sign == "free" or found is None or found.paper is None:
                return found
            if sign == "alive":
                raise JobHeld(self._held_by(found.paper))
            if not told:
                self._say(
                    f"{self._what} has a lease of {found.paper.who}: waiting up to {VOID_SECONDS:.0f} s to see whether that one is alive."
                )
                told = True
            self._clock.wait(POLL_SECONDS)

    def _look(self) -> None:
        """The lease is not as it was left: why?"""
        found = read_lease(self._store, self._key)
        if found is None or found.paper is None:
            self._write(found)  # somebody has cleared up too much
        elif found.paper.token != self.paper.token:
            raise Stopped(
                f"{self._what} was taken over by {found.paper.who}, so this command ends. Finished work is kept."
            )
        else:
            self.paper = found.paper  # our own, if a reply was lost
            self._write(found)
            if self.paper.stop:
                raise Stopped(f"{self._what} was stopped by `farm cancel` ({self.paper.stop}). {_GOES_ON}")

    def _release(self) -> None:
        self.paper = self.paper.model_copy(update={"released": True})
        if not self._write(FoundLease(None, self._version)):
            found = read_lease(self._store, self._key)
            if found and found.paper and found.paper.token == self.paper.token:
                self._write(found)  # asked to stop in the last moment

    def _write(self, over: FoundLease | None) -> bool:
        """Put the lease on paper, in the place of another or where there is none. False where that has changed."""
        self.paper = self.paper.model_copy(update={"until": self._clock.now() + VOID_SECONDS})
        data = sealed(self.paper)
        if over:
            version = self._store.replace(self._key, data, over.version)
        else:
            there = self._store.write(self._key, data, only_if_absent=True) and self._store.stat(self._key)
            version = there.version if there else None
        self._version = version or self._version
        return version is not None

    def _held_by(self, paper: LeaseDocument) -> str:
        place = f"{self._store.url}/{self._key}".removesuffix(f"/{NAME}")
        return (
            f"{self._what} is held by {paper.who}, which is at work on it: wait for it, stop it with `farm cancel {place!r}`, "
            "or go on in its place with --take-over."
        )
