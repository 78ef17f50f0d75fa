"""Frames worth painting: sharp, much in view, in no fade, dissolve or black, and so placed that they reach most of a shot."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from actors.stills.choosing import choose_frames
from tests.actors.stills.pictures import made_shot, noise

Luma = NDArray[np.uint8]


def lumas(seed: int, frames: int) -> list[Luma]:
    """A calm shot: hills with a patch that moves."""
    rng = np.random.default_rng(seed)
    wall = 60 + 120 * noise(rng, 144, 256, 20)
    made = []
    for number in range(frames):
        picture = wall.copy()
        picture[40:100, 20 + number : 60 + number] = 220 - 60 * noise(np.random.default_rng(1), 60, 40, 8)
        made.append(np.asarray(picture.clip(0, 255), np.uint8))
    return made


def test_one_lies_near_the_middle_and_two_near_the_quarters() -> None:
    shot = lumas(1, 60)
    (one,) = choose_frames(shot, range(100, 160), 1)
    assert 120 <= one < 140
    two = choose_frames(shot, range(100, 160), 2, 2)
    assert 105 <= two[0] < 125
    assert 135 <= two[1] < 155
    assert two == choose_frames([one.copy() for one in shot], range(100, 160), 2, 2)


def test_a_calm_shot_has_one_and_one_that_turns_into_another_more() -> None:
    assert len(choose_frames(lumas(2, 60), range(60), 3)) == 1
    pan = 60 + 150 * noise(np.random.default_rng(5), 144, 256 * 4, 10)
    panned = [np.asarray(pan[:, 12 * number : 12 * number + 256].clip(0, 255), np.uint8) for number in range(60)]
    chosen = choose_frames(panned, range(60), 3)
    assert len(chosen) == 3
    assert len(choose_frames(panned, range(60), 2)) == 2


@pytest.mark.parametrize("end", ["head", "tail"])
def test_nothing_is_chosen_in_a_fade_or_in_black(end: str) -> None:
    shot = lumas(3, 40)
    faded = [np.asarray(one * min(1.0, number / 16), np.uint8) for number, one in enumerate(shot)]
    faded = [np.zeros_like(shot[0])] * 10 + faded
    faded = faded if end == "head" else faded[::-1]
    bad = set(range(26)) if end == "head" else set(range(24, 50))
    for most in (1, 2, 3):
        assert not bad & set(choose_frames(faded, range(50), most, most))


def test_nothing_is_chosen_in_a_dissolve() -> None:
    one, other = lumas(4, 60), lumas(5, 60)
    shares = np.clip((np.arange(60) - 20) / 20, 0, 1)
    shot = [
        np.asarray(np.rint((1 - share) * a + share * b), np.uint8)
        for share, a, b in zip(shares, one, other, strict=True)
    ]
    for most in (1, 2, 3):
        chosen = choose_frames(shot, range(60), most, most)
        assert not set(range(22, 39)) & set(chosen)
    assert min(chosen) < 22 < 39 <= max(chosen)


def test_a_blurred_middle_is_avoided() -> None:
    shot = lumas(6, 60)
    blurred = [
        np.asarray(cv2.GaussianBlur(one, (0, 0), 4), np.uint8) if 25 <= number < 35 else one
        for number, one in enumerate(shot)
    ]
    (chosen,) = choose_frames(blurred, range(60), 1)
    assert not 25 <= chosen < 35
    assert 15 <= chosen < 45


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_shots_and_black_ones_have_one_too(frames: int) -> None:
    assert len(choose_frames(lumas(7, frames), range(9, 9 + frames), 1)) == 1
    assert len(choose_frames([np.zeros((36, 64), np.uint8)] * frames, range(frames), 3)) == 1


def test_frames_that_were_looked_at_now_and_then_have_their_own_numbers() -> None:
    photos = made_shot(1, 10)
    small = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in photos]
    assert set(choose_frames([np.asarray(one, np.uint8) for one in small], range(0, 100, 10), 3)) <= set(
        range(0, 100, 10)
    )
