"""Cuts amid fast motion are found, and flashes, noise, fades and motion itself are none."""

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from actors.survey.hidden_cuts import BEGIN, MIDDLE, HiddenCuts, beside, goes_on, luma_of
from actors.survey.surveyor import Surveyor
from jobs.plan.survey_ranges import seen, survey_ranges
from tests.actors.cutting import clip, surveyed

Pictures = list[NDArray[np.uint8]]

HEIGHT, WIDTH = 108, 256
LOOKED_AT = {
    "tears-of-steel.webm": {122, 901, 987, 1157, 1430, 1472, 1525, 1689},
    "sintel-30s.mp4": set(),
    "big-buck-bunny-30s.webm": set(),
    "chaplin.mp4": set(),
}
"""Hard cuts that people see, and that the detector of differences alone passes over."""


def texture(seed: int) -> NDArray[np.uint8]:
    """A picture larger than a frame, with detail of many sizes."""
    some = np.random.default_rng(seed)
    wide = np.zeros((3 * HEIGHT, 5 * WIDTH), np.float32)
    for size in (8, 24, 72):
        grain = some.random((3 * HEIGHT // size + 1, 5 * WIDTH // size + 1), np.float32)
        wide += cv2.resize(grain, (5 * WIDTH, 3 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    levels: NDArray[np.uint8] = (wide * 70 + 10).clip(0, 255).astype(np.uint8)
    return levels


def pan(seed: int, frames: int, step: int = 5, light: Iterable[float] = ()) -> Pictures:
    """Frames of a camera that moves `step` pixels a frame, and shakes."""
    wide, some = texture(seed), np.random.default_rng(seed)
    lights = [*light] or [1.0] * frames
    pictures = []
    for number, level in enumerate(lights):
        top, left = HEIGHT + int(some.integers(-1, 2)), 20 + number * step
        grey = (wide[top : top + HEIGHT, left : left + WIDTH] * level).clip(0, 255).astype(np.uint8)
        pictures.append(np.dstack([grey] * 3))
    return pictures


def found(pictures: Pictures, threshold: float = 3.0) -> list[int]:
    hidden = HiddenCuts(threshold)
    return [cut for number, shown in enumerate(pictures) for cut in hidden.push(number, shown)]


def test_a_cut_from_motion_to_motion_is_found() -> None:
    assert found(pan(1, 12) + pan(2, 12, step=4) + pan(3, 12)) == [12, 24]


def told(pictures: Pictures, cut: int, mixed_at: tuple[int, ...] = MIDDLE) -> bool:
    return goes_on([luma_of(pictures[number]) for number in beside(cut, 0, len(pictures))], mixed_at)


def test_where_a_camera_moves_on_the_picture_goes_on_and_at_a_cut_it_does_not() -> None:
    both = pan(1, 40, step=3) + pan(2, 40, step=3)
    assert [cut for cut in range(14, 66, 2) if not told(both, cut)] == [40]
    assert beside(40, 34, 43) == (34, 34, 38, 39, 40, 41, 42, 42, 42, 42), "no frame is beyond another cut"


@pytest.mark.parametrize("length", [12, 24])
def test_at_the_middle_of_a_dissolve_a_listed_cut_is_one(length: int) -> None:
    shares = np.clip((np.arange(80) + 0.5 - 40) / length + 0.5, 0, 1)
    mixed = [
        (one * (1 - share) + other * share).astype(np.uint8)
        for one, other, share in zip(pan(1, 80, step=1), pan(2, 80, step=1), shares, strict=True)
    ]
    assert told(mixed, 12, BEGIN)
    assert not told(mixed, 40)
    begin = 40 - length // 2
    assert not told(mixed, begin, BEGIN), "an EDL's cut lies there"
    assert told(mixed, begin)


def test_in_a_fade_the_picture_goes_on() -> None:
    faded = pan(1, 80, step=1, light=np.linspace(1, 0.1, 80))
    assert all(told(faded, cut) for cut in range(12, 56, 4))


def test_a_cut_is_found_on_a_small_picture_and_none_on_one_too_small_to_see_motion() -> None:
    pictures = pan(1, 8) + pan(2, 8)
    assert found([cv2.resize(one, (64, 36), interpolation=cv2.INTER_AREA).astype(np.uint8) for one in pictures]) == [8]
    assert found([cv2.resize(one, (48, 24), interpolation=cv2.INTER_AREA).astype(np.uint8) for one in pictures]) == []


def test_what_is_decided_depends_on_three_neighbours_alone() -> None:
    pictures = pan(1, 12) + pan(2, 12)
    hidden = HiddenCuts(3.0)
    assert [cut for number in range(10, 14) for cut in hidden.push(number, pictures[number])] == [12]


@pytest.mark.parametrize(
    "pictures",
    [
        pan(1, 20, step=12),
        pan(1, 20, light=[1.0] * 9 + [2.5] + [1.0] * 10),
        pan(1, 20, light=np.linspace(1.0, 0.0, 20)),
        pan(1, 20, light=[1.0, 0.6] * 10),
        pan(1, 9) + pan(2, 1) + pan(1, 9),
        [np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8) for seed in range(20)],
        [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 10,
    ],
    ids=["a fast pan", "a flash", "a fade", "flicker", "one frame of another picture", "noise", "black"],
)
def test_no_cut_is_found_in(pictures: Pictures) -> None:
    assert found(pictures) == []


def test_a_higher_threshold_asks_more() -> None:
    pictures = pan(1, 12) + pan(2, 12)
    assert found(pictures, 3.0) == [12]
    assert found(pictures, 300.0) == []


@pytest.mark.parametrize(("name", "missed"), LOOKED_AT.items())
def test_cuts_that_people_see_in_a_real_film_are_found(name: str, missed: set[int]) -> None:
    path = clip(name)
    film, index = surveyed(path)
    (whole,) = survey_ranges(index, 10**6)
    see = seen(whole, index)
    cuts = Surveyor(str(path)).cuts(film.picture, index.span(*see), whole, see.start).cuts
    assert missed <= {*cuts}
