"""LUTs as .cube files: what is read, what changes nothing, and that all else is refused in one sentence."""

import pytest

from actors.picture.grading.cube import read_cube
from jobs.errors import BadSpec
from tests.actors.picture.grading.luts import bent, cube, line, same


def test_a_table_of_three_sides_is_read_with_red_fastest() -> None:
    (table,) = read_cube(cube(bent, 3), "a.cube")
    assert table.values.shape == (3, 3, 3, 3)
    assert table.values[0, 1, 2] == pytest.approx(bent(1, 0.5, 0), abs=1e-6)
    assert table.domain == ((0, 0, 0), (1, 1, 1))


def test_a_line_before_a_table_is_two_tables_with_domains_of_their_own() -> None:
    head = "LUT_1D_INPUT_RANGE -0.5 1.5\nLUT_3D_INPUT_RANGE 0 2\nLUT_3D_SIZE 2\n"
    rows = line(lambda x: x * x, 5, head) + b"0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n"
    first, second = read_cube(rows, "a.cube")
    assert (first.values.shape, first.domain[0][0], first.domain[1][2]) == ((5, 3), -0.5, 1.5)
    assert (second.values.shape, second.domain[1]) == ((2, 2, 2, 3), (2, 2, 2))


@pytest.mark.parametrize(
    "data",
    [
        cube(same, 2),
        cube(same, 33),
        line(lambda x: x, 64),
        line(lambda x: 2 * x - 0.5, 9, "DOMAIN_MIN -0.5 -0.5 -0.5\nDOMAIN_MAX 1.5 1.5 1.5\n"),
    ],
)
def test_what_changes_nothing_is_no_table(data: bytes) -> None:
    assert read_cube(data, "a.cube") == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither LUT_1D_SIZE nor LUT_3D_SIZE"),
        (b"\xff\xd8\xff\xe0 JFIF", "it is not a text"),
        (b"TITLE hello\nsome words\n", "neither LUT_1D_SIZE nor LUT_3D_SIZE"),
        (b"<ColorCorrection id='a'/>", "neither LUT_1D_SIZE nor LUT_3D_SIZE"),
        (b"LUT_3D_SIZE 2\n" + b"0 0 0\n" * 7, "it says 8 rows of three numbers, and has 21 numbers"),
        (b"LUT_3D_SIZE 2\n" + b"0 0 0\n" * 9, "it says 8 rows"),
        (b"LUT_3D_SIZE 2\n" + b"nan 0 0\n" * 8, "no brightness (NaN"),
        (b"LUT_3D_SIZE 2\n" + b"0 inf 0\n" * 8, "no brightness (NaN"),
        (b"LUT_3D_SIZE 2\n" + b"0 1e30 0\n" * 8, "no brightness (NaN"),
        (b"LUT_3D_SIZE 2\n" + b"0 x 0\n" * 8, "something else than numbers"),
        (b"LUT_3D_SIZE 2000000000\n0 0 0\n", "LUT_3D_SIZE 2000000000 is not a whole number from 2 to 129"),
        (b"LUT_3D_SIZE -2\n0 0 0\n", "LUT_3D_SIZE -2 is not a whole number"),
        (b"LUT_1D_SIZE 1\n0 0 0\n", "LUT_1D_SIZE 1 is not a whole number from 2 to 65,536"),
        (b"LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n0 0 0\n1 1 1\n", "its domain"),
        (b"LUT_1D_SIZE 2\nDOMAIN_MAX 1\n0 0 0\n1 1 1\n", "its domain"),
    ],
)  # fmt: skip
def test_what_is_no_lut_is_refused_in_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(BadSpec) as refusal:
        read_cube(data, "a.cube")
    said = str(refusal.value)
    assert said.startswith("The LUT a.cube cannot be read: ")
    assert why in said
    assert "\n" not in said
    assert said.endswith("; export it again as .cube.")
