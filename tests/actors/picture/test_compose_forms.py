"""Compose, to every form a deliverable may have: depth, range, sampling, size, R'G'B', linear light. Held against plain arithmetic in doubles."""

from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actors.encode.segment_writer import encoding_for
from actors.media.planes import planes_of
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of, turned_back
from actors.picture.transfer import CURVES
from jobs.film.source import KR_KB, Picture
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.actors.codecs import EVERY, called
from tests.actors.picture.test_compose import random_frames
from tests.paper import encoding_of, film_of, picture_of

Values = NDArray[np.float64]


def scales(depth: int, full: bool) -> tuple[float, float, float]:
    """Black, span of luma, span of chroma (ITU-T H.273)."""
    if full:
        return 0.0, 2.0**depth - 1, 2.0**depth - 1
    return 16.0 * 2 ** (depth - 8), 219.0 * 2 ** (depth - 8), 224.0 * 2 ** (depth - 8)


def signal(frame: av.VideoFrame, full: bool, step: tuple[int, int]) -> Values:
    """R'G'B' (3HW) of a BT.709 frame, its chroma repeated `step` times down and across."""
    depth = frame.format.components[0].bits
    black, luma, chroma = scales(depth, full)
    planes = [one.astype(np.float64) for one in planes_of(frame)]
    y = (planes[0] - black) / luma
    kr, kb = KR_KB["bt709"]
    blue, red = ((np.kron(one, np.ones(step)) - 2.0 ** (depth - 1)) / chroma for one in planes[1:])
    r, b = y + 2 * (1 - kr) * red, y + 2 * (1 - kb) * blue
    return np.stack([r, (y - kr * r - kb * b) / (1 - kr - kb), b])


def own(film: Picture, frames: list[av.VideoFrame], encoding: Encoding) -> list[av.VideoFrame]:
    """The film's own pictures, as the look "none" gives them."""
    ((run, batch),) = batches_of(frames, film, 8, torch.device("cpu"))
    return compose(run, turned_back(batch.differences(), film), Domain.CHROMA, film, encoding)


RANGES = [
    (full, wanted, depth, deep) for full in (False, True) for wanted in (False, True) for depth in (8, 10, 12) for deep in (8, 10, 16)
]  # fmt: skip


@pytest.mark.parametrize(("full", "wanted", "depth", "deep"), RANGES)
def test_depth_and_range_are_brought_over_by_one_rounding(full: bool, wanted: bool, depth: int, deep: int) -> None:
    names = {8: "yuv444p", 10: "yuv444p10le", 12: "yuv444p12le", 16: "yuv444p16le"}
    film = picture_of(names[depth], full=full)
    (frame,) = frames = random_frames(names[depth], 1)
    (made,) = own(film, frames, encoding_of(film, names[deep], full=wanted))
    ours, theirs = scales(depth, full), scales(deep, wanted)
    got = [one.astype(np.float64) for one in planes_of(made)]
    offsets = [(ours[0], theirs[0]), *[(2.0 ** (depth - 1), 2.0 ** (deep - 1))] * 2]
    spans = [theirs[1] / ours[1], *[theirs[2] / ours[2]] * 2]
    for plane, found, (before, after), span in zip(planes_of(frame), got, offsets, spans, strict=True):
        exact = ((plane.astype(np.float64) - before) * span + after).clip(0, 2**deep - 1)
        # 1/64 of a step of 16 bits is what float32 leaves open.
        assert np.abs(found - exact).max() <= 0.5 + 2.0 ** (deep - 22)


@pytest.mark.parametrize(
    ("source", "wanted", "step"),
    [("yuv422p", "yuv420p", (2, 1)), ("yuv444p10le", "yuv420p10le", (2, 2)), ("yuv444p", "yuv422p", (1, 2))],
)
def test_chroma_that_is_halved_is_the_mean_around_its_site_and_luma_stays(
    source: str, wanted: str, step: tuple[int, int]
) -> None:
    film = picture_of(source)
    (frame,) = frames = random_frames(source, 1)
    (made,) = own(film, frames, encoding_of(film, wanted))
    (luma, *chroma), (own_luma, *own_chroma) = planes_of(made), planes_of(frame)
    assert np.array_equal(luma, own_luma)
    for found, plane in zip(chroma, own_chroma, strict=True):
        height, width = plane.shape
        exact = plane.astype(np.float64)
        if step[1] == 2:
            # Sited on the first of two columns: from half a column before it to half a column after the second.
            exact = (exact + exact[:, [0, *range(width - 1)]]) / 2
        blocks = exact.reshape(height // step[0], step[0], width // step[1], step[1])
        assert np.abs(found - blocks.mean((1, 3))).max() <= 0.501


STEPS = {"yuv420p": 2, "yuv422p10le": 2, "yuv411p": 4, "yuv444p": 1}


def ramp(columns: int, step: int, left: bool) -> Values:
    """Chroma that grows by 2 a column of luma, in samples that are sited on the first of `step` columns, or in their middle."""
    return 80.0 + 2 * (step * np.arange(columns, dtype=np.float64) + (0 if left else (step - 1) / 2))


def sampling(pix_fmt: str) -> tuple[int, int]:
    """Chroma samples for 8 columns and 8 rows of luma."""
    form = av.VideoFormat(pix_fmt)
    return form.chroma_width(8), form.chroma_height(8)


@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
@pytest.mark.parametrize("source", list(STEPS))
@pytest.mark.parametrize("wanted", ["yuv420p", "yuv422p10le", "yuv444p", "rgb24"])
@pytest.mark.parametrize("height", [38, 76, 19])
def test_chroma_stays_beside_its_luma(codec: str, source: str, wanted: str, height: int) -> None:
    film = picture_of(source, 48, 38).model_copy(update={"codec": codec})
    frame = av.VideoFrame(48, 38, source)
    luma, *chroma = planes_of(frame)
    depth = frame.format.components[0].bits
    luma[:] = 126 << (depth - 8)
    for plane in chroma:
        plane[:] = (ramp(plane.shape[1], STEPS[source], codec == "h264") * 2 ** (depth - 8)).round()
    size = (48 * height // 38, height)
    paper = encoding_of(film, wanted, size, full=wanted == "rgb24")
    (made,) = own(film, [frame], paper)
    if wanted == "rgb24":
        kr, kb = KR_KB["bt709"]
        red, _, blue = (one.astype(np.float64) / 255 - 110 / 219 for one in planes_of(made))
        found = [blue / (2 * (1 - kb)) * 224 + 128, red / (2 * (1 - kr)) * 224 + 128]
    else:
        found = [one.astype(np.float64) / 2.0 ** (made.format.components[0].bits - 8) for one in planes_of(made)[1:]]
    step = STEPS.get(wanted, 1)
    # Where both are sampled alike, chroma stays where the film sites it; else it is sited as the deliverable's form is.
    alike = sampling(source) == sampling(wanted)
    # Of a column of the deliverable in columns of the film: both have their edges in common.
    middle = (step * np.arange(found[0].shape[1]) + (0 if codec == "h264" or not alike else (step - 1) / 2) + 0.5) * 48
    exact = 80.0 + 2 * (middle / size[0] - 0.5)
    edge = len(exact) // 4
    for values in found:
        # OpenCV's bicubic leaves 0.05 samples of a ramp open; half a column of luma would be 1.
        assert np.abs(values - exact)[:, edge:-edge].max() <= 0.5 + 0.15 * STEPS[source]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_looks_see_chroma_beside_its_luma(rotation: int) -> None:
    film = picture_of("yuv420p", 48, 38).model_copy(update={"rotation": rotation})
    frame = av.VideoFrame(48, 38, "yuv420p")
    luma, blue, red = planes_of(frame)
    luma[:], blue[:], red[:] = 126, 128, ramp(24, 2, left=True)
    ((_, batch),) = batches_of([frame], film, 8, torch.device("cpu"))
    seen = torch.rot90(batch.rgb(), -rotation // 90, (-2, -1))[0, 0].numpy()
    kr, _ = KR_KB["bt709"]
    exact = 110 / 219 + (ramp(48, 1, left=True) - 128) / 224 * 2 * (1 - kr)
    assert np.abs(seen - exact.clip(0, 1))[:, 4:-4].max() <= 0.005


def test_a_looks_small_picture_is_sited_in_the_middle() -> None:
    film = picture_of("yuv420p", 80, 38)
    small = torch.linspace(-0.2, 0.2, 20).expand(1, 2, 19, 20)
    frames = random_frames("yuv420p", 1, 80, 38)
    (made,) = compose(frames, small, Domain.CHROMA, film, encoding_of(film, "yuv420p"))
    kb = KR_KB["bt709"][1]
    # Column 2k of luma, in samples that cover four columns each.
    exact = 128 + (-0.2 + ((2 * np.arange(40) + 0.5) / 4 - 0.5) * 0.4 / 19) / (2 * (1 - kb)) * 224
    # Half a column of luma would be 0.3.
    assert abs((planes_of(made)[1] - exact)[:, 6:-6].mean()) <= 0.1


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("source", ["yuv444p", "gray"])
def test_pictures_of_a_turned_film_are_upright(rotation: int, source: str) -> None:
    film = picture_of(source).model_copy(update={"rotation": rotation, "aspect": Fraction(4, 3)})
    frames = random_frames(source, 1)
    grey = source == "gray"
    lying, upright = (
        encoding_for(film_of(one), Deliverable(codec=Codec.PNG), grey_stays_grey=grey)
        for one in (film.model_copy(update={"rotation": 0}), film)
    )
    assert (upright.rotation, upright.aspect) == (rotation, Fraction(4, 3) if rotation == 180 else Fraction(3, 4))
    assert (upright.width, upright.height) == ((50, 38) if rotation == 180 else (38, 50))
    for one, plane in zip(
        planes_of(own(film, frames, lying)[0]), planes_of(own(film, frames, upright)[0]), strict=True
    ):
        assert np.array_equal(np.rot90(one, rotation // 90), plane)


@pytest.mark.parametrize("domain", list(Domain))
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gray", "rgb24", "gbrp12le", "gbrpf32le"])
@pytest.mark.parametrize("size", [(24, 18), (100, 76)])
def test_pictures_are_brought_to_another_size(domain: Domain, pix_fmt: str, size: tuple[int, int]) -> None:
    film = picture_of("yuv420p")
    frame = av.VideoFrame(50, 38, "yuv420p")
    for plane, value in zip(planes_of(frame), (126, 128, 128), strict=True):
        plane[:] = value
    picture = torch.full((1, domain.channels, 38, 50), 0.0 if domain is Domain.CHROMA else 110 / 219)
    paper = encoding_of(film, pix_fmt, size)
    codec = Codec.EXR if pix_fmt == "gbrpf32le" else Codec.FFV1
    full = not pix_fmt.startswith(("yuv", "gray"))
    colour = paper.colour.model_copy(update={"full_range": full})
    (made,) = compose([frame], picture, domain, film, paper.model_copy(update={"codec": codec, "colour": colour}))
    assert (made.width, made.height, made.format.name) == (*size, pix_fmt)
    wanted = {"yuv420p": 126, "gray": 126, "yuv422p10le": 504, "rgb24": 128, "gbrp12le": 2057}.get(pix_fmt)
    values = [set(np.unique(plane).tolist()) for plane in planes_of(made)]
    if wanted is None:
        linear = float(np.float16(((110 / 219 + 0.099297) / 1.099297) ** (1 / 0.45)))
        assert [len(one) for one in values] == [1, 1, 1]
        assert [one.pop() for one in values] == pytest.approx([linear] * 3, rel=1e-3)
    else:
        neutral = {"yuv420p": 128, "yuv422p10le": 512}.get(pix_fmt, wanted)
        assert values == [{wanted}, {neutral}, {neutral}][: len(values)]


@pytest.mark.parametrize("height", [16, 21, 64])
def test_detail_survives_another_size_where_it_should(height: int) -> None:
    film = picture_of("yuv420p", 64, 32)
    frame = av.VideoFrame(64, 32, "yuv420p")
    y, x = np.mgrid[:32, :64]
    planes = planes_of(frame)
    planes[0][:], planes[1][:], planes[2][:] = 60 + x + 2 * y, 90 + x[:16, :32], 150 - y[:16, :32]
    paper = encoding_for(film_of(film), Deliverable(codec=Codec.FFV1, height=height), grey_stays_grey=False)
    (made,) = own(film, [frame], paper)
    for place, (plane, found) in enumerate(zip(planes, planes_of(made), strict=True)):
        rows, columns = found.shape
        # The middle of each new sample, in old samples: luma and chroma keep their places.
        down, across = np.mgrid[:rows, :columns]
        down = (down + 0.5) * plane.shape[0] / rows - 0.5
        across = (across + 0.5) * plane.shape[1] / columns - 0.5
        exact = [60 + across + 2 * down, 90 + across, 150 - down][place]
        inner = (slice(2, -2),) * 2
        assert np.abs(found.astype(np.float64) - exact)[inner].max() <= 1


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("pix_fmt", "step"), [("yuv444p", (1, 1)), ("yuv444p12le", (1, 1))])
@pytest.mark.parametrize(
    "deliverable", [one for one in EVERY if one.codec in (Codec.PNG, Codec.TIFF, Codec.DPX)], ids=called
)
def test_pictures_are_the_films_own_colours(
    full: bool, pix_fmt: str, step: tuple[int, int], deliverable: Deliverable
) -> None:
    film = picture_of(pix_fmt, full=full)
    (frame,) = frames = random_frames(pix_fmt, 1)
    paper = encoding_for(film_of(film), deliverable, grey_stays_grey=False)
    (made,) = own(film, frames, paper)
    top = 2 ** made.format.components[0].bits - 1
    exact = signal(frame, full, step).clip(0, 1) * top
    found = np.stack(planes_of(made)).astype(np.float64)
    assert np.abs(found - exact).max() <= 0.5 + top * 2e-6


def test_known_colours_in_each_picture_codec() -> None:
    # ITU-R BT.709: 100 % red is (Y', Cb, Cr) = (63, 102, 240); white with headroom is (255, 128, 128).
    film = picture_of("yuv444p", 4, 2)
    frame = av.VideoFrame(4, 2, "yuv444p")
    for plane, red, white in zip(planes_of(frame), (63, 102, 240), (255, 128, 128), strict=True):
        plane[0], plane[1] = red, white
    for codec, top in ((Codec.PNG, 255), (Codec.TIFF, 255), (Codec.DPX, 1023)):
        paper = encoding_for(film_of(film), Deliverable(codec=codec), grey_stays_grey=False)
        (made,) = own(film, [frame], paper)
        colours = [plane[:, 0].tolist() for plane in planes_of(made)]
        assert [one[1] for one in colours] == [top] * 3
        assert np.allclose([one[0] for one in colours], [top, 0, 0], atol=top / 200)
    paper = encoding_for(film_of(film), Deliverable(codec=Codec.EXR), grey_stays_grey=False)
    (made,) = own(film, [frame], paper)
    # Headroom is kept in linear light: 239/219 of white's signal.
    assert [float(plane[1, 0]) for plane in planes_of(made)] == [pytest.approx(1.1946, abs=2e-3)] * 3


@pytest.mark.parametrize("number", sorted(CURVES))
def test_linear_light_is_the_inverse_of_the_films_curve(number: int) -> None:
    curve = CURVES[number]
    signal = np.linspace(-0.2, 1.2, 1401, dtype=np.float32)
    assert np.allclose(curve.signal(curve.linear(signal)), signal, atol=3e-6)
    assert curve.linear(np.array([0, 1], np.float32)).tolist() == [0, pytest.approx(1)]
    # Mid grey, from each standard's formula; BT.709 rounds its constants to three digits.
    wanted = {13: 0.214041, 4: 0.217638, 5: 0.143587}.get(number, 0.259589)
    assert float(curve.linear(np.array([0.5], np.float32))[0]) == pytest.approx(wanted, abs=2e-4)
    assert np.all(np.diff(curve.linear(signal)) > 0)


def test_grey_pictures_are_luma_alone_from_black_to_white() -> None:
    film = picture_of("gray10le")
    frame = av.VideoFrame(50, 38, "gray10le")
    planes_of(frame)[0][:] = 64 + np.arange(50) * 876 // 49
    for depth, top in ((8, 255), (16, 65535)):
        png = Deliverable(codec=Codec.PNG, depth=depth)  # type: ignore[arg-type]
        (made,) = own(film, [frame], encoding_for(film_of(film), png, grey_stays_grey=True))
        (plane,) = planes_of(made)
        assert (int(plane[0, 0]), int(plane[0, -1])) == (0, top)
        exact = (planes_of(frame)[0][0].astype(np.float64) - 64) / 876 * top
        assert np.abs(plane[0] - exact).max() <= 0.51


def test_the_shape_of_pixels_changes_no_picture() -> None:
    film = picture_of("yuv420p")
    wide = film.model_copy(update={"aspect": Fraction(4, 3)})
    frames = random_frames("yuv420p", 1)
    papers = [encoding_for(film_of(one), Deliverable(height=20), grey_stays_grey=False) for one in (film, wide)]
    assert [(one.width, one.height, one.aspect) for one in papers] == [(26, 20, 1), (26, 20, Fraction(4, 3))]
    planes = [planes_of(own(film, frames, one)[0]) for one in papers]
    assert all(np.array_equal(a, b) for a, b in zip(*planes, strict=True))
