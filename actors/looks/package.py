"""A look as a package: look.json and the files it lists, in a folder or in S3, each checked by its hash. Never unpickles.

    look.json             what it is: kind, domain, licence, how it was trained, its figures, and the hash of every file
    weights.safetensors   and whatever else its kind reads

The digest of look.json stands for the whole: it holds the hashes of the files. Files of a package in S3 are fetched once for
each machine, into a folder named by that digest, and checked before they take their name there.
"""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from jobs.document import Document, faults
from jobs.errors import BadInput, BadLook
from jobs.field_paths import field_path
from jobs.store import locate, open_store
from jobs.store.allowed_places import admitted, library_of_looks, own
from jobs.store.protocol import told
from jobs.untrusted import check_json, check_plain, is_local, scrub, texts

Shape = TypeVar("Shape", bound=Document)

PAPER = "look.json"
MOST_FILES = 64
"""Of a package: more is no look."""
LARGEST_PAPER = 1 << 20
"""Bytes of a look.json: a thousand times what one needs."""
AT_ONCE = 8 << 20
"""Bytes of a file in S3 that are asked for in one request."""

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SizeRule(Document):
    """Which size the network's input has."""

    rule: Literal["long", "square", "film"] = "film"
    """long: the picture's shape, its long side near `side`; square: squashed to `side` by `side`; film: the film's own size."""
    side: Annotated[int, Field(ge=16, le=8192)] | None = None
    """In pixels; for long and square."""
    multiple: Annotated[int, Field(ge=1, le=512)] = 1
    """Height and width are multiples of this."""

    @model_validator(mode="after")
    def _has_its_side(self) -> Self:
        if self.rule != "film" and self.side is None:
            raise ValueError(f"the rule {self.rule} needs a side")
        return self

    def of(self, height: int, width: int, side: int | None = None) -> tuple[int, int]:
        """Height and width that the network sees of a picture. `side`: a colourist's own, in place of the rule's."""
        side = side or self.side
        if self.rule == "square" and side:
            height = width = side
        scale = side / max(height, width) if self.rule == "long" and side else 1.0
        near = (max(self.multiple, round(one * scale / self.multiple) * self.multiple) for one in (height, width))
        return next(near), next(near)


class Training(Document):
    """How the weights came to be."""

    recipe: str = ""
    """SHA-256 of the recipe, or where it may be found."""
    steps: Annotated[int, Field(ge=0)] = 0
    data: tuple[str, ...] = ()
    """One line for each source of pictures: what, how many, licence."""
    notes: str = ""


class LookDocument(Document):
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
    files: dict[FileName, Sha256] = Field(max_length=MOST_FILES)
    """SHA-256 of each file beside look.json."""

    @model_validator(mode="after")
    def _not_itself(self) -> Self:
        if PAPER in self.files:
            raise ValueError(f"files: {PAPER} cannot hold its own hash")
        return self

    @field_validator("settings")
    @classmethod
    def _names_no_files_here(cls, settings: dict[str, Any]) -> dict[str, Any]:
        # Wherever the look came from, it would have a worker open them.
        for field, text in texts(settings):
            if is_local(text):
                raise ValueError(f"{field} = {text!r} is a place on one machine; a look's own settings name none")
        return settings


@dataclass(frozen=True)
class Package:
    """One look's folder, its paper read."""

    place: str
    """A path or s3://bucket/prefix."""
    paper: LookDocument
    digest: str
    """SHA-256 of look.json."""

    def file(self, name: str) -> Path:
        """A file of the package, on this machine and proven to be what look.json says. Raises BadLook, or StoreFault."""
        if name not in self.paper.files:
            named = ", ".join(self.paper.files) or "none"
            raise BadLook(f"The look {self.place} has no file {name!r}; its look.json names: {named}.")
        place = locate(self.place)
        if not isinstance(place, Path):
            return self._fetched(name)
        path = admitted_file(str(place / name))
        if not self._holds(path, name):
            raise self._other_file(name)
        return path

    def _other_file(self, name: str) -> BadLook:
        return BadLook(f"{self.place}/{name} is not the file that its look.json names; copy the whole look again.")

    def _holds(self, path: Path, name: str) -> bool:
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.paper.files[name]
        except OSError as error:
            raise BadLook(
                f"{self.place}/{name} cannot be read ({error.strerror}); copy the whole look again."
            ) from None

    def _fetched(self, name: str) -> Path:
        path = own(cache()) / self.digest / name
        if path.is_file() and self._holds(path, name):
            return path
        with told("write", str(path.parent)):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Written beside and renamed: another worker of this machine may fetch it at the same time.
            descriptor, partial = tempfile.mkstemp(dir=path.parent)
        try:
            with told("write", partial), os.fdopen(descriptor, "wb") as file:
                self._copied(name, file)
            if self._holds(Path(partial), name):
                os.replace(partial, path)
                return path
        finally:
            Path(partial).unlink(missing_ok=True)
        raise self._other_file(name)

    def _copied(self, name: str, into: BinaryIO) -> None:
        try:
            with open_store(self.place, looks=True).open(name) as stream:
                shutil.copyfileobj(stream, into, AT_ONCE)
        except BadInput as error:
            raise BadLook(f"The look {self.place} lacks its file {name!r}: {error}") from None


def cache() -> Path:
    """Where files of looks in S3 are kept on this machine: $XDG_CACHE_HOME/film-farm/looks, by default in ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "film-farm" / "looks"


def library() -> str:
    """Where `farm looks add` puts looks and names are looked up: $FILM_FARM_LOOKS, a folder or s3://, by default ~/.film-farm/looks."""
    return library_of_looks()


def open_package(place: str) -> Package:
    """The look in a folder or at s3://bucket/prefix. Reads look.json alone. Raises BadLook, or StoreFault."""
    try:
        store = open_store(place, looks=True)
        found = store.stat(PAPER)
        data = store.read(PAPER) if found and found.bytes <= LARGEST_PAPER else b""
    except BadInput as error:
        raise BadLook(f"There is no look at {place}: {error}") from None
    if found is None:
        raise BadLook(f"There is no look at {store.url}: it has no {PAPER}; check the place.")
    if found.bytes > LARGEST_PAPER:
        raise BadLook(f"{store.url}/{PAPER} has {found.bytes:,} bytes; no look.json has more than {LARGEST_PAPER:,}.")
    return Package(store.url, read_paper(data, f"{store.url}/{PAPER}"), hashlib.sha256(data).hexdigest())


def read_paper(data: bytes, where: str) -> LookDocument:
    """look.json, from JSON. Raises BadLook: the field, what is wrong with it."""
    try:
        check_json(data.decode(errors="replace"))
        paper = LookDocument.model_validate_json(data)
        check_plain({"settings": paper.settings, "network": paper.network})
        return paper
    except ValidationError as error:
        raise BadLook(f"{where}: {wrong_fields(error)}.") from None
    except ValueError as wrong:
        raise BadLook(f"{where}: {wrong}; that is not a look.json: copy the look again.") from None


def wrong_fields(error: ValidationError) -> str:
    """What is wrong with a paper, field by field."""
    return "; ".join(map(wrong_field, faults(error)))


def wrong_field(wrong: ErrorDetails) -> str:
    """What is wrong with a field of a paper, in words."""
    name = field_path(wrong["loc"])
    if wrong["type"] == "missing":
        return f"{name} is missing"
    if wrong["type"] == "extra_forbidden":
        return f"{name} = {scrub(repr(wrong['input'])):.200}: there is no such field"
    if wrong["type"] == "too_short":
        return f"{name} has {wrong['ctx']['actual_length']}; give at least {wrong['ctx']['min_length']}"
    message = wrong["msg"].removeprefix("Value error, ")
    if not name:
        return message
    if isinstance(wrong["input"], dict):
        return f"{name}: {message}"
    return f"{name} = {scrub(repr(wrong['input'])):.200}: {message[:1].lower()}{message[1:]}"


def write_package(place: str, paper: LookDocument, files: dict[str, bytes]) -> Package:
    """Puts a look down in a folder or at s3://: its files first, look.json last. The hashes in `paper.files` are reckoned here."""
    store = open_store(place)
    store.check()
    for name, data in files.items():
        store.write(name, data)
    store.write(PAPER, paper_with(paper, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}))
    return open_package(place)


def paper_with(paper: LookDocument, hashes: dict[str, str]) -> bytes:
    """look.json as it is written, with these files."""
    whole = LookDocument.model_validate({**paper.model_dump(mode="json"), "files": hashes})
    return (whole.model_dump_json(indent=1) + "\n").encode()


def shape_of(package: Package, shape: type[Shape]) -> Shape:
    """What look.json says of the network, as its kind must know it. Raises BadLook."""
    try:
        return shape.model_validate(package.paper.network)
    except ValidationError as error:
        first = error.errors()[0]
        wrong = wrong_field({**first, "loc": ("network", *first["loc"])})
        raise BadLook(
            f"{package.place}/look.json: {wrong}; it is not a look of the kind {package.paper.kind!r}, or is damaged: copy it again."
        ) from None


def shelved() -> list[str]:
    """Names of the library's looks, in order."""
    keys = open_store(library(), looks=True).list("")
    return [key.removesuffix(f"/{PAPER}") for key in keys if key.endswith(f"/{PAPER}") and key.count("/") == 1]


def admitted_file(place: str) -> Path:
    """A file of weights on this machine, links resolved. Raises BadLook where it lies where this process may open nothing."""
    try:
        return Path(str(admitted(place, looks=True)))
    except BadInput as error:
        raise BadLook(str(error)) from None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file of weights. Raises BadLook where it cannot be read."""
    path = admitted_file(str(path))
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadLook(f"The weights {path} cannot be read ({error.strerror}); check the path.") from None
