"""The look "onnx": networks in the conventions of real exports, with known answers, through docs/looks.md's own manifests."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from actors.looks import fit, hire
from actors.looks.package import LookDocument, write_package
from actors.picture.colour import to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Generator
from jobs.errors import BadLook
from jobs.spec.job import LookChoice
from tests.actors.looks import exports
from tests.actors.looks.test_colorize_look import SCALE, batched, film

CPU = torch.device("cpu")
DOCS = Path(__file__).resolve().parents[3] / "docs/looks.md"
MANIFESTS = {
    one["name"]: one for one in map(yaml.safe_load, re.findall(r"```yaml\n(name:.*?)```", DOCS.read_text(), re.S))
}
IMAGENET = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
SAME: dict[str, Any] = {"input": {"of": "rgb", "channels": 3}, "output": {"of": "rgb"}}


def look_at(path: Path, manifest: dict[str, Any], **settings: Any) -> LookChoice:
    """A package of a model beside it."""
    paper = LookDocument.model_validate({"name": "foreign", "kind": "onnx", "licence": "MIT", **manifest, "files": {}})
    place = str(path.parent / "look")
    write_package(place, paper, {"model.onnx": path.read_bytes()})
    return LookChoice(name=place, settings=settings)


def hired(path: Path, manifest: dict[str, Any], **settings: Any) -> Generator:
    return hire(fit(look_at(path, manifest, **settings)), CPU)


def pictures(look: Generator, frames: int = 1, batch: int = 8) -> Tensor:
    return torch.cat(list(look.render(batched(film(frames), batch))))


def luma(size: tuple[int, int]) -> Tensor:
    return film(1)[0].luma(size).clamp(0, 1)


def lightness(grey: Tensor) -> np.ndarray[Any, Any]:
    """L* by OpenCV."""
    rgb = np.repeat(grey[0, 0].numpy()[..., None], 3, axis=2)
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 0])


def differences(light: Any, a: Any, b: Any) -> Tensor:
    """B'-Y' and R'-Y' of a colour in CIELAB, by OpenCV."""
    lab = np.stack(np.broadcast_arrays(light, a, b), -1).astype(np.float32)
    rgb = torch.from_numpy(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)).clamp(0, 1)
    return under(luma(light.shape), rgb.permute(2, 0, 1)[None])


def under(grey: Tensor, rgb: Tensor) -> Tensor:
    """B'-Y' and R'-Y' of colours, darkened to the film where they are brighter."""
    own, made = to_differences(rgb, SCALE.colour)
    return made * torch.where(own > grey, grey / own.clamp(min=1e-4), torch.ones(()))


def test_ddcolor(tmp_path: Path) -> None:
    # a* is 30 times the first channel, b* 20 times the third less 5: so all three are the grey of 0..1.
    model = exports.matrix(tmp_path / "m.onnx", [[30, 0, 0], [0, 0, 20]], [0, -5], side=512)
    look = hired(model, MANIFESTS["ddcolor"])
    assert look.domain is Domain.CHROMA
    (made,) = look.render(film(1))
    grey = luma((512, 512))
    wanted = differences(lightness(grey), 30 * grey[0, 0], 20 * grey[0, 0] - 5)
    torch.testing.assert_close(made, wanted, atol=6e-3, rtol=0)  # OpenCV reckons by tables
    assert made.abs().max() > 0.05


def test_deoldify(tmp_path: Path) -> None:
    # Gives back a third of each normalised channel, so a tint of ImageNet's mean: 2/3 mean + 1/3 grey.
    model = exports.matrix(tmp_path / "m.onnx", np.eye(3) / 3, [0, 0, 0])
    (made,) = hired(model, MANIFESTS["deoldify-video"], size=40).render(film(1))
    assert made.shape == (1, 2, 32, 32), "40 is not a multiple of 16: the nearest is"
    mean = torch.tensor(IMAGENET[0], dtype=torch.float32)[None, :, None, None]
    wanted = under(luma((32, 32)), luma((32, 32)) / 3 + mean * 2 / 3)
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=0)


def test_siggraph17(tmp_path: Path) -> None:
    (made,) = hired(exports.siggraph17(tmp_path / "m.onnx"), MANIFESTS["siggraph17"]).render(film(1))
    light = lightness(luma((256, 256)))
    ab = 0.4 * (light - 50) / 100 * 110
    # OpenCV reckons by tables.
    torch.testing.assert_close(made, differences(light, ab, ab), atol=6e-3, rtol=0)


def test_cbcr_of_luma(tmp_path: Path) -> None:
    model = exports.matrix(tmp_path / "m.onnx", [[0.1], [-0.2]], [0.55, 0.6])
    manifest = {"domain": "chroma", "size": {"rule": "long", "side": 64, "multiple": 32}} | {
        "network": {"input": {"of": "luma"}, "output": {"of": "cbcr", "range": [0, 1]}}
    }
    (made,) = hired(model, manifest).render(film(1))
    grey = luma((32, 64))[0, 0]
    cb, cr = 0.1 * grey + 0.05, -0.2 * grey + 0.1
    red, blue = grey + 1.402 * cr, grey + 1.772 * cb
    rgb = torch.stack([red, grey - 0.344136 * cb - 0.714136 * cr, blue])[None].clamp(0, 1)
    torch.testing.assert_close(made, under(grey[None, None], rgb), atol=1e-4, rtol=0)


def test_rgb_of_0_to_255_with_channels_last(tmp_path: Path) -> None:
    ends = {end: {**SAME[end], "range": [0, 255]} for end in SAME}
    manifest = {"domain": "rgb", "network": {**ends, "layout": "NHWC"}}
    (made,) = hired(exports.channels_last(tmp_path / "m.onnx"), manifest).render(film(1))
    torch.testing.assert_close(made, film(1)[0].rgb().flip(1), atol=1e-6, rtol=0)


def test_half_floats_and_minus_one_to_one(tmp_path: Path) -> None:
    ends = {end: {**SAME[end], "range": [-1, 1]} for end in SAME}
    (made,) = hired(exports.half(tmp_path / "m.onnx"), {"domain": "rgb", "network": ends}).render(film(1))
    torch.testing.assert_close(made, film(1)[0].rgb(), atol=1e-3, rtol=0)


def test_context_is_shown_as_channels(tmp_path: Path) -> None:
    # Five frames; Cb is the difference of the last and the first, Cr the middle one's.
    model = exports.matrix(tmp_path / "m.onnx", [[-0.5, 0, 0, 0, 0.5], [0, 0, 0.3, 0, 0]], [0, 0])
    manifest = {"domain": "chroma", "context": 2, "network": {"input": {"of": "luma"}, "output": {"of": "cbcr"}}}
    choice = look_at(model, manifest, steady=1)
    assert fit(choice).support.context == 3
    look = hired(model, manifest)
    made, batches = pictures(look, 7, 3), film(7)
    grey = torch.cat([one.luma() for one in batches]).clamp(0, 1)
    cb, cr = (grey[5] - grey[1]) * 0.5, grey[3] * 0.3
    rgb = torch.cat([grey[3] + 1.402 * cr, grey[3] - 0.344136 * cb - 0.714136 * cr, grey[3] + 1.772 * cb])
    torch.testing.assert_close(made[3:4], under(grey[3:4], rgb[None].clamp(0, 1)), atol=1e-4, rtol=0)
    # Two frames are fewer than it looks ahead; each stands for what lies beyond it.
    assert len(pictures(look, 2)) == 2
    assert torch.equal(torch.cat(list(look.render(batches[1:7])))[2], made[3])


def test_a_frame_has_one_answer_alone_in_a_batch_and_in_any_chunk(tmp_path: Path) -> None:
    model = exports.matrix(tmp_path / "m.onnx", [[30, 0, 0], [0, 0, 20]], [0, -5])
    manifest = {**MANIFESTS["ddcolor"], "size": {"rule": "square", "side": 32}}
    look = hired(model, manifest)
    whole = pictures(look, 6)
    assert torch.equal(pictures(look, 6, 1), whole)
    assert torch.equal(torch.cat(list(look.render(film(6)[3:5]))), whole[3:5])
    calm = hired(model, manifest, steady=1)
    assert torch.equal(torch.cat(list(calm.render(film(6)[2:5])))[1], pictures(calm, 6)[3])


def test_strength_and_saturation_of_chroma(tmp_path: Path) -> None:
    model = exports.matrix(tmp_path / "m.onnx", [[30, 0, 0], [0, 0, 20]], [0, -5])
    manifest = {**MANIFESTS["ddcolor"], "size": {"rule": "film"}}
    own = film(1)[0].differences()
    assert torch.equal(pictures(hired(model, manifest, strength=0)), own)
    full, half = (pictures(hired(model, manifest, saturation=one)) for one in (1.0, 0.5))
    torch.testing.assert_close(half, full * 0.5)


def test_the_settings_of_a_picture(tmp_path: Path) -> None:
    manifest = {"domain": "rgb", "network": SAME}
    model = exports.matrix(tmp_path / "m.onnx", np.diag([0.5, 1, 1]), [0, 0, 0])
    full, own = pictures(hired(model, manifest)), film(1)[0].rgb()
    torch.testing.assert_close(full[:, 0], own[:, 0] / 2)
    torch.testing.assert_close(pictures(hired(model, manifest, strength=0.25)), 0.75 * own + 0.25 * full)
    kept = hired(model, manifest, keep_chroma=True)
    assert kept.domain is Domain.LUMA
    torch.testing.assert_close(pictures(kept), to_differences(full, SCALE.colour)[0])
    assert not fit(look_at(model, manifest, keep_chroma=True)).adds_colour
    grey = pictures(hired(model, manifest, saturation=0))
    torch.testing.assert_close(grey[:, 0], grey[:, 2])
    small = pictures(hired(model, {**manifest, "size": {"rule": "long", "side": 64}}))
    assert small.shape == own.shape


def test_greys_stay_neutral_and_black_stays_black(tmp_path: Path) -> None:
    model = exports.matrix(tmp_path / "m.onnx", [[0, 0, 0], [0, 0, 0]], [0, 0])
    (made,) = hired(model, {**MANIFESTS["ddcolor"], "size": {"rule": "film"}}).render(film(1))
    assert made.abs().max() < 1e-6
    coloured = exports.matrix(tmp_path / "m.onnx", [[0, 0, 0], [0, 0, 0]], [60, 60])
    black = [FrameBatch(torch.full((1, 72, 128), 16, dtype=torch.uint8), None, SCALE)]
    (made,) = hired(coloured, {**MANIFESTS["ddcolor"], "size": {"rule": "film"}}).render(black)
    assert made.abs().max() == 0


@pytest.mark.parametrize(
    ("manifest", "settings", "words"),
    [
        (
            {"domain": "rgb", "network": {}},
            {},
            "look/look.json, network: input is missing; output is missing; see docs",
        ),
        ({"domain": "rgb", "network": {**SAME, "way": 1}}, {}, "network: way = 1: there is no such field"),
        (
            {"domain": "rgb", "network": {"input": {"of": "luma"}, "output": {"of": "ab"}}},
            {},
            "of an output that is ab the domain is chroma, not rgb",
        ),
        (
            {"domain": "rgb", "network": {**SAME, "input": {"of": "rgb"}}},
            {},
            "network: input: rgb has 3 channels|input: .*rgb has 3 channels",
        ),
        (
            {"domain": "rgb", "network": {**SAME, "input": {**SAME["input"], "std": [1, 0, 1]}}},
            {},
            "std: numbers above 0",
        ),
        (
            {"domain": "rgb", "network": {**SAME, "input": {**SAME["input"], "mean": [1, 2]}}},
            {},
            "mean has 2 numbers for 3 channels",
        ),
        ({"domain": "rgb", "network": {**SAME, "file": "other.onnx"}}, {}, "names no file other.onnx"),
        ({"domain": "rgb", "network": SAME}, {"steady": 2}, "steady calms chroma alone, and .* gives rgb; leave it 0"),
        ({"domain": "luma", "network": SAME}, {"keep_chroma": True}, "keep_chroma is for looks that give rgb"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_in_one_sentence(
    tmp_path: Path, manifest: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    choice = look_at(exports.half(tmp_path / "m.onnx"), manifest, **settings)
    with pytest.raises(BadLook, match=words) as error:
        fit(choice)
    assert "\n" not in str(error.value)


def test_the_kind_alone_has_no_network() -> None:
    with pytest.raises(BadLook, match="The look 'onnx' has no network of its own; import one with `farm looks add`"):
        fit(LookChoice(name="onnx"))
