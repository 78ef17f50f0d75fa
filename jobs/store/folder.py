"""A store in a folder, on a local or a shared disk. Promises whole files or none, the first of two to create, and nothing outside; knows no S3."""

import fcntl
import hashlib
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self
from uuid import uuid4

from jobs.errors import BadStore
from jobs.store.age import file_age
from jobs.store.patience import patient
from jobs.store.protocol import BUFFER, PARTIAL, Stat, check_key, check_prefix, prove, told
from jobs.store.traffic import CountedFile, passed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class FolderStore:
    """Objects are files below `root`; folders come into being as needed and mean nothing.

    `root` may be a link. A link below it counts where it leads to a place below it; a key that leads through another is
    refused, and a listing looks into no folder by a link (it might be its own).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)

    def __repr__(self) -> str:
        return f"FolderStore({self.url!r})"

    def check(self) -> None:
        prove(self)

    @patient
    def read(self, key: str) -> bytes:
        with self.open(key) as file, told("read", f"{self.url}/{key}"):
            return file.read()

    @patient
    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        passed("read")
        with told("read", str(path)):
            return io.BufferedReader(CountedFile(path), BUFFER)

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        def fill(file: BinaryIO) -> None:
            file.write(data)

        return self._put(key, fill, only_if_absent)

    @patient
    def replace(self, key: str, data: bytes, version: str) -> str | None:
        target = self._path(key)
        partial = target.parent / f"{PARTIAL}{uuid4().hex}"
        passed("write", bytes_written=len(data))
        with told("write", str(target)), suppress(FileNotFoundError, NotADirectoryError), open(target, "rb") as old:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(old, fcntl.LOCK_EX)
            # Who waited for the lock holds a file that has lost its name meanwhile.
            if version != _version(os.fstat(old.fileno())) or version != _version(target.stat()):
                return None
            try:
                with open(partial, "xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                made = _version(partial.stat())
                os.replace(partial, target)
                return made
            finally:
                partial.unlink(missing_ok=True)
        return None

    def write_file(self, key: str, path: Path, *, only_if_absent: bool = False) -> bool:
        if only_if_absent and self.stat(key) is not None:
            return False  # _put would find out too, after copying it all

        def fill(file: BinaryIO) -> None:
            with told("read", str(path)), open(path, "rb") as whole:
                shutil.copyfileobj(whole, file, BUFFER)

        return self._put(key, fill, only_if_absent)

    @patient
    def create(self, key: str, *, anywhere: bool = False, expected: int = 0) -> "FolderWriter":
        # A file can be written again at any place, and grows by itself.
        return FolderWriter(self, self._path(key))

    @patient
    def rename(self, old: str, new: str) -> None:
        source, target = self._path(old), self._path(new)
        passed("write")
        with told("rename", str(source)):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, target)
        self.prune(source.parent)

    @patient
    def stat(self, key: str) -> Stat | None:
        path = self._path(key)
        passed("read")
        with told("look at", str(path)):
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stat(found.st_size, _version(found)) if stat.S_ISREG(found.st_mode) else None

    def age(self, key: str) -> float | None:
        passed("read")
        return file_age(self._path(key))

    @patient
    def _names(self, folder: str) -> list[str]:
        with told("list", f"{self.url}/{folder}"):
            try:
                with os.scandir(self.root / folder) as entries:
                    # A folder's name is sorted with its slash, as S3 sorts whole keys: "a-b" before "a/b" before "a0".
                    return sorted(
                        one.name + "/" * one.is_dir()
                        for one in entries
                        if one.is_dir(follow_symlinks=False) or one.is_file()
                    )
            except (FileNotFoundError, NotADirectoryError):
                return []

    def list(self, prefix: str) -> Iterator[str]:
        folder = check_prefix(prefix)[: prefix.rfind("/") + 1]
        passed("list")
        with told("list", self.url):
            usable = self.root.is_dir() or not self.root.exists()
        if not usable:
            raise BadStore(f"{self.url} is not a folder; choose another place for the store.")
        return self._walk(folder, prefix)

    @patient
    def delete(self, key: str) -> None:
        path = self._path(key)
        passed("write")
        if self.stat(key) is not None:
            with told("delete", str(path)):
                path.unlink(missing_ok=True)
            self.prune(path.parent)

    def unfinished(self, prefix: str) -> Iterator[str]:
        begin = check_prefix(prefix)
        for folder, _, names in os.walk(self.root):
            keys = (
                (Path(folder) / name).relative_to(self.root).as_posix() for name in names if name.startswith(PARTIAL)
            )
            yield from (key for key in sorted(keys) if key.startswith(begin))

    def abort(self, key: str) -> None:
        folder, slash, name = key.rpartition("/")
        if name.startswith(PARTIAL):
            path = (self._path(folder) if slash else self.root) / name
            left = [path]
        else:
            path = self._path(key)
            left = list(path.parent.glob(f"{_partial_name(name)}*"))
        with told("delete", str(path)):
            for one in left:
                one.unlink(missing_ok=True)
        self.prune(path.parent)

    def prune(self, folder: Path) -> None:
        """Remove a folder that the last object has left, unless it is the store's own."""
        with suppress(OSError):
            if folder != self.root:
                folder.rmdir()

    def _path(self, key: str) -> Path:
        path = self.root
        for part in check_key(key).split("/"):
            path /= part
            if os.path.islink(path) and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root)):
                raise BadStore(f"{path} is a link that leads out of {self.url}; put what it names there itself.")
        return path

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        for name in self._names(folder):
            key = folder + name
            if not key.startswith(prefix) or name.startswith(PARTIAL):
                continue
            if name.endswith("/"):
                yield from self._walk(key, prefix)
            else:
                yield key

    @patient
    def _put(self, key: str, fill: Callable[[BinaryIO], None], only_if_absent: bool) -> bool:
        target = self._path(key)
        partial = target.parent / f"{PARTIAL}{uuid4().hex}"
        with told("write", str(target)):
            file = _begun(partial)
            try:
                with file:
                    fill(file)
                    file.flush()
                    os.fsync(file.fileno())
                    passed("write", bytes_written=file.tell())
                if only_if_absent:
                    return _link(partial, target)
                os.replace(partial, target)
                return True
            finally:
                partial.unlink(missing_ok=True)


class FolderWriter:
    """A partial file beside its target, which gets the target's name at the end.

    It begins anew after an interruption: to find the place again would cost reading as much. What a killed writer of the
    same target left behind goes when the next one begins.
    """

    def __init__(self, store: FolderStore, target: Path) -> None:
        self._store = store
        self._target = target
        mine = _partial_name(target.name)
        self._partial = target.parent / f"{mine}{uuid4().hex}"
        self._error: OSError | None = None
        with told("write", str(target)):
            for left in target.parent.glob(f"{mine}*"):
                left.unlink(missing_ok=True)
            self._file = _begun(self._partial)
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


def _version(found: os.stat_result) -> str:
    # Two writes within one tick of the clock share their time, but not their inode.
    return f"{found.st_mtime_ns}-{found.st_ino}"


def _partial_name(name: str) -> str:
    """How the partial files of a growing object begin, by which its next writer finds them."""
    return f"{PARTIAL}{hashlib.sha256(name.encode()).hexdigest()[:16]}-"


def _begun(partial: Path) -> BinaryIO:
    """A new file. Its folder may be pruned by another between the two steps: then both are taken again."""
    for _ in range(9):
        partial.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            return open(partial, "xb", buffering=BUFFER)
    return open(partial, "xb", buffering=BUFFER)


def _link(partial: Path, target: Path) -> bool:
    """Give a file its name if nobody has it. NFS may say EEXIST of a link that it made, when a reply was lost: count links."""
    try:
        os.link(partial, target)
    except FileExistsError:
        if target.is_dir():
            raise BadStore(
                f"{target} is a folder, where an object was to be written; remove it or choose another store."
            ) from None
        return partial.stat().st_nlink > 1
    return True
