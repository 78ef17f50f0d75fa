"""Comparing two films: that every difference is named by frame and time code, that the measure is fair, and that what is the same is called the same."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from actors.verify.compare import compare
from jobs.errors import BadMedia
from jobs.records.report import Comparison
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.actors.reels import dressed, reel
from tests.films import Recipe, remux

FILM = Recipe(frames=24, codec="ffv1")


class Cut(Recipe):
    """A film whose frames are those of another, by `order`."""

    order: Sequence[int] = ()

    def frame(self, number: int) -> av.VideoFrame:
        return super().frame(self.order[number])


def edited(path: Path, order: Sequence[int], recipe: Recipe = FILM) -> Path:
    """`recipe`'s film, with these of its frames."""
    cut = Cut(**{**vars(recipe), "frames": len(order)})
    object.__setattr__(cut, "order", order)
    return cut.make(path)


def held(one: Path, other: Path) -> Comparison:
    return compare(str(one), str(other))


def test_a_lossless_deliverable_is_the_same_film(tmp_path: Path) -> None:
    made = reel(
        Recipe(frames=30, sound="aac").make(tmp_path / "a.mp4"), tmp_path, Deliverable(codec=Codec.FFV1), (7, 20)
    )
    made.stitch()
    found = held(made.source, made.path)
    assert found.findings == ()
    assert found.same
    assert (found.frames, found.luma_equal, found.picture_equal, found.sound_packets) == ((30, 30), 30, 30, 60)
    assert (found.luma_psnr, found.rgb_psnr) == (None, None)
    assert "pictures bit for bit, both yuv420p 192x112" in found.compared[2]


def test_the_first_difference_is_named_by_frame_and_time_code(tmp_path: Path) -> None:
    one = FILM.make(tmp_path / "a.mkv")
    found = held(one, edited(tmp_path / "b.mkv", [*range(17), 99, *range(18, 24)]))
    assert (found.luma_differs_at, found.picture_differs_at, found.luma_equal) == (17, 17, 23)
    assert found.findings[0] == "frame 17 (00:00:00:17) is the first whose luma differs; 23 of 24 are equal"
    assert found.luma_psnr is not None
    assert (found.luma_psnr.worst_at, found.luma_psnr.worst_name) == (17, "00:00:00:17")
    assert found.luma_psnr.mean == pytest.approx(found.luma_psnr.worst + 13.802, abs=0.01)  # one of 24: 10 log 24


def test_frames_are_named_by_the_films_own_time_code(tmp_path: Path) -> None:
    one = dressed(FILM.make(tmp_path / "a.mkv"), tmp_path / "one.mkv", timecode="01:00:00:00")
    other = edited(tmp_path / "b.mkv", [*range(17), 99, *range(18, 24)])
    findings = held(one, other).findings
    assert findings[0].startswith("frame 17 (01:00:00:17) is the first whose luma differs")
    assert findings[-1] == f"the time code is 01:00:00:00 in {one} and 00:00:00:00 in {other}"


def test_a_lost_frame_and_a_doubled_one_are_named(tmp_path: Path) -> None:
    one = FILM.make(tmp_path / "a.mkv")
    lossy = replace(FILM, codec="libx264")
    for recipe, name in ((FILM, "b.mkv"), (lossy, "b.mp4")):
        other = edited(tmp_path / name, [*range(9), *range(10, 24)], recipe)
        assert f"{other} lacks frame 9 (00:00:00:09): from there on it is a frame ahead" in held(one, other).findings
        other = edited(tmp_path / name, [*range(10), *range(9, 24)], recipe)
        said = f"{other} shows frame 9 (00:00:00:09) twice, or another after it: from there on it is a frame behind"
        assert said in held(one, other).findings


def test_two_films_that_have_nothing_in_common_have_not_slipped(tmp_path: Path) -> None:
    one, other = FILM.make(tmp_path / "a.mkv"), edited(tmp_path / "b.mkv", range(500, 524))
    assert not [said for said in held(one, other).findings if "lacks" in said or "twice" in said]


@pytest.mark.parametrize(
    ("other", "name", "form", "least"),
    [
        (Recipe(frames=6), "b.mp4", None, 30.0),
        (Recipe(frames=6, codec="ffv1", pix_fmt="yuv420p10le"), "b.mkv", "yuv420p10 192x112", 45.0),
        (Recipe(frames=6, codec="ffv1", pix_fmt="yuv444p12le"), "b.mkv", "yuv444p12 192x112", 45.0),
        (Recipe(frames=6, codec="ffv1", full=True), "b.mkv", None, 45.0),
        (Recipe(frames=6, codec="png", pix_fmt="rgb24"), "b.mov", "R'G'B' of 8 bit 192x112", 30.0),
        (Recipe(frames=6, codec="prores_ks", pix_fmt="yuv422p10le"), "b.mov", "yuv422p10 192x112", 30.0),
    ],
    ids=["h264", "10-bit", "4:4:4-12-bit", "full-range", "rgb", "prores"],
)
def test_any_form_is_measured_fairly(tmp_path: Path, other: Recipe, name: str, form: str | None, least: float) -> None:
    found = held(replace(FILM, frames=6).make(tmp_path / "a.mkv"), other.make(tmp_path / name))
    assert not found.same
    assert found.luma_psnr is not None
    assert found.luma_psnr.worst >= least
    apart = f"pictures are of different forms, yuv420p 192x112 and {form}, so none is equal bit for bit"
    assert (apart in found.findings) == (form is not None)


def test_a_smaller_film_is_measured_at_its_own_size(tmp_path: Path) -> None:
    one = replace(FILM, frames=6, size=(192, 128)).make(tmp_path / "a.mkv")
    with av.open(str(one)) as media, av.open(str(tmp_path / "b.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=Fraction(24000, 1001))
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for frame in media.decode(video=0):
            small = frame.reformat(width=96, height=64, interpolation="AREA")
            small.pts, small.time_base = frame.pts, frame.time_base
            out.mux(stream.encode(small))
        out.mux(stream.encode(None))
    found = held(one, tmp_path / "b.mkv")
    assert found.luma_psnr is not None
    assert found.luma_psnr.worst > 40
    assert "brought to one form at 96x64" in found.findings[-1]


def test_chroma_alone_may_differ(tmp_path: Path) -> None:
    one = replace(FILM, cuts=(9,)).make(tmp_path / "a.mkv")
    grey = replace(FILM, cuts=(9,), pix_fmt="gray").make(tmp_path / "b.mkv")
    found = held(one, grey)
    assert (found.picture_differs_at, found.picture_equal, found.luma_equal) == (0, 0, 24)
    assert found.luma_psnr is None
    assert found.rgb_psnr is not None
    assert any("luma without any difference; R'G'B' " in said for said in found.findings)
    assert found.compared[2].startswith("luma bit for bit; pictures as R'G'B' from black to white at 192x112")


def test_lost_frames_times_and_sound_are_told_apart(tmp_path: Path) -> None:
    one = replace(FILM, sound="flac").make(tmp_path / "a.mkv")
    shorter = replace(FILM, frames=20).make(tmp_path / "b.mkv")
    slower = replace(FILM, times=lambda n: n + (n > 11)).make(tmp_path / "c.mkv")
    found = held(one, shorter)
    assert found.frames == (24, 20)
    assert f"there are 1 sound streams in {one} and 0 in {shorter}" in found.findings
    found = held(one, slower)
    assert found.times_differ_at == 12
    assert "from frame 12 (00:00:00:12) on, times differ" in found.findings


WHOLE = Recipe(frames=16, codec="mpeg2video", rate=Fraction(25), b_frames=0, gop=1)
"""A film whose frames a clock may count."""


@pytest.mark.parametrize(
    ("one", "other", "muxer"),
    [("a.mp4", "b.mp4", {"video_track_timescale": "25"}), ("a.mxf", "b.mkv", {})],
    ids=["both-clocks-tick-by-frames", "one-does"],
)
def test_a_frame_too_late_is_seen_where_a_tick_is_a_frame(
    tmp_path: Path, one: str, other: str, muxer: dict[str, str]
) -> None:
    steady = replace(WHOLE, muxer=muxer).make(tmp_path / one)
    late = replace(WHOLE, muxer=muxer, times=lambda n: n + (n > 9)).make(tmp_path / other)
    found = held(steady, late)
    assert found.films[0].tick == Fraction(1, 25)
    assert (found.same, found.times_differ_at) == (False, 10)


def test_milliseconds_may_be_rounded_from_another_start(tmp_path: Path) -> None:
    found = held(FILM.make(tmp_path / "a.mkv"), replace(FILM, start=1).make(tmp_path / "b.mkv"))
    assert {sight.tick for sight in found.films} == {Fraction(1, 1000)}
    assert found.findings == ()
    assert found.compared[1] == "times from each film's first frame, within 1/1000 s, for their clocks round"


def test_where_a_film_begins_on_its_clock_is_no_difference(tmp_path: Path) -> None:
    recipe = Recipe(frames=12, codec="mpeg2video", b_frames=0)
    one = recipe.make(tmp_path / "a.mpg")
    late = remux(one, tmp_path / "b.ts")
    assert held(one, late).same


def test_how_a_film_is_shown_is_part_of_it(tmp_path: Path) -> None:
    one = Recipe(frames=6, codec="libx264").make(tmp_path / "a.mov")
    other = replace(Recipe(frames=6), aspect=Fraction(4, 3), rotation=180, matrix="bt2020").make(tmp_path / "b.mov")
    findings = held(one, other).findings
    for name, ours, theirs in (
        ("sample aspect", "1", "4/3"),
        ("rotation", "0", "180"),
        ("colour matrix (H.273)", "6", "9"),
    ):
        assert f"the {name} is {ours} in {one} and {theirs} in {other}" in findings


def test_subtitles_and_chapters_are_counted(tmp_path: Path) -> None:
    plain = Recipe(frames=6).make(tmp_path / "a.mkv")
    rich = dressed(plain, tmp_path / "b.mkv", subtitles="subrip", chapters=True)
    assert held(plain, rich).findings == (
        f"the number of subtitle streams is 0 in {plain} and 1 in {rich}",
        f"the number of chapters is 0 in {plain} and 2 in {rich}",
    )


def test_a_damaged_picture_is_one_sentence_that_names_film_and_frame(tmp_path: Path) -> None:
    one = Recipe(frames=12, codec="png", pix_fmt="rgb24").make(tmp_path / "a.mov")
    torn = remux(one, tmp_path / "b.mov", lambda place, data: data[:60] if place == 7 else data)
    with pytest.raises(BadMedia, match=r"b\.mov is damaged at frame \d and cannot be compared \(Invalid data"):
        held(one, torn)
