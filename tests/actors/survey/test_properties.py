"""The table of what libav knows: nothing that PyAV can name is missing, and what a film carries meets the fate that the table states."""

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
from av.packet import PktSideDataT
from av.sidedata.sidedata import Type
from av.stream import Disposition

from actors.survey.properties import _TOLD, OF_FRAMES, OF_PACKETS, OF_PICTURES, OF_STREAMS
from actors.survey.surveyor import Surveyor
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.reels import reel
from tests.films import Recipe

SMALL = Recipe(frames=8, size=(64, 48), gop=4)
LIGHT = "hdr10=1:max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


def test_nothing_that_pyav_can_name_is_missing() -> None:
    assert OF_FRAMES.keys() == {one.name for one in Type}
    assert OF_PACKETS.keys() == set(get_args(PktSideDataT))
    assert OF_STREAMS.keys() == {str(one.name) for one in Disposition}


def by_x264(**options: str) -> Recipe:
    said = "".join(f":{name}={value}" for name, value in options.items())
    return replace(SMALL, options={"x264-params": f"keyint=4:bframes=0{said}"})


FILMS: dict[str, tuple[str, Recipe, str]] = {
    "STEREO3D": ("Stereo", by_x264(**{"frame-packing": "3"}), "a.mp4"),
    "SEI_UNREGISTERED": ("Unregistered", SMALL, "a.mp4"),
}
"""Frame side data that libav's encoders can make, and how ffprobe calls it."""


@pytest.mark.parametrize("name", FILMS)
def test_what_a_frame_carries_is_told_where_the_table_says_so(tmp_path: Path, name: str) -> None:
    words, recipe, file = FILMS[name]
    source = recipe.make(tmp_path / file)
    assert words in probed(source, "-show_frames", "-read_intervals", "%+#1")
    detail = reel(source, tmp_path, Deliverable(codec=Codec.FFV1)).plan.fates[0].detail
    assert ("no deliverable says so" in detail) == (OF_FRAMES[name].fate == "told")
    assert OF_FRAMES[name].words in detail


def test_a_window_that_is_the_whole_picture_is_nothing_to_tell(tmp_path: Path) -> None:
    source = replace(SMALL, codec="mpeg2video", rate=Fraction(25)).make(tmp_path / "a.mkv")
    assert "AVPanScan" in probed(source, "-show_frames", "-read_intervals", "%+#1")
    assert Surveyor(str(source)).film().picture.lost == ()


def probed(path: Path, *more: str) -> str:
    """What the ffprobe program says."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", *more]
    return subprocess.run([*command, path], capture_output=True, check=True, text=True).stdout


KEPT: dict[str, tuple[Recipe, str]] = {
    "sample_aspect_ratio": (replace(SMALL, aspect=Fraction(16, 11)), "sample_aspect_ratio=16:11"),
    "colorspace": (replace(SMALL, matrix="bt709"), "color_space=bt709"),
    "color_primaries": (replace(SMALL, matrix="bt709"), "color_primaries=bt709"),
    "color_trc": (replace(SMALL, matrix="bt709"), "color_transfer=bt709"),
    "color_range": (replace(SMALL, full=True), "color_range=pc"),
    "chroma_location": (replace(SMALL, options={"chroma_sample_location": "topleft"}), "chroma_location=topleft"),
    "rotation": (replace(SMALL, rotation=90), "rotation=90"),
    "framerate": (SMALL, "r_frame_rate=24000/1001"),
    "width": (SMALL, "width=64"),
    "height": (SMALL, "height=48"),
}


@pytest.mark.parametrize("name", [name for name, one in OF_PICTURES.items() if one.fate == "kept"])
def test_what_the_table_keeps_is_in_source_and_deliverable(tmp_path: Path, name: str) -> None:
    recipe, words = KEPT[name]
    source = recipe.make(tmp_path / "a.mp4")
    made = reel(source, tmp_path, Deliverable(codec=Codec.H264, container=Container.MP4, preset="ultrafast"), (3,))
    assert made.inspect(made.stitch()).findings == ()
    for path in (source, made.path):
        assert words in probed(path, "-show_streams")


def test_what_hdr10_says_is_kept(tmp_path: Path) -> None:
    options = {"x265-params": f"keyint=4:log-level=none:pools=1:frame-threads=1:{LIGHT}"}
    hdr = replace(SMALL, codec="libx265", pix_fmt="yuv420p10le", matrix="bt2020", options=options)
    wish = Deliverable(codec=Codec.HEVC, depth=10, container=Container.MP4, preset="ultrafast")
    made = reel(hdr.make(tmp_path / "a.mp4"), tmp_path, wish, (3,))
    assert made.inspect(made.stitch()).findings == ()
    shown = probed(made.path, "-show_frames", "-read_intervals", "%+#1")
    assert OF_FRAMES["MASTERING_DISPLAY_METADATA"].fate == OF_FRAMES["CONTENT_LIGHT_LEVEL"].fate == "kept"
    assert "max_content=1000" in shown
    assert "max_luminance=10000000/10000" in shown


def test_what_is_told_has_words() -> None:
    assert all(one.words for one in OF_FRAMES.values() if one.fate == "told")
    assert _TOLD.keys() <= OF_FRAMES.keys()
