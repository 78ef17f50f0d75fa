"""The catalogue of looks: everything installed, described without its weights."""

from __future__ import annotations

import pytest

from farm.catalogue import catalogue, show


def test_every_look_is_described() -> None:
    looks = {one["name"]: one for one in catalogue()}
    assert {"none", "colorize", "test-window", "test-negative", "test-broken"} <= set(looks)
    assert list(looks) == sorted(looks)
    window = looks["test-window"]
    assert window["defaults"] == {"radius": 5, "declared": 5}
    assert window["support"] == {"context": 5, "warmup": 0, "dissolve": 0}
    assert window["settings"]["radius"]["type"] == "integer"
    assert (looks["none"]["defaults"], looks["none"]["settings"], looks["none"]["weights"]) == ({}, {}, ())
    assert [len(one) for one in looks["colorize"]["weights"]] == [64]
    assert all(one["version"] >= 1 and one["about"] for one in looks.values() if not one["problem"])


def test_a_look_with_a_required_setting_is_described_too() -> None:
    (style,) = (one for one in catalogue() if one["name"] == "fast-style")
    assert (style["problem"], style["required"], style["weights"], style["support"]) == ("", ["weights"], (), {})
    assert style["defaults"] == {"shares": [], "strength": 1.0, "keep_chroma": False, "margin": 48}
    assert set(style["settings"]) == {"weights", *style["defaults"]}


def test_people_read_it_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    show(catalogue())
    said = capsys.readouterr()
    assert said.out == ""
    assert "test-window" in said.err
    assert "radius=5" in said.err
    assert "weights=..." in said.err
    assert "test-absent" in said.err


def test_a_look_that_cannot_be_had_hides_no_other() -> None:
    entries = catalogue()
    assert {one["name"] for one in entries if one["problem"]} == {"test-absent"}
    (absent,) = (one for one in entries if one["problem"])
    assert "'test-absent' cannot be imported" in absent["problem"]
