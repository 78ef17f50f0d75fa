"""docs/guarantees.md names tests: each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_tests_that_guarantees_name_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]*)(?:::(\w+))?`", (ROOT / "docs/guarantees.md").read_text()))
    assert len(named) > 40
    missing = [path for path, _ in named if not (ROOT / path).exists()]
    missing += [
        f"{path}::{name}"
        for path, name in named
        if name and path not in missing and f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert sorted(missing) == []
