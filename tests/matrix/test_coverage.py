"""The matrix has every pair of properties that films have together; the one that is missing is named."""

from itertools import product

import av
import pytest

from tests.films import Recipe
from tests.matrix.table import MATRIX

CODECS = {
    "libx264": "h264",
    "libx265": "hevc",
    "libsvtav1": "av1",
    "libvpx": "vp8",
    "libvpx-vp9": "vp9",
    "mpeg2video": "mpeg2",
    "mpeg4": "mpeg4",
    "prores_ks": "prores",
    "dnxhd": "dnxhd",
    "ffv1": "ffv1",
    "mjpeg": "mjpeg",
}

HELD = {
    "h264": "mp4 mov mkv ts avi mxf",
    "hevc": "mp4 mov mkv ts",
    "av1": "mp4 mkv webm",
    "vp8": "mkv webm",
    "vp9": "mp4 mkv webm",
    "mpeg2": "mp4 mov mkv mxf mpg ts avi",
    "mpeg4": "mp4 mov mkv avi",
    "prores": "mov mkv mxf",
    "dnxhd": "mov mxf",
    "ffv1": "mp4 mkv mxf avi",
    "mjpeg": "mp4 mov mkv avi",
}
"""Containers that a codec comes in."""

DEPTHS = ("8 bit", "10 bit", "12 bit")
CHROMAS = ("4:2:0", "4:2:2", "4:4:4", "gray")
RANGES = ("limited", "full")
MATRICES = ("bt601", "bt709", "bt2020")
RATES = ("24000/1001", "25", "30000/1001", "variable")

PAIRS = [
    *((codec, one) for codec, held in HELD.items() for one in held.split()),
    *product(DEPTHS, CHROMAS),
    *product(DEPTHS, RANGES),
    *product(CHROMAS, RANGES),
    *product(DEPTHS, MATRICES),
    *product(RANGES, MATRICES),
    *product(("mp4", "mov", "mkv"), (*RATES, "late")),
    *product(("ts",), (*RATES, "late", "negative")),
    *product(("webm",), ("variable", "late", "no duration", "15000/1001")),
    *product(("mp4", "mov"), ("edit list", "rotated")),
    *product(
        ("h264", "hevc"),
        ("closed", "open", "one keyframe", "intra", "late", "edit list", "variable", "rotated", "anamorphic"),
    ),
    *product(("h264",), ("10", "refresh", "negative")),
    *product(("av1", "vp8"), ("closed", "one keyframe", "late")),
    *product(("mpg", "ts"), ("negative", "anamorphic")),
    *product(("mp4", "mov"), ("anamorphic",)),
    *product(("ffv1",), ("9 bit", "14 bit", "16 bit", "4:4:0", "4:1:1", "4:1:0")),
    *product(("gray",), ("14 bit", "16 bit")),
]
"""Pairs that matter: each must occur in one film at least."""


def traits(name: str, recipe: Recipe) -> set[str]:
    """What a film of the matrix is, in words."""
    form = av.VideoFormat(recipe.pix_fmt)
    wide, high = form.chroma_width(8), form.chroma_height(8)
    chroma = {(4, 4): "4:2:0", (4, 8): "4:2:2", (8, 8): "4:4:4", (8, 4): "4:4:0", (2, 8): "4:1:1", (2, 2): "4:1:0"}
    return {
        CODECS.get(recipe.codec, recipe.codec),
        name.rpartition(".")[2],
        f"{form.components[0].bits} bit",
        "gray" if len(form.components) == 1 else chroma[wide, high],
        "full" if recipe.full or recipe.pix_fmt.startswith("yuvj") else "limited",
        recipe.matrix or "untagged",
        str(recipe.rate) if recipe.times is None else "variable",
        _groups(recipe),
        "late" if recipe.start else "edit list" if recipe.hidden else "from 0",
        "negative" if "wraps" in name or "negative" in name else "ahead",
        "no duration" if "live" in recipe.muxer else "its duration",
        "rotated" if recipe.rotation else "upright",
        "square" if recipe.aspect == 1 else "anamorphic",
    }


def _groups(recipe: Recipe) -> str:
    if "intra-refresh" in str(recipe.options):
        return "refresh"
    if recipe.gop == 1:
        return "intra"
    return "one keyframe" if recipe.gop > recipe.frames else "open" if recipe.open_gop else "closed"


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_a_pair_is_in_the_matrix(pair: tuple[str, str]) -> None:
    assert any(set(pair) <= traits(*row) for row in MATRIX.items())


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len(MATRIX) >= 90
