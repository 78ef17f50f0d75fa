"""The look "blend": mixed by share, each look as it would be alone, one answer for a frame in any chunk, and memory that is bounded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from actors.looks import fit, hire
from actors.looks.blend.generator import Shared
from actors.looks.package import LookDocument, write_package
from actors.picture.colour import from_differences, to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from actors.picture.resize import resized
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks.styles import tensors, write
from tests.actors.looks.test_colorize_look import SCALE, batched, film

CPU = torch.device("cpu")
WINDOW = {"name": "test-window", "settings": {"radius": 2, "declared": 2}}
CALM = {"name": "test-calm", "settings": {"warmup": 0, "dissolve": 0}}
NEGATIVE = {"name": "test-negative"}
LUMA = {"name": "test-calm", "settings": {"domain": "luma", "warmup": 0, "dissolve": 0}}


def choice(*looks: dict[str, Any], **settings: Any) -> LookChoice:
    return LookChoice(name="blend", settings={"looks": list(looks), **settings})


def blend(*looks: dict[str, Any], **settings: Any) -> Generator:
    return hire(fit(choice(*looks, **settings)), CPU)


def shown(look: Generator, frames: int = 6, batch: int = 8) -> Tensor:
    return torch.cat(list(look.render(batched(film(frames), batch))))


def alone(look: dict[str, Any], frames: int = 6) -> Tensor:
    return shown(hire(fit(LookChoice.model_validate(look)), CPU), frames)


def test_chroma_blends_as_chroma_by_share() -> None:
    look = blend({**CALM, "share": 3}, {"name": "none"})
    assert look.domain is Domain.CHROMA
    own = torch.cat([one.differences() for one in film(6)])
    wanted = resized(alone(CALM), (36, 64)) * 0.75 + own * 0.25
    torch.testing.assert_close(shown(look), wanted)


def test_looks_that_run_late_stay_in_step() -> None:
    # One looks two frames ahead, one none: each frame's blend holds its own two pictures.
    both, late = shown(blend(WINDOW, CALM), 6), alone(WINDOW)
    torch.testing.assert_close(both, (resized(late, (24, 40)) + alone(CALM)) / 2)
    assert torch.equal(shown(blend(WINDOW, CALM), 6, 1), both)


def test_with_its_context_a_chunk_equals_the_whole() -> None:
    support = fit(choice(WINDOW, CALM)).support
    assert support.context == 2
    look, batches = blend(WINDOW, CALM), film(12)
    whole = torch.cat(list(look.render(batched(batches, 8))))
    part = torch.cat(list(look.render(batched(batches[3:9], 4))))
    assert torch.equal(part[2:-2], whole[5:7])


def test_all_others_blend_as_composed_pictures() -> None:
    look = blend(NEGATIVE, CALM, LUMA)
    assert look.domain is Domain.RGB
    luma = torch.cat([one.luma() for one in film(6)])
    rgb = torch.cat([one.rgb() for one in film(6)])
    coloured = from_differences(luma, resized(alone(CALM), (72, 128)), SCALE.colour).clamp(0, 1)
    own = torch.cat([resized(one.differences(), (72, 128), one.shift) for one in film(6)])
    toned = from_differences(1 - luma, own, SCALE.colour).clamp(0, 1)
    wanted = ((1 - rgb) + coloured + toned) / 3
    torch.testing.assert_close(shown(look), wanted, atol=1e-5, rtol=0)
    kept = blend(NEGATIVE, CALM, LUMA, keep_chroma=True)
    assert kept.domain is Domain.LUMA
    torch.testing.assert_close(shown(kept), to_differences(wanted, SCALE.colour)[0], atol=1e-5, rtol=0)


def test_luma_blends_as_luma_and_chroma_stays() -> None:
    other = {**LUMA, "share": 1}
    look = blend(LUMA, other, strength=0.5)
    assert look.domain is Domain.LUMA
    luma = torch.cat([one.luma() for one in film(6)])
    torch.testing.assert_close(shown(look), luma * 0.5 + (1 - luma) * 0.5)


def test_strength_nought_keeps_the_films_own_exactly() -> None:
    own = torch.cat([one.differences() for one in film(6)])
    assert torch.equal(shown(blend(CALM, WINDOW, strength=0)), own)
    rgb = torch.cat([one.rgb() for one in film(6)])
    assert torch.equal(shown(blend(CALM, NEGATIVE, strength=0)), rgb)


def test_its_needs_are_the_greatest_of_its_looks() -> None:
    drift = {"name": "test-drift", "settings": {"warmup": 9, "dissolve": 4}}
    found = fit(choice(WINDOW, drift))
    assert found.support.model_dump() == {"context": 2, "warmup": 9, "dissolve": 4}
    assert found.adds_colour
    assert len(found.weights) == 2
    assert not fit(choice(NEGATIVE, WINDOW, keep_chroma=True)).adds_colour
    assert not fit(choice({"name": "none"}, {"name": "none"})).adds_colour


def test_its_name_is_what_it_is_made_of_not_where_that_lies(tmp_path: Path) -> None:
    paper = LookDocument(name="one", kind="fast-style", domain="rgb", licence="MIT", files={})
    weights = write(tmp_path / "w.safetensors", tensors(seed=1)).read_bytes()
    here, there = (write_package(str(tmp_path / n), paper, {"weights.safetensors": weights}).place for n in "ab")
    one, two = (fit(choice({"name": place}, CALM)) for place in (here, there))
    assert one.named() == two.named()
    others = [
        fit(choice({"name": here, "share": 2}, CALM)),
        fit(choice({"name": here, "settings": {"strength": 0.5}}, CALM)),
        fit(choice(CALM, {"name": here})),
        fit(choice({"name": here}, CALM, strength=0.5)),
    ]
    names = [str(look.named()) for look in (one, *others)]
    assert len(set(names)) == 5
    assert str(tmp_path) not in "".join(names)


def test_places_are_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = LookDocument(name="one", kind="fast-style", domain="rgb", licence="MIT", files={})
    weights = write(tmp_path / "w.safetensors", tensors(seed=1)).read_bytes()
    place = write_package(str(tmp_path / "library/one"), paper, {"weights.safetensors": weights}).place
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FILM_FARM_LOOKS", "library")
    planned = fit(choice({"name": "one"}, {"name": "./library/one"}, CALM))
    assert [one["name"] for one in planned.choice.settings["looks"]] == [place, place, "test-calm"]
    monkeypatch.chdir("/")
    assert hire(planned, CPU).domain is Domain.RGB
    write_package(place, paper, {"weights.safetensors": b"other"})
    with pytest.raises(BadLook, match="'blend': its weights are not those the film was planned with"):
        hire(planned, CPU)


@pytest.mark.parametrize(
    ("looks", "settings", "words"),
    [
        ([CALM], {}, r"'blend': looks has 1; give at least 2 \("),
        ([CALM] * 9, {}, "looks = .*: tuple should have at most 8 items"),
        ([CALM, {**CALM, "share": 0}], {}, r"'blend': looks, entry 2, share = 0: input should be greater than 0 \("),
        ([CALM, {"name": "sepia"}], {}, "There is no look 'sepia'"),
        ([CALM, {"name": "test-window", "settings": {"reach": 1}}], {}, "Look 'test-window': reach = 1"),
        ([CALM, {"name": "blend"}], {}, "'blend' is a blend, and blends do not nest"),
        (
            [CALM, {"look": "none"}],
            {},
            "looks, entry 2, name is missing; looks, entry 2, look = 'none': there is no such field",
        ),
    ],
)
def test_a_wrong_blend_is_refused_in_one_sentence(
    looks: list[dict[str, Any]], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadLook, match=words) as error:
        fit(choice(*looks, **settings))
    assert "\n" not in str(error.value)


def test_keep_chroma_of_colourists_alone_is_refused() -> None:
    with pytest.raises(BadLook, match="all looks of this blend give nothing else; leave it out"):
        blend(CALM, WINDOW, keep_chroma=True)


def test_no_more_batches_are_kept_than_somebody_has_yet_to_read() -> None:
    shared = Shared(batched(film(9), 1), 2)

    def read(number: int) -> Iterator[FrameBatch]:
        return shared.of(number)

    first, second, third = map(read, range(3))
    for _ in range(3):
        next(first)
    assert shared.kept == 3
    next(second)
    assert shared.kept == 3
    next(third)
    assert shared.kept == 2
    assert len(list(first)) == 6
    assert len(list(second)) == len(list(third)) == 8
    assert shared.kept == 0
