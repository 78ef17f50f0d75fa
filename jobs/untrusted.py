"""Bounds on what comes from outside: values of specs and recipes, and texts that end up in messages.

A spec may be hostile, or merely broken: a few hundred bytes of YAML can mean billions of values, a number can have a
million digits, and a text can carry a newline into a log, or a password.
"""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator

from jobs.field_paths import field_path, member

MOST_VALUES = 100_000
"""Of one document; what is shared by aliases counts as often as it is named. A spec of ten thousand overrides has fewer."""
DEEPEST = 32
"""Lists and mappings within each other: a spec with a blend's settings has seven."""
LONGEST_TEXT = 4096
"""Characters: the longest path that Linux takes."""
LARGEST_NUMBER = 2**53
"""Every reader of JSON keeps whole numbers up to here."""

LONGEST_SPOKEN = 2 * LONGEST_TEXT
"""Characters of one sentence or line for people: two paths of the longest, or what is wrong with eight fields."""
NOT_UTF8 = (
    "this name has bytes that are not UTF-8 (Latin-1, perhaps): rename the file in UTF-8 (mv), or link to it under a name in "
    "UTF-8 (ln -s) and give that"
)
"""Said of a file's name as Python reads it, its foreign bytes as halves of surrogate pairs: no document in a store can hold it."""
DEEPEST_JSON = 256
"""Of any JSON text: a timeline of tracks fifty deep has half of it. Readers without a bound of their own die of ten thousand."""
MOST_MARKS = 400_000
"""Brackets and commas of any JSON text."""
# A string that is never closed goes to the end: else each quote in it would be tried.
_JSON_MARK = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{},]', re.DOTALL)

NOT_UTF8_FILE = "its name has bytes that are not UTF-8 (Latin-1, perhaps), or a control character: rename it in UTF-8"
"""Said of a file in a folder of many."""

_USER = re.compile(r"(?<!/)//[^\s/@]*@")
_SECRET = re.compile(r"//[^\s/@]*:")
_UNPLACED = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")


def spoken(text: str, most: int = LONGEST_SPOKEN) -> str:
    """A text for people and logs: one line of at most `most` characters, nothing that steers a terminal, and no credentials of a URL.

    Of a longer one its beginning and its end are kept: what to do is said last.
    """
    shown = scrub(text if len(text) <= 4 * most else f"{text[: 3 * most]}{text[-most:]}")
    shown = shown if shown.isprintable() else "".join(map(_shown, shown))
    return shown if len(shown) <= most else f"{shown[: most * 3 // 4 - 5]} ... {shown[-(most // 4) :]}"


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def scrub(text: str) -> str:
    """A text without the credentials that URLs in it may carry. Takes time by its length, whatever it holds."""
    return " ".join(map(_scrubbed, text.split(" "))) if "@" in text else text


def _scrubbed(word: str) -> str:
    # A secret key of S3 may hold slashes; it comes behind a colon.
    secret, end = _SECRET.search(word), word.rfind("@")
    if secret and secret.end() <= end:
        return f"{word[: secret.start()]}//***@{word[end + 1 :]}"
    return _USER.sub("//***@", word)


def is_placeable(text: str) -> bool:
    """Whether a text can be part of a place: no control characters, no halves of characters."""
    return _UNPLACED.search(text) is None


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a document, with the path of its field."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list | tuple):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(inner, member(path, name))


def is_local(text: str) -> bool:
    """Whether a text, in a setting that may say anything, reads as a path or a file:// URL."""
    scheme, url, _ = text.partition("://")
    if url and "/" not in scheme:
        return scheme == "file"
    return "/" in text or text.startswith("~")


def check_json(text: str) -> None:
    """Raises ValueError, saying why, for a JSON text that a parser would read with too much of its stack, or for too long. Takes time by its length."""
    depth = marks = 0
    for found in _JSON_MARK.finditer(text):
        mark = found[0][0]
        if mark == '"':
            continue
        marks += 1
        depth += (mark in "[{") - (mark in "]}")
        if depth > DEEPEST_JSON:
            raise ValueError(f"its lists and mappings are nested too deeply, more than {DEEPEST_JSON} levels")
        if marks > MOST_MARKS:
            raise ValueError(f"it holds more than {MOST_MARKS} values")


def check_plain(value: Any) -> None:
    """Raises ValueError, saying which field and why, for what JSON cannot hold, what is far more than any document needs, and secrets.

    A document is kept in the store, and what it says is shown.
    """
    left: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    count = 0
    while left:
        one, path = left.pop()
        count += 1
        if count > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values, the most that is read; shorten it")
        if len(path) > DEEPEST:
            raise ValueError(
                f"{_short(path)}: lists and mappings are nested more than {DEEPEST} deep; write it flatter"
            )
        if isinstance(one, dict):
            for name in one:
                if not isinstance(name, str) or _unkept(name):
                    raise ValueError(f"{_short(path)}: a field's name is a short text, not {scrub(str(name)[:80])!r}")
        elif why := "" if isinstance(one, list | tuple) else _unkept(one):
            raise ValueError(f"{_short(path)}{why}")
        inner = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list | tuple) else ()
        # Told as a path where it is wrong: as texts, the paths of many values would take far more room than the values.
        left.extend((within, (*path, name)) for name, within in inner)


def _unkept(one: object) -> str:
    """Why a single value cannot be kept; empty where it can."""
    match one:
        case None | bool():
            return ""
        case str() if len(one) > LONGEST_TEXT:
            return f" has {len(one):,} characters; at most {LONGEST_TEXT:,} are allowed"
        case str() if scrub(one) != one:
            return " carries credentials; give those as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or in a profile"
        case str() if re.search("[\udc80-\udcff]", one):
            return f" = {one!r}: {NOT_UTF8}"
        case str():
            return (
                " holds a character that is no text (NUL or half of a surrogate pair); write it again"
                if re.search("[\0\ud800-\udfff]", one)
                else ""
            )
        case int():
            return "" if abs(one) <= LARGEST_NUMBER else f": whole numbers go up to {LARGEST_NUMBER:,}"
        case float():
            return "" if math.isfinite(one) else f" = {one}: give a finite number"
    return f": give a text, a number, a list or a mapping, not a {type(one).__name__}"


def _short(parts: tuple[str | int, ...]) -> str:
    path = scrub(field_path(parts)) or "the document"
    return path if len(path) <= 80 else f"{path[:77]}..."


def _reckoned_with(options: dict[str, str]) -> dict[str, str]:
    for name in {"g", "crf", "qp"} & options.keys():
        if not re.fullmatch("[0-9]{1,9}", options[name]) or (name == "g" and not int(options[name])):
            raise ValueError(f"{name} is a whole number")
    return options


EncoderOptions = Annotated[dict[str, str], AfterValidator(_reckoned_with)]
"""Options of an encoder, by libav's names; those by which the farm reckons are numbers."""
