"""The interface of a store, and which keys and URLs are valid. No key can lead out of its store."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, Self
from urllib.parse import unquote
from uuid import uuid4

from jobs.errors import BadStore, NodeFault, StoreFault
from jobs.untrusted import scrub

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

BUFFER = 1 << 20
"""Bytes that a stream fetches at once, at least: demuxers ask for a few KB at a time."""

PARTIAL = ".partial-"
"""What the names of half-written files in a folder begin with; no key may use it."""

_PASSING = frozenset(
    {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)
"""What a network file system or a crowded machine says in passing."""


class Stat(NamedTuple):
    """What a store says of an object without reading it."""

    bytes: int
    version: str
    """Changes whenever the object does. S3: ETag and version id. A folder: modification time in nanoseconds and inode."""


class Writer(Protocol):
    """An object on its way into a store, written forward; the object is there when the `with` block ends, whole or not at all.

    Where the block ends in an error there is no object; what a bucket has of it is kept for the next try. Only one thread
    may write. All methods raise BadStore or StoreFault; after that every one does, since a muxer may pass over the first.
    """

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write on from where the writer stands. Gives the number of bytes, always all of them."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Stand elsewhere: at the end, or where bytes may be written again. Raises BadStore for any other place."""

    def tell(self) -> int:
        """Where the writer stands, in bytes."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """Objects by key. Keys are slash-separated, relative, without '..'. All raise BadStore or StoreFault, and StoreDown in mid-job.

    Stores can be pickled and used from many threads. Reading on in a stream from a folder may also raise OSError.
    """

    url: str
    """Without a slash at its end, and without credentials."""

    def check(self) -> None:
        """Prove that objects can be written, read and deleted here, and whatever else a job asks of a store.

        Raises BadStore with a sentence saying why not.
        """

    def read(self, key: str) -> bytes:
        """A whole object. Raises BadStore where there is none."""

    def open(self, key: str) -> BinaryIO:
        """An object as a seekable stream read in ranges, never whole. Raises BadStore where there is none."""

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        """Write a whole object at once. False where `only_if_absent` and there is one already."""

    def replace(self, key: str, data: bytes, version: str) -> str | None:
        """Write a whole small object if the one that is there still has `version` (`Stat`), as one step: of two who try one succeeds.

        Gives the new version; None where the object is another by now, or gone. In a folder without locks (flock) two who
        try in the very same instant may both succeed.
        """

    def write_file(self, key: str, path: Path, *, only_if_absent: bool = False) -> bool:
        """Write a file's contents as an object, in parts where it is large; readers see all of it or nothing."""

    def create(self, key: str, *, anywhere: bool = False, expected: int = 0) -> Writer:
        """An object to be written forward, piece by piece, of any length; one of that name is replaced at the end.

        Its first bytes, 16 MiB at least, may be written again until the end. `anywhere`: so may all others, at the price
        of a temporary file of the object's size where the store is a bucket. `expected`: bytes that the object will have at
        most, by a generous estimate; a bucket is sent equal parts up to there, and larger ones beyond. Begun again after an interruption, and given
        the same bytes, a bucket is sent only what it lacks.
        """

    def rename(self, old: str, new: str, found: Stat, over: Stat | None) -> bool:
        """Give the object `old`, as it was `found`, the name `new`, without reading it here, if what has that name is still `over`.

        `over` None: nothing has the name. False, and nothing is changed, where one of the two is another by now; of two who
        try to replace the same object one succeeds. Raises BadStore where there is no object `old`. In a folder without
        locks (flock) two who try in the very same instant may both succeed.
        """

    def stat(self, key: str) -> Stat | None:
        """Size and version, or None where there is no such object."""

    def age(self, key: str) -> float | None:
        """Seconds since an object was last written, by the store's own clock and no other.

        A bucket tells in one answer. A folder is asked by a probe beside the object. None where there is no such object, or
        no probe can be written.
        """

    def clock(self) -> float:
        """The store's own time now, in seconds since 1970: a bucket's by its answer, a folder's by a probe that is deleted again."""

    def list(self, prefix: str) -> Iterator[str]:
        """All keys that begin with `prefix`, a mere string that need not end at a slash, in order of their characters."""

    def delete(self, key: str) -> None:
        """Delete an object; no error where there is none."""

    def link(self, key: str, seconds: int) -> str | None:
        """A URL by which whoever has it may read an object for so long, without credentials; None where there is no such thing, as in a folder. Asks nobody."""

    def unfinished(self, prefix: str) -> Iterator[str]:
        """What lies here half-written below a prefix, growing now or left by a writer that died, by names that `abort` takes.

        A bucket bills for it, though no listing shows it: there a name is the key it was to have, once however many there
        are. In a folder it is the partial file's.
        """

    def abort(self, key: str) -> None:
        """Delete what is half-written of a key, or one of `unfinished`; no error where there is none. Its writer, at work, fails."""


class Bucket(NamedTuple):
    """A place in S3."""

    bucket: str
    key: str


def locate(url: str) -> Path | Bucket:
    """Where a path, file:///path or s3://bucket/key points; paths become absolute. Contacts nothing."""
    scheme, separator, rest = url.partition("://")
    if not separator or "/" in scheme:
        if not url.strip() or "\0" in url:
            raise BadStore("A place is missing; give a path, file:///path or s3://bucket/key.")
        return Path(os.path.abspath(os.path.expanduser(url)))
    if scheme == "file":
        host, _, path = rest.partition("/")
        if host in ("", "localhost") and "\0" not in (path := unquote(path)):
            return Path(os.path.abspath(f"/{path}"))
    if scheme == "s3":
        bucket, _, key = rest.partition("/")
        # Neither the name nor the URL is repeated: what is wrong with it may be that it holds a secret.
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,62}", bucket):
            raise BadStore(
                "An S3 place reads s3://bucket/key, the bucket in lower case letters, digits, '.' and '-', and without "
                "credentials; give those as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or in a profile."
            )
        if {".", ".."} & set(key.split("/")):
            raise BadStore("A key in S3 is written out: no part of s3://bucket/key is '.' or '..'.")
        return Bucket(bucket, key)
    raise BadStore(
        f"'{scrub(url)}' is not a place that the farm can open; give a path, file:///path or s3://bucket/key."
    )


def check_key(key: str) -> str:
    """The key itself. Raises BadStore where it could leave the store, or cannot be the same in a folder and in S3."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or part.startswith(PARTIAL) for part in parts):
        raise BadStore(
            f"'{key}' cannot be a key: keys are relative, and no part is empty, '.', '..' or begins with {PARTIAL}"
        )
    return _plain(key)


def check_prefix(prefix: str) -> str:
    """The prefix itself. Raises BadStore where it points out of the store."""
    if prefix.startswith("/") or ".." in prefix.split("/"):
        raise BadStore(f"'{prefix}' cannot begin a key: keys are relative and without '..'.")
    return _plain(prefix)


def _plain(key: str) -> str:
    if any(letter < " " or "\ud800" <= letter <= "\udfff" for letter in key):
        raise BadStore(f"{key!r} cannot be a key: it holds control characters or broken text.")
    return key


def prove(store: Store) -> None:
    """Write, read back and delete a probe. Refuses a place that does not keep the first of two writes."""
    key, data = f"probe-{uuid4().hex}", b"written by film-farm to prove this store; may be deleted"
    store.write(key, data, only_if_absent=True)
    try:
        twice = store.write(key, b"", only_if_absent=True)
        intact = store.read(key) == data
    finally:
        store.delete(key)
    if twice or not intact:
        raise BadStore(
            f"{store.url} overwrites an object that was to be created only if absent; "
            "use a folder, or an S3 service that honours If-None-Match."
        )


@contextmanager
def told(doing: str, where: str) -> Iterator[None]:
    """Tell an OSError as BadStore or StoreFault, in one sentence: "Cannot write /x: ..."."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        if error.errno in _PASSING:
            raise StoreFault(f"Cannot {doing} {where}: {why}.") from None
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            advice = "free some space and run again, finished work is kept"
        elif error.errno == errno.ENOENT and doing == "read":
            advice = "it is not there; if a record names it, delete that record, and the piece is made again"
        elif error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            advice = "choose a folder that you own, on a file system with hard links"
        else:
            advice = "choose a folder that you can read and write"
        raise BadStore(f"Cannot {doing} {where}: {why}; {advice}.") from None


@contextmanager
def told_here(folder: str) -> Iterator[None]:
    """Tell an OSError of this machine's own temporary folder as NodeFault."""
    try:
        yield
    except OSError as error:
        raise NodeFault(
            f"cannot write in {folder}: {error.strerror or error}; make room there, or set TMPDIR"
        ) from None
