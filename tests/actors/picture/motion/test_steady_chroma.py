"""Chroma steadied along motion: flicker goes, and no colour comes from another thing, another light or beyond the window."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.picture.motion.steady_chroma import steady_along_motion

Floats = NDArray[np.float32]
Frame = tuple[Tensor, Tensor]
HEIGHT, WIDTH = 72, 128
INSIDE = slice(12, -12)
"""Away from the picture's edges, beyond which nothing is known."""


def texture(height: int, width: int, seed: int, grain: float = 3) -> Floats:
    """Smooth noise, 0.2..0.8: something that flow can follow."""
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), grain)
    return np.asarray(0.2 + 0.6 * (smooth - smooth.min()) / np.ptp(smooth), np.float32)


def frame(luma: Floats, chroma: Floats) -> Frame:
    return torch.from_numpy(np.ascontiguousarray(luma))[None], torch.from_numpy(np.ascontiguousarray(chroma))


def panned(frames: int, step: int, light: Callable[[int], float] = lambda _: 1.0) -> tuple[list[Frame], list[Floats]]:
    """A camera that moves over a painting, `step` pixels a frame, and the chroma without flicker of each frame."""
    long = WIDTH + step * frames
    luma, chroma = texture(HEIGHT, long, 1), np.stack([texture(HEIGHT, long, seed, 8) - 0.5 for seed in (2, 3)])
    cuts = [slice(n * step, n * step + WIDTH) for n in range(frames)]
    true = [chroma[:, :, cut] * np.float32(light(n)) for n, cut in enumerate(cuts)]
    return [
        frame(luma[:, cut] * np.float32(light(n)), one) for (n, cut), one in zip(enumerate(cuts), true, strict=True)
    ], true


def flickering(frames: list[Frame], seed: int = 5) -> list[Frame]:
    """Each frame's chroma with an error of its own, in patches, as a network makes it."""
    noise = np.random.default_rng(seed)
    errors = (cv2.resize(noise.normal(0, 0.04, (5, 8, 2)).astype(np.float32), (WIDTH, HEIGHT)) for _ in frames)
    return [
        (luma, chroma + torch.from_numpy(error).permute(2, 0, 1))
        for (luma, chroma), error in zip(frames, errors, strict=True)
    ]


def error(found: Tensor, true: Floats | Tensor) -> float:
    return float((found - torch.as_tensor(true))[:, INSIDE, INSIDE].square().mean().sqrt())


def run(frames: list[Frame], radius: int = 8) -> list[Tensor]:
    return list(steady_along_motion(frames, radius))


@pytest.mark.parametrize("radius", [0, 1, 3, 8])
@pytest.mark.parametrize("frames", [1, 2, 9])
def test_one_picture_for_each_frame(frames: int, radius: int) -> None:
    assert len(run(panned(frames, 2)[0], radius)) == frames


def test_radius_nought_and_a_frame_alone_change_nothing() -> None:
    frames, _ = panned(4, 2)
    assert all(torch.equal(out, chroma) for out, (_, chroma) in zip(run(frames, 0), frames, strict=True))
    assert torch.equal(run(frames[:1])[0], frames[0][1])


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_a_part_with_handles_equals_the_whole(radius: int) -> None:
    frames = flickering(panned(24, 2)[0])
    whole = run(frames, radius)
    part = run(frames[9 - radius : 16 + radius], radius)[radius:-radius]
    assert all(torch.equal(a, b) for a, b in zip(part, whole[9:16], strict=True))
    short = run(frames[9 - radius + 1 : 16 + radius], radius)[radius - 1 :]
    assert not torch.equal(short[0], whole[9])


@pytest.mark.parametrize("step", [0, 2, 11])
def test_flicker_is_calmed_at_rest_in_a_pan_and_in_a_fast_one(step: int) -> None:
    frames, true = panned(21, step)
    shown = flickering(frames)
    steadied = run(shown)
    before, after = (
        [error(one, truth) for one, truth in zip(some, true, strict=True)] for some in ([c for _, c in shown], steadied)
    )
    assert max(after[8:-8]) < 0.45 * np.mean(before)


def test_flicker_is_calmed_under_grain() -> None:
    grain = np.random.default_rng(9)
    frames, true = panned(21, 2)
    grainy = [
        (luma + torch.from_numpy(grain.normal(0, 0.02, luma.shape).astype(np.float32)), chroma)
        for luma, chroma in frames
    ]
    shown = flickering(grainy)
    assert error(run(shown)[10], true[10]) < 0.5 * error(shown[10][1], true[10])


def test_a_fade_keeps_each_frames_own_strength() -> None:
    """Chroma falls to an eighth in 24 frames: a mean without regard to light would be stronger where it is dark."""
    frames, true = panned(24, 1, lambda n: 0.917**n)
    for found, truth in zip(run(frames), true, strict=True):
        assert float(found.abs().mean()) == pytest.approx(np.abs(truth).mean(), rel=0.06)


def test_a_flash_colours_no_frame_beside_it_and_has_no_colour_from_them() -> None:
    frames, true = panned(17, 1)
    luma, chroma = frames[8]
    frames[8] = luma * 0.2 + 0.8, chroma * 0
    found = run(frames)
    assert float(found[8].abs().mean()) < 0.15 * np.abs(true[8]).mean()
    for number in (6, 7, 9, 10):
        assert float(found[number].abs().mean()) == pytest.approx(np.abs(true[number]).mean(), rel=0.04)


def test_no_colour_crosses_a_cut_that_was_passed_over() -> None:
    one, two = panned(16, 1)[0][:8], [(1 - luma.flip(1), -chroma) for luma, chroma in panned(16, 1)[0][8:]]
    alone = [*run(one), *run(two)]
    assert all(torch.equal(found, own) for found, own in zip(run([*one, *two]), alone, strict=True))


def test_no_colour_lags_behind_an_edge() -> None:
    """A red square crosses a blue ground at three pixels a frame."""
    ground, thing = texture(HEIGHT, WIDTH, 11) * 0.5, texture(30, 30, 12) * 0.5 + 0.45
    frames, true = [], []
    for number in range(21):
        left = 15 + 3 * number
        luma, chroma = ground.copy(), np.zeros((2, HEIGHT, WIDTH), np.float32)
        luma[20:50, left : left + 30] = thing
        chroma[0], chroma[1, 20:50, left : left + 30] = 0.15, 0.15
        chroma[0, 20:50, left : left + 30] = 0
        frames.append(frame(luma, chroma))
        true.append(chroma)
    found = run(frames)[10].numpy()
    left = 15 + 3 * 10
    behind, before = found[1, 25:45, left - 8 : left - 3], found[1, 25:45, left + 33 : left + 38]
    assert max(behind.max(), before.max()) < 0.03
    assert found[1, 25:45, left + 4 : left + 26].min() > 0.12
