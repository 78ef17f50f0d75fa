"""Stills of every kind of alpha and profile, held against what ffmpeg and LittleCMS make of the same file."""

import io
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from actors.stills.reading import read_still
from tests.actors.stills.pictures import made_shot
from tests.actors.stills.test_reading import ADOBE, assembled, made_profile, saved

Samples = NDArray[np.uint16]
PHOTO = made_shot(1, 1, (60, 90))[0]
DEEP: Samples = PHOTO.astype(np.uint16) * np.uint16(257) ^ np.uint16(0x35)
ALPHA: Samples = np.linspace(0, 65535, 90).astype(np.uint16)[None].repeat(60, 0)


def png(samples: NDArray[np.uint16], colour_type: int, **chunks: bytes) -> bytes:
    """16 bits, as the standard has them: no filter, one IDAT."""
    height, width = samples.shape[:2]
    rows = samples.astype(">u2").reshape(height, -1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))]
    parts += [(name.encode(), data) for name, data in chunks.items()]
    parts += [(b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def indexed() -> bytes:
    """A palette of 64 colours, each with an alpha of its own."""
    image = Image.fromarray(PHOTO).quantize(64)
    return saved(image, "PNG", transparency=bytes(range(0, 256, 4)))


def eight(form: str) -> bytes:
    return saved(Image.fromarray(np.dstack([PHOTO, (ALPHA >> 8).astype(np.uint8)])), form)


MADE = {
    "indexed PNG": (indexed, ".png"),
    "PNG of 8 bits": (lambda: eight("PNG"), ".png"),
    "PNG of 16 bits": (lambda: png(np.dstack([DEEP, ALPHA]), 6), ".png"),
    "grey PNG of 16 bits": (lambda: png(np.dstack([DEEP[:, :, 1], ALPHA]), 4), ".png"),
    "PNG of 16 bits with one transparent colour": (
        lambda: png(DEEP, 2, tRNS=DEEP[7, 9].astype(">u2").tobytes()),
        ".png",
    ),
    "TIFF of 8 bits": (lambda: eight("TIFF"), ".tif"),
}


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg")
@pytest.mark.parametrize("kind", MADE)
def test_alpha_is_what_ffmpeg_reads(kind: str, tmp_path: Path) -> None:
    make, ending = MADE[kind]
    path = tmp_path / f"a{ending}"
    path.write_bytes(make())
    deep = "16 bits" in kind
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo"]
    command += ["-pix_fmt", "rgba64le" if deep else "rgba", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    wanted = np.frombuffer(raw, "<u2" if deep else np.uint8).reshape(60, 90, 4).astype(int) * (1 if deep else 257)
    found = read_still(path.read_bytes(), "a.f1.png")
    assert found.alpha_HW is not None
    np.testing.assert_allclose(found.alpha_HW, wanted[:, :, 3], atol=2)
    shown = wanted[:, :, 3] > 0
    np.testing.assert_allclose(found.rgb_HW3[shown], wanted[:, :, :3][shown], atol=2)


def converted(image: Image.Image, profile: bytes) -> NDArray[np.uint8]:
    """By LittleCMS, in 8 bits."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(image, opened, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert made is not None
    return np.asarray(made)


def grey_profile(gamma: float) -> bytes:
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    return assembled({b"kTRC": curve, b"wtpt": white}, b"mntr", b"GRAY", b"XYZ ")


@pytest.mark.parametrize("gamma", [1.8, 2.2])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_a_grey_profile_is_honoured_as_littlecms_does(gamma: float, with_alpha: bool) -> None:
    grey = Image.fromarray((64 + PHOTO[:, :, 1] // 2).astype(np.uint8))
    profile, image = grey_profile(gamma), grey
    if with_alpha:
        image = Image.merge("LA", [grey, Image.fromarray((ALPHA >> 8).astype(np.uint8))])
    found = read_still(saved(image, "PNG", icc_profile=profile), "a.f1.png")
    assert np.abs(found.rgb_HW3 / 257 - converted(grey, profile)).max() < 1.01
    assert found.remarks == ("brought to sRGB by its ICC profile",)


def test_a_deep_grey_picture_with_alpha_is_read_by_its_grey_profile() -> None:
    profile = b"icc\0\0" + zlib.compress(grey_profile(1.8))
    eight = ((64 + PHOTO[:, :, 1] // 2).astype(np.uint16) * 257).astype(np.uint16)
    found = read_still(png(np.dstack([eight, ALPHA]), 4, iCCP=profile), "a.f1.png")
    wanted = converted(Image.fromarray((eight // 257).astype(np.uint8)), grey_profile(1.8))
    assert np.abs(found.rgb_HW3 / 257 - wanted).max() < 1.01


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_profile_leaves_alpha_alone_and_is_honoured_in_palettes(mode: str) -> None:
    profile = made_profile(ADOBE, 563 / 256)
    soft = Image.fromarray((64 + PHOTO // 2).astype(np.uint8))
    if mode == "P":
        image, shown = soft.quantize(64), soft.quantize(64).convert("RGB")
    else:
        image, shown = soft.copy(), soft
        image.putalpha(Image.fromarray((ALPHA >> 8).astype(np.uint8)))
    found = read_still(saved(image, "PNG", icc_profile=profile), "a.f1.png")
    assert np.abs(found.rgb_HW3 / 257 - converted(shown, profile)).max() < 1.01
    if mode == "RGBA":
        assert found.alpha_HW is not None
        np.testing.assert_array_equal(found.alpha_HW, (ALPHA >> 8) * 257)
