"""The store: named objects in S3 or in a folder, with one meaning in both. Promises whole objects or none, and create-if-absent; knows no job."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol


class Stat(NamedTuple):
    """What a store says of an object without reading it."""

    bytes: int
    version: str
    """Changes whenever the object does. S3: ETag and version id. A folder: modification time in nanoseconds."""


class Store(Protocol):
    """Objects by key. Keys are slash-separated, relative, without '..'. All raise BadStore or StoreFault, and nothing else."""

    url: str
    """Without a slash at its end, and without credentials."""

    def check(self) -> None:
        """Prove that objects can be written, read and deleted here. Raises BadStore with a sentence saying why not."""

    def read(self, key: str) -> bytes:
        """A whole object. Raises BadStore where there is none."""

    def open(self, key: str) -> BinaryIO:
        """An object as a seekable stream read in ranges, never whole. Raises BadStore where there is none."""

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        """Write a whole object at once. False where `only_if_absent` and there is one already."""

    def write_file(self, key: str, path: Path, *, only_if_absent: bool = False) -> bool:
        """Write a file's contents as an object, in parts where it is large; readers see all of it or nothing."""

    def stat(self, key: str) -> Stat | None:
        """Size and version, or None where there is no such object."""

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, in order."""

    def delete(self, key: str) -> None:
        """Delete an object; no error where there is none."""


def open_store(url: str) -> Store:
    """The store at a folder's path, file:///folder or s3://bucket/prefix. Nothing is contacted yet."""
    raise NotImplementedError
