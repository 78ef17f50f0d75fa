"""Which places this process may open: where a job works on a cluster, those alone that the cluster's operator has allowed.

Whatever opens a place that a spec, a look, a recipe or a shot list names passes here as it is opened (`open_store` and
source.py): links are resolved once, and what was resolved is what is opened. Whoever works on a machine of their own may open
whatever they can read.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from jobs.errors import BadStore
from jobs.store.protocol import Bucket, locate

PLACES = "FARM_ALLOWED_PLACES"
"""The environment variable: folders and s3://bucket/prefix, separated by commas, blanks or colons. Where it is set, nothing else is opened."""
FOLDERS = "FARM_ALLOWED_FOLDERS"
"""Folders, separated as in PATH. They are allowed, too."""
LOOKS = "FILM_FARM_LOOKS"
"""The operator's library of looks: read by all, written by none."""
CONFINED = "FARM_CONFINED"
"""Set in a driver that has joined a cluster, and by it in all of its workers."""

_own: set[Path] = set()


class OpenFile(Protocol):
    """A file of this machine that is open."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


AnyFile = TypeVar("AnyFile", bound=OpenFile)


@contextmanager
def confined(joins_cluster: bool) -> Iterator[None]:
    """For as long as the block lasts nothing but what is allowed is opened in this process, where it works on a cluster."""
    before = os.environ.get(CONFINED)
    if joins_cluster:
        os.environ[CONFINED] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(CONFINED, None)
        else:
            os.environ[CONFINED] = before


def for_workers() -> dict[str, str]:
    """What workers of a confined driver have in their environment, so that they are confined as it is."""
    if not is_confined():
        return {}
    return {name: os.environ[name] for name in (PLACES, FOLDERS, LOOKS) if name in os.environ} | {CONFINED: "1"}


def library_of_looks() -> str:
    """Where the library of looks lies: a folder or s3://, by default ~/.film-farm/looks."""
    return os.environ.get(LOOKS) or str(Path.home() / ".film-farm" / "looks")


def is_confined() -> bool:
    """Whether this process may open no place but those that are allowed."""
    return CONFINED in os.environ


def keeps_tenants_apart() -> bool:
    """Whether the operator has named the places of whoever works here: others on the cluster may have others."""
    return PLACES in os.environ


def own(folder: Path) -> Path:
    """The folder itself, which the farm has made or brought along: no job names it, and it may be opened."""
    _own.add(Path(os.path.realpath(folder)))
    return folder


def is_allowed(place: str, *, looks: bool = False) -> bool:
    """Whether the operator allows a place, links resolved: a path, file:// or s3://. Where nothing is said of S3, all of it is.

    `looks`: to be read for a look, which the operator's library has, too.
    """
    found = locate(place)
    real = found if isinstance(found, Bucket) else Path(os.path.realpath(found))
    return _admits(real) or (looks and _in_library(real))


def is_shared(place: str) -> bool:
    """Whether a place lies in a folder that the operator allows: one that all machines of a cluster share."""
    found = locate(place)
    return isinstance(found, Path) and _admits(found)


def admitted(place: str, *, looks: bool = False) -> Path | Bucket:
    """Where a place is, to be opened; of a path what it leads to, where this process is confined. `looks`: the operator's library, too.

    Raises BadStore for a place that is not allowed, without having looked whether it is there.
    """
    found = locate(place)
    if not is_confined():
        return found
    if not is_allowed(place, looks=looks):
        raise refusal(place)
    return found if isinstance(found, Bucket) else Path(os.path.realpath(found))


def proven(file: AnyFile, place: str, within: Path | None = None) -> AnyFile:
    """The same file, just opened, once it is proven to lie where this process may read. Raises BadStore, and closes it.

    A link may have been changed since it was resolved; what is open tells where it lies. `within`: the folder that it
    must lie in, which was admitted itself; by default any that is allowed.
    """
    if is_confined():
        real = Path(os.readlink(f"/proc/self/fd/{file.fileno()}"))
        if not (real.is_relative_to(os.path.realpath(within)) if within else _admits(real)):
            file.close()
            raise refusal(place)
    return file


def refusal(place: str) -> BadStore:
    """The sentence for a place that is not allowed. It tells nothing of what is."""
    return BadStore(
        f"{place} is not among the places that this cluster's operator allows jobs to use ({PLACES}, {FOLDERS}); "
        "name one that is."
    )


def check_environment() -> None:
    """Raises BadStore for an operator's list that cannot be read."""
    _allowed()


def _admits(found: Path | Bucket) -> bool:
    folders, prefixes = _allowed()
    if isinstance(found, Bucket):
        return prefixes is None or any(_lies_in(found, prefix) for prefix in prefixes)
    real = Path(os.path.realpath(found))
    return any(real.is_relative_to(folder) for folder in (*folders, *_own))


def _lies_in(place: Bucket, prefix: Bucket) -> bool:
    # A key that begins with a slash is another object than the one without.
    own, wide = place.key.rstrip("/"), prefix.key.strip("/")
    return place.bucket == prefix.bucket and (not wide or own == wide or own.startswith(f"{wide}/"))


def _in_library(found: Path | Bucket) -> bool:
    with suppress(BadStore):
        library = locate(library_of_looks())
        if isinstance(found, Bucket):
            return isinstance(library, Bucket) and _lies_in(found, library)
        return isinstance(library, Path) and found.is_relative_to(os.path.realpath(library))
    return False


def _allowed() -> tuple[list[Path], list[Bucket] | None]:
    """Folders, links resolved, and prefixes; None of those where nothing was said of S3."""
    folders = [_real(one) for one in os.environ.get(FOLDERS, "").split(os.pathsep) if one]
    if PLACES not in os.environ:
        return folders, None
    prefixes: list[Bucket] = []
    for said in filter(None, re.split(r"[,\s]+|:(?!//)", os.environ[PLACES])):
        try:
            found = locate(said)
        except BadStore:
            raise BadStore(
                f"{PLACES}: one of its places cannot be read; it lists folders and s3://bucket/prefix, with commas between them."
            ) from None
        if isinstance(found, Bucket):
            prefixes.append(found)
        else:
            folders.append(_real(said))
    return folders, prefixes


def _real(folder: str) -> Path:
    return Path(os.path.realpath(str(locate(folder))))
