"""Checks that each worker sees the same store, output and source as the driver.

A place that only one machine cannot see counts as that machine's fault.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from secrets import token_hex
from types import TracebackType
from typing import Self

from jobs.errors import BadInput, BadStore, Damaged, FilmFailed, NodeFault, StoreDown, StoreFault
from jobs.film.source import SourceIdentity
from jobs.ledger.ledger import Ledger
from jobs.ledger.places import PlaceMarker, WorkerPlaces
from jobs.output.handover import UNPROVEN
from jobs.spec.job import JobSpec
from jobs.spec.training_recipe import Recipe
from jobs.store import is_file, open_store, source_identity

MARKS = "marks"
"""The folder of marks, in a job's folder, or in the place that a training or an evaluation writes to."""
TRAINER = "trainer"
"""The pool of a training's workers, who are Ray Train's."""
READERS = frozenset({"surveyor", "splitter", "finisher", "evaluator", TRAINER})
"""Pools that read the source."""
WRITERS = frozenset({"finisher", "evaluator", TRAINER})
"""Pools that write into the output."""


class DriverView:
    """What the driver of one piece of work sees: a context manager, for as long as its fleet works. The marks go when it ends."""

    def __init__(
        self,
        *,
        store: PlaceMarker | None = None,
        output: PlaceMarker | None = None,
        sources: Callable[[], Sequence[str]],
        ledger: Ledger | None = None,
    ) -> None:
        """`sources`: URLs of files, asked for when the vantage is entered. `ledger`: of a job, whose damaged records are set aside."""
        self._shared = (store,) if store else ()
        self._written = (output,) if output else ()
        self._ledger = ledger
        self._find = sources
        self._sources: tuple[tuple[str, SourceIdentity], ...] = ()
        self._marked = False

    @classmethod
    def of_film(cls, spec: JobSpec, *, delivers: bool = True) -> Self:
        """A film's: its store, its output where something is to be written there (`delivers`), and its source."""
        ledger = Ledger.at(spec.store, spec.key)
        token = token_hex(16)
        return cls(
            store=PlaceMarker(spec.store, ledger.key(f"{MARKS}/{token}"), token_hex(32)),
            # Where `farm clean` finds it, should this driver be killed.
            output=PlaceMarker(spec.output, f"{UNPROVEN}/{spec.key}/mark-{token}", token_hex(32)) if delivers else None,
            sources=lambda: [spec.source_url],
            ledger=ledger,
        )

    @classmethod
    def of_training(cls, recipe: Recipe) -> Self:
        """A training's: the place it writes to, its films, and the first file of each folder of pictures."""
        return cls(
            output=_mark_in(recipe.out),
            sources=lambda: [file for one in recipe.data if (file := _first_file(one.pictures))],
        )

    @classmethod
    def of_evaluation(cls, out: str | None, files: Sequence[str]) -> Self:
        """An evaluation's: the place it writes to, if any, and a film or some of its photographs."""
        return cls(output=_mark_in(out) if out else None, sources=lambda: files)

    def __enter__(self) -> Self:
        """Raises BadInput where the driver itself cannot see a place."""
        self._sources = tuple((url, source_identity(url)) for url in self._find())
        for mark in self._shared + self._written:
            open_store(mark.store).write(mark.key, mark.content.encode())
        self._marked = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._marked and not isinstance(error, StoreDown):  # or each would be waited for once more
            for mark in self._shared + self._written:
                with suppress(BadStore, StoreDown, StoreFault):
                    open_store(mark.store).delete(mark.key)
        self._marked = False

    def of(self, pool: str) -> WorkerPlaces | None:
        """What a worker of a pool must prove that it sees; None where all workers are on this machine, and nothing is marked."""
        if not self._marked:
            return None
        marks = self._shared + (self._written if pool in WRITERS else ())
        return WorkerPlaces(marks, self._sources if pool in READERS else ())

    def judged(self, error: BaseException) -> BaseException:
        """What is to be made of a worker's error, once the driver has looked for itself.

        A NodeFault where only the worker's machine is at fault; the driver's own error where the place is bad from here
        too; else the error as it is, and where an object is gone indeed, its record is set aside.
        """
        if self._ledger and isinstance(error, FilmFailed) and error.missing:
            if self._ledger.store.stat(error.missing):
                return NodeFault(f"{self._ledger.store.url}/{error.missing} is not seen there, and the driver sees it")
            if isinstance(error, Damaged):
                self._ledger.set_aside(error.record)
        if isinstance(error, NodeFault) and error.unseen and self._marked:
            try:
                WorkerPlaces(self._shared + self._written, self._sources).prove()
            except (BadInput, StoreDown, StoreFault) as own:
                return own
        return error


def _mark_in(place: str) -> PlaceMarker:
    return PlaceMarker(place, f"{MARKS}/{token_hex(16)}", token_hex(32))


def _first_file(place: str) -> str | None:
    """A film itself; of a folder of pictures its first file. None where there is none: whoever reads them says so."""
    if is_file(place):
        return place
    first = next(open_store(place).list(""), None)
    return first and f"{place.rstrip('/')}/{first}"
