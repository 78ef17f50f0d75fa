"""The legal gamut: what is held stays within it and keeps its hue, what is legal is not touched, and what is outside is counted."""

from typing import Literal

import av
import cv2
import numpy as np
import pytest
import torch

from actors.media.planes import planes_of
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.grading.gamut import LEGAL, GamutTally, within_gamut
from actors.picture.grading.grader import Grader
from jobs.plan.grading import Grading
from tests.actors.picture.test_compose import random_frames
from tests.paper import encoding_of, picture_of

COLOUR = picture_of("yuv444p").colour


def dice(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("way", ["hold", "clip"])
def test_chroma_is_brought_inside_and_its_hue_kept(way: Literal["hold", "clip"]) -> None:
    luma, wild = dice(2, 1, 40, 40), dice(2, 2, 20, 20) * 2 - 1
    found = within_gamut(wild, luma, COLOUR, way)
    factor = found / wild
    assert torch.allclose(factor[:, 0], factor[:, 1], atol=1e-4)
    assert factor.min() >= 0
    assert factor.max() <= 1
    kr, kb = 0.2126, 0.0722
    full = found.repeat_interleave(2, -2).repeat_interleave(2, -1)
    green = -(kr * full[:, 1:] + kb * full[:, :1]) / (1 - kr - kb)
    rgb = luma + torch.cat([full, green], 1)
    assert rgb.min() >= LEGAL[0] - 1e-5
    assert rgb.max() <= LEGAL[1] + 1e-5


@pytest.mark.parametrize("way", ["hold", "clip"])
def test_what_a_display_shows_is_not_touched(way: Literal["hold", "clip"]) -> None:
    luma, tame = 0.3 + 0.4 * dice(2, 1, 20, 20), dice(2, 2, 20, 20) / 5
    assert torch.equal(within_gamut(tame, luma, COLOUR, way), tame)


def test_held_colours_keep_their_order() -> None:
    ramp = torch.linspace(0, 3, 301)[None, None, None] * torch.tensor([0.3, -0.1])[None, :, None, None]
    held = within_gamut(ramp, torch.full((1, 1, 1, 301), 0.4), COLOUR, "hold")[0, 0, 0]
    steps = held.diff()
    assert (steps > 0).all()
    assert (steps.diff() < 1e-5).all()


@pytest.mark.parametrize(
    ("pix_fmt", "wanted"), [("yuv420p", "yuv420p"), ("gray10le", "yuv422p10le"), ("yuv444p", "gbrp")]
)
def test_finished_frames_are_counted(pix_fmt: str, wanted: str) -> None:
    film, frames = picture_of(pix_fmt), random_frames(pix_fmt, 3)
    for frame in frames:
        luma = planes_of(frame)[0]
        luma[:] = (16 << film.depth - 8) + np.linspace(0, 219 << film.depth - 8, 50).astype(luma.dtype)
    wild, encoding = dice(3, 2, 5, 7) - 0.5, encoding_of(film, wanted)
    shares = {}
    for gamut, chroma in (("report", wild), ("hold", wild)):
        tally = GamutTally(film, encoding)
        some = Grader(Grading(gamut=gamut), film.colour)  # type: ignore[arg-type]  # a literal in a loop
        for number, one in enumerate(compose(frames, chroma, Domain.CHROMA, film, encoding, grader=some), 7):
            tally.add(number, one)
        assert tally.found
        shares[gamut] = tally.found
    assert (shares["report"].frames, shares["report"].over) == (3, 3)
    assert shares["hold"].most < 0.01 < 0.3 < shares["report"].most


def outside(frame: av.VideoFrame) -> float:
    """The part of a picture's pixels beyond 5 to 246 of 8 bits, by the standards' own words.

    BT.709 of limited range, 4:2:0 sited on the left, brought to full size by cubic convolution.
    """
    luma, *planes = (plane.astype(np.float32) for plane in planes_of(frame))
    rows, columns = np.indices(luma.shape)
    y, x = np.asarray((rows - 0.5) / 2, np.float32), np.asarray(columns / 2, np.float32)
    blue, red = (
        cv2.remap((plane - 128) / np.float32(224), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        for plane in planes
    )
    light = (luma - 16) / 219
    r, b = light + 1.5748 * red, light + 1.8556 * blue
    g = (light - 0.2126 * r - 0.0722 * b) / 0.7152
    codes = 16 + 219 * np.stack([r, g, b])
    return float(((codes < 4.5) | (codes > 246.5)).any(0).mean())


@pytest.mark.parametrize("width", [3, 4, 5])
def test_what_is_held_stays_inside_where_chroma_lies_across_edges_of_luma(width: int) -> None:
    film = picture_of("yuv420p")
    (frame,) = random_frames("yuv420p", 1)
    planes_of(frame)[0][:] = np.where(np.arange(50) // width % 2, 60, 200)
    chroma = torch.from_numpy(cv2.GaussianBlur(dice(19, 25, 2).numpy() - 0.5, (0, 0), 3)).permute(2, 0, 1)[None] * 10
    shares = {}
    ways: tuple[Literal["report", "hold", "clip"], ...] = ("report", "hold", "clip")
    for gamut in ways:
        grader = Grader(Grading(gamut=gamut), film.colour)
        (made,) = compose([frame], chroma, Domain.CHROMA, film, encoding_of(film, "yuv420p"), grader=grader)
        shares[gamut] = outside(made)
    assert shares["hold"] < 0.01 < 0.3 < shares["report"]
    assert shares["hold"] < shares["clip"] < 0.1


def test_a_frame_says_how_much_of_it_is_outside() -> None:
    film = picture_of("yuv444p")
    frame = av.VideoFrame(50, 38, "yuv444p")
    luma, blue, red = planes_of(frame)
    luma[:], blue[:], red[:] = 128, 128, 128
    red[:, :10] = 250  # R' of 128 % on this luma
    tally = GamutTally(film, encoding_of(film, "yuv444p"))
    tally.add(4, frame)
    assert tally.found
    assert tally.found.most == pytest.approx(0.2)
    assert (tally.found.most_at, tally.found.over) == (4, 1)
