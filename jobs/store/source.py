"""Opens a film, or a small text file, at a path, file:// or s3:// to be read."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from jobs.errors import BadMedia
from jobs.film.source import SourceIdentity
from jobs.store.allowed_places import admitted, is_confined, proven
from jobs.store.protocol import Bucket, locate, told
from jobs.store.sequence import find_sequence, is_sequence

END = 1 << 20
"""How much of a source's head and of its tail goes into its identity."""
SOURCE_BUFFER = 4 << 20
"""Bytes fetched at once from a source in S3: films are read mostly forward."""

OCTETS_BUFFER = 1 << 16
"""Bytes fetched at once where only a few are wanted, here and there."""

_OR_A_RATE = ", or set rate: 24 (--rate 24) where it holds pictures of that many a second"


class _Found(NamedTuple):
    """A source that is there, is a file, and is not empty."""

    bytes: int
    version: str
    open: Callable[[int], BinaryIO]
    """A stream with a buffer of that many bytes."""


def source_identity(url: str) -> SourceIdentity:
    """What tells this source from any other: of an image sequence, all names, sizes and times. Reads its first and its last MiB, no more."""
    found = _find(url)
    with told("read", url), found.open(END) as file:
        ends = hashlib.sha256(file.read(END))
        file.seek(max(0, found.bytes - END))
        ends.update(file.read(END))
    return SourceIdentity(bytes=found.bytes, version=found.version, ends_sha256=ends.hexdigest())


def open_source(url: str) -> str | BinaryIO:
    """The source for a demuxer: a local path, which libav opens best itself, or a stream: ranged reads from S3, an image sequence.

    Where this process may not open everything, a local file is a stream, too: libav would follow a link that was changed meanwhile.
    """
    found = _find(url)
    place = None if is_sequence(url) or is_confined() else locate(url)
    return str(place) if isinstance(place, Path) else found.open(SOURCE_BUFFER)


def open_octets(url: str, buffer: int = OCTETS_BUFFER) -> BinaryIO:
    """The source's own bytes, wherever it lies, for those who look at some of them here and there: `buffer` at once. Raises BadMedia."""
    return _find(url).open(buffer)


def read_small(url: str, limit: int = 16 << 20) -> bytes:
    """A spec or a shot list, whole. Raises BadMedia for one of more than `limit` bytes."""
    found = _find(url)
    if found.bytes > limit:
        raise BadMedia(f"{url} has {found.bytes:,} bytes, and a file of this kind at most {limit:,}; check the path.")
    with told("read", url), found.open(END) as file:
        return file.read()


def is_file(url: str) -> bool:
    """Whether a place is a file and no folder: a film where there might be pictures."""
    place = admitted(url)
    if isinstance(place, Path):
        return place.is_file()
    key = place.key.rstrip("/")
    return bool(key) and _find_object(Bucket(place.bucket, key)) is not None


def _find(url: str) -> _Found:
    if is_sequence(url):
        sequence = find_sequence(url)
        return _Found(sequence.bytes, sequence.version, sequence.open)
    place = admitted(url)
    found = _find_file(place) if isinstance(place, Path) else _find_object(place)
    if found is None:
        raise BadMedia(f"The source {url} does not exist; check the path.")
    if found.bytes == 0:
        raise BadMedia(f"The source {url} is empty; copy it here again.")
    return found


def _find_file(path: Path) -> _Found | None:
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise BadMedia(f"The source {path} cannot be read: {error.strerror}; check it and its permissions.") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise BadMedia(f"The source {path} is {kind}; name one film file{_OR_A_RATE if kind == 'a folder' else ''}.")
    return _Found(
        found.st_size, str(found.st_mtime_ns), lambda buffer: proven(open(path, "rb", buffering=buffer), str(path))
    )


def _find_object(place: Bucket) -> _Found | None:
    if not place.key or place.key.endswith("/"):
        raise BadMedia(f"The source s3://{place.bucket}/{place.key} is a folder; name one film file{_OR_A_RATE}.")
    # Imported where a film does lie in S3: see `open_store`.
    from jobs.store.s3.store import S3Store

    store = S3Store(place.bucket, "")
    found = store.stat(place.key)
    return _Found(*found, lambda buffer: store.open(place.key, buffer=buffer)) if found else None
