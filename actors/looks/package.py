"""A look as a folder: look.json and its files, on disk or in S3. Promises files that are what look.json says, and never unpickles; knows no network.

    look.json             what it is: kind, domain, licence, how it was trained, its figures, and the hash of every file
    weights.safetensors   and whatever else its kind reads

The digest of look.json stands for the whole: it holds the hashes of the files. Files of a package in S3 are fetched once, into
a folder named by their hash, and checked before they take their name there.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from jobs.errors import BadInput, BadLook
from jobs.paper import Paper
from jobs.store import open_store

PAPER = "look.json"
MOST_FILES = 64
"""Of a package: more is no look."""


class SizeRule(Paper):
    """Which size the network's input has."""

    rule: Literal["long", "square", "film"] = "film"
    """long: the picture's shape, its long side near `side`; square: squashed to `side` by `side`; film: the film's own size."""
    side: Annotated[int, Field(ge=16, le=8192)] | None = None
    """In pixels; for long and square."""
    multiple: Annotated[int, Field(ge=1, le=512)] = 1
    """Height and width are multiples of this."""


class Training(Paper):
    """How the weights came to be."""

    recipe: str = ""
    """SHA-256 of the recipe, or where it may be found."""
    steps: Annotated[int, Field(ge=0)] = 0
    data: tuple[str, ...] = ()
    """One line for each source of pictures: what, how many, licence."""
    notes: str = ""


class LookPaper(Paper):
    """look.json."""

    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
    kind: Annotated[str, Field(min_length=1, max_length=100)]
    """The installed look that runs it, as `farm looks` lists them."""
    about: Annotated[str, Field(max_length=300)] = ""
    """One line for `farm looks`."""
    domain: Literal["chroma", "rgb", "luma"]
    """What its generator gives."""
    size: SizeRule = SizeRule()
    context: Annotated[int, Field(ge=0, le=1000)] = 0
    """Frames on either side that it must be shown."""
    licence: Annotated[str, Field(min_length=1, max_length=300)]
    """Of the weights: an SPDX name, or a sentence."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Its own defaults for its kind's settings."""
    network: dict[str, Any] = Field(default_factory=dict)
    """What its kind must know to build the network; the kind checks it."""
    training: Training | None = None
    figures: dict[str, float] = Field(default_factory=dict)
    """Held-out figures, by name."""
    files: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")], str]
    """SHA-256 of each file beside look.json."""


@dataclass(frozen=True)
class Package:
    """One look's folder, its paper read."""

    place: str
    """A path or s3://bucket/prefix."""
    paper: LookPaper
    digest: str
    """SHA-256 of look.json."""

    def file(self, name: str) -> Path:
        """A file of the package, on this machine and proven to be what look.json says. Raises BadLook."""
        if name not in self.paper.files:
            raise BadLook(
                f"The look {self.place} has no file {name!r}; its look.json names {', '.join(self.paper.files)}."
            )
        if "://" not in self.place:
            path = Path(self.place, name)
            self._proven(path, name)
            return path
        return self._fetched(name)

    def _proven(self, path: Path, name: str) -> None:
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BadLook(f"{self.place}/{name} cannot be read ({error.strerror}); copy the whole look anew.") from None
        if found != self.paper.files[name]:
            raise BadLook(f"{self.place}/{name} is not the file that its look.json names; copy the whole look anew.")

    def _fetched(self, name: str) -> Path:
        folder = cache() / self.paper.files[name]
        path = folder / name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                data = open_store(self.place).read(name)
            except BadInput as error:
                raise BadLook(f"The look {self.place} lacks its file {name!r}: {error}") from None
            # Written beside and renamed: another worker of this machine may fetch it at the same time.
            descriptor, partial = tempfile.mkstemp(dir=folder)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            try:
                self._proven(Path(partial), name)
                os.replace(partial, path)
            finally:
                Path(partial).unlink(missing_ok=True)
        return path


def cache() -> Path:
    """Where files of looks in S3 are kept on this machine: $XDG_CACHE_HOME/film-farm/looks, by default in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "film-farm" / "looks"


def library() -> str:
    """Where `farm looks add` puts looks and names are looked up: $FILM_FARM_LOOKS, a folder or s3://, by default ~/.film-farm/looks."""
    return os.environ.get("FILM_FARM_LOOKS") or str(Path.home() / ".film-farm" / "looks")


def open_package(place: str) -> Package:
    """The look in a folder or at s3://bucket/prefix. Reads look.json alone. Raises BadLook."""
    place = place.rstrip("/") if "://" in place else os.path.abspath(os.path.expanduser(place))
    try:
        data = open_store(place).read(PAPER)
    except BadInput as error:
        raise BadLook(f"There is no look at {place}: {error}") from None
    try:
        paper = LookPaper.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise BadLook(f"{place}/{PAPER}: {field}: {first['msg']}.") from None
    if len(paper.files) > MOST_FILES:
        raise BadLook(f"{place}/{PAPER} names {len(paper.files)} files; a look has at most {MOST_FILES}.")
    return Package(place, paper, hashlib.sha256(data).hexdigest())


def write_package(place: str, paper: LookPaper, files: dict[str, bytes]) -> Package:
    """Puts a look down in a folder or at s3://: its files first, look.json last. The hashes in `paper.files` are reckoned here."""
    store = open_store(place)
    store.check()
    for name, data in files.items():
        store.write(name, data)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    whole = LookPaper.model_validate({**paper.model_dump(mode="json"), "files": hashes})
    store.write(PAPER, (whole.model_dump_json(indent=1, exclude_defaults=False) + "\n").encode())
    return open_package(place)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file of weights. Raises BadLook where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadLook(f"The weights {path} cannot be read ({error.strerror}); check the path.") from None
