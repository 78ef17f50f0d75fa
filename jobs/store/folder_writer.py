"""Writes a growing file into a folder store. It gets its name once it is whole, or never."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self
from uuid import uuid4

from jobs.store.protocol import BUFFER, PARTIAL, told
from jobs.store.traffic import passed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from jobs.store.folder import FolderStore


class FolderWriter:
    """A partial file beside its target, which gets the target's name at the end.

    It begins anew after an interruption: to find the place again would cost reading as much. What a killed writer of the
    same target left behind goes when the next one begins.
    """

    def __init__(self, store: "FolderStore", target: Path) -> None:
        self._store = store
        self._target = target
        mine = partial_name(target.name)
        self._partial = target.parent / f"{mine}{uuid4().hex}"
        self._error: OSError | None = None
        with told("write", str(target)):
            for left in target.parent.glob(f"{mine}*"):
                left.unlink(missing_ok=True)
            self._file = begun(self._partial)
        passed("write")

    def write(self, data: "ReadableBuffer", /) -> int:
        self._do(lambda: self._file.write(data))
        size = memoryview(data).nbytes
        passed(bytes_written=size)
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._do(lambda: self._file.seek(offset, whence))

    def tell(self) -> int:
        return self._file.tell()

    def _do(self, move: Callable[[], int]) -> int:
        with told("write", str(self._target)):
            if self._error:
                raise self._error
            try:
                return move()
            except OSError as error:
                self._error = error
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._do(self._keep)
        finally:
            with suppress(OSError):  # what the disk had no room for is flushed, and refused, once more
                self._file.close()
            self._partial.unlink(missing_ok=True)
            self._store.prune(self._target.parent)

    def _keep(self) -> int:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._partial, self._target)
        return 0


def partial_name(name: str) -> str:
    """How the partial files of a growing object begin, by which its next writer finds them."""
    return f"{PARTIAL}{hashlib.sha256(name.encode()).hexdigest()[:16]}-"


def begun(partial: Path) -> BinaryIO:
    """A new file. Its folder may be pruned by another between the two steps: then both are taken again."""
    for _ in range(9):
        partial.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return open(partial, "xb", buffering=BUFFER)
    return open(partial, "xb", buffering=BUFFER)
