"""Films whose picture changes on the way: refused, with the frame and what changes, before any chunk is rendered, however their cuts come to be known."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from jobs.errors import BadMedia
from tests.actors.advised import ffmpeg
from tests.farm.inline import InlineFleet, rendered, shot_list
from tests.farm.studio import spec_of
from tests.films import Recipe
from tests.matrix.joins import joined
from tests.matrix.proof import shown
from tests.matrix.table import AV1, DNXHR, HEVC, MJPEG, MPEG2, MPEG4, PRORES, VP8, VP9

H264 = Recipe(frames=24, size=(64, 48), rate=Fraction(25), gop=8, b_frames=2)
FFV1_1 = replace(H264, codec="ffv1", gop=1, b_frames=0, options={"level": "1", "slices": "1"})
BT601 = replace(H264, matrix="bt601")


def _by_x264(**options: str) -> Recipe:
    said = "".join(f":{name}={value}" for name, value in options.items())
    return replace(H264, options={"x264-params": f"keyint=8:min-keyint=8:scenecut=0:bframes=0{said}"})


def _tagged(primaries: str, transfer: str) -> Recipe:
    return _by_x264(colorprim=primaries, transfer=transfer, colormatrix="bt709")


CHANGES: Mapping[str, tuple[Recipe, Recipe, str, str]] = {
    "depth": (H264, replace(H264, pix_fmt="yuv420p10le"), "h264.ts", "from 8 bit 4:2:0 to 10 bit 4:2:0"),
    "sampling": (H264, replace(H264, pix_fmt="yuv422p"), "h264.ts", "from 8 bit 4:2:0 to 8 bit 4:2:2"),
    "range": (BT601, replace(BT601, full=True), "h264.ts", "from limited range to full range"),
    "matrix": (_by_x264(colormatrix="bt709"), _by_x264(colormatrix="smpte170m"), "h264.ts", "BT.709 to matrix BT.601"),
    "primaries": (
        _tagged("bt709", "bt709"),
        _tagged("bt2020", "bt709"),
        "h264.ts",
        "primaries BT709 to primaries BT2020",
    ),
    "transfer": (
        _tagged("bt709", "bt709"),
        _tagged("bt709", "smpte2084"),
        "h264.ts",
        "transfer BT709 to transfer SMPTE2084",
    ),
    "aspect": (H264, replace(H264, aspect=Fraction(16, 11)), "h264.ts", "from pixels 1:1 to pixels 16:11"),
    "size": (H264, replace(H264, size=(96, 64)), "h264.ts", "from 64x48 to 96x64"),
    "interlacing": (_by_x264(), _by_x264(tff="1"), "h264.ts", "is interlaced; set deinterlace: bwdif"),
    "hevc": (HEVC, replace(HEVC, pix_fmt="yuv420p10le"), "hevc.ts", "from 8 bit 4:2:0 to 10 bit 4:2:0"),
    "mpeg2": (MPEG2, replace(MPEG2, aspect=Fraction(4, 3)), "mpeg2.ts", "from pixels 1:1 to pixels 4:3"),
    "mpeg2-sampling": (MPEG2, replace(MPEG2, pix_fmt="yuv422p"), "mpeg2.ts", "from 8 bit 4:2:0 to 8 bit 4:2:2"),
    "mpeg4": (MPEG4, replace(MPEG4, size=(80, 48)), "mpeg4.ts", "from 64x48 to 80x48"),
    "av1": (AV1, replace(AV1, pix_fmt="yuv420p10le"), "av1.mkv", "from 8 bit 4:2:0 to 10 bit 4:2:0"),
    "vp9": (VP9, replace(VP9, pix_fmt="yuv444p"), "vp9.mkv", "from 8 bit 4:2:0 to 8 bit 4:4:4"),
    "vp8": (VP8, replace(VP8, size=(96, 64)), "vp8.webm", "from 64x48 to 96x64"),
    "prores": (PRORES, replace(PRORES, pix_fmt="yuv444p10le"), "prores.mov", "from 10 bit 4:2:2 to 10 bit 4:4:4"),
    "dnxhr": (
        replace(DNXHR, pix_fmt="yuv422p", options={"profile": "dnxhr_sq"}),
        replace(DNXHR, pix_fmt="yuv422p10le", options={"profile": "dnxhr_hqx"}),
        "dnxhr.mov",
        "from 8 bit 4:2:2 to 10 bit 4:2:2",
    ),
    "ffv1": (FFV1_1, replace(FFV1_1, pix_fmt="yuv444p"), "ffv1.mkv", "from 8 bit 4:2:0 to 8 bit 4:4:4"),
    "mjpeg": (MJPEG, replace(MJPEG, pix_fmt="yuvj422p"), "mjpeg.mkv", "from 8 bit 4:2:0 to 8 bit 4:2:2"),
}
"""Two films that are joined, the file, and what is said of it."""


@pytest.fixture(scope="module", params=CHANGES)
def changing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A film, how many frames it has before it changes, and what is said of it."""
    first, second, name, words = CHANGES[request.param]
    return joined(first, second, tmp_path_factory.mktemp("change") / name), first.frames, words


@pytest.mark.parametrize("on_error", ["fail", "passthrough"])
@pytest.mark.parametrize("cuts", ["detected", "given"])
def test_a_change_is_refused_before_any_work(
    changing: tuple[Path, int, str], tmp_path: Path, cuts: str, on_error: str
) -> None:
    source, first, words = changing
    given = {"shots": {"file": str(shot_list(tmp_path / "cuts.csv", 0, 10, frames=first))}} if cuts == "given" else {}
    fleet = InlineFleet()
    with pytest.raises(BadMedia, match=words) as refusal:
        rendered(spec_of(source, tmp_path, chunk_seconds=0.3, on_error=on_error, **given), fleet)
    assert "interlaced" in words or f"at frame {first};" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not {"split", "render"} & fleet.verbs().keys()
    assert not (tmp_path / "out/film.mkv").exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [(BT601, H264), (H264, BT601), (replace(H264, matrix="bt709"), replace(H264, gop=6))],
    ids=["untagged-from-there", "tagged-from-there", "other-groups"],
)
def test_what_some_frames_do_not_say_is_not_held_against_them(tmp_path: Path, first: Recipe, second: Recipe) -> None:
    source = joined(first, second, tmp_path / "h264.ts")
    assert rendered(spec_of(source, tmp_path, chunk_seconds=0.3)).report().conforms
    assert shown(tmp_path / "out/film.mkv").pictures == shown(source).pictures


SEQUENCES = {
    "png": ("rgb24", "rgb48be"),
    "tif": ("rgb24", "rgb48le"),
    "dpx": ("rgb24", "gbrp10le"),
    "exr": ("gbrpf32le", "gray16le"),
}
"""Picture files by their ending, and two forms of them."""


@pytest.mark.parametrize("what", ["size", "form"])
@pytest.mark.parametrize("ending", SEQUENCES)
def test_one_picture_file_of_another_form_is_refused_before_any_work(tmp_path: Path, ending: str, what: str) -> None:
    form, other = SEQUENCES[ending]
    after = ("96x64", form) if what == "size" else ("64x48", other)
    for first, count, (size, pix_fmt) in ((0, 12, ("64x48", form)), (12, 4, after)):
        some = ("-f", "lavfi", "-i", f"testsrc=s={size}", "-frames:v", str(count), "-pix_fmt", pix_fmt)
        ffmpeg(*some, "-start_number", str(first), f"{tmp_path}/f.%04d.{ending}")
    cuts, fleet = shot_list(tmp_path / "cuts.csv", 0, 10, frames=16), InlineFleet()
    source = f"{tmp_path}/f.####.{ending}"
    with pytest.raises(BadMedia, match=r"changes its picture from .* at frame 12;"):
        rendered(spec_of(source, tmp_path, rate="25", chunk_seconds=0.3, shots={"file": str(cuts)}), fleet)
    assert not {"split", "render"} & fleet.verbs().keys()
