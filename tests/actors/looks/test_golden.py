"""A look whose pictures change must have raised its version, or new weights: else old chunks would be taken for new ones."""

import json

import pytest

from tests.actors.looks.golden import GOLDEN, NAMED, NAMES, PRECISION, golden

BETWEEN_PRECISIONS = 0.01
"""How far apart two precisions' pictures may be: measured, 0.0043."""


@pytest.mark.parametrize("name", NAMES)
def test_pictures_change_only_with_the_version_or_the_weights(name: str) -> None:
    kept, now = json.loads(GOLDEN.read_text())[name], golden(name)
    assert all(now[field] == kept[field] for field in NAMED), (
        "write the golden pictures again: python -m tests.actors.looks.golden"
    )
    pictures = now["pictures"][PRECISION]
    for precision, before in kept["pictures"].items():
        bound = 0.004 if precision == PRECISION else BETWEEN_PRECISIONS
        assert pictures == pytest.approx(before, abs=bound), (
            "the pictures changed: raise the look's version, or its filter's"
        )
