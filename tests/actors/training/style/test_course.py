"""The style course: it learns, goes on exactly where it was, and what it makes is a look that paints as it did."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from actors.looks import fit, hire
from actors.looks.package import LookDocument, write_package
from actors.picture.png_sheet import Photo
from actors.training.course import Library, RoleData, WorkerRank
from actors.training.registry import checked, find
from actors.training.style.course import StyleCourse
from actors.training.style.kinds import STYLE, StyleCourseSettings
from actors.training.style.validation import shown_of
from jobs.errors import BadInput
from jobs.spec.job import LookChoice
from jobs.spec.training_recipe import Recipe, parse_recipe
from tests.actors.looks.test_colorize_look import film
from tests.actors.training.darknets import write_darknet
from tests.actors.training.resuming import goes_on_exactly

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_darknet(tmp_path_factory.mktemp("features") / "features.safetensors")


def recipe(features: Path, *, side: int = 32, batch: int = 2, **course: Any) -> Recipe:
    fields = {
        "version": 1,
        "name": "two-styles",
        "kind": "style",
        "out": "nowhere",
        "licence": "CC0-1.0",
        "data": [{"pictures": "photographs", "held_out": 2}, {"pictures": "styles", "role": "style"}],
        "steps": 40,
        "side": side,
        "batch": batch,
        "course": {"features": str(features), "widths": [4, 6, 8], "blocks": 1, "rate": 0.01, **course},
    }
    return parse_recipe(fields, "recipe.yaml")


def photo(seed: int, height: int = 48, width: int = 56) -> Photo:
    """Soft spots of colour."""
    coarse = np.random.default_rng(seed).random((height // 8, width // 8, 3))
    return (coarse.repeat(8, 0).repeat(8, 1) * 255).astype(np.uint8)


def shelf(photos: list[Photo], held_out: int = 0, names: tuple[str, ...] = ()) -> RoleData:
    learnt = photos[held_out:]
    return RoleData(learnt, np.full(len(learnt), 1 / len(learnt)), photos[:held_out], names)


def library(names: tuple[str, ...] = ("night.png", "day.jpg")) -> Library:
    stripes = (np.arange(56) // 2 % 2 * 255).astype(np.uint8)[None, :, None] * np.ones((48, 1, 3), np.uint8)
    dusk = np.full((50, 48, 3), (20, 30, 90), np.uint8)
    dusk[::3] = (200, 90, 10)
    return {"": shelf([photo(seed) for seed in range(5)], held_out=2), "style": shelf([stripes, dusk], names=names)}


def course(paper: Recipe, pictures: Library | None = None) -> StyleCourse:
    settings = StyleCourseSettings.model_validate(paper.course)
    return StyleCourse(paper, settings, pictures or library(), WorkerRank(), CPU)


def test_it_is_installed_and_its_features_are_found_from_anywhere(
    features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find("style") is STYLE
    monkeypatch.chdir(features.parent)
    assert checked(recipe(Path(features.name))).course["features"] == str(features)


def test_it_learns(features: Path) -> None:
    made = course(recipe(features))
    before = made.examine()
    losses = [made.learn(step, made.lesson(step)).losses for step in range(30)]
    assert set(losses[0]) == {"loss", "style", "content", "variation", "glare"}
    after = made.examine()
    assert after.verdict < 0.8 * before.verdict
    assert after.figures["untouched"] == before.figures["untouched"]
    assert 0 < after.figures["factor"] <= after.figures["untouched"] / after.figures["style"] + 1e-6
    assert after.figures["apart"] < before.figures["apart"]
    assert 0.25 <= after.figures["between"] <= 1
    assert after.sheet.dtype == np.uint8
    # Two photographs; each as it is, in both styles, and midway.
    assert after.sheet.shape[1] / after.sheet.shape[0] == pytest.approx(2, abs=0.05)
    assert (made.phase(0), made.phase(39)) == ("seeing", "painting")


def test_put_down_and_taken_up_it_learns_the_same(features: Path) -> None:
    paper = recipe(features)
    goes_on_exactly(lambda: course(paper))


def test_what_it_makes_is_a_look_that_paints_as_it_did(features: Path, tmp_path: Path) -> None:
    made = course(recipe(features, size=64))
    for step in range(3):
        made.learn(step, made.lesson(step))
    product = made.product()
    paper = LookDocument.model_validate({"name": "two-styles", "licence": "CC0-1.0", "files": {}, **product.paper})
    package = write_package(str(tmp_path / "look"), paper, product.files)
    look = fit(LookChoice(name=package.place, settings={"styles": {"day": 2}, "size": None}))
    assert look.kind == "style"
    assert fit(LookChoice(name=package.place)).choice.settings["size"] == 64
    frame_batch = film(1)[0]
    (painted,) = hire(look, CPU).render([frame_batch])
    with torch.no_grad():
        wanted = made.net(frame_batch.rgb(), torch.tensor([[0.0, 1.0]]))
    assert (painted - wanted).abs().mean() < 0.01
    assert (painted - frame_batch.rgb()).abs().mean() > 0.05


def test_one_style_will_do(features: Path) -> None:
    pictures = library() | {"style": shelf([photo(9)], names=("folder/moss.png",))}
    made = course(recipe(features), pictures)
    made.learn(0, made.lesson(0))
    assert made.shape.styles == ("moss",)
    assert "between" not in made.examine().figures


def test_pictures_of_odd_sizes_can_be_held_out() -> None:
    assert shown_of(photo(1)[:45, :51]).shape == (1, 3, 40, 48)


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ({"": library()[""]}, "at least one picture whose source says role: style"),
        ({"style": library()["style"]}, "learns from photographs and"),
        (library(("a.png", "b/a.jpg")), "no name twice; these are a, a"),
        (library(("a.png", "?.jpg")), r"these are a, \?"),
    ],
)
def test_pictures_it_cannot_use_are_refused_in_a_sentence(features: Path, pictures: Library, words: str) -> None:
    with pytest.raises(BadInput, match=words) as error:
        course(recipe(features), pictures)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("side", [16, 36])
def test_crops_it_cannot_use_are_refused(features: Path, side: int) -> None:
    with pytest.raises(BadInput, match=f"side = {side}; crops of this course are multiples of 8, and at least 32"):
        course(recipe(features, side=side))


@pytest.mark.parametrize("content", [None, b"", b"\x80\x04\x95pickle", b"\x08" + b"\0" * 7 + b"{}      "])
def test_other_features_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "features.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=r"course.features = .*features.safetensors: not Tiny Darknet's") as error:
        course(recipe(path))
    assert "\n" not in str(error.value)
