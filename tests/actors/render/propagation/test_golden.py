"""Propagation whose pictures change must have raised its version: else old guides would be taken for new ones."""

import json

import pytest

from tests.actors.render.propagation.golden import GOLDEN, golden


def test_pictures_change_only_with_the_version() -> None:
    kept, now = json.loads(GOLDEN.read_text()), golden()
    for version, pictures, raised in (
        ("version", "pictures", "VERSION"),
        ("strokes version", "strokes", "STROKES_VERSION"),
    ):
        assert now[version] == kept[version], (
            "write the golden pictures again: python -m tests.actors.render.propagation.golden"
        )
        assert now[pictures] == pytest.approx(kept[pictures], abs=0.004), f"the pictures changed: raise spans.{raised}"
