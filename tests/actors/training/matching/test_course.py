"""The matching course: it learns, goes on exactly where it was, and what it makes is a network that propagation matches by."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray

from actors.looks.colorize.look import COLORIZE
from actors.picture.png_sheet import Photo
from actors.render.propagation.matching import KnownPicture, Matcher, ReferenceMemory
from actors.training.course import Library, RoleData, WorkerRank
from actors.training.matching.course import MULTIPLE, MatchingCourse
from actors.training.matching.kinds import MATCHING, MatchingCourseSettings
from actors.training.matching.pairs import pair_of
from actors.training.registry import checked, find
from jobs.errors import BadInput
from jobs.spec.training_recipe import Recipe, parse_recipe
from tests.actors.training.resuming import goes_on_exactly

CPU = torch.device("cpu")


def recipe(side: int = 96) -> Recipe:
    fields = {
        "version": 1,
        "name": "matching",
        "kind": "matching",
        "out": "nowhere",
        "licence": "CC0-1.0",
        "data": [{"pictures": "photographs", "held_out": 2}],
        "steps": 60,
        "side": side,
        "batch": 2,
        "course": {"rate": 0.02},
    }
    return parse_recipe(fields, "recipe.yaml")


def photo(seed: int) -> Photo:
    """Textures, each of which has its colour: a picture whose chroma its luma's pattern tells."""
    rng = np.random.default_rng(seed)
    height, width = 128, 160
    which = cv2.resize(rng.integers(0, 3, (2, 2)).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    rows, columns = np.mgrid[:height, :width]
    patterns = [(rows // 2 % 2), (columns // 4 % 2), ((rows // 6 + columns // 6) % 2)]
    luma = np.select([which == 0, which == 1, which == 2], patterns).astype(np.float32) * 0.4 + 0.3
    colours = np.array([(1.3, 0.9, 0.6), (0.6, 1.1, 1.0), (0.9, 0.9, 1.6)], np.float32)[which]
    levels: Photo = (luma[..., None] * colours * 255).clip(0, 255).astype(np.uint8)
    return levels


def library(count: int = 8) -> Library:
    photos = [photo(seed) for seed in range(count)]
    learnt = photos[2:]
    return {"": RoleData(learnt, np.full(len(learnt), 1 / max(len(learnt), 1)), photos[:2])}


def course(paper: Recipe, pictures: Library | None = None) -> MatchingCourse:
    settings = MatchingCourseSettings.model_validate(paper.course)
    return MatchingCourse(paper, settings, pictures or library(), WorkerRank(), CPU)


def test_its_recipe_is_one_that_the_course_takes() -> None:
    assert find("matching") is MATCHING
    path = Path(__file__).parents[4] / "docs/training/matching.yaml"
    told = checked(parse_recipe(yaml.safe_load(path.read_text(encoding="utf-8")), path.name))
    assert told.side % MULTIPLE == 0


def test_it_learns_and_knows_how_far_it_errs() -> None:
    made = course(recipe())
    before = made.examine()
    losses = [made.learn(step, made.lesson(step)).losses for step in range(40)]
    assert set(losses[0]) == {"loss", "colours", "own error"}
    after = made.examine()
    assert after.verdict == after.figures["chroma"] < 0.98 * before.verdict
    assert after.figures["told"] > 0.5
    assert sum(float(one["own error"]) for one in losses[-5:]) < sum(float(one["own error"]) for one in losses[:5])
    assert after.sheet.dtype == np.uint8


def test_put_down_and_taken_up_it_learns_the_same() -> None:
    paper = recipe()
    goes_on_exactly(lambda: course(paper))


def test_what_it_makes_is_a_network_that_matches(tmp_path: Path) -> None:
    made = course(recipe())
    for step in range(3):
        made.learn(step, made.lesson(step))
    assert COLORIZE.shipped
    path = tmp_path / "matching.safetensors"
    path.write_bytes(made.product().files["weights.safetensors"])
    matcher = Matcher(COLORIZE.shipped / "weights.safetensors", path)
    assert torch.equal(matcher.network.project.weight, made.average.project.weight)
    luma: NDArray[np.float32] = photo(3)[..., 1].astype(np.float32) / np.float32(255)
    chroma = np.full((*luma.shape, 2), 0.1, np.float32)
    found = ReferenceMemory([KnownPicture(luma, chroma, np.ones_like(luma))], matcher).match(luma)
    assert found.chroma == pytest.approx(np.full_like(found.chroma, 0.1), abs=0.02)


def test_a_pair_is_one_photograph_twice_and_the_same_each_time() -> None:
    pair = pair_of(photo(1), photo(2), 96, np.random.default_rng(4))
    assert pair.shape == (2, 3, 96, 96)
    assert pair.dtype == np.float32
    assert 0 <= pair[:, 0].min() < pair[:, 0].max() <= 1
    assert np.abs(pair[:, 1:]).max() <= 0.5
    assert np.array_equal(pair, pair_of(photo(1), photo(2), 96, np.random.default_rng(4)))
    assert not np.array_equal(pair[0], pair[1])


def test_relit_colours_keep_their_proportions() -> None:
    def hues(pair: NDArray[np.float32]) -> NDArray[np.float32]:
        # Of a picture of one colour, in any light: chroma over luma.
        return np.asarray(np.median(pair[:, 1:] / pair[:, :1], axis=(2, 3)), np.float32)

    plain = np.full((128, 160, 3), (150, 90, 60), np.uint8)
    for seed in range(5):
        first, second = hues(pair_of(plain, plain, 96, np.random.default_rng(seed)))
        assert first == pytest.approx(second, rel=0.15)


def test_pictures_and_crops_it_cannot_use_are_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="side = 100; crops of this course are multiples of 32 pixels, such as 256"):
        course(recipe(side=100))
    with pytest.raises(BadInput, match="a pair takes two photographs; give this course more"):
        course(recipe(), library(count=3))
