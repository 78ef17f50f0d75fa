"""Tries a store for `farm doctor`: whether a job can work in it, its clock, and its room. Nothing is left behind in it."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from jobs.store import Store, locate, open_store

SKEW_SECONDS = 60.0
"""Apart from a store's clock from where it is told; S3 refuses requests from 15 minutes on."""
LEAST_ROOM = 4 << 30
"""Bytes of a store on a disk: a feature film's chunks and deliverables take many times as much."""
_S3_HAS = "conditional writes, multipart uploads, reading in ranges, listings and copies work"  # as S3Store.check tries them all


class TriedStore(NamedTuple):
    """What was found of a store that can be worked in, in sentences."""

    found: str
    advice: str
    """Empty where there is nothing to do."""


def tried_store(place: str) -> TriedStore:
    """Write, read and delete small objects in a store, as a job would. Raises BadStore, or StoreFault, where it cannot be worked in."""
    store, folder = open_store(place), locate(place)
    if not isinstance(folder, Path):
        store.check()
        clock, late = clock_of(store)
        return TriedStore(f"{store.url} can be worked in: {_S3_HAS}; {clock}.", late)
    with _as_it_was(folder):
        store.check()
        clock, late = clock_of(store)
        free, locks = shutil.disk_usage(folder).free, _has_locks(folder)
    advice = [
        late,
        "" if free >= LEAST_ROOM else "free some space, or choose a larger disk.",
        "" if locks else "mount the file system with locks: else two drivers that begin in one instant may both go on.",
    ]
    can = f"writing once and linking work{'' if locks else ', locks (flock) do not'}; {free / (1 << 30):,.1f} GiB are free"
    return TriedStore(f"{store.url} can be worked in: {can}; {clock}.", " ".join(filter(None, advice)))


def clock_of(store: Store) -> tuple[str, str]:
    """How far a store's clock is from this machine's, and what to do about it, if anything."""
    ahead = store.clock() - time.time()
    # An answer's Date header has whole seconds.
    said = (
        "its clock is this machine's"
        if abs(ahead) < 2
        else f"its clock is {abs(ahead):,.0f} s {'ahead' if ahead > 0 else 'behind'}"
    )
    return said, "set this machine's clock, or the store's (NTP)." if abs(ahead) > SKEW_SECONDS else ""


def _has_locks(folder: Path) -> bool:
    with suppress(OSError), tempfile.TemporaryFile(dir=folder) as probe:
        fcntl.flock(probe, fcntl.LOCK_EX)
        return True
    return False


@contextmanager
def _as_it_was(folder: Path) -> Iterator[None]:
    """Folders that come into being meanwhile are removed again, unless somebody else has put something there."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        yield
    finally:
        with suppress(OSError):
            for each in made:
                each.rmdir()
