"""The colouriser's course: it learns, goes on exactly, has its phases, and what it makes is a look; fine-tuning begins where that look is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load

from actors.looks import find, fit, hire
from actors.looks.colorize.network import ColorNet, load_network
from actors.looks.package import LookDocument, write_package
from actors.picture.image_metrics import luma_of
from actors.picture.png_sheet import Photo
from actors.training import registry
from actors.training.colorize.course import ColorizeCourse, encoder_file
from actors.training.colorize.finetune import FinetuneCourse
from actors.training.colorize.kinds import ColorizeCourseSettings
from actors.training.colorize.losses import composed
from actors.training.colorize.validation import BOLD, STRENGTHS, bold, examined, middle
from actors.training.course import Library, RoleData, WorkerRank
from actors.training.dataset.crops import batch_of
from jobs.errors import BadInput, BadLook
from jobs.spec.job import LookChoice
from jobs.spec.training_recipe import Recipe

CPU = torch.device("cpu")


def picture(seed: int) -> Photo:
    """Blue above, green below, as bright as chance will have it, with a little texture: H W 3."""
    rng = np.random.default_rng(seed)
    bright, texture = 0.4 + 0.5 * rng.random(), rng.normal(0, 8, (64, 80, 1))
    colours = np.where(np.arange(64)[:, None, None] < 32, [128, 178, 255], [76, 153, 51])
    return (colours * bright + texture).clip(0, 255).astype(np.uint8)


def library(pictures: int = 6) -> Library:
    learnt = [picture(seed) for seed in range(pictures)]
    names = [f"{number}.png" for number in range(pictures)]
    return {"": RoleData(learnt, np.full(pictures, 1 / pictures), [picture(100), picture(101)], names)}


def recipe(kind: str = "colorize", **fields: Any) -> Recipe:
    given = {"name": "mine", "kind": kind, "out": "out", "licence": "CC0-1.0", "data": [{"pictures": "photos"}]}
    return Recipe.model_validate(given | {"steps": 40, "batch": 2, "side": 32} | fields)


def course(made: type[ColorizeCourse] = ColorizeCourse, steps: int = 40, **wish: Any) -> ColorizeCourse:
    kind = "finetune" if made is FinetuneCourse else "colorize"
    settings = registry.find(kind).settings.model_validate(wish)
    return made(recipe(kind, steps=steps, course=wish), settings, library(), WorkerRank(), CPU)


def test_twelve_steps_lower_the_loss() -> None:
    learner = course(rate=3e-3, steps=400)
    losses = [learner.learn(step + 150, learner.lesson(step + 150)).losses["colour"] for step in range(12)]
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])


def test_going_on_from_a_state_is_never_having_stopped() -> None:
    wish: dict[str, Any] = {"critic_steps": 2, "adversarial_steps": 2, "edges": 1.0, "consistency": 1.0, "dropout": 0.3}
    through, stopped, again = (course(steps=5, **wish) for _ in range(3))
    for step in range(5):
        through.learn(step, through.lesson(step))
    for step in range(3):
        stopped.learn(step, stopped.lesson(step))
    again.restore(stopped.state())
    for step in (3, 4):
        again.learn(step, again.lesson(step))
    one, other = through.state(), again.state()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_phases_follow_each_other_at_the_end() -> None:
    learner = course(steps=10, critic_steps=3, adversarial_steps=2)
    assert [learner.phase(step) for step in (0, 4, 5, 7, 8, 9)] == ["learning"] * 2 + ["critic"] * 2 + [
        "adversarial"
    ] * 2


@pytest.mark.parametrize("adversary", ["hinge", "log"])
def test_the_critic_learns_alone_and_then_teaches(adversary: str) -> None:
    learner = course(steps=4, critic_steps=2, adversarial_steps=1, adversary=adversary)
    before = learner.network.last.weight.detach().clone()
    alone = learner.learn(1, learner.lesson(1))
    assert torch.equal(learner.network.last.weight, before)
    assert alone.losses.keys() == {"critic"}
    both = learner.learn(3, learner.lesson(3))
    assert {"colour", "fooling", "matching", "critic"} <= both.losses.keys()
    assert both.critic_right is not None
    assert 0 <= both.critic_right <= 1


def test_the_encoder_stays_as_published() -> None:
    learner = course()
    before = learner.network.encoder.head.weight.clone()
    learner.learn(0, learner.lesson(0))
    assert torch.equal(learner.network.encoder.head.weight, before)
    assert torch.equal(course().network.encoder.stem.weight, learner.network.encoder.stem.weight)


@pytest.mark.parametrize(
    ("fields", "wish", "words"),
    [
        ({"side": 40}, {}, "side = 40: this network takes crops of a multiple of 32 pixels; give one, as 32"),
        ({"batch": 1}, {}, "batch = 1: a worker learns from two crops at least; give batch 2 or more"),
        ({}, {"critic_steps": 30, "adversarial_steps": 10}, "none is left to learn the colours in"),
        ({}, {"perceptual": 0.1}, "features is missing: the perceptual loss needs Tiny Darknet"),
        ({}, {"encoder": "gone.pth"}, r"gone\.pth"),
    ],
)
def test_what_cannot_be_begun_is_refused(fields: dict[str, Any], wish: dict[str, Any], words: str) -> None:
    settings = ColorizeCourseSettings.model_validate(wish)
    with pytest.raises(BadInput, match=words):
        ColorizeCourse(recipe(**fields), settings, library(), WorkerRank(), CPU)


def test_grey_pictures_teach_no_colours() -> None:
    grey = {"": RoleData([np.full((64, 64, 3), 90, np.uint8)] * 2, np.full(2, 0.5), [], ["a.png", "b.png"])}
    with pytest.raises(BadInput, match=r"2 of 2 pictures are grey, such as a\.png"):
        ColorizeCourse(recipe(), ColorizeCourseSettings.model_validate({}), grey, WorkerRank(), CPU)


def test_an_encoder_that_is_named_is_taken() -> None:
    assert encoder_file(Path("mine.pth")) == Path("mine.pth")
    assert encoder_file(None).is_file()


def test_the_product_is_a_look_with_the_course_s_pictures(tmp_path: Path) -> None:
    learner = course()
    learner.learn(0, learner.lesson(0))
    product = learner.product()
    fields = {"name": "mine", "licence": "CC0-1.0", "files": {}, **product.paper}
    package = write_package(str(tmp_path / "look"), LookDocument.model_validate(fields), product.files)
    look = fit(LookChoice(name=package.place))
    assert (look.kind, look.support.context) == ("colorize", 8)
    hire(look, CPU)
    loaded = ColorNet()
    loaded.load_state_dict({name: value.float() for name, value in load(product.files["weights.safetensors"]).items()})
    luma = luma_of(middle(picture(3)))
    assert torch.allclose(loaded.eval()(luma), learner.average(luma), atol=2e-3)


def test_two_workers_draw_the_rows_that_one_would() -> None:
    shelf = library()[""]
    whole = batch_of(shelf, 32, 7, 5, range(4))
    assert torch.equal(torch.cat([batch_of(shelf, 32, 7, 5, rows) for rows in (range(2), range(2, 4))]), whole)
    assert not torch.equal(batch_of(shelf, 32, 7, 6, range(4)), whole)


class Oracle(ColorNet):
    """Knows the one picture there is."""

    def __init__(self, rgb: torch.Tensor, share: float) -> None:
        super().__init__()
        self.answer = share * (rgb[:, [2, 0]] - luma_of(rgb))

    def forward(self, luma: torch.Tensor) -> torch.Tensor:
        return self.answer


def test_an_oracle_is_as_good_as_can_be_and_grey_as_bad_as_grey() -> None:
    photo = picture(9)
    rgb = middle(photo)
    right, timid = (examined(Oracle(rgb, share), [photo], CPU) for share in (1.0, 0.5))
    assert right.figures["dE00 at strength 1"] == pytest.approx(0, abs=0.01)
    assert timid.figures["dE00 at strength 2"] == pytest.approx(0, abs=0.01)
    assert right.figures["dE00 at half the truth's CF"] == pytest.approx(timid.figures["dE00 at strength 1"], rel=0.05)
    assert right.figures["CF at strength 0"] == pytest.approx(0, abs=0.01)
    assert right.spread is not None
    assert right.spread[0] == pytest.approx(right.spread[1], rel=0.01)
    grey = examined(Oracle(rgb, 0.0), [photo], CPU)
    assert grey.verdict == pytest.approx(grey.figures["dE00 of grey"])
    assert right.verdict < grey.verdict


def test_the_sheet_shows_grey_made_and_truth() -> None:
    photo = picture(9)
    rgb = middle(photo)
    sheet = examined(Oracle(rgb, 1.0), [photo], CPU).sheet
    height, width = rgb.shape[-2:]
    assert sheet.shape == (height, 3 * width, 3)
    assert np.abs(sheet[:, :width].astype(int).std(2)).max() <= 1
    assert np.abs(sheet[:, width : 2 * width].astype(int) - sheet[:, 2 * width :].astype(int)).max() <= 1


def test_fine_tuning_begins_with_the_looks_own_pictures() -> None:
    learner = course(FinetuneCourse)
    rgb = middle(picture(4))
    package = find("colorize").shipped
    assert package
    shipped = load_network(package / "weights.safetensors", CPU)
    assert torch.allclose(learner.learnt()(luma_of(rgb)), shipped(luma_of(rgb)), atol=0.02)
    losses = [learner.learn(step, learner.lesson(step)).losses["colour"] for step in range(3)]
    assert all(np.isfinite(losses))


def test_fine_tuning_learns_a_film_s_colours() -> None:
    learner = course(FinetuneCourse, steps=40, rate=2e-3, memory=0.0)

    def apart() -> float:
        rgb = middle(picture(100))
        made = composed(luma_of(rgb), learner.learnt()(luma_of(rgb))).detach()
        return float((made - rgb).abs().mean())

    before = apart()
    for step in range(12):
        learner.learn(step, learner.lesson(step))
    assert apart() < 0.8 * before


def test_fine_tuning_goes_on_with_colourisers_alone() -> None:
    with pytest.raises(BadLook, match=r"course\.look = 'none' is not a colouriser"):
        course(FinetuneCourse, look="none")
    with pytest.raises(BadInput, match="There is no look 'sepia'"):
        course(FinetuneCourse, look="sepia")


def test_the_rate_rises_and_falls() -> None:
    learner = course(steps=1000, critic_steps=50, adversarial_steps=50)
    rates = [learner._rate(step, learner.phase(step)) for step in (0, 90, 899)]
    assert rates[0] < 0.02 * rates[1]
    assert rates[2] < 0.02 * rates[1]
    assert learner._rate(960, "adversarial") == learner.wish.adversarial_rate


def test_a_pale_network_is_made_as_bold_as_it_should_be() -> None:
    figures = {f"CF at strength {strength:g}": 6.0 * strength for strength in STRENGTHS}
    assert bold(figures | {"CF of the truth": 30.0}) == pytest.approx(30 * BOLD / 6, abs=0.01)
    assert bold(figures | {"CF of the truth": 3.0}) == 1.0
    assert bold(figures | {"CF of the truth": 300.0}) == STRENGTHS[-1]
