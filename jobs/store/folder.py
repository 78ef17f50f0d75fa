"""A store in a folder, on a local or a shared disk. Files appear whole or not at all, and no key leads outside the folder."""

import fcntl
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from jobs.errors import BadStore
from jobs.store.age import file_age, folder_time
from jobs.store.allowed_places import proven
from jobs.store.folder_writer import FolderWriter, begun, partial_name
from jobs.store.protocol import BUFFER, PARTIAL, Stat, check_key, check_prefix, prove, told
from jobs.store.retry import patient
from jobs.store.traffic import CountedFile, passed


class FolderStore:
    """Objects are files below `root`; folders come into being as needed and mean nothing.

    `root` may be a link. A link below it counts where it leads to a place below it; a key that leads through another is
    refused, and a listing looks into no folder by a link (it might be its own).
    """

    def __init__(self, root: Path, url: str = "") -> None:
        """`url`: what the folder is called, by default its path: another where a link to it was resolved."""
        self.root = root
        self.url = url or str(root)

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
            file = proven(CountedFile(path), str(path), self.root)
            return io.BufferedReader(file, BUFFER)

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
    def rename(self, old: str, new: str, found: Stat, over: Stat | None) -> bool:
        source, target = self._path(old), self._path(new)
        link = target.parent / f"{PARTIAL}{uuid4().hex}"
        passed("write")
        with told("rename", str(source)):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, link)  # holds on to this very file, whatever gets its old name meanwhile
            try:
                if _stat(link.stat()) != found or not _placed(link, target, over):
                    return False
                if source.exists() and _stat(source.stat()) == found:
                    source.unlink(missing_ok=True)
            finally:
                link.unlink(missing_ok=True)
        self.prune(source.parent)
        return True

    @patient
    def stat(self, key: str) -> Stat | None:
        path = self._path(key)
        passed("read")
        with told("look at", str(path)):
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _stat(found) if stat.S_ISREG(found.st_mode) else None

    def age(self, key: str) -> float | None:
        passed("read")
        return file_age(self._path(key))

    @patient
    def clock(self) -> float:
        passed("write")
        with told("write in", self.url):
            self.root.mkdir(parents=True, exist_ok=True)
            return folder_time(self.root)

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

    def link(self, key: str, seconds: int) -> None:
        return None

    def unfinished(self, prefix: str) -> Iterator[str]:
        begin = check_prefix(prefix)
        for folder, _, names in os.walk(self.root / begin.rpartition("/")[0]):
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
            left = list(path.parent.glob(f"{partial_name(name)}*"))
        with told("delete", str(path)):
            for one in left:
                one.unlink(missing_ok=True)
        self.prune(path.parent)

    def prune(self, folder: Path) -> None:
        """Remove a folder that the last object has left, and those above that are empty then, but not the store's own."""
        with suppress(OSError):
            while folder != self.root:
                folder.rmdir()
                folder = folder.parent

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
            file = begun(partial)
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


def _placed(link: Path, target: Path, over: Stat | None) -> bool:
    """Give the file at `link` the name `target`, if what has that name is `over`, or nothing has it where that is None."""
    if over is None:
        try:
            os.link(link, target)
        except FileExistsError:
            if target.is_dir():
                raise BadStore(f"{target} is a folder, where an object was to be written; remove it.") from None
            return target.samefile(link)  # so NFS says of a link that it made, when a reply was lost
        return True
    with suppress(FileNotFoundError), open(target, "rb") as there:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(there, fcntl.LOCK_EX)
        # Who waited for the lock holds a file that has lost its name meanwhile.
        if over == _stat(os.fstat(there.fileno())) == _stat(target.stat()):
            os.replace(link, target)
            return True
        return target.samefile(link)
    return False


def _stat(found: os.stat_result) -> Stat:
    return Stat(found.st_size, _version(found))


def _version(found: os.stat_result) -> str:
    # Two writes within one tick of the clock share their time, but not their inode.
    return f"{found.st_mtime_ns}-{found.st_ino}"


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
