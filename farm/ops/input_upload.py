"""Uploads the local files that a spec names, and no others, to its store, where a cluster finds them. No file is sent twice.

<store>/<job>/submitted/<mark>/<name>   a film, the folder of an image sequence, a shot list, stills, a look's folder

The mark is of a film's size, head and tail; of a sequence's names, sizes and times; of everything in a shot list, stills and a look.
So what has changed lies elsewhere, and a job that has begun with the old one is not led astray.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from actors.looks import placed
from actors.looks.package import PAPER, open_package
from actors.picture.grading.cube import LARGEST_FILE
from actors.picture.grading.reading import with_grades_read
from farm.specs.place_policy import is_file_here
from jobs.errors import BadMedia, BadSpec, number_of
from jobs.field_paths import member
from jobs.film.image_sequence_names import pattern
from jobs.ledger.ledger import Ledger
from jobs.spec.grade import Grade
from jobs.spec.job import JobSpec, LookChoice
from jobs.spec.shots import GivenShots
from jobs.stills.exports import EXPORTS
from jobs.stills.listing import stills_in
from jobs.store import locate, read_small, source_identity
from jobs.store.allowed_places import FOLDERS, is_shared
from jobs.store.protocol import told
from jobs.store.sequence import find_sequence, is_sequence

FOLDER = "submitted/"
"""Where it lies in a job's folder."""
CONCURRENCY = 8
"""Small files that travel at once."""
SMALL = 16 << 20
"""Bytes of a file that is sent in one piece; a larger one is gone on with where it was broken off."""
AT_ONCE = 4 << 20
"""Bytes of a large file that are read at once."""


class UploadFile(NamedTuple):
    """One file on its way."""

    path: Path
    name: str
    """In the job's folder."""
    bytes: int


class InputUpload:
    """What of one spec is to be sent. Found out when it is made, which reads little of it and sends nothing.

    Raises BadSpec for a local place that can neither be sent nor is a cluster's own, BadMedia for a source that is not
    there, BadLook for a look that cannot be had.
    """

    def __init__(self, spec: JobSpec) -> None:
        for field in ("store", "output"):
            place = getattr(spec, field)
            if is_private(place):
                raise BadSpec(
                    f"{field} = {place!r}: a cluster cannot write there; give s3://bucket/prefix, or a folder that all its "
                    f"machines share and {FOLDERS} names."
                )
        if spec.grades:
            spec = with_grades_read(spec)
        self.ledger = Ledger.at(spec.store, spec.key)
        self.pieces: list[UploadFile] = []
        self.spec = self._repacked(spec)
        """The same with what is sent where it will lie."""

    def _repacked(self, spec: JobSpec) -> JobSpec:
        overrides = (
            one.model_copy(
                update={
                    "look": one.look and self._look(one.look, f"override {number + 1}, look"),
                    "grade": one.grade and self._grade(one.grade),
                }
            )
            for number, one in enumerate(spec.overrides)
        )
        places = {"look": self._look(spec.look, "look"), "overrides": tuple(overrides)}  # looks first: they are small
        places["grade"] = spec.grade and self._grade(spec.grade)
        if isinstance(spec.shots, GivenShots):
            places["shots"] = GivenShots(file=self._shots(spec.shots.file))
        if spec.stills is not None:
            places["stills"] = self._stills(spec.stills)
        return spec.model_copy(update={**places, "source": self._source(spec)})

    def _grade(self, grade: Grade) -> Grade:
        """Its LUT is sent; what its CDL says stands in the spec by now."""
        if grade.lut is None or not is_private(grade.lut):
            return grade
        data, path = read_small(grade.lut, LARGEST_FILE), Path(str(locate(grade.lut)))
        return grade.model_copy(update={"lut": self._add([(path, path.name, len(data))], _mark(data), path.name)})

    def _source(self, spec: JobSpec) -> str:
        place = spec.source
        if not is_private(place):
            source_identity(spec.source_url)  # it is there
            return place
        if is_sequence(spec.source_url):
            return self._sequence(place, spec.source_url)
        found, path = source_identity(place), Path(str(locate(place)))
        return self._add([(path, path.name, found.bytes)], _mark(found.bytes, found.ends_sha256), path.name)

    def _sequence(self, place: str, url: str) -> str:
        found = find_sequence(url)
        named = pattern(place)
        whole = Path(place.removeprefix("file://"))
        folder = whole.parent if named else whole
        files = [(folder / one.name, f"{folder.name}/{one.name}", one.bytes) for one in found.files]
        mark = _mark(*(f"{one.name} {one.bytes} {one.version}" for one in found.files))
        return self._add(files, mark, f"{folder.name}/{whole.name}" if named else folder.name)

    def _shots(self, place: str) -> str:
        if not is_private(place):
            return place
        data, path = read_small(place), Path(str(locate(place)))
        return self._add([(path, path.name, len(data))], _mark(data), path.name)

    def _stills(self, place: str) -> str:
        if not is_private(place):
            return place
        folder = Path(str(locate(place)))
        found = stills_in(place)
        files = [(folder / one.name, f"{folder.name}/{one.name}", one.bytes) for one in found]
        if (folder / EXPORTS).is_file():  # it tells which of them nobody has edited
            files.append((folder / EXPORTS, f"{folder.name}/{EXPORTS}", _size(folder / EXPORTS)))
        return self._add(files, _mark(*(f"{one.name} {one.sha256}" for one in found)), folder.name)

    def _look(self, look: LookChoice, field: str) -> LookChoice:
        place = placed(look.name)
        if "/" in place:
            place = self._package(place) if is_private(place) else place
        return LookChoice(name=place, settings=self._settings(look.settings, f"{field}.settings"))

    def _settings(self, value: Any, field: str) -> Any:
        """A look's settings, or one of them, with the looks that they name where they will lie."""
        if isinstance(value, dict):
            return {name: self._settings(one, member(field, name)) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._settings(one, member(field, number)) for number, one in enumerate(value)]
        if not isinstance(value, str) or not is_file_here(value) or not is_private(value):
            return value
        if (Path(str(locate(value))) / PAPER).is_file():
            return self._package(value)
        raise BadSpec(
            f"{field} = {value!r}: a file on this machine, which no cluster sees; make it part of a look (`farm looks add`), "
            f"whose folder is sent along, or put it into a folder that the cluster shares and {FOLDERS} names."
        )

    def _package(self, place: str) -> str:
        package, path = open_package(place), Path(str(locate(place)))
        # look.json last: what it names is there by then.
        files = [(path / name, f"{path.name}/{name}", _size(path / name)) for name in (*package.paper.files, PAPER)]
        return self._add(files, _mark(package.digest), path.name)

    def _add(self, files: Sequence[tuple[Path, str, int]], mark: str, name: str) -> str:
        """Take files along under one mark; gives the place of `name` there."""
        self.pieces += [UploadFile(path, f"{FOLDER}{mark}/{own}", size) for path, own, size in files]
        return f"{self.ledger.store.url}/{self.ledger.key(f'{FOLDER}{mark}/{name}')}"

    def send(self, say: Callable[[str], object], tick: Callable[[], object]) -> None:
        """Send what is not there yet. `say`: a sentence now and then; `tick` is called often. Raises BadMedia, BadStore or StoreFault."""
        store = self.ledger.store

        def lacks(piece: UploadFile) -> bool:
            there = store.stat(self.ledger.key(piece.name))
            return there is None or there.bytes != piece.bytes

        def put(piece: UploadFile) -> int:
            store.write_file(self.ledger.key(piece.name), piece.path)
            return piece.bytes

        with ThreadPoolExecutor(CONCURRENCY) as pool:
            wanted: list[UploadFile] = []
            for piece, lacking in zip(self.pieces, pool.map(lacks, self.pieces), strict=True):
                wanted += [piece] if lacking else []
                tick()
            if not wanted:
                return
            progress = _Progress(sum(one.bytes for one in wanted), say)
            say(f"sending {number_of(len(wanted), 'file')}, {progress.total:,} bytes, to {store.url}")

            def sent(size: int) -> None:
                progress.add(size)
                tick()

            for size in pool.map(put, [one for one in wanted if one.bytes <= SMALL]):
                sent(size)
        for piece in wanted:
            if piece.bytes > SMALL:
                self._stream(piece, sent)

    def _stream(self, piece: UploadFile, sent: Callable[[int], object]) -> None:
        """Send a large file; one that was broken off is gone on with."""
        with (
            told("read", str(piece.path)),
            open(piece.path, "rb", buffering=0) as file,
            self.ledger.store.create(self.ledger.key(piece.name), expected=piece.bytes) as writer,
        ):
            while data := file.read(AT_ONCE):
                writer.write(data)
                sent(len(data))
            if writer.tell() != piece.bytes:
                raise BadMedia(f"{piece.path} has changed while it was sent; submit it again when it is whole.")


class _Progress:
    """Tells of every tenth part that is sent."""

    def __init__(self, total: int, say: Callable[[str], object]) -> None:
        self.total = total
        self._say = say
        self._sent = self._told = 0

    def add(self, sent: int) -> None:
        self._sent += sent
        tenths = 10 * self._sent // max(1, self.total)
        if tenths > self._told:
            self._told = tenths
            self._say(f"sent {10 * tenths} %")


def is_private(place: str) -> bool:
    """Whether a place is of this machine alone: no URL of S3, and in no folder that the operator says is a cluster's too."""
    folder = place.rpartition("/")[0] if pattern(place) else place
    return isinstance(locate(place), Path) and not is_shared(folder or "/")


def _mark(*parts: object) -> str:
    found = hashlib.sha256()
    for one in parts:
        found.update(one if isinstance(one, bytes) else f"{one}\n".encode())
    return found.hexdigest()[:16]


def _size(path: Path) -> int:
    with told("read", str(path)):
        return path.stat().st_size
