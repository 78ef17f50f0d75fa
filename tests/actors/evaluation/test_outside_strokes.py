"""What strokes do to pixels that they were not meant for, on pictures whose every pixel is known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.evaluation.drawn_strokes import Strokes
from actors.evaluation.outside_strokes import colours_of, outside_strokes
from actors.picture.colour import from_differences
from jobs.film.source import Colour

COLOUR = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
RED, BLUE = (-0.1, 0.2), (0.2, -0.1)
"""B'-Y' and R'-Y', halved."""


def picture(left: tuple[float, float], right: tuple[float, float], split: int = 4) -> Tensor:
    """Eight columns on one luma, the first ones of one colour."""
    halved = torch.tensor(right)[None, :, None, None].repeat(1, 1, 6, 8)
    halved[:, :, :, :split] = torch.tensor(left)[None, :, None, None]
    return from_differences(torch.full((1, 1, 6, 8), 0.5), 2 * halved, COLOUR)


def stroke(colour: tuple[float, float]) -> Strokes:
    weight = np.zeros((6, 8), np.float32)
    weight[2, 1:3] = 1
    chroma: NDArray[np.float32] = weight[..., None] * np.array(colour, np.float32)
    return Strokes(chroma, weight)


def test_what_has_the_strokes_colour_is_not_judged_and_all_else_is() -> None:
    truth, look = picture(RED, BLUE), picture((0, 0), BLUE)
    found = outside_strokes(truth, look, picture(RED, RED), colours_of([stroke(RED)]), COLOUR)
    assert found
    assert found.share == 0.5
    assert found.look == pytest.approx(0, abs=0.01)
    assert found.strokes > 20


def test_a_thing_of_the_same_colour_elsewhere_is_what_a_stroke_is_for() -> None:
    truth = picture(RED, BLUE, split=6)
    found = outside_strokes(truth, truth, truth, colours_of([stroke(RED), stroke(RED)]), COLOUR)
    assert found
    assert found.share == 0.25
    assert colours_of([stroke(RED), stroke(RED)]).shape == (1, 2)


def test_where_all_has_a_strokes_colour_nothing_is_told() -> None:
    truth = picture(RED, RED)
    assert outside_strokes(truth, truth, truth, colours_of([stroke(RED)]), COLOUR) is None


def test_without_strokes_all_is_outside() -> None:
    truth = picture(RED, BLUE)
    found = outside_strokes(truth, truth, truth, colours_of([]), COLOUR)
    assert found
    assert found.share == 1
