"""Encoders: which form each codec gets, what is refused before any work, and what the words of a conversion are."""

import pytest

from actors.encode.encoders import conversions
from actors.encode.segment_writer import encoding_for
from jobs.errors import BadSpec
from jobs.film.source import Film
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.actors.codecs import EVERY, called
from tests.paper import film_of, picture_of


def film(pix_fmt: str = "yuv420p", width: int = 256, height: int = 128, *, full: bool = False) -> Film:
    return film_of(picture_of(pix_fmt, width, height, full=full))


def encoding(deliverable: Deliverable, pix_fmt: str = "yuv420p", *, full: bool = False, grey: bool = False) -> Encoding:
    return encoding_for(film(pix_fmt, full=full), deliverable, grey_stays_grey=grey)


@pytest.mark.parametrize(
    ("deliverable", "encoder", "pix_fmt"),
    [
        (Deliverable(), "libx264", "yuv420p"),
        (Deliverable(depth=10), "libx264", "yuv420p10le"),
        (Deliverable(codec=Codec.HEVC), "libx265", "yuv420p"),
        (Deliverable(codec=Codec.HEVC, depth=10), "libx265", "yuv420p10le"),
        (Deliverable(encoder="nvenc"), "h264_nvenc", "yuv420p"),
        (Deliverable(codec=Codec.HEVC, depth=10, encoder="nvenc"), "hevc_nvenc", "yuv420p10le"),
        (Deliverable(codec=Codec.PRORES), "prores_ks", "yuv422p10le"),
        (Deliverable(codec=Codec.PRORES, profile="4444xq"), "prores_ks", "yuv444p10le"),
        (Deliverable(codec=Codec.DNXHR), "dnxhd", "yuv422p"),
        (Deliverable(codec=Codec.DNXHR, profile="hqx"), "dnxhd", "yuv422p10le"),
        (Deliverable(codec=Codec.DNXHR, profile="444"), "dnxhd", "yuv444p10le"),
        (Deliverable(codec=Codec.PNG), "png", "rgb24"),
        (Deliverable(codec=Codec.TIFF, depth=16), "tiff", "rgb48le"),
        (Deliverable(codec=Codec.DPX), "dpx", "gbrp10le"),
        (Deliverable(codec=Codec.EXR), "exr", "gbrpf32le"),
    ],
)
def test_each_codec_has_its_encoder_and_form(deliverable: Deliverable, encoder: str, pix_fmt: str) -> None:
    paper = encoding(deliverable)
    assert (paper.encoder, paper.pix_fmt) == (encoder, pix_fmt)
    assert paper.library.startswith(f"{encoder} / libavcodec ")


@pytest.mark.parametrize("deliverable", EVERY, ids=called)
def test_every_paper_fits_a_job_and_tells_settings_apart(deliverable: Deliverable) -> None:
    paper = encoding(deliverable)
    assert Encoding.model_validate_json(paper.model_dump_json()) == paper
    others = [encoding(one) for one in EVERY if one != deliverable]
    assert paper not in others


@pytest.mark.parametrize("deliverable", EVERY, ids=called)
@pytest.mark.parametrize("full", [False, True])
def test_the_range_is_the_films_where_the_codec_carries_it(deliverable: Deliverable, full: bool) -> None:
    carries = {Codec.H264: full, Codec.HEVC: full, Codec.FFV1: full, Codec.PRORES: False, Codec.DNXHR: False}
    assert encoding(deliverable, full=full).colour.full_range is carries.get(deliverable.codec, True)


@pytest.mark.parametrize(("depth", "pix_fmt"), [(8, "gray"), (16, "gray16be")])
def test_grey_pictures_stay_grey_where_nothing_colours_them(depth: int, pix_fmt: str) -> None:
    png = Deliverable(codec=Codec.PNG, depth=depth)  # type: ignore[arg-type]
    assert encoding(png, "gray10le", grey=True).pix_fmt == pix_fmt
    assert encoding(png, "gray10le").pix_fmt.startswith("rgb")
    assert encoding(png, "yuv420p", grey=True).pix_fmt.startswith("rgb")


@pytest.mark.parametrize(
    ("size", "deliverable", "becomes"),
    [
        ((1920, 1080), Deliverable(height=720), (1280, 720)),
        ((853, 480), Deliverable(height=360), (640, 360)),
        ((854, 480), Deliverable(height=362), (644, 362)),
        ((640, 360), Deliverable(codec=Codec.HEVC, height=1080), (1920, 1080)),
        ((191, 113), Deliverable(codec=Codec.FFV1), (191, 113)),
        ((191, 113), Deliverable(codec=Codec.FFV1, height=57), (96, 57)),
        ((191, 113), Deliverable(codec=Codec.PNG, height=113), (191, 113)),
        ((191, 113), Deliverable(codec=Codec.PRORES, height=57), (96, 57)),
        ((191, 113), Deliverable(codec=Codec.PRORES, profile="4444"), (191, 113)),
    ],
)
def test_the_width_follows_the_height(
    size: tuple[int, int], deliverable: Deliverable, becomes: tuple[int, int]
) -> None:
    paper = encoding_for(film("yuv420p", *size), deliverable, grey_stays_grey=False)
    assert (paper.width, paper.height) == becomes
    assert paper.aspect == 1


@pytest.mark.parametrize(
    ("size", "deliverable", "why"),
    [
        ((191, 112), Deliverable(), r"h264 takes even sizes only.*191x112.*ffv1.*height: 110"),
        ((192, 113), Deliverable(codec=Codec.HEVC), r"hevc takes even sizes.*192x113.*height: 112"),
        ((192, 112), Deliverable(height=57), r"98x57.*height: 56"),
        ((191, 112), Deliverable(codec=Codec.PRORES), r"prores takes even sizes.*191x112"),
        (
            (254, 120),
            Deliverable(codec=Codec.DNXHR),
            r"dnxhr takes pictures of 256x120 to .*254x120.*height: 122.*codec: ffv1",
        ),
        ((1280, 720), Deliverable(codec=Codec.DNXHR, height=118), r"dnxhr takes pictures of 256x120.*210x118"),
        ((8, 8), Deliverable(codec=Codec.HEVC), r"hevc takes pictures of 16x16.*8x8"),
        ((4098, 2160), Deliverable(encoder="nvenc"), r"4096x4096.*4098x2160"),
        ((20000, 800), Deliverable(), r"16384x16384.*20000x800"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(size: tuple[int, int], deliverable: Deliverable, why: str) -> None:
    with pytest.raises(BadSpec, match=why):
        encoding_for(film("yuv420p", *size), deliverable, grey_stays_grey=False)


def test_forms_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadSpec, match=r"nvenc encodes h264 of 8 bits only.*hevc"):
        encoding(Deliverable(depth=10, encoder="nvenc"))
    with pytest.raises(BadSpec, match=r"ffv1 cannot carry nv12"):
        encoding(Deliverable(codec=Codec.FFV1), "nv12")
    colour = film().picture.colour.model_copy(update={"transfer": 16})
    pq = film_of(film().picture.model_copy(update={"colour": colour}))
    with pytest.raises(BadSpec, match=r"transfer curve 16.*codec: dpx .*or codec: tiff"):
        encoding_for(pq, Deliverable(codec=Codec.EXR), grey_stays_grey=False)
    assert encoding_for(pq, Deliverable(codec=Codec.HEVC, depth=10), grey_stays_grey=False).colour.transfer == 16


@pytest.mark.parametrize(
    ("pix_fmt", "full", "deliverable", "words"),
    [
        ("yuv420p", True, Deliverable(), ""),
        ("yuvj420p", True, Deliverable(), ""),
        ("yuv444p12le", False, Deliverable(codec=Codec.FFV1), ""),
        ("yuv422p10le", False, Deliverable(), "4:2:2 of 10 bit is brought to 4:2:0 of 8 bit"),
        ("yuv422p10le", True, Deliverable(codec=Codec.PRORES), "full range is brought to limited range, which is all that prores carries"),
        ("yuv420p", False, Deliverable(height=64), "256x128 is brought to 128x64"),
        ("gray", False, Deliverable(), "grey is given colour planes, neutral where no look colours it"),
        (
            "gray10le", False, Deliverable(height=64),
            "grey is given colour planes, neutral where no look colours it; 10 bit a sample is brought to 8 bit a sample; "
            "256x128 is brought to 128x64",
        ),
        (
            "yuv420p10le", False, Deliverable(codec=Codec.DPX),
            "4:2:0 of 10 bit is brought to R'G'B' of 10 bit; what lies below black or above white is cut off",
        ),
        ("yuv420p", False, Deliverable(codec=Codec.EXR), "4:2:0 of 8 bit is brought to linear RGB of 16-bit floats"),
    ],
)  # fmt: skip
def test_what_is_converted_is_said(pix_fmt: str, full: bool, deliverable: Deliverable, words: str) -> None:
    paper = encoding(deliverable, pix_fmt, full=full)
    assert conversions(film(pix_fmt, full=full).picture, paper) == words


def test_pictures_are_turned_upright_for_no_file_says_so_and_films_are_not() -> None:
    turned = film_of(film().picture.model_copy(update={"rotation": 270}))
    png = encoding_for(turned, Deliverable(codec=Codec.PNG), grey_stays_grey=False)
    assert (png.rotation, png.width, png.height) == (270, 128, 256)
    words = "the picture is turned upright, by 270 degrees, for no file of png says so"
    assert words in conversions(turned.picture, png).split("; ")
    assert "x" not in conversions(turned.picture, png).partition(words)[2]
    small = encoding_for(turned, Deliverable(codec=Codec.PNG, height=128), grey_stays_grey=False)
    assert (small.width, small.height) == (64, 128)
    assert "128x256 is brought to 64x128" in conversions(turned.picture, small)
    h264 = encoding_for(turned, Deliverable(), grey_stays_grey=False)
    assert (h264.rotation, h264.width, h264.height) == (0, 256, 128)
    assert "turned" not in conversions(turned.picture, h264)


def test_one_quantiser_and_closed_groups_for_the_gpus_encoder() -> None:
    paper = encoding(Deliverable(encoder="nvenc", crf=20, preset="slower"))
    assert paper.options.items() >= {"rc": "constqp", "qp": "20", "bf": "0", "preset": "p7", "g": "48"}.items()
    assert paper.reorder == 0
