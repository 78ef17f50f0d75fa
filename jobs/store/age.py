"""How long ago an object was written, by its store's own clock, never by this machine's."""

import os
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

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


def answer_age(date: str | None, written: datetime) -> float | None:
    """Seconds since `written`, by the Date header of the very answer that told it."""
    return (parsedate_to_datetime(date) - written).total_seconds() if date else None
