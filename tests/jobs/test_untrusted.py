"""What comes from outside: what a document may hold, and what a sentence may show."""

import math
import time
from typing import Any

import pytest

from jobs.errors import BadSpec, Damaged
from jobs.untrusted import (
    DEEPEST,
    DEEPEST_JSON,
    LONGEST_TEXT,
    MOST_MARKS,
    MOST_VALUES,
    check_json,
    check_plain,
    is_placeable,
    scrub,
    spoken,
)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def shared(levels: int) -> Any:
    """Ten to the power of `levels` values in a few lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value] * 10
    return value


@pytest.mark.parametrize(
    "value", [None, {}, {"a": [1, 2.5, "ü\n", True, None]}, deep(DEEPEST), shared(4), -(2**53), "x" * LONGEST_TEXT]
)
def test_documents_may_hold(value: Any) -> None:
    check_plain(value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [{"b": math.nan}]}, "a, entry 1, b = nan: give a finite number"),
        ({"a": 2**53 + 1}, "a: whole numbers go up to 9,007,199,254,740,992"),
        ({"a": 10**5000}, "a: whole numbers go up to"),
        ({"a": b"x"}, "a: give a text, a number, a list or a mapping, not a bytes"),
        ({"a": {"b": {3}}}, "a.b: give a text, a number, a list or a mapping, not a set"),
        (
            {"a": "x" * (LONGEST_TEXT + 1)},
            f"a has {LONGEST_TEXT + 1:,} characters; at most {LONGEST_TEXT:,} are allowed",
        ),
        ({"a": "\ud800"}, "a holds a character that is no text (NUL or half of a surrogate pair); write it again"),
        (
            {"a": "/films/B\udce4ume.mp4"},
            "a = '/films/B\\udce4ume.mp4': this name has bytes that are not UTF-8 (Latin-1, perhaps): rename",
        ),
        ({"a": ["x s3://key:se/cret@bucket/a"]}, "a, entry 1 carries credentials; give those as AWS_ACCESS_KEY_ID"),
        ({"a": {1: 2}}, "a: a field's name is a short text, not '1'"),
        (deep(DEEPEST + 1), f"lists and mappings are nested more than {DEEPEST} deep"),
        (shared(9), f"it holds more than {MOST_VALUES:,} values, the most that is read"),
    ],
)
def test_documents_may_not_hold(value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=r"^[ -~]+$") as refused:
        check_plain(value)
    assert says in str(refused.value)


def test_a_list_that_holds_itself_ends() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="nested more than"):
        check_plain(value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Cannot read s3://key:sec/ret+x@bucket/a: gone.", "Cannot read s3://***@bucket/a: gone."),
        ("'http://user@host/x', 'https://u:p@q@host'", "'http://***@host/x', 'https://***@host'"),
        ("http://host/x,s3://key:a/b@host", "http://host/x,s3://***@host"),
        ("s3://bucket/12:30/take@2.mov and /mnt/a@b", "s3://bucket/12:30/take@2.mov and /mnt/a@b"),
        ("nothing to hide: a@b.c", "nothing to hide: a@b.c"),
    ],
)
def test_credentials_of_urls_are_not_shown(text: str, shown: str) -> None:
    assert scrub(text) == shown


@pytest.mark.parametrize("text", ["//" * 40_000 + "@", ":@//" * 20_000, "@" + "//:" * 40_000])
def test_hostile_texts_take_no_time(text: str) -> None:
    began = time.monotonic()
    spoken(text)
    assert time.monotonic() - began < 5


def test_a_sentence_is_one_line_that_steers_nothing() -> None:
    said = spoken("a\nb\x1b[31m\u202ec\ud800 ü→")
    assert said == "a\\nb\\x1b[31m\\u202ec\\ud800 ü→"
    assert str(BadSpec("s3://k:s@b\n")) == "s3://***@b\\n"
    assert str(Damaged("a\tb", "digest")) == "a\\tb"


@pytest.mark.parametrize(
    ("text", "may"),
    [("/films/ü 1.mp4", True), ("/a\u202f3 PM.png", True), ("a\n", False), ("a\x9b", False), ("\udcff", False)],
)
def test_places_have_no_control_characters(text: str, may: bool) -> None:
    assert is_placeable(text) is may


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "]]]]\\"[[["}',
        "[" * DEEPEST_JSON + "]" * DEEPEST_JSON,
        '"' + "[" * 10**6 + '"',
        "[" + "[],[]," * 60_000 + "1]",
        "",
    ],
)
def test_a_json_text_may_be(text: str) -> None:
    check_json(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 10**6, f"nested too deeply, more than {DEEPEST_JSON} levels"),
        ('{"a":' * 10**5, "too deeply"),
        ("[" + "1," * 10**6, f"more than {MOST_MARKS} values"),
        ("[],{}" * 10**6, "values"),
    ],
)
def test_a_json_text_may_not_be(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_json(text)


def test_a_string_that_is_never_closed_takes_no_time_to_speak_of() -> None:
    began = time.process_time()
    check_json('"' + '\\"' * 10**6)
    check_json('"' + "\\" * 10**6)
    assert time.process_time() - began < 2
