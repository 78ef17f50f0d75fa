"""The looks there are: found by entry point, fitted on paper, refused in one sentence."""

from pathlib import Path
from typing import Any

import pytest
import torch

from actors.looks import find, fit, hire, names
from actors.looks.colorize.look import network_size
from jobs.errors import BadLook
from jobs.spec import LookChoice

CPU = torch.device("cpu")


def test_the_shipped_looks_and_the_plugins_are_found() -> None:
    assert {"none", "colorize", "fast-style", "test-window"} <= set(names())
    assert all(find(name).about for name in ("none", "colorize", "fast-style"))


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
        ("sepia", {}, "There is no look 'sepia'; installed are: colorize, fast-style, none"),
        ("test-absent", {}, "cannot be imported"),
        (
            "colorize",
            {"strength": 2},
            r"strength = 2: input should be less than or equal to 1 .*settings are: strength",
        ),
        ("colorize", {"colour": 2}, "colour = 2"),
        ("none", {"strength": 1}, r"its settings are: none"),
        ("colorize", {"weights": "/nowhere/w.safetensors"}, "/nowhere/w.safetensors cannot be read"),
    ],
)
def test_a_wrong_look_is_refused_in_one_sentence(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadLook, match=words) as error:
        fit(LookChoice(name=name, settings=settings))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", b"\x80\x04\x95pickle", b"\x08" + b"\0" * 7 + b"{}      "]
)
def test_broken_weights_are_refused_when_hired(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    look = fit(LookChoice(name="colorize", settings={"weights": str(path)}))
    with pytest.raises(BadLook, match=r"w\.safetensors") as error:
        hire(look, CPU)
    assert "\n" not in str(error.value)


def test_weights_that_changed_after_planning_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"one")
    look = fit(LookChoice(name="colorize", settings={"weights": str(path)}))
    path.write_bytes(b"two")
    with pytest.raises(BadLook, match="not those the film was planned with"):
        hire(look, CPU)


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (360, 640, (256, 448)),
        (720, 1280, (256, 448)),
        (332, 800, (192, 448)),
        (640, 360, (448, 256)),
        (10, 4000, (32, 448)),
    ],
)
def test_the_network_sees_the_films_shape(height: int, width: int, size: tuple[int, int]) -> None:
    assert network_size(height, width, 448) == size
