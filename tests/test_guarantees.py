"""docs/guarantees.md names tests: each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]*)(?:::(\w+))?`", (ROOT / "docs/guarantees.md").read_text())))


def test_there_are_promises() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_is_there(path: str, name: str) -> None:
    place = ROOT / path
    assert place.exists()
    assert not name or f"def {name}(" in place.read_text()
