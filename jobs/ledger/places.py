"""Checks that every worker sees the same store, output and source as the driver.

The driver leaves a mark of random content in the store and the output for as long as it works: a folder that merely has the same
name on another machine, or a copy of it, has not got that mark.
"""

from dataclasses import dataclass
from typing import NamedTuple

from jobs.errors import BadInput, BadStore, FarmError
from jobs.film.source import SourceIdentity
from jobs.store import FolderStore, open_store, source_identity


class PlaceMarker(NamedTuple):
    """An object that the driver has written."""

    store: str
    key: str
    content: str


@dataclass(frozen=True)
class WorkerPlaces:
    """What one worker must see."""

    marks: tuple[PlaceMarker, ...] = ()
    sources: tuple[tuple[str, SourceIdentity], ...] = ()
    """URLs of the film, or of some of the pictures, for who reads them, and what tells each from any other."""

    def unseen(self, *, to_write: bool = False) -> str | None:
        """Why something cannot be seen from this machine as the driver sees it; None where all can. `to_write`: prove writing, too."""
        try:
            for mark in self.marks:
                store = open_store(mark.store)
                if not store.stat(mark.key) or store.read(mark.key) != mark.content.encode():
                    return _unlike(mark)
                if to_write:
                    store.check()
            for url, identity in self.sources:
                if source_identity(url) != identity:
                    return f"the source {url} is another there than the driver sees; mount the same folder"
        except FarmError as error:
            return str(error).rstrip(".")
        return None

    def lost(self) -> str | None:
        """Why what was just written here does not lie where the driver sees it; None where it does. Asks folders alone.

        Where a mount has gone, its folder is an empty one of this machine's own, which takes whatever is written; a bucket that
        cannot be reached raises errors.
        """
        for mark in self.marks:
            store = open_store(mark.store)
            if isinstance(store, FolderStore) and not store.stat(mark.key):
                return _unlike(mark)
        return None

    def prove(self) -> None:
        """The driver's own look: raises BadInput or StoreDown where it cannot see or write them itself."""
        for mark in self.marks:
            store = open_store(mark.store)
            store.check()
            if not store.stat(mark.key):
                raise BadStore(f"{mark.store}/{mark.key}, by which workers know the place, was deleted; run again.")
        for url, identity in self.sources:
            if source_identity(url) != identity:
                raise BadInput(f"The source {url} was changed while it was worked on; begin a new job for it.")


def _unlike(mark: PlaceMarker) -> str:
    return f"{mark.store} is not the place that the driver sees under that name; mount it there"
