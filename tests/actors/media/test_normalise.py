"""Development: R'G'B' comes back exactly, grey stays neutral, what is only rearranged keeps every sample, and a deinterlaced film does not depend on its chunks."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from actors.media.normalise import Normaliser, curved, developed_frame
from actors.media.pixel_formats import carried, developed, has_alpha, is_linear, is_rgb, samples_of
from actors.media.planes import planes_of
from jobs.film.source import KR_KB, Development
from tests.actors.interlaced import interlaced, woven
from tests.films import fingerprint

RGB = (
    "rgb24",
    "bgr24",
    "rgba",
    "bgra",
    "argb",
    "abgr",
    "rgb0",
    "0bgr",
    "gbrp",
    "gbrap",
    "gbrp10le",
    "gbrp12be",
    "gbrp14le",
)
PLAIN = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "nv24": "yuv444p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "y210le": "yuv422p10le",
    "yuv420p10be": "yuv420p10le",
    "yuv444p16be": "yuv444p16le",
    "gray16be": "gray16le",
    "gray10be": "gray10le",
    "yuva420p": "yuv420p",
    "yuva444p12le": "yuv444p12le",
    "ya8": "gray",
    "ya16be": "gray16le",
}


def development(stored: str, matrix: str = "bt709", deinterlace: bool = False) -> Development:
    return Development.model_validate(
        {"stored": stored, "pix_fmt": developed(stored), "matrix": matrix, "deinterlace": deinterlace}
    )


def noise(form: str, size: tuple[int, int] = (70, 34), seed: int = 1) -> VideoFrame:
    """A frame of random samples within the form's depth, black and white among them."""
    frame = VideoFrame(*size, form)
    bits = frame.format.components[0].bits
    some = np.random.default_rng(seed)
    # In 16 bits half-planar and packed forms keep their samples high, the others low.
    high = form.startswith(("p0", "p2", "y2"))
    for plane in frame.planes:
        samples = some.integers(0, 2**bits, plane.buffer_size // (1 if bits == 8 else 2)).astype(np.uint16)
        samples[::7], samples[1::11] = 0, 2**bits - 1
        words = samples << (16 - bits if high else 0)
        plane.update(words.astype(np.uint8 if bits == 8 else ">u2" if form.endswith("be") else "<u2").tobytes())
    frame.pts, frame.time_base = 7, Fraction(1, 24)
    return frame


def rgb_of(planes: list[np.ndarray], depth: int, matrix: str, bits: int) -> np.ndarray:
    """R'G'B' integers of `bits` bits that a reader makes of limited-range Y'CbCr."""
    kr, kb = KR_KB[matrix]
    step = 2.0 ** (depth - 8)
    luma = (planes[0] - 16 * step) / (219 * step)
    blue, red = (
        luma + (plane - 128 * step) / (224 * step) * 2 * (1 - k) for plane, k in zip(planes[1:], (kb, kr), strict=True)
    )
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    whole: np.ndarray = np.rint(np.stack([red, green, blue]) * (2**bits - 1)).astype(np.int64)
    return whole


@pytest.mark.parametrize("form", RGB)
@pytest.mark.parametrize("matrix", KR_KB)
def test_rgb_comes_back_exactly(form: str, matrix: str) -> None:
    frame = noise(form)
    made = developed_frame(frame, development(form, matrix))
    bits, depth = frame.format.components[0].bits, made.format.components[0].bits
    assert (made.format.name, made.pts, made.time_base) == (f"yuv444p{bits + 2}le", 7, Fraction(1, 24))
    planes = [plane.astype(np.float64) for plane in planes_of(made)]
    assert np.array_equal(rgb_of(planes, depth, matrix, bits), np.stack(samples_of(frame)))
    assert planes[0].min() >= 16 << (depth - 8)
    assert planes[0].max() <= 235 << (depth - 8)
    assert all(16 << (depth - 8) <= plane.min() <= plane.max() <= 240 << (depth - 8) for plane in planes[1:])


def test_one_bit_more_would_not_do() -> None:
    frame = noise("rgb24")
    short = development("rgb24").model_copy(update={"pix_fmt": "yuv444p9le"})
    planes = [plane.astype(np.float64) for plane in planes_of(developed_frame(frame, short))]
    assert not np.array_equal(rgb_of(planes, 9, "bt709", 8), np.stack(samples_of(frame)))


def test_sixteen_bits_come_back_within_two_steps() -> None:
    frame = noise("rgb48be", (640, 200))
    planes = [plane.astype(np.float64) for plane in planes_of(developed_frame(frame, development("rgb48be")))]
    off = np.abs(rgb_of(planes, 16, "bt709", 16) - np.stack(samples_of(frame)).astype(np.int64))
    assert 0 < off.max() <= 2


@pytest.mark.parametrize(("form", "matrix"), list(product(("rgb24", "gbrp12le", "rgb48le"), KR_KB)))
def test_grey_is_neutral(form: str, matrix: str) -> None:
    frame = VideoFrame(256, 16, form)
    bits = frame.format.components[0].bits
    ramp = np.linspace(0, 2**bits - 1, 256).round().astype(np.uint8 if bits == 8 else np.uint16)
    for plane in frame.planes:
        width = plane.line_size // ramp.itemsize
        line = np.repeat(ramp, 1 if form.startswith("gbr") else 3)
        rows = np.zeros((plane.height, width), ramp.dtype)
        rows[:, : len(line)] = line
        plane.update(rows.tobytes())
    frame.time_base = Fraction(1, 24)
    made = developed_frame(frame, development(form, matrix))
    neutral = 1 << (made.format.components[0].bits - 1)
    assert all((plane == neutral).all() for plane in planes_of(made)[1:])


@pytest.mark.parametrize("form", PLAIN)
def test_what_is_only_rearranged_keeps_every_sample(form: str) -> None:
    frame = noise(form, (64, 32))
    made = developed_frame(frame, development(form))
    assert made.format.name == PLAIN[form]
    # swscale agrees wherever it moves samples without reckoning: half-planar, packed and big-endian forms of 8 bit.
    if VideoFormat(form).components[0].bits == 8 and not form.startswith("ya"):
        assert fingerprint(made) == fingerprint(frame.reformat(format=PLAIN[form]))
    back = made.reformat(format=form) if not form.startswith("ya") else made
    ours = [samples_of(back)[place] if back is not made else plane for place, plane in enumerate(planes_of(made))]
    assert all(np.array_equal(one, other) for one, other in zip(ours, samples_of(frame), strict=True))


def test_odd_sizes_keep_their_edges() -> None:
    for form in ("yuyv422", "uyvy422", "nv12"):
        frame = noise(form, (35, 17))
        assert fingerprint(developed_frame(frame, development(form))) == fingerprint(frame.reformat(format=PLAIN[form]))


def test_a_palette_is_looked_up() -> None:
    frame = VideoFrame(70, 34, "pal8")
    indices = np.arange(70 * 34).reshape(34, 70) % 256
    rows = np.zeros((34, frame.planes[0].line_size), np.uint8)
    rows[:, :70] = indices
    frame.planes[0].update(rows.tobytes())
    colours = np.random.default_rng(3).integers(0, 1 << 24, 256).astype(np.uint32) | np.uint32(255 << 24)
    frame.planes[1].update(colours.tobytes())
    assert not has_alpha(frame)
    red, green, blue = samples_of(frame)
    word = (red.astype(np.uint32) << 16) | (green.astype(np.uint32) << 8) | blue
    assert np.array_equal(word, colours[indices] & 0xFFFFFF)
    frame.planes[1].update((colours & np.uint32(0xFFFFFF)).tobytes())
    assert has_alpha(frame)


def test_linear_light_gets_its_curve_and_is_cut_above_white() -> None:
    light = np.array([[-1.0, 0.0, 0.018, 0.18, 1.0, 7.0, np.nan, np.inf]], np.float32)
    assert np.allclose(curved(light), [[0, 0, 0.081, 0.409, 1, 1, 0, 1]], atol=5e-4)
    frame = VideoFrame(8, 1, "grayf32le")
    frame.planes[0].update(light.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.time_base = Fraction(1, 24)
    (grey,) = planes_of(developed_frame(frame, development("grayf32le")))
    assert grey[0].tolist() == np.rint(curved(light)[0] * 65535).tolist()


@pytest.mark.parametrize(
    ("name", "known"),
    [("rgb24", True), ("gbrpf16le", True), ("pal8", True), ("xyz12le", False), ("rgb565le", False), ("monob", False)],
)
def test_forms(name: str, known: bool) -> None:
    assert bool(developed(name)) is known
    assert not known or (carried(developed(name)) and is_rgb(name))
    assert is_linear(name) is (name == "gbrpf16le")


def bwdif(path: Path) -> list[VideoFrame]:
    """The whole film, deinterlaced in one go."""
    developer = Normaliser(development("yuv420p", deinterlace=True))
    with av.open(str(path)) as media:
        done = [one for frame in media.decode(video=0) for one in developer.push(frame)]
    return [*done, *developer.flush()]


def test_bwdif_keeps_one_field_and_reckons_the_other(tmp_path: Path) -> None:
    path = interlaced(tmp_path / "film.mkv")
    with av.open(str(path)) as media:
        woven = list(media.decode(video=0))
    done = bwdif(path)
    assert len(done) == len(woven) == 24
    assert not any(frame.interlaced_frame for frame in done)
    comb = [np.abs(np.diff(planes_of(one)[0][20:44].astype(int), axis=0)).mean() for one in (woven[5], done[5])]
    assert comb[1] < comb[0] / 5
    for before, after in zip(woven, done, strict=True):
        assert np.array_equal(planes_of(before)[0][1::2], planes_of(after)[0][1::2])
        assert not np.array_equal(planes_of(before)[0][::2], planes_of(after)[0][::2])


@pytest.mark.parametrize(("fields", "kept"), [("top", 0), ("bottom", 1)])
def test_frames_that_are_not_marked_follow_the_header(fields: str, kept: int) -> None:
    developer = Normaliser(development("yuv420p", deinterlace=True).model_copy(update={"fields": fields}))
    frames = [woven(number) for number in range(5)]
    wanted = [planes_of(frame)[0][kept::2].copy() for frame in frames]
    done = [one for frame in frames for one in developer.push(frame)] + list(developer.flush())
    assert all(np.array_equal(planes_of(one)[0][kept::2], lines) for one, lines in zip(done, wanted, strict=True))
    other = [planes_of(frame)[0][1 - kept :: 2] for frame in map(woven, range(5))]
    assert not any(np.array_equal(planes_of(one)[0][1 - kept :: 2], x) for one, x in zip(done, other, strict=True))


def test_progressive_frames_pass_untouched() -> None:
    developer = Normaliser(development("yuv420p", deinterlace=True))
    frames = [noise("yuv420p", seed=seed) for seed in range(5)]
    wanted = [fingerprint(frame) for frame in frames]
    for name, frame in enumerate(frames):
        frame.pts = 10 * name
    done = [one for frame in frames for one in developer.push(frame)] + list(developer.flush())
    assert [fingerprint(frame) for frame in done] == wanted
    assert [frame.pts for frame in done] == [0, 10, 20, 30, 40]
