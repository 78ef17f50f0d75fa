"""For: the figures of a colouring. Promises: they are the published ones. Refuses to know: networks."""

import numpy as np
import pytest

from actors.looks.colorize.figures import ciede2000, colourfulness, lab, mean_de00

# Sharma, Wu and Dalal 2005, table 1: Lab, Lab, dE00.
PAIRS = [
    ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
    ((50.0000, 3.1571, -77.2803), (50.0000, 0.0000, -82.7485), 2.8615),
    ((50.0000, 2.8361, -74.0200), (50.0000, 0.0000, -82.7485), 3.4412),
    ((50.0000, -1.3802, -84.2814), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, -1.1848, -84.8006), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, -0.9009, -85.5211), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
    ((50.0000, -1.0000, 2.0000), (50.0000, 0.0000, 0.0000), 2.3669),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0009), 7.1792),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0010), 7.1792),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0011), 7.2195),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0012), 7.2195),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0009, -2.4900), 4.8045),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0010, -2.4900), 4.8045),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0011, -2.4900), 4.7461),
    ((50.0000, 2.5000, 0.0000), (50.0000, 0.0000, -2.5000), 4.3065),
    ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
    ((50.0000, 2.5000, 0.0000), (61.0000, -5.0000, 29.0000), 22.8977),
    ((50.0000, 2.5000, 0.0000), (56.0000, -27.0000, -3.0000), 31.9030),
    ((50.0000, 2.5000, 0.0000), (58.0000, 24.0000, 15.0000), 19.4535),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.1736, 0.5854), 1.0000),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.2972, 0.0000), 1.0000),
    ((50.0000, 2.5000, 0.0000), (50.0000, 1.8634, 0.5757), 1.0000),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.2592, 0.3350), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.2480, -4.9620), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "published"), PAIRS)
def test_ciede2000_gives_the_published_differences(
    one: tuple[float, ...], other: tuple[float, ...], published: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(published, abs=5e-5)
    assert ciede2000(np.array(other), np.array(one)) == pytest.approx(published, abs=5e-5)


def test_ciede2000_of_many_is_that_of_each() -> None:
    ones, others, published = (np.array(column) for column in zip(*PAIRS, strict=True))
    assert ciede2000(ones, others) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize(
    ("rgb", "wanted"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[float, ...], wanted: tuple[float, ...]) -> None:
    assert lab(np.array(rgb, np.float64)) == pytest.approx(np.array(wanted), abs=0.02)


def test_greys_are_neutral_and_differ_in_lightness_alone() -> None:
    greys = np.linspace(0, 1, 256)[:, None].repeat(3, 1)
    found = lab(greys)
    assert np.abs(found[:, 1:]).max() < 1e-10
    assert (np.diff(found[:, 0]) > 0).all()


def test_a_picture_differs_from_itself_by_nothing() -> None:
    picture = np.random.default_rng(0).random((8, 8, 3))
    assert mean_de00(picture, picture) == 0.0


def test_grey_has_no_colourfulness() -> None:
    assert colourfulness(np.random.default_rng(0).random((9, 9, 1)).repeat(3, 2)) == pytest.approx(0, abs=1e-9)


def test_colourfulness_of_one_colour_is_its_mean_term() -> None:
    red = np.zeros((4, 4, 3))
    red[..., 0] = 1
    assert colourfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5))


def test_colourfulness_keeps_the_sign_of_differences() -> None:
    red_and_green = np.zeros((2, 2, 3))
    red_and_green[0, :, 0] = red_and_green[1, :, 1] = 1
    # rg is 255 and -255: with absolute values its spread would vanish.
    assert colourfulness(red_and_green) == pytest.approx(255 + 0.3 * 127.5)
