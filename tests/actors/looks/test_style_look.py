"""The look "style" as the farm uses it: its settings, its blending, one answer for a frame whatever its company, and packages it refuses."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from actors.looks import fit, hire
from actors.looks.package import LookDocument, Package, write_package
from actors.looks.style.look import StyleShape
from actors.picture.colour import to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks.test_colorize_look import SCALE, batched, film
from tests.actors.looks.test_style_network import SHAPE, network

CPU = torch.device("cpu")


def package(folder: Path, weights: bytes | None = None, **fields: Any) -> Package:
    """A look of two styles, day and night, with random weights."""
    shape = SHAPE.model_dump(mode="json")
    paper = {"name": "two", "kind": "style", "domain": "rgb", "licence": "CC0-1.0", "network": shape, "files": {}}
    data = (
        save({name: one.contiguous() for name, one in network().state_dict().items()}) if weights is None else weights
    )
    return write_package(str(folder), LookDocument.model_validate(paper | fields), {"weights.safetensors": data})


@pytest.fixture
def place(tmp_path: Path) -> str:
    return package(tmp_path / "look").place


def look(place: str, **settings: Any) -> Generator:
    return hire(fit(LookChoice(name=place, settings=settings)), CPU)


def pictures(place: str, frames: int = 2, batch: int = 8, **settings: Any) -> Tensor:
    return torch.cat(list(look(place, **settings).render(batched(film(frames), batch))))


def own(frames: int = 2) -> Tensor:
    return torch.cat([one.rgb() for one in film(frames)])


def test_each_frame_is_painted_by_itself(place: str) -> None:
    whole = pictures(place, 6)
    assert whole.shape == (6, 3, 72, 128)
    assert whole.dtype == torch.float32
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert whole.std() > 0.05
    assert torch.equal(pictures(place, 6, 1), whole)
    assert torch.equal(pictures(place, 6, 4, size=64)[5], pictures(place, 6, 1, size=64)[5])
    assert fit(LookChoice(name=place)).support.model_dump() == {"context": 0, "warmup": 0, "dissolve": 0}


def test_steadied_frames_need_their_neighbours_and_no_more(place: str) -> None:
    support = fit(LookChoice(name=place, settings={"steady": 2})).support
    assert (support.context, support.warmup, support.dissolve) == (2, 0, 0)
    batches = film(9)
    steadied = look(place, steady=2)
    whole = torch.cat(list(steadied.render(batched(batches, 8))))
    assert torch.equal(torch.cat(list(steadied.render(batched(batches[2:8], 3))))[2:-2], whole[4:6])
    assert not torch.equal(whole, pictures(place, 9))
    still = [batches[0]] * 4
    moved, calm = (torch.cat(list(one.render(still))) for one in (look(place), steadied))
    torch.testing.assert_close(calm, moved, rtol=0, atol=1e-5)


def test_the_first_style_is_painted_where_none_is_named(place: str) -> None:
    assert torch.equal(pictures(place), pictures(place, styles={"day": 3}))
    assert not torch.allclose(pictures(place), pictures(place, styles={"night": 1}), atol=0.05)


def test_styles_are_blended_by_their_weights(place: str) -> None:
    assert fit(LookChoice(name=place, settings={"styles": {"day": 1, "night": 3}})).choice.settings["styles"] == {
        "day": 0.25,
        "night": 0.75,
    }
    day, night = pictures(place), pictures(place, styles={"night": 1})
    way = [pictures(place, styles={"day": 4 - n, "night": n}) for n in range(5)]
    assert torch.equal(way[0], day)
    assert torch.equal(way[4], night)
    from_day = [float((one - day).abs().mean()) for one in way]
    assert from_day == sorted(from_day)


def test_the_shipped_look_goes_from_the_cafe_to_the_church() -> None:
    ways = [{"cafe-terrace": 4 - n, "church-at-auvers": n} for n in range(5)]
    assert torch.equal(pictures("style"), pictures("style", styles=ways[0]))
    differences = [to_differences(pictures("style", styles=way), SCALE.colour)[1].mean((0, 2, 3)) for way in ways]
    redness = [float(blue_red[1]) for blue_red in differences]
    assert redness == sorted(redness, reverse=True)  # violet shadows become blue ones
    assert redness[0] > redness[-1] + 0.02


def test_strength_mixes_with_the_films_own_picture(place: str) -> None:
    assert torch.equal(pictures(place, strength=0, steady=2), own())
    assert fit(LookChoice(name=place, settings={"strength": 0, "steady": 2})).support.context == 0
    torch.testing.assert_close(pictures(place, strength=0.25), 0.75 * own() + 0.25 * pictures(place))


def test_keep_chroma_gives_the_luma_of_the_same_picture(place: str) -> None:
    assert look(place).domain is Domain.RGB
    assert look(place, keep_chroma=True).domain is Domain.LUMA
    luma = pictures(place, keep_chroma=True)
    torch.testing.assert_close(luma, to_differences(pictures(place), SCALE.colour)[0])
    assert torch.equal(pictures(place, keep_chroma=True, strength=0), torch.cat([one.luma() for one in film(2)]))
    assert not fit(LookChoice(name=place, settings={"keep_chroma": True})).adds_colour


def test_saturation_scales_the_colour_alone(place: str) -> None:
    luma, differences = to_differences(pictures(place), SCALE.colour)
    pale_luma, pale = to_differences(pictures(place, saturation=0.5), SCALE.colour)
    torch.testing.assert_close(pale, differences / 2, rtol=0, atol=1e-4)
    torch.testing.assert_close(pale_luma, luma, rtol=0, atol=1e-4)
    grey = pictures(place, saturation=0)
    torch.testing.assert_close(grey[:, 0], grey[:, 2], rtol=0, atol=1e-4)


def test_a_smaller_size_paints_a_coarser_picture(place: str) -> None:
    def detail(made: Tensor) -> float:
        return float((made[..., 1:] - made[..., :-1]).abs().mean())

    assert detail(pictures(place, size=64)) < 0.7 * detail(pictures(place))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 30), (41, 7)])
def test_the_smallest_pictures_are_painted_too(place: str, height: int, width: int) -> None:
    batches = [FrameBatch(torch.full((2, height, width), 90, dtype=torch.uint8), None, SCALE)]
    assert [one.shape for one in look(place).render(batches)] == [(1, 3, height, width)] * 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"styles": {"noon": 1}}, r"has no style 'noon'; its styles are day, night\.$"),
        ({"styles": {"day": 0}}, "give at least one style more than 0"),
        ({"styles": {"day": -1}}, r"styles.day = -1"),
        ({"size": 8}, "size = 8"),
        ({"weights": "w.safetensors"}, "weights = 'w.safetensors'"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(place: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadLook, match=words) as error:
        fit(LookChoice(name=place, settings=settings))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({}, "network.styles is missing"),
        ({"styles": []}, "network.styles has 0; give at least 1"),
        ({"styles": ["day"], "widths": [4, 6]}, "network.widths"),
        ({"styles": ["day", "day"]}, "two styles have the same name"),
        ({"styles": ["day"], "depth": 3}, "network.depth"),
    ],
)
def test_a_package_of_another_kind_is_refused_on_paper(tmp_path: Path, shape: dict[str, Any], words: str) -> None:
    place = package(tmp_path / "look", network=shape).place
    with pytest.raises(BadLook, match=rf"look\.json: .*{words}") as error:
        fit(LookChoice(name=place))
    assert "\n" not in str(error.value)


def whole() -> bytes:
    return save({name: one.contiguous() for name, one in network().state_dict().items()})


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (whole()[:-7], "is not a whole safetensors file"),
        (b"\x80\x04\x95pickle", "is not a whole safetensors file"),
        (b"", "is not a whole safetensors file"),
        (save({"w": torch.zeros(3)}), r"'kernels\.0' is none where look.json's network has 4 x 3 x 9 x 9"),
        (save(load(whole()) | {"extra": torch.zeros(2, 3)}), "'extra' is 2 x 3 where look.json's network has none"),
        (save(load(whole()) | {"shifts.2": torch.zeros(1, 8)}), r"'shifts\.2' is 1 x 8 where .* has 2 x 8"),
        (
            save(network(shape=StyleShape(widths=(4, 6, 8), blocks=1, styles=("day", "night"))).state_dict()),
            "where look.json's network has",
        ),
    ],
)
def test_weights_that_are_not_the_looks_are_refused(tmp_path: Path, weights: bytes, words: str) -> None:
    planned = fit(LookChoice(name=package(tmp_path / "look", weights).place))
    with pytest.raises(BadLook, match=words) as error:
        hire(planned, CPU)
    assert "\n" not in str(error.value)
