"""The lease: who works on a job, for anyone else who would. Promises a warning and no more: nothing may be right or wrong by it, since no two clocks agree.

It lies beside the job's other paper and changes by compare-and-set alone. Its holder renews it while it works; who takes it
over, or asks its holder to stop, changes it, and the holder sees that at its next renewal.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self
from uuid import uuid4

from jobs.digest import sealed
from jobs.errors import BadStore, FarmError, JobHeld, Stopped, StoreDown, StoreFault
from jobs.paper import Paper, read_paper
from jobs.store import Store

NAME = "lease.json"
"""Where it lies in a job's folder, or in the `out` of a training."""
RENEW_SECONDS = 10.0
"""Between two renewals."""
VOID_SECONDS = 30.0
"""Without a renewal its holder is taken for dead."""
_TRIES = 20
"""Times it is looked at again because it was changed just then."""
_GOES_ON = "What is finished is kept; the same command goes on from here."


class LeasePaper(Paper):
    """lease.json."""

    kind: Literal["lease"] = "lease"
    token: str
    """Tells one command at work from any other."""
    host: str
    pid: int
    process: str
    """What tells this process from any other that its machine ever had; empty where the system does not say."""
    began: float
    """When the command began, in seconds of Unix time by the holder's clock."""
    until: float
    """Void from then on, likewise."""
    stop: str = ""
    """Who asked the holder to stop."""
    released: bool = False
    """The holder has ended."""

    @property
    def who(self) -> str:
        """For people."""
        return (
            f"process {self.pid} on {self.host}, begun {datetime.fromtimestamp(self.began, UTC):%Y-%m-%d %H:%M:%S} UTC"
        )

    def held(self, now: float) -> bool:
        """Its holder is at work, as far as can be told: it is not void, and its process, where it is of this machine, lives."""
        return not self.released and now < self.until and not _is_dead(self.process, self.pid)


class Found(NamedTuple):
    """A lease as it lies in the store."""

    paper: LeasePaper | None
    """None where it cannot be read: then nobody holds it."""
    version: str


def read_lease(store: Store, key: str) -> Found | None:
    """The lease at `key`, or None where nobody ever had one."""
    there = store.stat(key)  # first, so that what is read is no older than its version
    if there is None:
        return None
    return Found(read_paper(LeasePaper, store.read(key)), there.version)


def ask_to_stop(store: Store, key: str, clock: Callable[[], float] = time.time) -> LeasePaper | None:
    """Ask whoever holds the lease to stop, which it does at its next renewal. Gives its lease; None where nobody holds it."""
    for _ in range(_TRIES):
        found = read_lease(store, key)
        if found is None or found.paper is None or not found.paper.held(clock()):
            return None
        asked = found.paper.model_copy(update={"stop": f"process {os.getpid()} on {socket.gethostname()}"})
        if store.replace(key, sealed(asked), found.version):
            return asked
    raise StoreFault(f"The lease {store.url}/{key} changes too often to be written; try again.")


class Lease:
    """One command's hold on a job: a context manager, ticked while it works. Needs no thread.

    Raises JobHeld at its beginning where another holds the job, unless it is to `take_over`. Where the block ends in one
    of the farm's errors and the lease is lost, that is what is told: it is the cause.
    """

    def __init__(
        self,
        store: Store,
        key: str,
        what: str,
        *,
        take_over: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`what`, for people: "the job 'film' in /store". `clock`: Unix time in seconds."""
        self._store, self._key, self._what = store, key, what
        self._take_over = take_over
        self._clock = clock
        self._version = ""
        self._renewed = now = clock()
        self.paper = LeasePaper(
            token=uuid4().hex,
            host=socket.gethostname(),
            pid=os.getpid(),
            process=_process(os.getpid()),
            began=now,
            until=now,
        )

    def __enter__(self) -> Self:
        for _ in range(_TRIES):
            found = read_lease(self._store, self._key)
            if found and found.paper and found.paper.held(self._clock()) and not self._take_over:
                raise JobHeld(self._held_by(found.paper))
            if self._write(found):
                return self
        raise StoreFault(f"The lease {self._store.url}/{self._key} changes too often to be written; try again.")

    def tick(self) -> None:
        """To be called often. Renews the lease when that is due. Raises Stopped where the holder was asked to stop, or has lost it."""
        # A clock that is set back must not end the renewals.
        if abs(self._clock() - self._renewed) >= RENEW_SECONDS:
            self.renew()

    def renew(self) -> None:
        """Renew it at once. Raises as `tick` does; that the store fails in passing is no reason to stop."""
        self._renewed = self._clock()
        with suppress(StoreFault):
            if not self._write(Found(None, self._version)):
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

    def _look(self) -> None:
        """The lease is not as it was left: why?"""
        found = read_lease(self._store, self._key)
        if found is None or found.paper is None:
            self._write(found)  # somebody has cleared up too much
        elif found.paper.token != self.paper.token:
            raise Stopped(
                f"{self._what} was taken over by {found.paper.who}, so this command ends. What is finished is kept."
            )
        else:
            self.paper = found.paper  # our own, if a reply was lost
            self._write(found)
            if self.paper.stop:
                raise Stopped(f"{self._what} was stopped by `farm cancel` ({self.paper.stop}). {_GOES_ON}")

    def _release(self) -> None:
        self.paper = self.paper.model_copy(update={"released": True})
        if not self._write(Found(None, self._version)):
            found = read_lease(self._store, self._key)
            if found and found.paper and found.paper.token == self.paper.token:
                self._write(found)  # asked to stop in the last moment

    def _write(self, over: Found | None) -> bool:
        """Put the lease on paper, in the place of another or where there is none. False where that has changed."""
        self.paper = self.paper.model_copy(update={"until": self._clock() + VOID_SECONDS})
        data = sealed(self.paper)
        if over:
            version = self._store.replace(self._key, data, over.version)
        else:
            there = self._store.write(self._key, data, only_if_absent=True) and self._store.stat(self._key)
            version = there.version if there else None
        self._version = version or self._version
        return version is not None

    def _held_by(self, paper: LeasePaper) -> str:
        silent = max(0.0, self._clock() - (paper.until - VOID_SECONDS))
        place = f"{self._store.url}/{self._key}".removesuffix(f"/{NAME}")
        return (
            f"{self._what} is held by {paper.who}, last heard of {silent:.0f} s ago (after {VOID_SECONDS:.0f} s it counts "
            f"as gone): wait for it, stop it with `farm cancel {place!r}`, or go on in its place with --take-over."
        )


def _process(pid: int) -> str:
    """A process of this machine, and of this container: its boot, its name space, its number and when it started."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return "" if state in "ZX" else f"{boot} {os.readlink('/proc/self/ns/pid')} {pid} {rest[18]}"
    except OSError:
        return ""


def _is_dead(process: str, pid: int) -> bool:
    """A process that is certainly gone. Of those on other machines nothing is known."""
    here = _process(os.getpid()).split()[:2]
    return bool(here) and process.split()[:2] == here and _process(pid) != process
