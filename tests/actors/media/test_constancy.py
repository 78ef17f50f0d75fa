"""Frames held against their film: what is another picture, what is only said otherwise, and what damage makes."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame

from actors.media.chunk_reader import read_chunk
from actors.media.constancy import Constancy, constant
from actors.render.splitter import Splitter
from jobs.errors import BadMedia
from jobs.film.source import Colour, Picture
from jobs.plan.plan import Range
from tests.actors.cutting import order_of, surveyed
from tests.films import Recipe


def picture(stored: str = "yuv420p", *, full: bool = False, space: int = 1) -> Picture:
    colour = Colour(
        matrix="bt601" if space in (5, 6) else "bt709",
        full_range=full,
        primaries=space,
        transfer=space,
        space=space,
        assumed=False,
    )
    return Picture(
        stream=0,
        codec="h264",
        width=64,
        height=48,
        stored=stored,
        pix_fmt=stored,
        depth=8,
        time_base=Fraction(1, 25),
        rate=Fraction(25),
        aspect=Fraction(1),
        rotation=0,
        colour=colour,
    )


def frame(pix_fmt: str = "yuv420p", size: tuple[int, int] = (64, 48), **said: int) -> VideoFrame:
    made = av.VideoFrame(*size, pix_fmt)
    for name, value in said.items():
        setattr(made, name, value)
    return made


SAME: dict[str, tuple[Picture, VideoFrame]] = {
    "says nothing": (picture(), frame()),
    "says the same": (picture(), frame(color_range=1, colorspace=1, color_primaries=1, color_trc=1)),
    "range by its name": (picture("yuv420p", full=True), frame("yuvj420p")),
    "range by its tag": (picture("yuvj420p", full=True), frame("yuv420p", color_range=2)),
    "the same curve": (picture(), frame(color_trc=6)),
    "the same matrix": (picture(space=6), frame(colorspace=5)),
    "grey has no matrix": (picture("gray"), frame("gray", colorspace=6, color_range=2)),
}
OTHER: dict[str, tuple[Picture, VideoFrame, str]] = {
    "depth": (picture(), frame("yuv420p10le"), "from 8 bit 4:2:0 to 10 bit 4:2:0"),
    "sampling": (picture(), frame("yuv411p"), "from 8 bit 4:2:0 to 8 bit 4:1:1"),
    "grey": (picture(), frame("gray"), "from 8 bit 4:2:0 to 8 bit grey"),
    "size": (picture(), frame(size=(32, 48)), "from 64x48 to 32x48"),
    "range": (picture(), frame(color_range=2), "from limited range to full range"),
    "range by its name": (picture(), frame("yuvj420p"), "from limited range to full range"),
    "limited by its name": (picture("yuvj420p", full=True), frame("yuv420p"), "from full range to limited range"),
    "matrix": (picture(), frame(colorspace=9), "from matrix BT.709 to matrix BT.2020"),
    "primaries": (picture(), frame(color_primaries=9), "from primaries BT709 to primaries BT2020"),
    "transfer": (picture(), frame(color_trc=16), "from transfer BT709 to transfer SMPTE2084"),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_picture_said_otherwise_is_the_same(name: str) -> None:
    film, other = SAME[name]
    assert list(constant([other, other], Constancy("The source", film), 7)) == [other, other]


@pytest.mark.parametrize("name", OTHER)
def test_another_picture_is_refused_at_its_frame(name: str) -> None:
    film, other, words = OTHER[name]
    own = frame(film.stored)
    for frames in ([own, own, other, other, own], [own, own, other]):
        with pytest.raises(BadMedia, match=rf"The source changes its picture {words} at frame 9; split the film"):
            list(constant(frames, Constancy("The source", film), 7))


def test_one_frame_of_another_form_is_damage() -> None:
    own, other = frame(), frame(size=(32, 48))
    with pytest.raises(LookupError) as missing:
        list(constant([own, other, own], Constancy("The source", picture()), 7))
    assert missing.value.args == (1,)


def test_what_is_mended_passes_over_damage_and_refuses_a_change() -> None:
    own, other = frame(), frame(size=(32, 48))
    mended = Constancy("The source", picture(), mend=True)
    assert list(constant([own, other, other, own, other], mended, 0)) == [own, own]
    with pytest.raises(BadMedia, match="from 64x48 to 32x48 at frame 1;"):
        list(constant([own, other, other], Constancy("The source", picture(), mend=True), 0))


Change = Callable[[Picture], Picture]
AS_IF: dict[str, tuple[Change, str]] = {
    "size": (lambda one: one.model_copy(update={"width": 96}), "from 96x112 to 192x112"),
    "depth": (lambda one: one.model_copy(update={"stored": "yuv420p10le", "pix_fmt": "yuv420p10le"}), "to 8 bit 4:2:0"),
}


@pytest.mark.parametrize("gop", [8, 1000], ids=["packets", "ffv1"])
@pytest.mark.parametrize("name", AS_IF)
def test_readers_and_splitters_hold_frames_against_the_film(tmp_path: Path, gop: int, name: str) -> None:
    change, words = AS_IF[name]
    source = Recipe(gop=gop, b_frames=0).make(tmp_path / "film.mkv")
    film, index = surveyed(source)
    order = order_of(film, index, Range(30, 40))
    assert order.form == ("packets" if gop == 8 else "ffv1")
    other = order.model_copy(update={"picture": change(film.picture)})
    splitter = Splitter(str(source), str(tmp_path / "store"), "job")
    if order.form == "ffv1":
        with pytest.raises(BadMedia, match=f"{words} at frame 30;"):
            list(splitter.split([other]))
    (record,) = splitter.split([order])
    media = splitter.ledger.read(record.media.key) or b""
    assert len(list(read_chunk(media, order))) == 10
    with pytest.raises(BadMedia, match=f"{words} at frame 30;"):
        list(read_chunk(media, other))
