"""Names of jobs and deliverables: what people may write, and the keys and file names that are made of it."""

import hashlib
import re
import shlex
import unicodedata
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from jobs.film.image_sequence_names import parted, pattern
from jobs.spec.codecs import FOLDERS, Wrapping

LONGEST_NAME = 151
"""Characters."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ ()-]{0,150}")
"""Names that are their own keys. None begins with "_", as every other name's key does."""

_NOT_IN_FILES = '/\\:*?"<>|#%'
"""Letters that some file system does not take, or that stand for a number in the name of a picture sequence."""

_KEY = re.compile(r"_[A-Za-z0-9._ ()-]{1,100}-[0-9a-f]{16}")


def _text(value: object) -> object:
    # YAML takes 1984 for a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _printable(value: object) -> str:
    """A name as it was written, in one Unicode form (NFC), so that it is the same whichever system it was typed on."""
    name = _text(value)
    if not isinstance(name, str):
        raise ValueError("a name is a text; put it in quotes")
    name = unicodedata.normalize("NFC", name)
    if not name.strip() or len(name) > LONGEST_NAME:
        raise ValueError(f"a name has 1 to {LONGEST_NAME} characters")
    if wrong := next((letter for letter in name if not letter.isprintable()), ""):
        raise ValueError(f"character {name.index(wrong) + 1} (U+{ord(wrong):04X}) cannot be printed; leave it out")
    return name


def _file_title(value: object) -> object:
    name = _printable(value)
    if wrong := next((letter for letter in name if letter in _NOT_IN_FILES), ""):
        raise ValueError(
            f"{wrong!r} cannot be in the name of a file or a picture sequence everywhere; write another letter"
        )
    if not name[0].isalnum() or (name[-1] == " " and not _PLAIN.fullmatch(name)):
        raise ValueError("a file name begins with a letter or a digit, and ends with no space")
    if (size := _bytes(name)) > LONGEST_NAME:
        raise ValueError(f"it takes {size} bytes in UTF-8, and a file name {LONGEST_NAME} at most; shorten it")
    return name


def same_file(name: str) -> str:
    """What is one and the same for all names that some file system takes for one: there are those that tell no case, and no Unicode form."""
    return unicodedata.normalize("NFC", name.casefold())


JobName = Annotated[
    str, BeforeValidator(_printable), WithJsonSchema({"type": ["string", "integer"], "maxLength": LONGEST_NAME})
]
"""Any printable name."""

FileTitle = Annotated[
    str,
    BeforeValidator(_file_title),
    WithJsonSchema({"type": ["string", "integer"], "maxLength": LONGEST_NAME}),
]
"""A deliverable's file name without its ending: any printable name that can be one on every file system."""


def job_key(name: str) -> str:
    """The folder of a job in its store, by the job's name: letters, digits, spaces and . _ ( ) - alone.

    A name of these is its own key. Of any other the key is "_", what can be spelled of it in ASCII, "-" and 16 digits of the
    name's SHA-256: two names that are spelled alike do not share a folder.
    """
    if _PLAIN.fullmatch(name):
        return name
    spelled = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._ ()-]+", "_", spelled).strip("._ ()-")[:100].rstrip("._ ()-") or "film"
    return f"_{plain}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}"


def key_asked_for(job: str) -> str:
    """The key that a command's --job means: it takes the job's name, and the key, as `farm status` shows it."""
    return job if _KEY.fullmatch(job) else job_key(unicodedata.normalize("NFC", job))


def another_name(name: str) -> str:
    """How a job is told apart from one that has its name already: the line of a spec, and the option."""
    other = f"{name[: LONGEST_NAME - 2]}-2"
    return f"name: {other} (--name {shlex.quote(other)})"


RESERVED = re.compile(r"unproven|.*(\.sha256|\.conform\.json|\.report\.json|\.review|\.proof|\.shots\.[a-z]+)")
"""Names in an output of what is no deliverable (jobs/output/ownership.py): such a folder would lie where another job's file shall lie."""


def is_reserved(name: str) -> bool:
    """Whether a deliverable may not be called so; files, which end as their container does, never are."""
    return RESERVED.fullmatch(same_file(name)) is not None


def file_name(title: str, wrapping: Wrapping) -> str:
    """A deliverable's file name, or its folder's."""
    return title if wrapping in FOLDERS else f"{title}.{wrapping}"


def stem(place: str, *, sequence: bool = False) -> str:
    """The name of a path or URL without its last ending, made fit for a file name.

    An image sequence, shots/f.%04d.dpx or shots/f.####.dpx, is called f, or as its folder where nothing but the number is
    its name. `sequence`: this is one, so a place without such a pattern is a folder, and what looks like an ending is none.
    """
    place, rate = parted(place)
    path = PurePosixPath(place.partition("://")[2] if "://" in place else place.replace("\\", "/"))
    if found := pattern(path.name):
        name = re.sub(r"[._ -]$", "", found["head"]) or path.parent.name
    else:
        name = path.name if sequence or rate else path.stem
    return _fit_for_a_file(name)


def _fit_for_a_file(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    name = "".join("_" if letter in _NOT_IN_FILES or not letter.isprintable() else letter for letter in name)
    name = name[next((at for at, letter in enumerate(name) if letter.isalnum()), len(name)) :][:LONGEST_NAME]
    while _bytes(name) > LONGEST_NAME:
        name = name[:-1]
    return (name if _PLAIN.fullmatch(name) else name.rstrip()) or "film"


def _bytes(name: str) -> int:
    # Some file systems keep a name in another case, or Unicode form, than it was given.
    return max(len(form.encode()) for form in (name, same_file(name)))
