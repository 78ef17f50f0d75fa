"""Strokes: their colour spreads to what is alike and no further, is carried along motion, and leaves the rest as it was."""

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.render.propagation.matching import Matcher
from actors.render.propagation.propagation import Guides, KnownColour
from actors.render.propagation.strokes import UNSEEN, laid_over, spread
from actors.render.propagation.window import Window
from jobs.plan.ranges import Range
from jobs.plan.spans import STILL_REACH
from tests.actors.render.propagation.test_propagation import WEIGHTS, cloud

Floats = NDArray[np.float32]
HEIGHT, WIDTH = 64, 96
BLUE, RED = np.array([0.2, -0.05], np.float32), np.array([-0.05, 0.2], np.float32)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(WEIGHTS)


def halves(left: float = 0.3, right: float = 0.6) -> Floats:
    """Two plain areas, with a little grain."""
    luma = np.full((HEIGHT, WIDTH), left, np.float32)
    luma[:, WIDTH // 2 :] = right
    return luma + np.random.default_rng(1).normal(0, 0.003, luma.shape).astype(np.float32)


def stroke(*lines: tuple[slice, slice, Floats]) -> tuple[Floats, Floats]:
    chroma, weight = np.zeros((HEIGHT, WIDTH, 2), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    for rows, columns, colour in lines:
        chroma[rows, columns], weight[rows, columns] = colour, 1
    return chroma, weight


def test_a_stroke_spreads_to_what_is_alike_and_not_across_an_edge(matcher: Matcher) -> None:
    found = spread(halves(), *stroke((slice(30, 33), slice(10, 30), BLUE)), matcher)
    np.testing.assert_allclose(
        found.chroma[:, : WIDTH // 2 - 1], np.broadcast_to(BLUE, (HEIGHT, WIDTH // 2 - 1, 2)), atol=0.01
    )
    assert found.confidence[:, : WIDTH // 2 - 1].min() > 0.6
    assert not found.confidence[:, WIDTH // 2 + 1 :].any()


def textured(right: int | None) -> Floats:
    """A texture, and beside it another of its kind by the seed `right`, or a plain area as light; grain over both. No edge of luma is between them."""
    height, width = 128, 192
    luma = 0.5 + np.random.default_rng(1).normal(0, 0.003, (height, width)).astype(np.float32)
    for half, seed in ((slice(0, 96), 1), (slice(96, None), right)):
        if seed is not None:
            luma[:, half] += 0.03 * cloud(seed, height, width, 1, 2.0)[:, half, 0]
    return luma


def test_a_stroke_does_not_reach_what_is_as_light_but_looks_otherwise(matcher: Matcher) -> None:
    chroma, weight = np.zeros((128, 192, 2), np.float32), np.zeros((128, 192), np.float32)
    chroma[60:63, 20:60], weight[60:63, 20:60] = BLUE, 1
    same, other = (spread(textured(right), chroma, weight, matcher).confidence for right in (2, None))
    assert other[:, :80].mean() > 0.8
    assert same[:, 112:].mean() > 0.5, "luma alone would let it pass"
    assert other[:, 112:].mean() < 0.1
    assert other[other > 0].min() > UNSEEN


def test_a_dot_spreads_as_a_line_does(matcher: Matcher) -> None:
    found = spread(halves(), *stroke((slice(31, 32), slice(20, 21), BLUE)), matcher)
    assert found.confidence[16:48, 5:40].min() > 0.4
    assert not found.confidence[:, WIDTH // 2 + 1 :].any()


def test_two_strokes_meet_at_the_edge_between_them(matcher: Matcher) -> None:
    layer = stroke((slice(5, 8), slice(5, 20), BLUE), (slice(50, 53), slice(70, 90), RED))
    found = spread(halves(), *layer, matcher)
    for columns, colour in ((slice(0, 46), BLUE), (slice(50, WIDTH), RED)):
        assert np.abs(found.chroma[:, columns] - colour).max() < 0.02


def test_a_stroke_counts_less_the_farther_away_and_fades_with_light(matcher: Matcher) -> None:
    luma = np.broadcast_to(np.linspace(0.6, 0.2, WIDTH, dtype=np.float32), (HEIGHT, WIDTH)).copy()
    found = spread(luma, *stroke((slice(30, 33), slice(0, 3), BLUE)), matcher)
    row = found.confidence[31]
    assert (np.diff(row[3:]) <= 1e-6).all()
    assert row[0] > 0.9 > row[-1]
    np.testing.assert_allclose(found.chroma[31, -1] / found.chroma[31, 0], 0.25 / 0.65, rtol=0.05)


def test_the_same_layer_gives_the_same_bits_and_an_empty_one_nothing(matcher: Matcher) -> None:
    layer = stroke((slice(30, 33), slice(10, 30), BLUE))
    one, other = spread(halves(), *layer, matcher), spread(halves(), *layer, Matcher(WEIGHTS))
    np.testing.assert_array_equal(one.chroma, other.chroma)
    np.testing.assert_array_equal(one.confidence, other.confidence)
    assert not spread(halves(), *stroke(), matcher).confidence.any()


def moving(frames: int) -> list[Floats]:
    """A textured square that goes two pixels a frame over a plain, grainless wall."""
    rng = np.random.default_rng(3)
    square = (0.6 + 0.3 * rng.random((20, 20))).astype(np.float32)
    made = []
    for number in range(frames):
        luma = np.full((HEIGHT, WIDTH), 0.2, np.float32)
        luma[20:40, 10 + 2 * number : 30 + 2 * number] = square
        made.append(luma)
    return made


def guides(frames: int) -> Guides:
    rng = np.random.default_rng(5)
    chroma = rng.normal(0, 0.02, (frames, HEIGHT, WIDTH, 2)).astype(np.float32)
    return Guides(chroma, np.full((frames, HEIGHT, WIDTH), 0.7, np.float32))


@pytest.mark.parametrize("at", [0, 4, 9])
def test_strokes_go_with_what_moves_and_leave_the_rest_bit_for_bit(at: int) -> None:
    window, own = Window(dict(enumerate(moving(10)))), guides(10)
    share = np.zeros((HEIGHT, WIDTH), np.float32)
    share[20:40, 10 + 2 * at : 30 + 2 * at] = 1
    layer = KnownColour(np.broadcast_to(BLUE, (HEIGHT, WIDTH, 2)).copy(), share)
    found = laid_over(own, Range(0, 10), window, {at: layer}, None)
    for number in range(10):
        inside = found.chroma[number, 24:36, 14 + 2 * number : 26 + 2 * number]
        assert np.abs(inside - BLUE).mean() < 0.03, number
        far = np.ones((HEIGHT, WIDTH), bool)
        far[10:50, max(0, 2 * number) : 40 + 2 * number] = False
        np.testing.assert_array_equal(found.chroma[number][far], own.chroma[number][far])
        np.testing.assert_array_equal(found.confidence[number][far], own.confidence[number][far])


@pytest.mark.parametrize("share", [0.0, 1e-25])
def test_what_counts_for_next_to_nothing_changes_nothing(share: float) -> None:
    own = guides(3)
    layer = KnownColour(np.broadcast_to(RED, (HEIGHT, WIDTH, 2)).copy(), np.full((HEIGHT, WIDTH), share, np.float32))
    found = laid_over(own, Range(0, 3), Window(dict(enumerate(moving(3)))), {1: layer}, None)
    np.testing.assert_array_equal(found.chroma, own.chroma)
    np.testing.assert_array_equal(found.confidence, own.confidence)


def test_strokes_of_a_frame_outside_a_span_reach_into_it_until_their_reach_ends() -> None:
    still = moving(1)[0]
    window = Window(dict.fromkeys(range(STILL_REACH + 4), still))
    share = np.ones((HEIGHT, WIDTH), np.float32)
    layer = KnownColour(np.broadcast_to(RED, (HEIGHT, WIDTH, 2)).copy(), share)
    span = Range(STILL_REACH - 6, STILL_REACH + 4)
    found = laid_over(guides(10), span, window, {0: layer}, None)
    near, far = found.chroma[0], found.chroma[-3:]
    assert np.abs(near - RED).mean() < np.abs(guides(10).chroma[0] - RED).mean()
    np.testing.assert_array_equal(far, guides(10).chroma[-3:])


def test_between_two_layers_the_nearer_one_has_more_to_say() -> None:
    window = Window(dict.fromkeys(range(21), moving(1)[0]))
    one, other = (
        KnownColour(np.broadcast_to(colour, (HEIGHT, WIDTH, 2)).copy(), np.ones((HEIGHT, WIDTH), np.float32))
        for colour in (BLUE, RED)
    )
    found = laid_over(guides(21), Range(0, 21), window, {0: one, 20: other}, None).chroma
    blue = [float(np.abs(frame - BLUE).mean()) for frame in found]
    assert blue[0] < 0.02
    assert blue[3] < blue[10] < blue[17]
