"""Likeness: that forms which mean the same measure as the same, that those which do not differ by what is known, and that packing is no difference."""

from math import log10

import av
import numpy as np
import pytest

from actors.verify.picture_difference import ComparedFrame, errors, luma_equal, picture_equal, shown, smaller, thumbnail
from jobs.film.source import Colour
from tests.films import Recipe, plane_of

SIZE = (64, 48)


def colour(matrix: str = "bt709", *, full: bool = False) -> Colour:
    return Colour.model_validate(
        {"matrix": matrix, "full_range": full, "primaries": 1, "transfer": 1, "space": 1, "assumed": False}
    )


def flat(pix_fmt: str, *levels: int, size: tuple[int, int] = SIZE, of: Colour | None = None) -> ComparedFrame:
    """A picture of one colour, by the level of each plane."""
    frame = av.VideoFrame(*size, pix_fmt)
    for plane, part, level in zip(frame.planes, frame.format.components, levels, strict=True):
        plane_of(plane, part.bits)[:] = level
    return shown(frame, of or colour())


def psnr(error: float) -> float:
    return -10 * log10(error)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (flat("yuv420p", 81, 90, 240), flat("yuv420p10le", 324, 360, 960)),
        (flat("yuv420p", 81, 90, 240), flat("yuv422p12le", 1296, 1440, 3840)),
        (flat("yuv420p", 126, 128, 128), flat("gray", 126)),
        (flat("yuv444p", 16, 128, 128), flat("yuv444p", 0, 128, 128, of=colour(full=True))),
        (flat("gray", 235), flat("gray16le", 65535, of=colour(full=True))),
        (flat("gbrp", 255, 255, 255), flat("yuv420p", 235, 128, 128)),
        (flat("gbrp", 51, 51, 51), flat("yuv444p16le", 51 * 257, 1 << 15, 1 << 15, of=colour(full=True))),
    ],
)
def test_forms_that_mean_the_same_are_alike(one: ComparedFrame, other: ComparedFrame) -> None:
    luma, rgb = errors(one, other)
    assert max(luma, rgb) < 1e-9
    assert not picture_equal(one, other)


def test_each_matrix_is_its_own() -> None:
    red = flat("gbrp", 0, 0, 255)
    # Pure red by ITU-R BT.601 and BT.709, limited range, 8 bit: rounded, so alike within a step.
    for matrix, levels in (("bt601", (81, 90, 240)), ("bt709", (63, 102, 240))):
        assert psnr(errors(red, flat("yuv444p", *levels, of=colour(matrix)))[1]) > 45
    assert psnr(errors(red, flat("yuv444p", 81, 90, 240))[1]) < 30


def test_what_r_g_b_cuts_off_is_no_difference() -> None:
    luma, red_y = (180 - 16) / 219, 0.7874  # Cr at its limit: R' would be 1.54
    planes = (luma - 0.2126 * red_y / 0.7152, luma, 1.0)
    cut = flat("gbrp16le", *(round(65535 * one) for one in planes))
    assert max(errors(flat("yuv444p", 180, 128, 240), cut)) < 1e-9


def test_luma_by_another_matrix_is_reckoned_anew() -> None:
    # The same red by BT.601 and by BT.709, 16 bit.
    red = [(0.299, -0.299 / 1.772, 0.5, "bt601"), (0.2126, -0.2126 / 1.8556, 0.5, "bt709")]
    one, other = (
        flat(
            "yuv444p16le",
            round(65535 * y),
            *(round(32768 + 65535 * c) for c in (cb, cr - 1e-5)),
            of=colour(m, full=True),
        )
        for y, cb, cr, m in red
    )
    assert max(errors(one, other)) < 1e-7


def test_a_known_difference_has_the_ratio_that_it_must() -> None:
    luma, rgb = errors(flat("yuv420p", 126, 128, 128), flat("yuv420p", 127, 128, 128))
    assert psnr(luma) == pytest.approx(20 * log10(219), abs=1e-3)
    assert rgb == pytest.approx(luma, rel=1e-5)


def test_pictures_are_measured_upright_at_the_smaller_size() -> None:
    frame = Recipe(size=(192, 112)).frame(5)
    half = shown(frame.reformat(width=96, height=56, interpolation="AREA"), colour())
    whole = shown(frame, colour())
    assert smaller(half, whole) == (96, 56)
    assert psnr(errors(half, whole)[0]) > 40
    turned = av.VideoFrame(112, 192, "gray")
    luma = plane_of(frame.planes[0], 8)
    plane_of(turned.planes[0], 8)[:] = np.rot90(luma, -1)
    upright = shown(Recipe(size=(192, 112), pix_fmt="gray").frame(5), colour())
    lying = shown(turned, colour())
    assert lying.size == (112, 192)
    lying = ComparedFrame(**{**vars(lying), "turns": 1, "size": (192, 112)})
    assert errors(lying, upright)[0] == 0
    assert np.array_equal(thumbnail(lying), np.rot90(thumbnail(shown(turned, colour()))))


@pytest.mark.parametrize("twin", ["nv12", "yuv420p"])
def test_packing_and_byte_order_are_no_difference(twin: str) -> None:
    frame = Recipe().frame(3)
    assert picture_equal(shown(frame.reformat(format=twin), colour()), shown(frame, colour()))
    deep = Recipe(pix_fmt="yuv422p10le").frame(3)
    assert picture_equal(shown(deep.reformat(format="yuv422p10be"), colour()), shown(deep, colour()))
    rgb = frame.reformat(format="rgb24")
    assert picture_equal(shown(rgb, colour()), shown(rgb.reformat(format="gbrp"), colour()))


def test_luma_is_held_against_luma_of_its_own_depth_alone() -> None:
    frame = Recipe().frame(3)
    one, grey = shown(frame, colour()), Recipe(pix_fmt="gray").frame(3)
    assert luma_equal(one, shown(grey, colour()))
    assert not luma_equal(one, shown(Recipe().frame(4), colour()))
    assert not luma_equal(one, shown(frame.reformat(format="yuv420p10le"), colour()))
    assert not luma_equal(shown(frame.reformat(format="rgb24"), colour()), one)


def test_a_form_that_only_libav_knows_is_measured() -> None:
    frame = Recipe().frame(3)
    one = shown(frame.reformat(format="xyz12le"), colour())
    assert one.form == "R'G'B' of 16 bit 192x112"
    assert psnr(errors(one, shown(frame.reformat(format="rgb48le"), colour()))[1]) > 30
