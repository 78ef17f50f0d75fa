"""Flashes that may harm viewers: more than three a second, large and strong enough; the two sides are told apart."""

from collections.abc import Callable

import numpy as np
import pytest

from actors.render.review.flashes import FlashMeasure, Planes

RATE = 24


def planes(luma: float, red: float = 128.0, share: float = 1.0) -> Planes:
    """A picture of mid grey, of which a part is of one colour."""
    shade, up = np.full((45, 80), 100, np.uint8), np.full((45, 80), 128, np.uint8)
    rows = round(45 * share)
    shade[:rows], up[:rows] = round(luma), round(red)
    return [shade, np.full((45, 80), 128, np.uint8), up]


def harmful(picture: Callable[[int], Planes], frames: int = 3 * RATE) -> int:
    """Frames within harmful flashes, of some seconds."""
    measure = FlashMeasure(RATE)
    return sum(measure.take(planes(100), picture(number))[1] for number in range(frames))


def flashing(every: int, light: float = 235.0, dark: float = 60.0, share: float = 1.0) -> Callable[[int], Planes]:
    return lambda number: planes(light if number // every % 2 else dark, share=share)


def test_four_flashes_a_second_are_harmful_and_three_are_not() -> None:
    assert harmful(flashing(3)) > RATE  # four a second
    assert harmful(flashing(4)) == 0  # three a second
    assert harmful(flashing(1)) > RATE


def test_a_quarter_of_the_screen_is_not_much() -> None:
    assert harmful(flashing(2, share=0.2)) == 0
    assert harmful(flashing(2, share=0.4)) > RATE


def test_small_changes_and_changes_among_bright_pictures_are_harmless() -> None:
    # 20 cd/m2 of 200, by a screen of gamma 2.4: from black to luma of 100 is 20.3, to 96 is 17.
    assert harmful(flashing(2, light=101, dark=16)) > RATE
    assert harmful(flashing(2, light=94, dark=16)) == 0
    # 160 cd/m2 is a luma of 216: above it the darker picture is bright itself.
    assert harmful(flashing(2, light=235, dark=219)) == 0


def test_flashes_of_saturated_red_are_harmful_however_dark() -> None:
    def red(number: int) -> Planes:
        return planes(63, 240) if number // 2 % 2 else planes(63)

    assert harmful(red) > RATE


@pytest.mark.parametrize("picture", [lambda n: planes(20 + 2 * n), lambda n: planes(200 if n == 30 else 60)])
def test_a_fade_and_a_single_flash_are_harmless(picture: Callable[[int], Planes]) -> None:
    assert harmful(picture) == 0


def test_pictures_side_by_side_are_followed_apart() -> None:
    measure, flash = FlashMeasure(RATE), flashing(2)
    found = [measure.take(flash(number), planes(100)) for number in range(2 * RATE)]
    assert [any(side) for side in zip(*found, strict=True)] == [True, False]
