"""The vantage: what the driver of one film sees, and each worker must: its store, output and source. Promises that what only one machine cannot see is charged to that machine; hires nobody."""

from contextlib import suppress
from secrets import token_hex
from types import TracebackType
from typing import Self

from jobs.errors import BadInput, BadStore, Damaged, FilmFailed, NodeFault, StoreDown, StoreFault
from jobs.handover import UNPROVEN
from jobs.ledger import Ledger
from jobs.places import Mark, Places
from jobs.spec import JobSpec
from jobs.store import open_store, source_identity

MARKS = "marks"
"""The folder of marks, in a job's folder."""
READERS = frozenset({"surveyor", "splitter", "finisher"})
"""Crews that read the source."""
WRITERS = frozenset({"finisher"})
"""Crews that write into the output."""


class Vantage:
    """What the driver of one film sees: a context manager, for as long as its fleet works. The marks go when it ends."""

    def __init__(self, spec: JobSpec, *, delivers: bool = True) -> None:
        """`delivers`: something is to be written into the output."""
        self._ledger = Ledger.at(spec.store, spec.name)
        token = token_hex(16)
        self._store = Mark(spec.store, self._ledger.key(f"{MARKS}/{token}"), token_hex(32))
        # Where `farm clean` finds it, should this driver be killed.
        self._output = Mark(spec.output, f"{UNPROVEN}/{spec.name}/mark-{token}", token_hex(32))
        self._marks = (self._store, self._output) if delivers else (self._store,)
        self._source = spec.source_url
        self._marked = False

    def __enter__(self) -> Self:
        """Raises BadInput where the driver itself cannot see a place."""
        self._identity = source_identity(self._source)
        for mark in self._marks:
            open_store(mark.store).write(mark.key, mark.content.encode())
        self._marked = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._marked and not isinstance(error, StoreDown):  # or each would be waited for once more
            for mark in self._marks:
                with suppress(BadStore, StoreDown, StoreFault):
                    open_store(mark.store).delete(mark.key)
        self._marked = False

    def of(self, crew: str) -> Places | None:
        """What a worker of a crew must prove that it sees; None where all workers are on this machine, and nothing is marked."""
        if not self._marked:
            return None
        marks = self._marks if crew in WRITERS else (self._store,)
        return Places(marks, *((self._source, self._identity) if crew in READERS else ("", None)))

    def judged(self, error: BaseException) -> BaseException:
        """What is to be made of a worker's error, once the driver has looked for itself.

        A NodeFault where only the worker's machine is at fault; the driver's own error where the place is bad from here
        too; else the error as it is, and where an object is gone indeed, its record is set aside.
        """
        if isinstance(error, FilmFailed) and error.missing:
            if self._ledger.store.stat(error.missing):
                return NodeFault(f"{self._ledger.store.url}/{error.missing} is not seen there, and the driver sees it")
            if isinstance(error, Damaged):
                self._ledger.set_aside(error.record)
        if isinstance(error, NodeFault) and error.unseen and self._marked:
            try:
                Places(self._marks, self._source, self._identity).prove()
            except (BadInput, StoreDown, StoreFault) as own:
                return own
        return error
