"""How long ago an object was written, by its store's own clock, never by this machine's."""

import os
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

from jobs.errors import BadStore
from jobs.store.protocol import PARTIAL


def file_age(path: Path) -> float | None:
    """Seconds since a file was written, against a probe written beside it now; None where it is not there or no probe can be."""
    probe = path.parent / f"{PARTIAL}{uuid4().hex}"
    with suppress(OSError), open(probe, "xb", buffering=0) as file:
        try:
            file.write(b"-")  # a network file system stamps a file with its own time when bytes come
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_mtime - path.stat().st_mtime
        finally:
            probe.unlink()
    return None


def folder_time(folder: Path) -> float:
    """The time by which a folder's file system stamps files, in seconds since 1970, by a probe written there now. Raises OSError."""
    probe = folder / f"{PARTIAL}{uuid4().hex}"
    with open(probe, "xb", buffering=0) as file:
        try:
            file.write(b"-")
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_mtime
        finally:
            probe.unlink()


def answer_time(date: str | None, url: str) -> float:
    """Seconds since 1970, by an answer's Date header. Raises BadStore for a service whose answers have none."""
    if date is None:
        raise BadStore(
            f"{url} does not say what time it is there: its answers have no Date header; use a service whose answers have one, or a folder."
        )
    return parsedate_to_datetime(date).timestamp()


def answer_age(date: str | None, written: datetime) -> float | None:
    """Seconds since `written`, by the Date header of the very answer that told it."""
    return (parsedate_to_datetime(date) - written).total_seconds() if date else None
