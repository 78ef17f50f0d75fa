"""Controls on finished frames: luma stays bit for bit, rest changes nothing, and each control does what it says to its own colours."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from actors.media.planes import planes_of
from actors.picture.colour import Quantiser
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of
from actors.picture.grading.grader import Grader, centres
from jobs.film.source import KR_KB
from jobs.plan.grading import ControlledRange, Grading
from jobs.plan.plan import Range
from jobs.spec.controls import HUES, Controls
from tests.actors.picture.test_compose import CPU, FORMATS, random_frames, same
from tests.paper import encoding_of, picture_of

COLOUR = picture_of("yuv444p").colour
EVERYTHING = {
    "strength": 0.7,
    "saturation": 1.8,
    "warmth": -0.6,
    "hue": {"skin": {"shift": 12}, "blue": {"saturation": 0.2}},
}


def grader(**controls: Any) -> Grader:
    return Grader(Grading(controls=Controls.model_validate(controls)), COLOUR)


def on_vectorscope(angle: float, chroma: float = 0.2) -> Tensor:
    """(B'-Y', R'-Y') of one sample at some degrees."""
    kr, kb = KR_KB["bt709"]
    turn = np.radians(angle)
    return torch.tensor(
        [2 * (1 - kb) * chroma * np.cos(turn), 2 * (1 - kr) * chroma * np.sin(turn)], dtype=torch.float32
    )[None, :, None, None]


def angle_of(differences: Tensor) -> float:
    kr, kb = KR_KB["bt709"]
    blue, red = (float(value) for value in differences.flatten())
    return float(np.degrees(np.arctan2(red / (1 - kr), blue / (1 - kb)))) % 360


def made(of: Grader, differences: Tensor, luma: float = 0.5, own: float = 0.0) -> Tensor:
    return of.chroma(torch.full((1, 1, 1, 1), luma), differences, lambda: torch.full_like(differences, own), 0)


@pytest.mark.parametrize("gamut", ["", "hold", "clip"])
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_luma_is_locked_under_every_control(pix_fmt: str, gamut: Any) -> None:
    film, frames = picture_of(pix_fmt), random_frames(pix_fmt)
    wild = torch.rand(3, 2, 11, 13, generator=torch.Generator().manual_seed(1)) * 2 - 1
    encoding = encoding_of(film, "yuv444p" if pix_fmt == "gray" else pix_fmt.replace("gray", "yuv422p"))
    some = Grader(Grading(controls=Controls.model_validate(EVERYTHING), gamut=gamut), film.colour)
    graded = compose(frames, wild, Domain.CHROMA, film, encoding, grader=some)
    assert all(np.array_equal(planes_of(a)[0], planes_of(b)[0]) for a, b in zip(graded, frames, strict=True))
    assert not same(graded, compose(frames, wild, Domain.CHROMA, film, encoding))


@pytest.mark.parametrize("domain", [Domain.CHROMA, Domain.RGB])
def test_at_rest_no_bit_changes_and_a_ramp_changes_its_frames_alone(domain: Domain) -> None:
    film, frames = picture_of("yuv420p"), random_frames("yuv420p", 8)
    picture = torch.rand(8, domain.channels, 38, 50, generator=torch.Generator().manual_seed(1))
    ramped = ControlledRange(frames=Range(103, 107), ramps=(1, 1), controls=Controls(saturation=3.0, strength=0.5))
    some = Grader(Grading(ranges=(ramped,)), film.colour)
    plain = compose(frames, picture, domain, film, encoding_of(film, "yuv420p"))
    graded = compose(frames, picture, domain, film, encoding_of(film, "yuv420p"), grader=some, first=100)
    changed = [place for place in range(8) if not same([plain[place]], [graded[place]])]
    assert changed == [3, 4, 5, 6]
    once = [
        compose([one], picture[4:5], domain, film, encoding_of(film, "yuv420p"), grader=some, first=104)
        for one in frames[4:5]
    ]
    assert same(once[0], graded[4:5])


def test_no_strength_is_the_films_own_picture() -> None:
    film, frames = picture_of("yuv420p"), random_frames("yuv420p", 2)
    ((run, _),) = batches_of(frames, film, 8, CPU)
    picture = torch.rand(2, 3, 38, 50, generator=torch.Generator().manual_seed(1))
    assert same(
        compose(run, picture, Domain.RGB, film, encoding_of(film, "yuv420p"), grader=grader(strength=0)), frames
    )
    assert float(made(grader(strength=0.25), on_vectorscope(10), own=0.1)[0, 0]) == pytest.approx(
        0.1 + 0.25 * (float(on_vectorscope(10)[0, 0]) - 0.1)
    )


@pytest.mark.parametrize("name", HUES)
def test_a_hue_is_turned_and_its_neighbours_are_not(name: Any) -> None:
    middles = [angle % 360 for angle in centres("bt709")]
    some = grader(hue={name: {"shift": 10, "saturation": 0.5}})
    for other, angle in zip(HUES, middles, strict=True):
        found = made(some, on_vectorscope(angle))
        turned, scaled = angle_of(found) - angle, float(found.norm() / on_vectorscope(angle).norm())
        assert turned % 360 == pytest.approx(10.0 if other == name else 0.0, abs=0.15) or turned % 360 > 359.8
        if other != name:
            assert scaled == pytest.approx(1.0, abs=1e-3)


def test_hues_change_without_a_step_all_around() -> None:
    some = grader(hue={"skin": {"shift": 30}, "magenta": {"saturation": 0}})
    around = torch.cat([on_vectorscope(angle / 4) for angle in range(1440)], 3)
    found = some.chroma(torch.full((1, 1, 1, 1440), 0.5), around, lambda: around, 0)
    step = (found - found.roll(1, 3)).norm(dim=1).max()
    assert float(step) < 4 * float((around - around.roll(1, 3)).norm(dim=1).max())


def test_warmth_raises_red_lowers_blue_and_leaves_black() -> None:
    grey = torch.zeros(1, 2, 1, 1)
    blue, red = made(grader(warmth=1), grey).flatten().tolist()
    assert red > 0.05
    assert blue < -0.05
    assert made(grader(warmth=1), grey, luma=0.0).abs().max() == 0


def test_an_rgb_deliverable_shows_the_same_colours() -> None:
    film, frames = picture_of("yuv444p"), random_frames("yuv444p", 2)
    picture = (torch.rand(2, 2, 38, 50, generator=torch.Generator().manual_seed(3)) - 0.5) / 4
    some = Grader(Grading(controls=Controls.model_validate(EVERYTHING), gamut="hold"), film.colour)
    as_rgb = compose(frames, picture, Domain.CHROMA, film, encoding_of(film, "gbrp16le"), grader=some)
    as_yuv = compose(frames, picture, Domain.CHROMA, film, encoding_of(film, "yuv444p16le"), grader=some)
    ((_, batch),) = batches_of(as_yuv, film.model_copy(update={"pix_fmt": "yuv444p16le", "depth": 16}), 8, CPU)
    scale = Quantiser(film.colour, 16)
    painted = torch.from_numpy(np.stack([np.stack(planes_of(one)) for one in as_rgb]).astype(np.float32))
    assert float((scale.luma_floats(painted).clamp(0, 1) - batch.rgb()).abs().max()) < 1e-3
