"""Image sequences: numbered picture files without a gap, in a folder or in S3, read as one film.

A sequence is named by a pattern, shots/f.%04d.dpx or shots/f.####.dpx, or by a folder that holds exactly one; and its rate
stands behind it: shots/f.%04d.dpx?rate=24000/1001. So a URL is enough to open it, wherever films are opened.
"""

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from jobs.errors import BadMedia
from jobs.film.image_sequence_names import FOURCC, ending, parted, pattern, rate_of
from jobs.store.allowed_places import admitted, is_allowed, is_confined, proven, refusal
from jobs.store.protocol import Bucket, Stat, told
from jobs.store.virtual_quicktime import VirtualQuickTime, header
from jobs.untrusted import NOT_UTF8_FILE, is_placeable

if TYPE_CHECKING:
    from jobs.store.s3.store import S3Store

_NUMBERED = re.compile(r"(?P<head>.*?)(?P<number>\d+)(?P<tail>\D*\.[^.]+)")


class _File(NamedTuple):
    """One picture file: its number, its name, and what the folder says of it."""

    number: int
    name: str
    bytes: int
    version: str
    """Modification time in nanoseconds, or ETag."""


@dataclass(frozen=True)
class ImageSequence:
    """Numbered picture files without a gap, and how they are opened."""

    files: Sequence[_File]
    rate: Fraction
    open_one: Callable[[_File, int], BinaryIO]
    """Opens a file, with a buffer of so many bytes."""

    @property
    def version(self) -> str:
        """How many files at which rate, and a hash of every file's name, size and time."""
        found = hashlib.sha256()
        for one in self.files:
            found.update(f"{one.name}\0{one.bytes}\0{one.version}\n".encode())
        return f"{len(self.files)} files at {self.rate}, {found.hexdigest()}"

    @property
    def header(self) -> bytes:
        """What stands before the files' bytes."""
        return header(FOURCC[ending(self.files[0].name)], [one.bytes for one in self.files], self.rate)

    @property
    def bytes(self) -> int:
        """Header and all files."""
        return len(self.header) + sum(one.bytes for one in self.files)

    def open(self, buffer: int) -> BinaryIO:
        """The sequence as a QuickTime movie: a seekable stream that fetches `buffer` bytes at once."""

        def one(place: int) -> BinaryIO:
            file = self.files[place]
            return self.open_one(file, max(2, min(buffer, file.bytes)))

        movie = VirtualQuickTime(self.header, [file.bytes for file in self.files], one)
        return cast(BinaryIO, io.BufferedReader(movie, buffer))


def is_sequence(url: str) -> bool:
    """Whether a source is named as an image sequence: by a pattern, or with a rate."""
    return parted(url).rate is not None or pattern(url) is not None


def rated(url: str, rate: str = "24") -> str:
    """A sequence's URL with a rate: its own, or `rate`. Any other source as it is."""
    folder = "://" not in url and os.path.isdir(url)
    return f"{url}?rate={rate}" if (folder or is_sequence(url)) and parted(url).rate is None else url


def find_sequence(url: str) -> ImageSequence:
    """The sequence that `url` names. Raises BadMedia where there is none, more than one, one with gaps, or no rate."""
    place, said = parted(url)
    if said is None:
        raise BadMedia(
            f"The source {url} is an image sequence and needs a rate: set rate: 24 (--rate 24), or whatever it is."
        )
    try:
        rate = rate_of(said)
    except ValueError as wrong:
        raise BadMedia(f"The source {url} has no rate that can be read: {wrong}.") from None
    named = pattern(place)
    where = admitted(place if named is None else place.rpartition("/")[0] or ("/" if place[:1] == "/" else "."))
    if named is None and isinstance(where, Path) and not os.path.isdir(where):
        why = "is no image sequence and has its own rate: leave the rate out, or write its number as ####"
        raise BadMedia(f"The source {place} {why if os.path.exists(where) else 'does not exist: check the path'}.")
    folder = _folder(where)
    listed = folder.listed()
    found = _sequences(listed) if named is None else {place: sorted(_matching(listed, named))}
    if len(found) > 1:
        raise BadMedia(f"The source {place} holds {len(found)} image sequences; name one: {', '.join(sorted(found))}.")
    files = next(iter(found.values()), [])
    if not files:
        kinds = ", ".join(f".{one}" for one in FOURCC)
        raise BadMedia(f"The source {place} has no numbered pictures ({kinds}); check the path.")
    _refuse_gaps(place, files)

    return ImageSequence(
        files, rate, lambda file, buffer: folder.open(file.name, buffer=buffer, known=Stat(file.bytes, file.version))
    )


def _matching(listed: Iterator[tuple[str, Stat]], named: re.Match[str]) -> Iterator[_File]:
    width = len(named["hashes"]) if named["hashes"] else int(named["width"] or 1)
    # As printf writes: filled up with zeros, and longer where the number is.
    number = rf"(\d{{{width}}}|[1-9]\d{{{width},}})"
    wanted = re.compile(re.escape(named["head"]) + number + re.escape(named["tail"]))
    for name, (size, version) in listed:
        if number_in := wanted.fullmatch(name):
            yield _File(int(number_in[1]), name, size, version)


def _sequences(listed: Iterator[tuple[str, Stat]]) -> dict[str, list[_File]]:
    """Every numbered sequence of pictures in a folder, by a name for people. The last number in a name counts."""
    found: dict[tuple[str, str], list[_File]] = {}
    for name, (size, version) in listed:
        if ending(name) in FOURCC and not name.startswith(".") and (named := _NUMBERED.fullmatch(name)):
            file = _File(int(named["number"]), name, size, version)
            found.setdefault((named["head"], named["tail"]), []).append(file)
    return {f"{head}####{tail}": sorted(files) for (head, tail), files in found.items()}


def _refuse_gaps(place: str, files: Sequence[_File]) -> None:
    if not is_placeable(files[0].name):  # all are called alike
        raise BadMedia(f"The source {place} has the file {files[0].name}: {NOT_UTF8_FILE}, with all of the sequence.")
    for number, file in enumerate(files, files[0].number):
        if file.number < number:
            raise BadMedia(
                f"The source {place} has frame {file.number} twice ({file.name}); keep one of the two files."
            )
        if file.number > number:
            raise BadMedia(f"The source {place} lacks frame {number} (before {file.name}); put the file there.")
        if not file.bytes:
            raise BadMedia(f"The source {place} has an empty file, {file.name}; copy it again.")


class _Folder:
    """A folder on a disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def listed(self) -> Iterator[tuple[str, Stat]]:
        """Every file's name, and what is known of it, in no order."""
        if not os.path.isdir(self._path):
            raise BadMedia(f"The source's folder {self._path} does not exist; check the path.")
        with told("read", str(self._path)), os.scandir(self._path) as files:
            for one in files:
                if one.is_symlink() and is_confined() and not is_allowed(one.path):
                    raise refusal(one.path)
                if one.is_file():
                    found = one.stat()
                    yield one.name, Stat(found.st_size, str(found.st_mtime_ns))

    def open(self, name: str, *, buffer: int, known: Stat) -> BinaryIO:
        """A file, to be read `buffer` bytes at once. Raises OSError where it is no longer the file that was listed."""
        found = (self._path / name).stat()
        if known != (found.st_size, str(found.st_mtime_ns)):
            raise OSError(f"{name} was changed since it was listed")
        return proven(open(self._path / name, "rb", buffering=buffer), name)


def _folder(place: Path | Bucket) -> "_Folder | S3Store":
    if isinstance(place, Path):
        return _Folder(place)
    # Imported where a film does lie in S3: see `open_store`.
    from jobs.store.s3.store import S3Store

    return S3Store(place.bucket, place.key)
