"""Shot lists as studios have them, and what is wrong with some."""

from fractions import Fraction
from itertools import pairwise
from math import inf, nan
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from scenedetect import FrameTimecode
from scenedetect.output import write_scene_list

from actors.shot_lists.cut_lists import given_cuts
from jobs.errors import BadMedia, BadSpec
from jobs.film.frame_index import Ints
from jobs.film.source import Film
from tests.paper import film_of, picture_of

NTSC = Fraction(24000, 1001)


def film_at(rate: Fraction, time_base: Fraction = Fraction(1, 24000), timecode: str = "") -> Film:
    picture = picture_of("yuv420p").model_copy(update={"rate": rate, "time_base": time_base})
    return film_of(picture).model_copy(update={"timecode": timecode})


def steady(frames: int, rate: Fraction = NTSC, time_base: Fraction = Fraction(1, 24000), start: int = 0) -> Ints:
    return np.array([start + round(n / rate / time_base) for n in range(frames)], np.int64)


def csv_of(
    path: Path, cuts: list[int], frames: int, rate: Fraction = NTSC, *, first_row: bool = True, mark: str = ","
) -> Path:
    """A list as PySceneDetect itself writes it."""
    edges = [FrameTimecode(cut, rate) for cut in (0, *cuts, frames)]
    with path.open("w", newline="") as file:
        write_scene_list(file, list(pairwise(edges)), include_cut_list=first_row, col_separator=mark)
    return path


@pytest.mark.parametrize("first_row", [True, False])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_list_of_pyscenedetect(tmp_path: Path, first_row: bool, mark: str) -> None:
    path = csv_of(tmp_path / "shots.csv", [10, 50, 90], 100, first_row=first_row, mark=mark)
    assert given_cuts(str(path), film_at(NTSC), steady(100, start=1001)) == [10, 50, 90]
    assert given_cuts(f"file://{path}", film_at(NTSC), steady(100)) == [10, 50, 90]


def test_an_old_list_counts_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "shots.CSV"
    path.write_text("\ufeffScene Number,Start Frame,Start Time (seconds)\n1,0,0.0\n2,10,0.417\n\n")
    assert given_cuts(str(path), film_at(NTSC), steady(100)) == [10]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("head", ["", "Timecode List:,00:00:00.417\n", "sep=;\n\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_that_went_through_a_spreadsheet(tmp_path: Path, mark: str, quote: str, head: str, end: str) -> None:
    rows = (("Scene Number", "Start Frame", "Note"), ("1", "1", "caf\u00e9"), ("2", "11", "x"))
    text = head + "\n".join(mark.join(f"{quote}{one}{quote}" for one in row) for row in rows) + "\n\n"
    path = tmp_path / "shots.csv"
    path.write_bytes(text.replace("\n", end).encode("latin-1"))
    assert given_cuts(str(path), film_at(NTSC), steady(100)) == [10]


def test_the_row_that_is_not_a_shot_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "shots.csv"
    path.write_text("Timecode List:,1\nScene Number,Start Frame\n1,1\n2,x\n")
    with pytest.raises(BadSpec, match="a row that is not a shot in or after line 4"):
        given_cuts(str(path), film_at(NTSC), steady(100))


def test_on_a_variable_rate_times_count(tmp_path: Path) -> None:
    # Frames 0 to 49 take a tenth of a second each, the rest a fifth: what a detector calls frame 60 is another.
    pts = np.array([n * 100 for n in range(50)] + [5000 + n * 200 for n in range(50)], np.int64)
    film = film_at(Fraction(100, 15), Fraction(1, 1000))
    path = csv_of(tmp_path / "shots.csv", [30, 60], 150, rate=Fraction(10))
    assert given_cuts(str(path), film, pts) == [30, 55]


EDL = """TITLE: reel
FCM: NON-DROP FRAME

001  AX       V     C        00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00
* FROM CLIP NAME: one
002  AX       V     C        00:00:05:00 00:00:06:12 01:00:01:00 01:00:02:12
003  AX       V     C        00:00:09:00 00:00:09:12 01:00:03:00 01:00:03:12
"""


@pytest.mark.parametrize("rate", [NTSC, Fraction(24), Fraction(27056000, 1127339)])
def test_an_edl_counts_from_its_first_event(tmp_path: Path, rate: Fraction) -> None:
    path = tmp_path / "shots.edl"
    path.write_text(EDL)
    # The gap from 2:12 to 3:00 is a shot of its own.
    assert given_cuts(str(path), film_at(rate), steady(84, rate)) == [24, 60, 72]


def test_an_edl_at_25_frames_a_second(tmp_path: Path) -> None:
    path = tmp_path / "shots.edl"
    path.write_text(EDL)
    assert given_cuts(str(path), film_at(Fraction(25)), steady(90, Fraction(25))) == [25, 62, 75]


def test_a_dissolve_in_an_edl_is_a_cut_at_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "shots.edl"
    path.write_text(
        EDL.split("* FROM")[0]
        + "002  AX       V     C        00:00:01:00 00:00:01:00 01:00:01:00 01:00:01:00\n"
        + "002  BX       V     D    012 00:00:05:00 00:00:06:12 01:00:01:00 01:00:02:12\n"
        + "* FROM CLIP NAME: one\n* TO CLIP NAME: two\n"
    )
    assert given_cuts(str(path), film_at(Fraction(24)), steady(60, Fraction(24))) == [24]


@pytest.mark.parametrize(
    ("timecode", "frames", "cuts"),
    [
        ("", 90, [24, 60, 72]),
        ("01:00:00:00", 90, [24, 60, 72]),
        # From 50 frames into the film on, and its first event begins a shot too.
        ("00:59:57:22", 140, [50, 74, 110, 122]),
        # The last event would lie beyond the film: the list counts from elsewhere, and begins with the film.
        ("00:59:57:22", 122, [24, 60, 72]),
        ("10:00:00:00", 90, [24, 60, 72]),
    ],
)
def test_a_list_may_count_from_the_films_own_time_code(
    tmp_path: Path, timecode: str, frames: int, cuts: list[int]
) -> None:
    path = tmp_path / "shots.edl"
    path.write_text(EDL)
    assert given_cuts(str(path), film_at(NTSC, timecode=timecode), steady(frames)) == cuts


MIDNIGHT = (
    EDL.replace("01:00:00:00", "23:59:58:00")
    .replace("01:00:01:00", "23:59:59:00")
    .replace("01:00:02:12", "00:00:00:12")
    .replace("01:00:03", "00:00:01")
)


@pytest.mark.parametrize(
    ("timecode", "cuts"),
    [("", [24, 60, 72]), ("23:59:58:00", [24, 60, 72]), ("23:59:50:00", [192, 216, 252, 264])],
)
def test_an_edl_goes_on_over_midnight(tmp_path: Path, timecode: str, cuts: list[int]) -> None:
    path = tmp_path / "shots.edl"
    path.write_text(MIDNIGHT)
    assert given_cuts(str(path), film_at(NTSC, timecode=timecode), steady(300)) == cuts
    # An excerpt of a film, all of it after midnight.
    path.write_text("001  AX  V  C  00:00:00:00 00:00:01:00 00:00:00:12 00:00:01:12\n")
    assert given_cuts(str(path), film_at(NTSC, timecode="23:59:59:00"), steady(300)) == [36]


@pytest.mark.parametrize("mark", [":", ";"])
def test_an_edl_of_drop_frame_time_codes(tmp_path: Path, mark: str) -> None:
    rate = Fraction(30000, 1001)
    one, two, three = (f"01:00:{at.replace(';', mark)}" for at in ("58;00", "59;29", "59;29"))
    path = tmp_path / "shots.edl"
    path.write_text(
        "FCM: DROP FRAME\n"
        f"001  AX  V  C  {one} {two} {one} {two}\n"
        f"002  AX  V  C  {three} 01:01:00{mark}03 {three} 01:01:00{mark}03\n"
        f"003  AX  V  C  01:01:00{mark}03 01:01:01{mark}00 01:01:00{mark}03 01:01:01{mark}00\n"
    )
    # 01:01:00;00 and ;01 are left out.
    film = film_at(rate, timecode="01:00:58;00")
    assert given_cuts(str(path), film, steady(100, rate)) == [59, 61]
    assert given_cuts(str(path), film_at(rate, timecode="01:00:57;00"), steady(130, rate)) == [30, 89, 91]
    # A film that counts every frame has other time codes: the list begins with it.
    assert given_cuts(str(path), film_at(rate, timecode="01:00:57:00"), steady(130, rate)) == [59, 61]


def timeline(
    path: Path, *lengths: float, rate: float = 24000 / 1001, start: float | None = None, gap: int = -1
) -> Path:
    """A timeline of clips of these lengths, the `gap`-th a gap."""
    track = otio.schema.Track(kind="Video")
    for place, length in enumerate(lengths):
        span = otio.opentime.TimeRange(otio.opentime.RationalTime(999, rate), otio.opentime.RationalTime(length, rate))
        track.append(otio.schema.Gap(source_range=span) if place == gap else otio.schema.Clip(source_range=span))
    made = otio.schema.Timeline()
    made.tracks[:] = [otio.schema.Track(kind="Audio"), track, otio.schema.Track(kind="Video")]
    if start is not None:
        made.global_start_time = otio.opentime.RationalTime(start, rate)
    otio.adapters.write_to_file(made, str(path), "otio_json")
    return path


@pytest.mark.parametrize("rate", [24000 / 1001, 23.976, 23.98])
def test_a_timeline_of_opentimelineio(tmp_path: Path, rate: float) -> None:
    path = timeline(tmp_path / "shots.otio", 10, 40, 30, rate=rate, gap=1)
    assert given_cuts(str(path), film_at(NTSC), steady(100)) == [10, 50]


def test_a_transition_is_no_shot(tmp_path: Path) -> None:
    path = timeline(tmp_path / "shots.otio", 10, 40)
    made = otio.adapters.read_from_file(str(path))
    half = otio.opentime.RationalTime(2, 24000 / 1001)
    made.video_tracks()[0].insert(1, otio.schema.Transition(in_offset=half, out_offset=half))
    otio.adapters.write_to_file(made, str(path))
    assert given_cuts(str(path), film_at(NTSC), steady(100)) == [10]


def test_a_timeline_may_count_from_the_films_own_time_code(tmp_path: Path) -> None:
    path = timeline(tmp_path / "shots.otio", 10, 40, 30, start=86400)
    assert given_cuts(str(path), film_at(NTSC, timecode="00:59:59:00"), steady(120)) == [24, 34, 74]
    assert given_cuts(str(path), film_at(NTSC, timecode="00:00:00:00"), steady(120)) == [10, 50]
    assert given_cuts(str(path), film_at(NTSC), steady(120)) == [10, 50]


def test_a_timeline_at_another_rate_is_rescaled_exactly_or_refused(tmp_path: Path) -> None:
    film, pts = film_at(Fraction(25)), steady(100, Fraction(25))
    path = timeline(tmp_path / "shots.otio", 20, 60, 30, rate=50.0)
    assert given_cuts(str(path), film, pts) == [10, 40]
    path = timeline(tmp_path / "shots.otio", 1600, 1200, 400, rate=1000.0)
    assert given_cuts(str(path), film, pts) == [40, 70]
    path = timeline(tmp_path / "shots.otio", 24, 7, 24, rate=24.0)
    with pytest.raises(
        BadSpec, match=r"a cut at 1\.292 s, where no frame of a film of 25 frames a second begins; export"
    ):
        given_cuts(str(path), film, pts)


UNMEASURED = otio.schema.Timeline(tracks=[otio.schema.Track(kind="Video", children=[otio.schema.Clip()])])
"""How long its clip is, only the clip's media could tell."""


def unreal(value: float, rate: float = 24.0, start: float = 0.0) -> str:
    """A timeline whose one clip lasts `value` frames."""
    span = otio.opentime.TimeRange(otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(value, rate))
    track = otio.schema.Track(kind="Video", children=[otio.schema.Clip(source_range=span)])
    begins = otio.opentime.RationalTime(start, 24)
    return str(otio.schema.Timeline(tracks=[track], global_start_time=begins).to_json_string())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("shots.txt", "", "neither a .csv"),
        ("shots.csv", "nothing,of,the,kind\n1,2,3,4\n", "no column 'Start Frame'"),
        ("shots.csv", "Scene Number,Start Frame\n1,one\n", "a row that is not a shot"),
        ("shots.csv", "Scene Number,Start Frame\n1\n", "a row that is not a shot"),
        ("shots.csv", "Start Frame\n1\n50\n40\n", "not in order: a shot at frame 39"),
        ("shots.csv", "Start Frame\n1\n101\n", "a cut at frame 100, and the film has frames 0 to 99"),
        ("shots.edl", "001  AX  V  C  nonsense\n", "is not a CMX3600 EDL at 24"),
        ("shots.edl", "TITLE: empty\n", "no event on a video track"),
        ("shots.edl", EDL.replace("01:00:03:12", "01:00:02:12"), r"line 7: the event ends, at 01:00:02:12, before"),
        (
            "shots.edl",
            EDL.replace("01:00:01:00", "01:00:00:24"),
            r"line 4: 01:00:00:24 is no time code: 24 frames a sec",
        ),
        ("shots.otio", "{}", "is not a timeline of OpenTimelineIO"),
        ("shots.otio", "no json", "is not a timeline of OpenTimelineIO"),
        ("shots.otio", otio.schema.Clip().to_json_string(), r"of OpenTimelineIO \(it holds a Clip\)"),
        ("shots.otio", otio.schema.Timeline().to_json_string(), "has no clip on a video track"),
        ("shots.otio", UNMEASURED.to_json_string(), "is not a timeline of OpenTimelineIO"),
        *(
            ("shots.otio", text, "is not a timeline of OpenTimelineIO")
            for text in (
                unreal(inf),
                unreal(nan),
                unreal(1e300),
                unreal(-1),
                unreal(10, 0.0),
                unreal(10, nan),
                unreal(10, start=inf),
                unreal(10, start=nan),
            )
        ),
        ("shots.csv", 'Start Frame,Looks\n1,a\n5,"b\n9,c\n', "a row that is not a shot"),
        ("shots.csv", "Start Frame,Looks\n1,a\0\n5," + "b" * 140_000 + "\n", "a row that is not a shot"),
        ("shots.edl", EDL.replace("00:00:09:00", "aa:bb:cc:dd"), "is not a CMX3600 EDL at 24"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadSpec, match=words) as refused:
        given_cuts(str(path), film_at(Fraction(24)), steady(100, Fraction(24)))
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("time", ["inf", "nan", "1e400", "1/0", "1e300"])
def test_a_list_of_unreal_times_is_refused(tmp_path: Path, time: str) -> None:
    path = tmp_path / "shots.csv"
    path.write_text(f"Start Frame,Start Time (seconds)\n1,0\n2,{time}\n")
    pts = np.cumsum(np.arange(100, dtype=np.int64))
    with pytest.raises(BadSpec, match=r"a row that is not a shot|the film has frames 0 to 99"):
        given_cuts(str(path), film_at(Fraction(100, 15), Fraction(1, 1000)), pts)


def test_an_edl_needs_a_rate_with_time_codes(tmp_path: Path) -> None:
    path = tmp_path / "shots.edl"
    path.write_text(EDL)
    with pytest.raises(BadSpec, match="none at 10 frames a second"):
        given_cuts(str(path), film_at(Fraction(10)), steady(100, Fraction(10)))


def test_a_list_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match="does not exist"):
        given_cuts(str(tmp_path / "gone.csv"), film_at(NTSC), steady(100))
    for data, words in ((b"{\xe9}", "not a text in UTF-8"), (b"\xff\xfe\x00", "not a text in UTF-16")):
        (tmp_path / "shots.otio").write_bytes(data)
        with pytest.raises(BadSpec, match=words):
            given_cuts(str(tmp_path / "shots.otio"), film_at(NTSC), steady(100))
