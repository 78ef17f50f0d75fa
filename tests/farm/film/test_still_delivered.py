"""A painter's still in the delivered file: its chroma at full resolution on the film's own luma, by arithmetic that shares nothing with the farm."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.farm.film.test_stills import rendered
from tests.farm.studio import spec_of
from tests.films import Recipe

Floats = NDArray[np.float64]

SIZE = (192, 112)
FRAMES, PAINTED = 16, 8


def planes(path: Path, frame: int) -> NDArray[np.uint16]:
    """Y', Cb and Cr of one frame (3HW), by the program ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"select=eq(n\\,{frame})", "-frames:v", "1"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, "<u2").reshape(3, SIZE[1], SIZE[0])


def rgb_of(luma: Floats, blue: Floats, red: Floats) -> Floats:
    """R'G'B' of Y', B'-Y' and R'-Y' by BT.601, clipped to what can be shown (HW3)."""
    b, r = luma + blue, luma + red
    return np.dstack([r, (luma - 0.299 * r - 0.114 * b) / 0.587, b]).clip(0, 1)


def of_codes(codes: NDArray[np.uint16]) -> tuple[Floats, Floats, Floats]:
    """Y', B'-Y' and R'-Y' of 10 bits in limited range: the steps of 8 bits alone are 0.6 of dE00."""
    y, cb, cr = codes.astype(np.float64) / 4
    return (y - 16) / 219, (cb - 128) / 224 * 1.772, (cr - 128) / 224 * 1.402


def lab(rgb: Floats) -> Floats:
    """CIE L*a*b* of sRGB, D65 (IEC 61966-2-1)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def de00(one: Floats, other: Floats) -> Floats:
    """CIEDE2000 as Sharma, Wu and Dalal (2005) write it down."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean7 / (mean7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, (1 + g) * a1)) % 360, np.degrees(np.arctan2(b2, (1 + g) * a2)) % 360
    dh = (h2 - h1 + 180) % 360 - 180
    dh_big = np.where(c1 * c2 == 0, 0, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh) / 2))
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = np.where(np.abs(h1 - h2) > 180, (h1 + h2 + 360) / 2 % 360, (h1 + h2) / 2)
    hm = np.where(c1 * c2 == 0, h1 + h2, hm)
    t = 1 - 0.17 * np.cos(np.radians(hm - 30)) + 0.24 * np.cos(np.radians(2 * hm))
    t += 0.32 * np.cos(np.radians(3 * hm + 6)) - 0.20 * np.cos(np.radians(4 * hm - 63))
    sl = 1 + 0.015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = -np.sin(np.radians(60 * np.exp(-(((hm - 275) / 25) ** 2)))) * 2 * np.sqrt(cm**7 / (cm**7 + 25.0**7))
    dl, dc, dh = (l2 - l1) / sl, (c2 - c1) / sc, dh_big / sh
    return np.asarray(np.sqrt(dl * dl + dc * dc + dh * dh + rt * dc * dh))


def test_the_difference_is_sharmas() -> None:
    """Pairs 1, 7 and 20 of their table."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ]
    for one, other, wanted in pairs:
        assert abs(float(de00(np.array(one, float), np.array(other, float))) - wanted) < 1e-3


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg")
def test_on_its_own_frame_a_still_is_delivered_pixel_by_pixel(tmp_path: Path) -> None:
    film = Recipe(frames=FRAMES, size=SIZE, codec="ffv1", pix_fmt="yuv444p10le").make(tmp_path / "film.mkv")
    luma = of_codes(planes(film, PAINTED))[0]
    # Dots of two pixels, as lips and eyes are, in a colour that nothing beside them has.
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    dots = (columns % 8 < 2) & (rows % 8 < 2)
    still = rgb_of(luma, np.where(dots, -0.10, 0.12), np.where(dots, 0.14, -0.06))
    (tmp_path / "stills").mkdir()
    bgr16 = np.rint(still[:, :, ::-1] * 65535).astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / f"stills/a.f{PAINTED}.png"), bgr16)
    spec = spec_of(
        film,
        tmp_path,
        look={"name": "colorize", "settings": {"size": 128}},
        stills=str(tmp_path / "stills"),
        deliverables=[{"codec": "ffv1"}],
    )
    assert rendered(spec).report().conforms
    y = still @ np.array([0.299, 0.587, 0.114])
    wanted = rgb_of(luma, still[:, :, 2] - y, still[:, :, 0] - y)
    delivered = rgb_of(*of_codes(planes(tmp_path / "out/film.mkv", PAINTED)))
    apart = de00(lab(delivered), lab(wanted))
    assert apart.mean() < 0.5
    assert np.percentile(apart, 99) < 1.5
