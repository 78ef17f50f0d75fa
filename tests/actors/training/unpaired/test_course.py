"""The course "unpaired": what a step is worth, the same weights however often it is put down, and figures whose answers are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load, save
from torch import Tensor

from actors.looks import fit, hire
from actors.looks.package import LookDocument, write_package
from actors.picture.png_sheet import Photo
from actors.training import registry
from actors.training.course import Library, WorkerRank
from actors.training.unpaired.course import UnpairedCourse
from actors.training.unpaired.kinds import UNPAIRED, UnpairedCourseSettings
from actors.training.unpaired.sliced_wasserstein import Picture, kind_distance
from actors.training.unpaired.validation import away, told_right
from jobs.errors import BadInput, BadSpec
from jobs.spec.job import LookChoice
from jobs.spec.training_recipe import Recipe, parse_recipe
from tests.actors.looks.sketches import shelves, sketch
from tests.actors.looks.test_colorize_look import film

CPU = torch.device("cpu")
TINY = {"shape": {"width": 4, "blocks": 1}, "critic_width": 4, "critic_halvings": 1, "rate": 1e-3}


def recipe(**fields: Any) -> Recipe:
    told: dict[str, Any] = {
        "name": "dream",
        "kind": "unpaired",
        "out": "nowhere",
        "licence": "CC0-1.0",
        "data": [{"pictures": "life", "role": "source"}, {"pictures": "sketches", "role": "target"}],
        "steps": 8,
        "batch": 2,
        "side": 16,
        "short_side": 64,
        "course": TINY,
    }
    return parse_recipe(told | fields, "recipe")


def course(library: Library | None = None, team: WorkerRank | None = None, **fields: Any) -> UnpairedCourse:
    told = recipe(**fields)
    pictures = shelves(6, 3, 40) if library is None else library
    return UnpairedCourse(told, UnpairedCourseSettings.model_validate(told.course), pictures, team or WorkerRank(), CPU)


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name in one if not torch.equal(one[name], other[name])]


def test_a_recipe_finds_it_with_all_its_settings() -> None:
    assert registry.find("unpaired") is UNPAIRED
    assert registry.settings_of(recipe()) == UnpairedCourseSettings.model_validate(TINY)
    with pytest.raises(BadSpec, match=r"cycle_source .*greater than or equal to 0"):
        registry.settings_of(recipe(course={"cycle_source": -1}))


def test_the_recipe_of_the_docs_is_one() -> None:
    path = Path(__file__).parents[4] / "docs/training/unpaired.yaml"
    told = registry.checked(parse_recipe(yaml.safe_load(path.read_text(encoding="utf-8")), path.name))
    assert UnpairedCourseSettings.model_validate(told.course).shape.blocks == 3


def test_put_down_and_taken_up_it_goes_on_bit_for_bit() -> None:
    whole, first = course(), course()
    for step in range(4):
        whole.learn(step, whole.lesson(step))
    for step in range(2):
        first.learn(step, first.lesson(step))
    kept = load(save(first.state()))
    first.learn(2, first.lesson(2))
    second = course()
    second.restore(kept)
    assert_same(second.state(), kept)
    for step in (2, 3):
        second.learn(step, second.lesson(step))
    assert_same(second.state(), whole.state())
    assert not torch.equal(kept["forward.fine.weight"], whole.state()["forward.fine.weight"]), "it has learnt"


def test_the_state_holds_everything_that_learning_changes() -> None:
    taught = course()
    before = taught.state()
    taught.learn(0, taught.lesson(0))
    after = taught.state()
    for name in ("forward", "backward", "kept_forward", "kept_backward", "critic_target", "critic_source"):
        assert any(key.startswith(f"{name}.") and not torch.equal(before[key], after[key]) for key in before), name
    vectors = [key for key in before if key.endswith(("._u", "._v"))]
    assert len(vectors) == 2 * 2 * 2, "of the first two of each critic's three kernels"
    assert any(not torch.equal(before[key], after[key]) for key in vectors)
    for optimizer in ("generators", "critics"):
        for moment in ("exp_avg", "exp_avg_sq", "step"):
            assert f"{optimizer}.0.{moment}" in after
    assert all(value.is_contiguous() and value.device == CPU for value in after.values())


def test_an_exam_changes_nothing() -> None:
    taught = course()
    taught.learn(0, taught.lesson(0))
    before, taken = taught.state(), taught.examine()
    assert_same(taught.state(), before)
    again = taught.examine()
    assert (again.figures, again.verdict) == (taken.figures, taken.verdict)
    assert taken.verdict == pytest.approx(taken.figures["distance"] + taken.figures["cycle source"])
    assert taken.sheet.shape == (6 * 40 + 5 * 4, 3 * 40 + 2 * 4, 3), "six held-out pictures, what they become, and back"
    assert taken.sheet.dtype == np.uint8


def test_workers_share_one_batch() -> None:
    whole = course(batch=4)._crops("source", 5)
    parts = [course(batch=4, team=WorkerRank(rank, 2))._crops("source", 5) for rank in (0, 1)]
    assert torch.equal(torch.cat(parts), whole)
    assert not torch.equal(course(batch=4)._crops("source", 6), whole)
    assert whole.shape == (4, 3, 16, 16)


def test_losses_are_those_of_the_paper() -> None:
    settings = {**TINY, "cycle_source": 7.0, "cycle_target": 3.0, "identity": 2.0}
    taught = course(course=settings)
    source, target = taught._crops("source", 0), taught._crops("target", 0)
    with torch.no_grad(), taught.narrow:
        losses, made_target, made_source = taught._translated(source, target)
        there, back = taught.forward, taught.backward
        wanted = {
            "cycle source": 7 * away(back(there(source)), source),
            "cycle target": 3 * away(there(back(target)), target),
            "identity": 2 * (away(there(target), target) + away(back(source), source)),
        }
        torch.testing.assert_close(made_target, there(source), atol=1e-2, rtol=0)
        torch.testing.assert_close(made_source, back(target), atol=1e-2, rtol=0)
    for name, value in wanted.items():
        assert float(losses[name]) == pytest.approx(float(value), rel=0.01), name
    assert 0 < float(losses["adversarial"]) < 8


def test_the_rate_falls_to_nothing_over_the_second_half() -> None:
    taught = course(course={**TINY, "rate": 0.01})
    rates = []
    for step in (0, 3, 4, 6, 7):
        taught.learn(step, taught.lesson(step))
        rates.append(taught.optimizers["generators"].param_groups[0]["lr"])
    assert rates == pytest.approx([0.01, 0.01, 0.01, 0.005, 0.0025])


def test_sixty_steps_lose_less_on_the_way_back_and_come_nearer_the_true_sketch() -> None:
    taught = course(shelves(30, 6, 40), steps=60, batch=4, course={**TINY, "cycle_source": 1, "rate": 4e-3})
    losses = [taught.learn(step, taught.lesson(step)).losses for step in range(60)]
    for name in ("cycle target", "identity"):
        first, last = (np.mean([one[name] for one in some]) for some in (losses[:5], losses[-5:]))
        assert last < 0.8 * first, name
    made, grey = [], []
    for photo in taught.library["source"].held_out:
        shown, truth = (torch.from_numpy(one).permute(2, 0, 1)[None] / 255 for one in (photo, sketch(photo)))
        with torch.no_grad():
            made.append(float(away(taught.kept_forward(shown), truth)))
        grey.append(float(away(shown.mean(1, keepdim=True), truth)))
    assert np.mean(made) < 0.5 * np.mean(grey)


def test_a_finished_look_runs_in_the_farm(tmp_path: Path) -> None:
    taught = course(short_side=288)
    made = taught.product()
    paper = LookDocument.model_validate({"name": "dream", "licence": "CC0-1.0", "files": {}, **made.paper})
    place = write_package(str(tmp_path / "dream"), paper, made.files).place
    for direction in ("forward", "backward"):
        look = fit(LookChoice(name=place, settings={"direction": direction}))
        assert look.choice.settings["size"] == 512, "as large as what it learnt from, in the shape of a film"
        (picture,) = hire(look, CPU).render(film(1))
        assert picture.shape == (1, 3, 72, 128)


def _held_out(library: Library, role: str, pictures: list[Photo]) -> Library:
    shelf = library[role]
    return {**library, role: type(shelf)(shelf.learnt, shelf.odds, pictures)}


@pytest.mark.parametrize(
    ("fields", "held_out", "words"),
    [
        ({"course": {**TINY, "critic_halvings": 3}}, None, "side = 16: .* judges crops of at least 24 pixels"),
        ({}, [], "no held-out pictures of the role 'target'; give its sources a held_out"),
        ({}, [np.zeros((20, 30, 3), np.uint8)], "held-out picture of the role 'target' is of 30x20 pixels"),
    ],
)
def test_what_it_cannot_learn_from_is_refused(fields: dict[str, Any], held_out: list[Photo] | None, words: str) -> None:
    library = shelves(4, 2, 40)
    with pytest.raises(BadInput, match=words) as error:
        course(library if held_out is None else _held_out(library, "target", held_out), **fields)
    assert "\n" not in str(error.value)


def test_a_critic_is_right_by_patches() -> None:
    true, made = torch.tensor([0.9, 0.8, 0.4, 0.7]), torch.tensor([0.1, 0.6, 0.2, 0.9])
    assert told_right(true, made) == pytest.approx((3 / 4 + 2 / 4) / 2)


def flat(level: float) -> list[Picture]:
    return [np.full((40, 40, 3), level, np.float32)] * 2


def test_flat_pictures_are_as_far_apart_as_their_levels() -> None:
    assert kind_distance(flat(0.4), flat(0.4)) == 0
    assert kind_distance(flat(0.4), flat(0.5)) == pytest.approx(0.1, rel=0.25)
    assert kind_distance(flat(0.4), flat(0.8)) == pytest.approx(4 * kind_distance(flat(0.4), flat(0.5)), rel=1e-3)


def test_a_kind_is_near_itself_whatever_it_shows_and_far_from_another() -> None:
    pictures = shelves(24, 0, 48)
    life, drawn = (
        [(one / np.float32(255)).astype(np.float32) for one in pictures[role].learnt] for role in ("source", "target")
    )
    same = [kind_distance(some[:12], some[12:]) for some in (life, drawn)]
    assert max(same) < 0.3 * kind_distance(life[:12], drawn[12:])
