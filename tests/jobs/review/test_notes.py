"""Files of notes: what is read, and what is refused in one sentence."""

from typing import Any

import pytest

from jobs.errors import BadSpec
from jobs.review.notes import LONGEST_NOTE, parse_notes

JUDGED = {"start": 0, "stop": 15, "version": "v", "at": "2026-11-30T12:00:00.000Z"}
FIELDS: dict[str, Any] = {
    "kind": "review-notes",
    "version": 1,
    "film": "f",
    "title": "the kid",
    "verdicts": [JUDGED | {"verdict": "rejected", "settings": [["strength", 0.7], ["frames", 3], ["fast", True]]}],
    "notes": [JUDGED | {"text": "red"}],
}


def test_values_stay_what_they_were() -> None:
    (verdict,) = parse_notes(FIELDS, "a.json").verdicts
    assert [repr(value) for _, value in verdict.settings] == ["0.7", "3", "True"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ([], "Input should be"),
        ({"version": 2}, "version: Input should be 1"),
        ({"notes": [JUDGED | {"text": "a" * (LONGEST_NOTE + 1)}]}, "text: "),
        ({"notes": [JUDGED | {"text": "a", "start": -1}]}, "start: "),
        ({"notes": [JUDGED | {"text": "a", "who": "me"}]}, "who: "),
        ({"verdicts": [JUDGED | {"verdict": "perhaps"}]}, "verdict: "),
        ({"verdicts": [JUDGED | {"verdict": "rejected", "controls": {"saturation": 9}}]}, "saturation: "),
    ],
)
def test_anything_else_is_refused(fields: Any, words: str) -> None:
    with pytest.raises(BadSpec) as refused:
        parse_notes({**FIELDS, **fields} if isinstance(fields, dict) else fields, "a.json")
    assert str(refused.value).startswith("a.json is no file of notes as the review page saves it: ")
    assert words in str(refused.value)
