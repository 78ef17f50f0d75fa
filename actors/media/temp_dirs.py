"""Makes the temporary folders of workers. What a killed worker left behind is removed by the next one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.store.protocol import told_here

PREFIX = "farm-spool-"


@contextmanager
def spool(purpose: str) -> Iterator[str]:
    """A folder for as long as the block lasts, under TMPDIR. A worker that is killed cannot clear up: the next one does."""
    with told_here(os.environ.get("TMPDIR", "/tmp")):
        _sweep(Path(tempfile.gettempdir()))
        made = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-{purpose}-")
    with made as name:
        yield name


def _sweep(root: Path) -> None:
    for left in root.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not _lives(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _lives(process: int) -> bool:
    with suppress(ProcessLookupError):
        try:
            os.kill(process, 0)
        except PermissionError:
            return True
        return True
    return False
