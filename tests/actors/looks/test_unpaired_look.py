"""The look "unpaired" as the farm uses it: its settings, one answer for a frame whatever its company, and one sentence for a bad package."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from actors.looks import fit, hire
from actors.looks.package import LookDocument, write_package
from actors.looks.unpaired.look import Shape, UnpairedSettings
from actors.looks.unpaired.network import Translator
from actors.picture.colour import to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks.test_colorize_look import SCALE, batched, film

CPU = torch.device("cpu")
SMALL = Shape(width=4, blocks=1)


def weights(seed: int) -> bytes:
    """A generator that changes everything."""
    torch.manual_seed(seed)
    made = Translator(SMALL)
    torch.nn.init.normal_(made.last.weight, std=0.05)
    return save(made.state_dict())


def packed(folder: Path, files: dict[str, bytes], **fields: Any) -> str:
    """The place of a look made of these files."""
    told: dict[str, Any] = {"network": SMALL.model_dump(), **fields}
    paper = LookDocument(name="dream", kind="unpaired", domain="rgb", licence="CC0-1.0", files={}, **told)
    return write_package(str(folder), paper, files).place


@pytest.fixture
def place(tmp_path: Path) -> str:
    """A look that can go both ways."""
    return packed(tmp_path / "dream", {"forward.safetensors": weights(1), "backward.safetensors": weights(2)})


def pictures(place: str, batches: list[FrameBatch], batch: int = 8, **settings: Any) -> Tensor:
    look = hire(fit(LookChoice(name=place, settings=settings)), CPU)
    return torch.cat(list(look.render(batched(batches, batch))))


def own(batches: list[FrameBatch]) -> Tensor:
    return torch.cat([one.rgb() for one in batches])


def test_a_frame_has_one_answer_alone_in_a_batch_and_in_any_chunk(place: str) -> None:
    batches = film(9)
    whole = pictures(place, batches)
    assert whole.shape == (9, 3, 72, 128)
    assert whole.dtype == torch.float32
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert torch.equal(pictures(place, batches, 1), whole)
    assert torch.equal(pictures(place, batches[4:7], 2), whole[4:7])
    assert fit(LookChoice(name=place)).support.model_dump() == {"context": 0, "warmup": 0, "dissolve": 0}


def test_steadied_frames_need_their_neighbours_and_no_more(place: str) -> None:
    batches = film(7)
    whole = pictures(place, batches, steady=1)
    assert fit(LookChoice(name=place, settings={"steady": 1})).support.context == 1
    assert torch.equal(pictures(place, batches[1:6], 2, steady=1)[1:-1], whole[2:5])
    assert not torch.equal(whole, pictures(place, batches))


def test_it_changes_the_picture_each_direction_in_its_way(place: str) -> None:
    batches = film(1)
    there, back = pictures(place, batches), pictures(place, batches, direction="backward")
    assert (there - own(batches)).abs().mean() > 0.02
    assert (there - back).abs().mean() > 0.02


def test_strength_mixes_with_the_films_own_picture(place: str) -> None:
    batches = film(2)
    full = pictures(place, batches)
    assert torch.equal(pictures(place, batches, strength=0), own(batches))
    torch.testing.assert_close(pictures(place, batches, strength=0.25), 0.75 * own(batches) + 0.25 * full)


def test_saturation_scales_the_colour_and_leaves_the_luma(place: str) -> None:
    batches = film(1)
    luma, differences = to_differences(pictures(place, batches), SCALE.colour)
    grey = to_differences(pictures(place, batches, saturation=0), SCALE.colour)
    half = to_differences(pictures(place, batches, saturation=0.5), SCALE.colour)
    torch.testing.assert_close(grey[0], luma, atol=1e-5, rtol=0)
    assert grey[1].abs().max() < 1e-5
    torch.testing.assert_close(half[1], differences / 2, atol=1e-5, rtol=0)


def test_kept_chroma_is_the_films_own(place: str) -> None:
    batches = film(2)
    look = hire(fit(LookChoice(name=place, settings={"keep_chroma": True})), CPU)
    assert look.domain is Domain.LUMA
    made = torch.cat(list(look.render(batches)))
    torch.testing.assert_close(made, to_differences(pictures(place, batches), SCALE.colour)[0])
    plain = torch.cat([one.luma() for one in batches])
    assert torch.equal(pictures(place, batches, keep_chroma=True, strength=0), plain)
    assert not fit(LookChoice(name=place, settings={"keep_chroma": True})).adds_colour


@pytest.mark.parametrize(
    ("height", "width", "size", "shown"),
    [(360, 640, 640, (360, 640)), (1080, 1920, 640, (360, 640)), (240, 320, 640, (240, 320)), (2, 4000, 64, (1, 64))],
)
def test_a_large_film_is_seen_smaller(height: int, width: int, size: int, shown: tuple[int, int]) -> None:
    assert UnpairedSettings(size=size).shown(height, width) == shown


def test_size_bounds_what_the_generator_sees(place: str) -> None:
    batches = film(1)
    full = pictures(place, batches)
    assert torch.equal(pictures(place, batches, size=128), full)
    small = pictures(place, batches, size=64)
    assert small.shape == full.shape
    assert (small - full).abs().mean() > 0.01


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 30), (41, 7)])
def test_a_tiny_film_is_translated_too(place: str, height: int, width: int) -> None:
    batches = [FrameBatch(torch.full((2, height, width), 90, dtype=torch.uint8), None, SCALE)]
    assert pictures(place, batches).shape == (2, 3, height, width)


def test_a_package_brings_its_own_settings(tmp_path: Path) -> None:
    place = packed(tmp_path / "dream", {"backward.safetensors": weights(2)}, settings={"direction": "backward"})
    assert fit(LookChoice(name=place)).choice.settings["direction"] == "backward"
    assert pictures(place, film(1)).shape == (1, 3, 72, 128)


@pytest.mark.parametrize(
    ("files", "fields", "settings", "words"),
    [
        ({"forward.safetensors": b"x"}, {}, {"direction": "backward"}, "dream cannot go backward; it has forward"),
        ({"weights.safetensors": b"x"}, {}, {}, "cannot go forward; it has no generator of this kind of look"),
        (
            {"forward.safetensors": b"x"},
            {"network": {"width": 4, "depth": 3}},
            {},
            r"look\.json: network\.depth = 3: there is no such",
        ),
        ({"forward.safetensors": b"x"}, {"network": {"width": 1000}}, {}, r"look\.json: network\.width = 1000: "),
        ({"forward.safetensors": b"x"}, {}, {"direction": "up"}, "direction = 'up': input should be 'forward' or"),
    ],
)
def test_a_wrong_package_is_refused_when_planning(
    tmp_path: Path, files: dict[str, bytes], fields: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    place = packed(tmp_path / "dream", files, **fields)
    with pytest.raises(BadLook, match=words) as error:
        fit(LookChoice(name=place, settings=settings))
    assert "\n" not in str(error.value)


def test_without_a_package_it_says_how_to_get_one() -> None:
    with pytest.raises(BadLook, match=r"name a look of its kind .* or train one"):
        fit(LookChoice(name="unpaired"))


@pytest.mark.parametrize("content", [weights(1)[:-9], b"", b"\x80\x04\x95pickle", save({"one": torch.zeros(3)})])
def test_weights_that_cannot_be_used_are_refused_when_hired(tmp_path: Path, content: bytes) -> None:
    look = fit(LookChoice(name=packed(tmp_path / "dream", {"forward.safetensors": content})))
    with pytest.raises(BadLook, match=r"forward\.safetensors(:| is not a whole)") as error:
        hire(look, CPU)
    assert "\n" not in str(error.value)


def test_weights_of_another_width_are_refused_when_hired(tmp_path: Path) -> None:
    place = packed(tmp_path / "dream", {"forward.safetensors": weights(1)}, network={"width": 8, "blocks": 1})
    with pytest.raises(BadLook, match=r"tensor 'blocks.*' is .* where look\.json's network has"):
        hire(fit(LookChoice(name=place)), CPU)
