"""Patches that two frames both show: found where a picture was shifted, scaled and lit otherwise, not where two have nothing in common."""

import cv2
import numpy as np
import pytest
import torch

from actors.evaluation.matched_patches import LEAST, PATCH, SIDE, colour_apart, features_of, patches_of, shared_places
from tests.actors.evaluation.painted_films import HEIGHT, WIDTH, cloud

Floats = np.ndarray


def painting(seed: int, width: int = WIDTH) -> Floats:
    """Luma of 0..1, with detail."""
    return np.asarray((0.5 + 0.12 * cloud(seed, width, 2.0)).clip(0, 1), np.float32)


def test_what_was_shifted_is_found_where_it_is() -> None:
    whole = painting(1, WIDTH + 30)
    one, other = (features_of(np.ascontiguousarray(whole[:, at : at + WIDTH])) for at in (0, 30))
    places = shared_places(one, other)
    assert places.shape[1] >= LEAST
    assert np.abs(places[0] - places[1] - [30, 0]).max() < 0.5


def test_a_nearer_view_in_other_light_is_found_in_pixels_of_the_picture_that_is_compared() -> None:
    whole = cv2.resize(painting(2), (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    near = cv2.resize(whole[:192, :320], (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    places = shared_places(features_of(whole), features_of((0.2 + 0.6 * near).astype(np.float32)))
    assert places.shape[1] >= LEAST
    assert 3 < places[1].max() < SIDE
    # Twice as near, about the upper left corner; half a pixel is the middle of the first.
    assert np.median(np.abs(2 * (places[0] + 0.5) - (places[1] + 0.5))) < 1


def test_pictures_with_nothing_in_common_share_nothing() -> None:
    assert shared_places(features_of(painting(3)), features_of(painting(4))).size == 0
    plain = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    assert shared_places(features_of(painting(3)), features_of(plain)).size == 0
    assert shared_places(features_of(plain), features_of(plain)).size == 0


def test_the_same_few_features_are_too_few() -> None:
    spots = np.full((HEIGHT, WIDTH), 0.2, np.float32)
    for number in range(6):
        cv2.circle(spots, (20 + 22 * number, 20 + 9 * number), 3 + number % 3, 0.9, -1)
    found = features_of(spots)
    assert len(np.unique(found.places.round(), axis=0)) < LEAST < len(found.places), "a round spot has many directions"
    assert shared_places(found, found).size == 0


def test_no_patch_leaves_the_picture() -> None:
    found = features_of(painting(5)).places.round()
    edge = PATCH // 2
    assert len(found) > LEAST
    assert (found.min(0) >= edge).all()
    assert (found.max(0) < np.array([WIDTH, HEIGHT]) - edge).all()


def test_a_patch_is_the_mean_about_its_place() -> None:
    picture = torch.zeros(1, 3, HEIGHT, WIDTH)
    picture[..., 80:] = 1
    dark, light, half = patches_of(picture, np.array([[75.4, 40], [84.0, 40], [79.6, 40]], np.float32)).T
    assert dark.tolist() == pytest.approx([0, 0, 0], abs=1e-3)
    assert light.tolist() == pytest.approx([100, 0, 0], abs=1e-2)
    assert float(half[0]) == pytest.approx(100 * 5 / 9, abs=0.01)  # of columns 76 to 84 five are white


def test_lightness_counts_for_nothing() -> None:
    """The first pair of Sharma, Wu and Dalal's table, lit differently."""
    one, other = torch.tensor([[40.0], [2.6772], [-79.7751]]), torch.tensor([[60.0], [0.0], [-82.7485]])
    assert colour_apart(one, other) == pytest.approx(2.0425, abs=1e-3)
    assert colour_apart(one, torch.tensor([[90.0], [2.6772], [-79.7751]])) == pytest.approx(0, abs=1e-5)
