"""stills.json beside exported stills: which frame each is of, and the hash by which one that comes back unedited is known."""

from typing import Literal

from jobs.document import Document, read_document
from jobs.errors import BadSpec
from jobs.film.source import SourceIdentity
from jobs.store import Store, open_store

EXPORTS = "stills.json"


class ExportedStill(Document):
    """One still as it was written."""

    name: str
    shot: int
    frame: int
    at: str
    """Time code of the frame, or its time on the clock."""
    sha256: str


class StillsExport(Document):
    """stills.json."""

    kind: Literal["stills"] = "stills"
    version: Literal[1] = 1
    job: str
    source: str
    identity: SourceIdentity
    """Of the film, whatever it is called by now."""
    stills: tuple[ExportedStill, ...]
    """In order of their frames."""


class StillsReport(Document):
    """`farm stills --json`: what one run of it came to."""

    output: str
    """The folder, or s3:// place."""
    sheets: tuple[str, ...]
    stills: tuple[ExportedStill, ...]
    """Those of this run."""
    rendered: int
    """Made by this run; the others were in the store."""
    edited: tuple[str, ...]
    """Files that somebody has painted on since, and which stay as they are."""
    lacking: tuple[str, ...]
    """What could not be made, and why."""


def exported_in(place: str) -> frozenset[str]:
    """Hashes of the stills that were exported into a folder: what has one of them is not painted on. Empty where nothing tells."""
    found = read_exports(open_store(place))
    return frozenset(still.sha256 for still in found.stills) if found else frozenset()


def read_exports(output: Store) -> StillsExport | None:
    """stills.json; None where there is none, or where it is damaged."""
    return read_document(StillsExport, output.read(EXPORTS)) if output.stat(EXPORTS) else None


def refuse_another_film(before: StillsExport | None, identity: SourceIdentity, output: Store) -> None:
    """Raises BadSpec where the folder has stills of another film, whose frames bear the same numbers."""
    if before and (before.identity.bytes, before.identity.ends_sha256) != (identity.bytes, identity.ends_sha256):
        raise BadSpec(
            f"{output.url} has stills of another film, {before.source}: give --out a folder of its own, or move those elsewhere."
        )
