"""The catalogue of looks: everything installed and in the library, described without its weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.looks.package import LookDocument, write_package
from farm.cli.look_listing import catalogue, described, show, show_one
from jobs.errors import BadLook

ABSENT = "test-absent"


def library(folder: Path, monkeypatch: pytest.MonkeyPatch, **more: object) -> Path:
    """A look, one that is broken, and a folder that is none."""
    monkeypatch.setenv("FILM_FARM_LOOKS", str(folder))
    fields = {"about": "in oil", "figures": {"style": 5.25}, "settings": {"strength": 0.5}}
    paper = LookDocument.model_validate(
        {"name": "oil", "kind": "fast-style", "domain": "rgb", "licence": "MIT", "files": {}, **fields, **more}
    )
    write_package(str(folder / "painter"), paper, {"weights.safetensors": b""})
    write_package(str(folder / "zebra"), paper.model_copy(update={"kind": "gone"}), {})
    (folder / "started").mkdir()
    return folder


def test_every_look_is_described() -> None:
    looks = {one["name"]: one for one in catalogue()}
    assert {"none", "colorize", "fast-style", "onnx", "blend", "test-window", "test-broken", ABSENT} <= set(looks)
    assert list(looks) == sorted(looks)
    window = looks["test-window"]
    assert window["defaults"] == {"radius": 5, "declared": 5}
    assert window["support"] == {"context": 5, "warmup": 0, "dissolve": 0}
    assert window["settings"]["radius"]["type"] == "integer"
    assert (looks["none"]["defaults"], looks["none"]["settings"], looks["none"]["weights"]) == ({}, {}, ())
    assert [len(one) for one in looks["colorize"]["weights"]] == [64]
    assert looks["colorize"]["paper"]["licence"]
    assert all(one["version"] >= 1 and one["about"] for one in looks.values() if not one["problem"])


def test_a_look_that_needs_a_package_or_a_setting_is_described_too() -> None:
    style, blend = described("fast-style"), described("blend")
    assert (style["problem"], style["alone"], style["weights"], style["support"]) == ("", False, (), {})
    assert {"weights", "shares", "strength", "saturation", "size", "steady", "keep_chroma", "margin"} == set(
        style["settings"]
    )
    assert (blend["required"], blend["alone"]) == (["looks"], False)


def test_the_librarys_looks_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = library(tmp_path, monkeypatch)
    painter, zebra = (one for one in catalogue() if one["place"])
    assert (painter["name"], painter["kind"], painter["licence"]) == ("painter", "fast-style", "MIT")
    assert painter["place"] == str(folder / "painter")
    assert painter["figures"] == {"style": 5.25}
    assert painter["defaults"]["strength"] == 0.5
    assert len(painter["digest"]) == 64
    assert "zebra is of the kind 'gone', which is not installed here" in zebra["problem"]
    assert described("painter") == described(str(folder / "painter")) == painter


def test_people_read_it_on_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")
    show(catalogue())
    said = capsys.readouterr()
    assert said.out == ""
    for words in ("test-window", "radius=5", "looks=... (required)", ABSENT, "painter", "style 5.25", "zebra", "MIT"):
        assert words in said.err


def test_the_list_tells_three_figures_of_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library(tmp_path, monkeypatch, figures={f"f{number}": number / 3 for number in range(9)})
    monkeypatch.setenv("COLUMNS", "200")
    show(catalogue())
    assert " f0 0, f1 0.3333, f2 0.6667, 6 more " in capsys.readouterr().err
    show_one(described("painter"))
    shown = capsys.readouterr().err
    assert "f8" in shown
    assert described("painter")["digest"] in shown, "whole"


def test_one_look_for_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("painter", "colorize", "none"):
        show_one(described(name))
    said = capsys.readouterr().err
    for words in ("in oil", str(tmp_path / "painter"), "figure: style", "setting: strength", "0.5   0", "licence"):
        assert words in said
    for name in ("zebra", "sepia", ABSENT):
        with pytest.raises(BadLook, match=r"gone|There is no look 'sepia'|cannot be imported"):
            show_one(described(name))


def test_a_look_that_cannot_be_had_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILM_FARM_LOOKS", "gs://nowhere")
    entries = catalogue()
    absent, shelf = (one for one in entries if one["problem"])
    assert f"'{ABSENT}' cannot be imported" in absent["problem"]
    assert "is not a place that the farm can open" in shelf["problem"]
