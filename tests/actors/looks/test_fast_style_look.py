"""The look "fast-style" as the farm uses it: its settings, its mixing, and one answer for a frame whatever its company."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from actors.looks import fit, hire
from actors.looks.package import LookDocument, write_package
from actors.picture.colour import to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks.styles import reference, tensors, write
from tests.actors.looks.test_colorize_look import SCALE, batched, film

CPU = torch.device("cpu")


@pytest.fixture
def styles(tmp_path: Path) -> list[str]:
    """Two styles."""
    return [str(write(tmp_path / f"{seed}.safetensors", tensors(seed=seed))) for seed in (1, 2)]


def choice(**settings: Any) -> LookChoice:
    return LookChoice(name="fast-style", settings=settings)


def look(**settings: Any) -> Generator:
    return hire(fit(choice(**settings)), CPU)


def pictures(frames: int = 2, batch: int = 8, **settings: Any) -> Tensor:
    return torch.cat(list(look(**settings).render(batched(film(frames), batch))))


def own(frames: int = 2) -> Tensor:
    return torch.cat([one.rgb() for one in film(frames)])


def test_saturation_and_size_are_the_colourists(styles: list[str]) -> None:
    full, grey = pictures(weights=styles[0]), pictures(weights=styles[0], saturation=0)
    luma = to_differences(full, SCALE.colour)[0]
    torch.testing.assert_close(grey, luma.expand(-1, 3, -1, -1), atol=1e-5, rtol=0)
    small = pictures(weights=styles[0], size=64)
    assert small.shape == full.shape
    assert not torch.equal(small, full)
    assert torch.equal(pictures(weights=styles[0], size=128), full), "128 pixels are the film's own long side"


def test_a_package_has_its_own_weights(styles: list[str], tmp_path: Path) -> None:
    paper = LookDocument(name="first", kind="fast-style", domain="rgb", licence="MIT", files={})
    package = write_package(str(tmp_path / "first"), paper, {"weights.safetensors": Path(styles[0]).read_bytes()})
    own = LookChoice(name=package.place)
    assert fit(own).weights == (package.digest,)
    made = torch.cat(list(hire(fit(own), CPU).render(film(2))))
    assert torch.equal(made, pictures(weights=styles[0]))
    with pytest.raises(BadLook, match="has weights of its own; blend it"):
        fit(LookChoice(name=package.place, settings={"weights": styles[1]}))
    bare = write_package(str(tmp_path / "bare"), paper, {"other.safetensors": b""})
    with pytest.raises(BadLook, match=r"bare has no weights\.safetensors"):
        fit(LookChoice(name=bare.place))


def test_each_frame_is_painted_by_itself(styles: list[str]) -> None:
    whole = pictures(10, 8, weights=styles[0])
    assert whole.shape == (10, 3, 72, 128)
    assert whole.dtype == torch.float32
    assert whole.min() >= 0
    assert whole.max() <= 1
    assert torch.equal(pictures(10, 1, weights=styles[0]), whole)
    assert torch.equal(pictures(10, 3, weights=styles[0])[7], whole[7])
    assert fit(choice(weights=styles)).support.model_dump() == {"context": 0, "warmup": 0, "dissolve": 0}
    assert whole.std() > 0.1


def flat() -> list[FrameBatch]:
    return [FrameBatch(torch.full((1, 72, 128), 120, dtype=torch.uint8), None, SCALE)]


def test_a_margin_keeps_the_border_out_of_the_picture(styles: list[str]) -> None:
    (bordered,) = look(weights=styles[0], margin=0).render(flat())
    (clean,) = look(weights=styles[0]).render(flat())
    # Two doublings paint a flat picture in squares of 4 pixels, each like the next.
    assert (bordered[..., 4:] - bordered[..., :-4]).abs().max() > 0.1
    assert (clean[..., 4:] - clean[..., :-4]).abs().max() < 0.01
    assert (clean[..., 4:, :] - clean[..., :-4, :]).abs().max() < 0.01


def test_without_a_margin_it_is_the_published_picture(styles: list[str]) -> None:
    rgb = own(1)[0].permute(1, 2, 0).double().numpy() * 255
    published = torch.from_numpy(reference(tensors(seed=1), rgb) / 255).permute(2, 0, 1).float()
    assert (pictures(1, weights=styles[0], margin=0)[0] - published).abs().mean() * 255 < 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 30), (41, 7)])
def test_a_picture_smaller_than_its_margin_is_painted_too(styles: list[str], height: int, width: int) -> None:
    batches = [FrameBatch(torch.full((2, height, width), 90, dtype=torch.uint8), None, SCALE)]
    assert [one.shape for one in look(weights=styles[0]).render(batches)] == [(1, 3, height, width)] * 2


def test_a_grey_film_is_painted_in_colour(styles: list[str]) -> None:
    made = torch.cat(list(look(weights=styles[0]).render(film(2, colour=False))))
    assert (made[:, 0] - made[:, 2]).abs().mean() > 0.02


def test_strength_mixes_with_the_films_own_picture(styles: list[str]) -> None:
    full = pictures(weights=styles[0])
    assert torch.equal(pictures(weights=styles[0], strength=0), own())
    torch.testing.assert_close(pictures(weights=styles[0], strength=0.25), 0.75 * own() + 0.25 * full)


def test_styles_are_mixed_by_their_shares(styles: list[str]) -> None:
    one, two = (pictures(weights=style) for style in styles)
    assert not torch.allclose(one, two, atol=0.05)
    torch.testing.assert_close(pictures(weights=styles), (one + two) / 2)
    torch.testing.assert_close(pictures(weights=styles, shares=[6, 2]), 0.75 * one + 0.25 * two)


def test_shares_are_on_paper_as_they_are_used(styles: list[str]) -> None:
    assert fit(choice(weights=styles)).choice.settings["shares"] == [0.5, 0.5]
    assert fit(choice(weights=styles[0])).choice.settings["shares"] == [1.0]
    assert fit(choice(weights=styles, shares=[3, 1])).choice.settings["shares"] == [0.75, 0.25]


def test_keep_chroma_gives_the_luma_of_the_same_picture(styles: list[str]) -> None:
    assert look(weights=styles).domain is Domain.RGB
    assert look(weights=styles, keep_chroma=True).domain is Domain.LUMA
    luma = pictures(weights=styles[0], keep_chroma=True)
    torch.testing.assert_close(luma, to_differences(pictures(weights=styles[0]), SCALE.colour)[0])
    own_luma = torch.cat([one.luma() for one in film(2)])
    assert torch.equal(pictures(weights=styles[0], keep_chroma=True, strength=0), own_luma)


def test_a_grey_film_painted_on_luma_alone_stays_grey(styles: list[str]) -> None:
    assert fit(choice(weights=styles)).adds_colour
    assert not fit(choice(weights=styles, keep_chroma=True)).adds_colour


def test_steadied_frames_need_their_neighbours_and_no_more(styles: list[str]) -> None:
    batches = film(7)
    steadied = look(weights=styles[0], steady=1)
    whole = torch.cat(list(steadied.render(batched(batches, 8))))
    assert fit(choice(weights=styles[0], steady=1)).support.context == 1
    assert torch.equal(torch.cat(list(steadied.render(batched(batches[1:6], 2))))[1:-1], whole[2:5])
    assert not torch.equal(whole, pictures(7, weights=styles[0]))


def test_a_styles_name_is_its_content_not_its_place(styles: list[str], tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.safetensors"
    moved.write_bytes(Path(styles[0]).read_bytes())
    here, there = fit(choice(weights=styles[0])), fit(choice(weights=[str(moved)]))
    assert here.named() == there.named()
    assert here.named() != fit(choice(weights=styles[1])).named()
    both, swapped = fit(choice(weights=styles)), fit(choice(weights=styles[::-1]))
    assert both.weights == swapped.weights[::-1]
    assert both.named() != swapped.named()


def test_any_file_that_changed_after_planning_is_refused(styles: list[str]) -> None:
    planned = fit(choice(weights=styles))
    write(Path(styles[1]), tensors(seed=3))
    with pytest.raises(BadLook, match="The look 'fast-style': its weights are not those the film was planned with"):
        hire(planned, CPU)


def test_paths_are_made_whole(styles: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(styles[0]).parent)
    assert fit(choice(weights="1.safetensors")).choice.settings["weights"] == styles[:1]
    assert fit(choice(weights=["1.safetensors", "2.safetensors"])).choice.settings["weights"] == styles


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "The look 'fast-style' has no weights of its own; set weights=FILE.safetensors, or import a style"),
        ({"weights": []}, "The look 'fast-style' has no weights of its own"),
        (
            {"size": 10},
            r"size = 10: input .* \(its settings are: strength, saturation, keep_chroma, size, steady, weights, shares, margin",
        ),
        ({"weights": "/nowhere/a.safetensors"}, "The weights /nowhere/a.safetensors cannot be read"),
        ({"weights": "ONE", "shares": [1, 2]}, r"shares = \[1, 2\]: give one share for each .*, which are 1 "),
        ({"weights": ["ONE", "ONE"], "shares": [1]}, r"give one share for each file of weights, which are 2 "),
        ({"weights": ["ONE", "ONE"], "shares": [1, 0]}, r"shares, entry 2 = 0: input should be greater than 0"),
        (
            {"weights": ["ONE", "ONE"], "shares": [1, float("inf")]},
            "shares, entry 2 = inf: input should be a finite number",
        ),
        ({"weights": "ONE", "strength": 1.5}, "strength = 1.5: input should be less than or equal to 1"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(styles: list[str], settings: dict[str, Any], words: str) -> None:
    given = json.loads(json.dumps(settings).replace("ONE", styles[0]))
    with pytest.raises(BadLook, match=words) as error:
        fit(choice(**given))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x04\x95pickle", b"\x02" + b"\0" * 7 + b"{}"])
def test_files_that_are_no_style_are_refused_when_hired(styles: list[str], content: bytes) -> None:
    Path(styles[1]).write_bytes(content)
    planned = fit(choice(weights=styles))
    with pytest.raises(BadLook, match=rf"^The weights of look 'fast-style' cannot be used: {styles[1]} .*\.$") as error:
        hire(planned, CPU)
    assert "\n" not in str(error.value)
