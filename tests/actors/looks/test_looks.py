"""The looks there are: found by entry point, by place or in the library, fitted on paper, refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from actors.looks import find, fit, hire, names
from actors.looks.package import LookDocument, Package, open_package, write_package
from actors.picture.domain import Domain
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks.styles import tensors, write

CPU = torch.device("cpu")


@pytest.fixture
def weights(tmp_path: Path) -> bytes:
    return write(tmp_path / "w.safetensors", tensors(seed=1)).read_bytes()


def package(place: Path | str, weights: bytes, **fields: Any) -> Package:
    paper = {"name": "painter", "kind": "fast-style", "domain": "rgb", "licence": "MIT", "files": {}, **fields}
    return write_package(str(place), LookDocument.model_validate(paper), {"weights.safetensors": weights})


def test_the_shipped_looks_and_the_plugins_are_found() -> None:
    shipped = {"none", "colorize", "fast-style", "onnx", "blend"}
    assert shipped | {"test-window"} <= set(names())
    assert all(find(name).about for name in shipped)


def test_a_fitted_look_has_every_setting_filled_in() -> None:
    look = fit(LookChoice(name="colorize", settings={"strength": 0.5}))
    assert look.choice.settings["strength"] == 0.5
    assert look.choice.settings["steady"] == look.support.context
    assert [len(one) for one in look.weights] == [64]
    assert fit(LookChoice(name="none")).weights == ()
    assert not fit(LookChoice(name="none")).adds_colour


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("sepia", {}, "There is no look 'sepia'; installed are: blend, colorize, fast-style, none"),
        ("test-absent", {}, "cannot be imported"),
        (
            "colorize",
            {"strength": 2},
            r"strength = 2: input should be less than or equal to 1 .*settings are: strength",
        ),
        ("colorize", {"colour": 2}, "colour = 2: there is no such field"),
        ("none", {"strength": 1}, r"its settings are: none"),
        ("/nowhere/mine", {}, "There is no look at /nowhere/mine: it has no look.json"),
        ("gs://there/mine", {}, "is not a place that the farm can open"),
        ("fast-style", {"weights": "/nowhere/w.safetensors"}, "/nowhere/w.safetensors cannot be read"),
    ],
)
def test_a_wrong_look_is_refused_in_one_sentence(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadLook, match=words) as error:
        fit(LookChoice(name=name, settings=settings))
    assert "\n" not in str(error.value)


def test_a_look_is_found_at_its_place_and_in_the_library(
    tmp_path: Path, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "library" / "painter"
    package(place, weights, settings={"strength": 0.5})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FILM_FARM_LOOKS", "library")
    found = fit(LookChoice(name="painter"))
    assert found == fit(LookChoice(name="./library/painter")) == fit(LookChoice(name=str(place)))
    # Workers have another working directory, and a library of their own.
    assert (found.choice.name, found.title, found.kind) == (str(place), "painter", "fast-style")
    assert found.choice.settings["strength"] == 0.5
    assert fit(LookChoice(name="painter", settings={"strength": 0.7})).choice.settings["strength"] == 0.7
    monkeypatch.setenv("FILM_FARM_LOOKS", str(tmp_path / "nowhere"))
    assert hire(found, CPU).domain is Domain.RGB
    with pytest.raises(BadLook, match=f"the library is {tmp_path}/nowhere, and a look elsewhere is named by its place"):
        fit(LookChoice(name="painter"))


def test_a_copy_names_the_same_pictures_in_the_store_and_another_look_others(tmp_path: Path, weights: bytes) -> None:
    here, there = (package(tmp_path / name, weights) for name in ("here", "there"))
    other = package(tmp_path / "other", weights, about="the same weights, told otherwise")
    one, two, three = (fit(LookChoice(name=each.place)).named() for each in (here, there, other))
    assert one == two
    assert one != three
    assert str(tmp_path) not in json.dumps(one)


def test_the_shipped_look_copied_elsewhere_keeps_its_name(tmp_path: Path) -> None:
    shipped = find("colorize").shipped
    assert shipped
    for file in shipped.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert fit(LookChoice(name=str(tmp_path))).named() == fit(LookChoice(name="colorize")).named()


def test_a_kind_that_is_not_installed_is_named(tmp_path: Path, weights: bytes) -> None:
    place = package(tmp_path / "odd", weights, kind="oil").place
    with pytest.raises(BadLook, match="odd is of the kind 'oil', which is not installed here; installed are: blend"):
        fit(LookChoice(name=place))


@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", b"\x80\x04\x95pickle", b"\x08" + b"\0" * 7 + b"{}      "]
)
@pytest.mark.parametrize("kind", ["colorize", "fast-style"])
def test_broken_weights_are_refused_when_hired(tmp_path: Path, kind: str, content: bytes) -> None:
    domain = "chroma" if kind == "colorize" else "rgb"
    look = fit(LookChoice(name=package(tmp_path / "broken", content, kind=kind, domain=domain).place))
    with pytest.raises(BadLook, match=r"weights\.safetensors") as error:
        hire(look, CPU)
    assert "\n" not in str(error.value)


def test_weights_that_changed_after_planning_are_refused(tmp_path: Path, weights: bytes) -> None:
    look = fit(LookChoice(name=package(tmp_path / "mine", weights).place))
    package(tmp_path / "mine", write(tmp_path / "w.safetensors", tensors(seed=2)).read_bytes())
    with pytest.raises(BadLook, match="'mine': its weights are not those the film was planned with"):
        hire(look, CPU)


def test_a_file_that_changed_under_its_paper_is_refused(tmp_path: Path, weights: bytes) -> None:
    look = fit(LookChoice(name=package(tmp_path / "mine", weights).place))
    (tmp_path / "mine/weights.safetensors").write_bytes(weights[:-1])
    with pytest.raises(BadLook, match=r"mine/weights\.safetensors is not the file that its look\.json names"):
        hire(look, CPU)


def test_a_package_of_a_look_planned_by_its_paper_alone(tmp_path: Path, weights: bytes) -> None:
    package(tmp_path / "mine", weights)
    (tmp_path / "mine/weights.safetensors").unlink()
    look = fit(LookChoice(name=str(tmp_path / "mine")))
    assert look.weights == (open_package(str(tmp_path / "mine")).digest,)
    with pytest.raises(BadLook, match="cannot be read"):
        hire(look, CPU)
