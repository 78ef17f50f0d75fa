"""Stills are read whatever a painting program saves, or refused in one sentence before anything is decoded."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from actors.picture.image_metrics import ciede2000, lab
from actors.stills.reading import StillImage, read_still
from jobs.errors import BadMedia
from tests.actors.stills.pictures import Photo, made_shot

Deep = NDArray[np.uint16]
PHOTO = made_shot(1, 1, (60, 90))[0]
DEEP: Deep = PHOTO.astype(np.uint16) * np.uint16(257) ^ np.uint16(0x35)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def deep(samples: Deep, ending: str) -> bytes:
    """By OpenCV, which writes 16 bits."""
    return bytes(cv2.imencode(ending, samples[:, :, [2, 1, 0, *range(3, samples.shape[2])]])[1].tobytes())


def with_tags(tiff: bytes, **tags: int) -> bytes:
    """A little-endian TIFF with short tags set: orientation 274, extra samples 338."""
    numbers = {"orientation": 274, "extra": 338}
    (begin,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, begin)
    entries = {
        struct.unpack_from("<H", tiff, begin + 2 + 12 * n)[0]: tiff[begin + 2 + 12 * n :][:12] for n in range(count)
    }
    entries |= {numbers[name]: struct.pack("<HHIHH", numbers[name], 3, 1, value, 0) for name, value in tags.items()}
    table = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:] + table


def png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def furthest(found: StillImage, wanted: NDArray[np.uint8]) -> float:
    """Most dE00 of any pixel."""
    one, other = (
        lab(torch.from_numpy(part.astype(np.float32)).permute(2, 0, 1)[None])[0].flatten(1)
        for part in (found.rgb_HW3 / 65535, wanted / 255)
    )
    return float(ciede2000(one, other).max())


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_8_bits_come_as_they_are(form: str, mode: str) -> None:
    image = Image.fromarray(PHOTO).convert(mode)
    found = read_still(saved(image, form), "a.f1.png")
    np.testing.assert_array_equal(found.rgb_HW3, np.asarray(image.convert("RGB"), np.uint16) * 257)
    assert found.alpha_HW is None


def test_a_jpeg_is_read() -> None:
    data = saved(Image.fromarray(PHOTO), "JPEG", quality=95, subsampling=0)
    assert np.abs(read_still(data, "a.f1.jpg").rgb_HW3 / 257 - PHOTO).mean() < 3


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_16_bits_keep_all_of_them(ending: str) -> None:
    np.testing.assert_array_equal(read_still(deep(DEEP, ending), "a.f1.png").rgb_HW3, DEEP)
    grey = bytes(cv2.imencode(ending, DEEP[:, :, 1])[1].tobytes())
    np.testing.assert_array_equal(read_still(grey, "a.f1.png").rgb_HW3, np.repeat(DEEP[:, :, 1:2], 3, 2))


@pytest.mark.parametrize("bits", [8, 16])
def test_straight_alpha_comes_as_it_is_and_premultiplied_is_undone(bits: int) -> None:
    alpha = np.linspace(20000, 65535, DEEP.shape[1]).astype(np.uint16)[None].repeat(len(DEEP), 0)
    straight = np.dstack([DEEP, alpha])
    multiplied = np.dstack([np.rint(DEEP * (alpha / 65535)[:, :, None]).astype(np.uint16), alpha])

    def tiff(samples: Deep, extra: int) -> bytes:
        if bits == 16:
            return with_tags(deep(samples, ".tif"), extra=extra)
        whole = saved(Image.fromarray((samples >> 8).astype(np.uint8)), "TIFF")
        return with_tags(whole, extra=extra)

    for data in (tiff(straight, 2), tiff(multiplied, 1)):
        found = read_still(data, "a.f1.tif")
        assert found.alpha_HW is not None
        np.testing.assert_allclose(found.alpha_HW, alpha, atol=300 if bits == 8 else 0)
        np.testing.assert_allclose(found.rgb_HW3.astype(int), DEEP, atol=1200 if bits == 8 else 3)


def test_a_sample_more_that_is_no_alpha_is_passed_over() -> None:
    more = np.dstack([DEEP, np.zeros(DEEP.shape[:2], np.uint16)])
    found = read_still(with_tags(deep(more, ".tif"), extra=0), "a.f1.tif")
    np.testing.assert_array_equal(found.rgb_HW3, DEEP)
    assert found.alpha_HW is None


def test_a_transparent_colour_is_alpha_nothing() -> None:
    image = Image.fromarray(PHOTO).quantize(16)
    found = read_still(saved(image, "PNG", transparency=3), "a.f1.png")
    assert found.alpha_HW is not None
    np.testing.assert_array_equal(found.alpha_HW == 0, np.asarray(image) == 3)


AS_SHOWN: dict[int, Callable[[Photo], Photo]] = {
    1: lambda photo: photo,
    2: lambda photo: photo[:, ::-1],
    3: lambda photo: photo[::-1, ::-1],
    4: lambda photo: photo[::-1],
    5: lambda photo: photo.transpose(1, 0, 2),
    6: lambda photo: photo.transpose(1, 0, 2)[:, ::-1],
    7: lambda photo: photo.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda photo: photo.transpose(1, 0, 2)[::-1],
}
"""EXIF's eight ways, by rows and columns."""


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "16-bit PNG", "16-bit TIFF"])
def test_a_picture_is_turned_as_its_metadata_says(turn: int, kind: str) -> None:
    exif = Image.Exif()
    exif[274] = turn
    wanted = AS_SHOWN[turn](PHOTO)
    if kind == "16-bit TIFF":
        data = with_tags(deep(DEEP, ".tif"), orientation=turn)
    elif kind == "16-bit PNG":
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        chunk = struct.pack(">I", len(block)) + b"eXIf" + block + struct.pack(">I", zlib.crc32(b"eXIf" + block))
        whole = deep(DEEP, ".png")
        data = whole[:33] + chunk + whole[33:]
    elif kind == "TIFF":
        data = saved(Image.fromarray(PHOTO), "TIFF", tiffinfo={274: turn})
    else:
        data = saved(Image.fromarray(PHOTO), kind, exif=exif)
    found = read_still(data, "a.f1.png")
    assert found.rgb_HW3.shape == wanted.shape
    assert np.abs(found.rgb_HW3 / 257 - wanted).mean() < 6


# profiles


def profile_of(name: Literal["sRGB", "LAB"]) -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes())


def made_profile(primaries: NDArray[np.float64], gamma: float) -> bytes:
    """A profile of a matrix (columns red, green, blue in XYZ of D50) and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
            b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * v) for v in (0.9642, 1, 0.8249)))}  # fmt: skip
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True):
        tags[name] = b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * value) for value in column))
    return assembled(tags, b"mntr", b"RGB ", b"XYZ ")


def assembled(tags: Mapping[bytes, bytes], kind: bytes, space: bytes, between: bytes) -> bytes:
    """A profile of these tags."""
    table, body, begin = b"", b"", 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        table += name + struct.pack(">II", begin + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    rest = struct.pack(">I", len(tags)) + table + body
    head = struct.pack(">I4sI4s4s4s", 128 + len(rest), bytes(4), 0x02400000, kind, space, between)
    return head + bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + rest


ADOBE = np.array(
    [[0.6097559, 0.2052401, 0.1492240], [0.3111242, 0.6256560, 0.0632197], [0.0194811, 0.0608902, 0.7448387]]
)
P3 = np.array(
    [[0.5151187, 0.2919778, 0.1571035], [0.2411892, 0.6922441, 0.0665668], [-0.0010505, 0.0418791, 0.7840713]]
)


@pytest.mark.parametrize("primaries", [ADOBE, P3], ids=["Adobe RGB", "P3"])
def test_a_profile_is_honoured_as_littlecms_does(primaries: NDArray[np.float64]) -> None:
    profile = made_profile(primaries, 563 / 256)
    soft = (64 + PHOTO // 2).astype(np.uint8)
    by_lcms = ImageCms.profileToProfile(
        Image.fromarray(soft), ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    assert by_lcms is not None
    found = read_still(saved(Image.fromarray(soft), "PNG", icc_profile=profile), "a.f1.png")
    assert found.remarks == ("brought to sRGB by its ICC profile",)
    # Both are right within the 8 bits that LittleCMS has.
    assert np.abs(found.rgb_HW3 / 257 - np.asarray(by_lcms)).max() < 1.01
    assert np.abs(found.rgb_HW3 / 257 - soft).max() > 5


@pytest.mark.parametrize("primaries", [ADOBE, P3], ids=["Adobe RGB", "P3"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_picture_in_another_space_is_the_same_picture_within_de00_of_three_tenths(
    primaries: NDArray[np.float64], bits: int
) -> None:
    """Brought into the space exactly, saved, and read again: in 16 bits nothing is to be seen of it, in 8 only their steps."""
    srgb = np.linalg.inv(np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]))  # fmt: skip
    soft = (64 + PHOTO // 2).astype(np.uint8)
    encoded = soft / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    inside = (linear @ (np.linalg.inv(primaries) @ np.linalg.inv(srgb)).T).clip(0, 1) ** (256 / 563)
    profile = made_profile(primaries, 563 / 256)
    if bits == 8:
        data = saved(Image.fromarray(np.rint(inside * 255).astype(np.uint8)), "TIFF", icc_profile=profile)
        assert furthest(read_still(data, "a.f1.tif"), soft) < 1.0
        return
    whole = deep(np.rint(inside * 65535).astype(np.uint16), ".png")
    block = b"icc\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(block)) + b"iCCP" + block + struct.pack(">I", zlib.crc32(b"iCCP" + block))
    assert furthest(read_still(whole[:33] + chunk + whole[33:], "a.f1.png"), soft) < 0.3


def test_srgb_in_other_words_changes_no_pixel() -> None:
    found = read_still(saved(Image.fromarray(PHOTO), "PNG", icc_profile=profile_of("sRGB")), "a.f1.png")
    np.testing.assert_array_equal(found.rgb_HW3, PHOTO.astype(np.uint16) * 257)
    assert found.remarks == ()


@pytest.mark.parametrize("profile", [b"no profile", profile_of("sRGB")[:200], profile_of("LAB")])
def test_a_profile_that_cannot_be_used_is_told(profile: bytes) -> None:
    found = read_still(saved(Image.fromarray(PHOTO), "PNG", icc_profile=profile), "a.f1.png")
    np.testing.assert_array_equal(found.rgb_HW3, PHOTO.astype(np.uint16) * 257)
    assert found.remarks == ("its ICC profile cannot be used: taken as sRGB",)


INKS = {(0, 0, 0, 0): (100, 0, 0), (0, 1, 1, 0): (53, 80, 67), (1, 0, 0, 0): (60, -30, -40)}
"""L*a*b* of some corners of CMYK; the others are black."""


def cmyk_profile() -> bytes:
    """A printer's profile of a table with two steps an ink (lut8)."""
    corners = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    found = [INKS.get(corner, (0, 0, 0)) for corner in corners]
    table = b"".join(bytes([round(light * 2.55), a + 128, b + 128]) for light, a, b in found)
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + table + bytes(range(256)) * 3
    tags = {b"A2B0": lut, b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)}
    return assembled(tags, b"prtr", b"CMYK", b"Lab ")


@pytest.mark.parametrize("form", ["TIFF", "JPEG"])
def test_cmyk_is_read_by_its_profile(form: str) -> None:
    inks = np.zeros((32, 96, 4), np.uint8)
    inks[:, 16:32, 3] = 255
    inks[:, 32:48, 1:3] = 255
    inks[:, 48:64, 3] = 128
    options = {"quality": 100, "subsampling": 0} if form == "JPEG" else {}
    data = saved(Image.frombytes("CMYK", (96, 32), inks.tobytes()), form, icc_profile=cmyk_profile(), **options)
    found = read_still(data, "a.f1.tif")
    assert found.remarks == ("CMYK, brought to sRGB by its ICC profile",)
    patches = [(found.rgb_HW3[16, 8 + 16 * place] / 257).round().tolist() for place in range(4)]
    np.testing.assert_allclose(patches, [[255] * 3, [0] * 3, [255, 0, 0], [119] * 3], atol=6)


# what is refused


def test_cmyk_without_a_profile_and_with_one_that_is_none_is_refused() -> None:
    image = Image.fromarray(PHOTO).convert("CMYK")
    with pytest.raises(BadMedia, match=r"a\.f1\.tif is CMYK without an ICC profile.*save it as RGB"):
        read_still(saved(image, "TIFF"), "a.f1.tif")
    with pytest.raises(BadMedia, match="its ICC profile cannot be used; save it as RGB"):
        read_still(saved(image, "JPEG", icc_profile=profile_of("sRGB")), "a.f1.jpg")


def test_floats_are_refused() -> None:
    with pytest.raises(BadMedia, match="save it as RGB with 8 or 16 bits"):
        read_still(saved(Image.fromarray(PHOTO[:, :, 0].astype(np.float32)), "TIFF"), "a.f1.tif")


@pytest.mark.parametrize("size", [(8001, 8000), (20000, 20000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header_without_memory(size: tuple[int, int]) -> None:
    data = png_header(*size) + struct.pack(">I", 1 << 20) + b"IDAT" + bytes(1 << 20)
    tracemalloc.start()
    with pytest.raises(BadMedia, match=r"megapixels.*save it at the film's size"):
        read_still(data, "a.f1.png")
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.95])
def test_what_is_cut_off_is_refused(form: str, part: float) -> None:
    options = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    data = saved(Image.fromarray(PHOTO), form, **options)
    with pytest.raises(BadMedia, match="cut off, damaged, or something else; save it again"):
        read_still(data[: int(len(data) * part)], "a.f1.png")


@pytest.mark.parametrize("data", [b"", b"notes", b"GIF89a" + bytes(50), b"\x80\x04cos\nsystem\n.", bytes(5000)])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadMedia, match=r"a\.f1\.png cannot be read as a PNG, JPEG or TIFF"):
        read_still(data, "a.f1.png")


def test_damage_anywhere_is_read_or_refused_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    files = [saved(Image.fromarray(PHOTO), form) for form in ("PNG", "JPEG", "TIFF")]
    files += [deep(DEEP, ".png"), deep(DEEP, ".tif")]
    for number in range(150):
        data = bytearray(files[number % len(files)])
        for place in rng.integers(0, min(len(data), 600), 6):
            data[place] = rng.integers(256)
        try:
            found = read_still(bytes(data), "a.f1.png")
        except BadMedia:
            continue
        assert found.rgb_HW3.dtype == np.uint16
        assert found.rgb_HW3.ndim == 3


# metadata


def test_the_program_is_told_that_saved_it() -> None:
    said = PngImagePlugin.PngInfo()
    said.add_text("Software", "Krita\x1b[31m 5.2")
    assert read_still(saved(Image.fromarray(PHOTO), "PNG", pnginfo=said), "a.f1.png").tool == "Krita\\x1b[31m 5.2"
    exif = Image.Exif()
    exif[305] = "GIMP 2.10"
    assert read_still(saved(Image.fromarray(PHOTO), "JPEG", exif=exif), "a.f1.png").tool == "GIMP 2.10"
    assert read_still(saved(Image.fromarray(PHOTO), "TIFF", tiffinfo={305: "x" * 500}), "a.f1.png").tool == "x" * 80
    packet = b'<x:xmpmeta><rdf:Description xmp:CreatorTool="Adobe Photoshop 25.0"/></x:xmpmeta>'
    both = saved(Image.fromarray(PHOTO), "JPEG", xmp=packet, exif=exif)
    assert read_still(both, "a.f1.png").tool == "Adobe Photoshop 25.0"
    assert read_still(saved(Image.fromarray(PHOTO), "PNG"), "a.f1.png").tool == ""
