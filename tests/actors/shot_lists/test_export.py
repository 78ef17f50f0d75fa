"""Shot lists written for editors: what they say, and that each gives its cuts back, at every rate and from every start."""

import csv
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import opentimelineio as otio
import pytest
from scenedetect import FrameTimecode
from scenedetect._cli.controller import _load_scenes

from actors.shot_lists.cut_lists import given_cuts
from actors.shot_lists.export import Form, ListedShot, forms_of, listed, shot_list
from jobs.errors import BadSpec
from jobs.film.frame_index import Ints
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes
from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.spec.job import LookChoice
from tests.paper import film_of, picture_of

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)

CUTS = (24, 25, 1799, 1800, 1801, 17981, 17982, 17984)
FRAMES = 18_100


def film_at(rate: Fraction, timecode: str = "", tick: Fraction | None = None) -> Film:
    update = {"rate": rate, "time_base": tick or 1 / (rate * 512)}
    return film_of(picture_of("yuv420p").model_copy(update=update)).model_copy(update={"timecode": timecode})


def steady(film: Film, frames: int = FRAMES) -> Ints:
    return np.array([round(n / film.picture.rate / film.picture.time_base) for n in range(frames)], np.int64) + 77


def plan_of(*cuts: int, frames: int = FRAMES) -> Plan:
    plan = Plan(target=500)
    edges = (0, *cuts, frames)
    none = Look(choice=LookChoice(name="none"))
    plan.grow([Shot(n, Range(*edges[n - 1 : n + 1]), none) for n in range(1, len(edges))])
    return plan


def written(form: Form, film: Film, pts: Ints, folder: Path, *cuts: int) -> Path:
    path = folder / f"cuts.{form}"
    shots = listed(plan_of(*cuts, frames=len(pts)))
    path.write_text(shot_list(form, film, shots, FrameTimecodes.of(film, pts)))
    return path


@pytest.mark.parametrize("form", ["edl", "otio", "csv"])
@pytest.mark.parametrize(
    ("rate", "timecode"),
    [
        (Fraction(24), ""),
        (Fraction(24), "09:59:50:12"),
        (FILM, ""),
        (FILM, "01:00:00:00"),
        (Fraction(25), "10:00:00:24"),
        (NTSC, ""),
        (NTSC, "00:59:59:29"),
        (NTSC, "00:58:59;28"),
        (2 * NTSC, "01:00:00;00"),
        (Fraction(48000, 1001), "01:00:00:00"),
        (Fraction(50), "20:00:00:49"),
    ],
)
def test_what_is_written_gives_its_cuts_back(tmp_path: Path, form: Form, rate: Fraction, timecode: str) -> None:
    film = film_at(rate, timecode)
    pts = steady(film)
    assert given_cuts(str(written(form, film, pts, tmp_path, *CUTS)), film, pts) == list(CUTS)


@pytest.mark.parametrize("form", ["edl", "otio", "csv"])
@pytest.mark.parametrize("timecode", ["23:59:50:00", "23:59:50;00"])
@pytest.mark.parametrize(("cuts", "frames"), [((100, 299, 301, 400), 1800), ((300,), 600), ((100,), 300)])
def test_over_midnight(tmp_path: Path, form: Form, timecode: str, cuts: tuple[int, ...], frames: int) -> None:
    film = film_at(NTSC, timecode)
    pts = steady(film, frames)
    assert given_cuts(str(written(form, film, pts, tmp_path, *cuts)), film, pts) == list(cuts)


@pytest.mark.parametrize("form", ["otio", "csv"])
@pytest.mark.parametrize(("rate", "tick"), [(Fraction(10), Fraction(1, 10240)), (Fraction(15), Fraction(1, 1000))])
def test_rates_without_time_code(tmp_path: Path, form: Form, rate: Fraction, tick: Fraction) -> None:
    film = film_at(rate, "01:00:00:00", tick)
    pts = steady(film)
    assert given_cuts(str(written(form, film, pts, tmp_path, *CUTS)), film, pts) == list(CUTS)


@pytest.mark.parametrize("form", ["otio", "csv"])
def test_a_variable_rate(tmp_path: Path, form: Form) -> None:
    film = film_at(Fraction(25), tick=Fraction(1, 90_000))
    pts = np.cumsum(np.random.default_rng(0).integers(400, 9000, 300)).astype(np.int64)
    path = written(form, film, pts, tmp_path, 10, 11, 50, 299)
    assert given_cuts(str(path), film, pts) == [10, 11, 50, 299]
    assert forms_of(FrameTimecodes.of(film, pts)) == ("otio", "csv")
    with pytest.raises(BadSpec, match=r"a\.mp4 has no time code, .*; list its shots as \.otio or \.csv\."):
        written("edl", film, pts, tmp_path, 10)


def test_an_edl(tmp_path: Path) -> None:
    film = film_at(NTSC, "01:00:00;00")
    said = written("edl", film, steady(film, 3600), tmp_path, 1800).read_text()
    assert said.splitlines() == [
        "TITLE: a.mp4",
        "FCM: DROP FRAME",
        "",
        "001  AX       V     C        01:00:00;00 01:01:00;02 01:00:00;00 01:01:00;02",
        "* FROM CLIP NAME: a.mp4",
        "* SHOT 1: none, chunks 1-4",
        "002  AX       V     C        01:01:00;02 01:02:00;04 01:01:00;02 01:02:00;04",
        "* FROM CLIP NAME: a.mp4",
        "* SHOT 2: none, chunks 5-8",
    ]


def test_a_timeline(tmp_path: Path) -> None:
    film = film_at(FILM, "01:00:00:00")
    path = written("otio", film, steady(film, 600), tmp_path, 240)
    timeline = otio.adapters.read_from_file(str(path))
    clips = list(timeline.find_clips())
    assert otio.opentime.to_timecode(timeline.global_start_time) == "01:00:00:00"
    assert [(one.source_range.start_time.value, one.duration().value) for one in clips] == [(86400, 240), (86640, 360)]
    assert {one.media_reference.target_url for one in clips} == {"/films/a.mp4"}
    (marker,) = clips[1].markers
    assert marker.name == "shot 2: none, chunks 2"
    assert dict(marker.metadata["film_farm"])["shot"] == 2
    assert marker.marked_range.start_time == clips[1].source_range.start_time


def test_pyscenedetect_reads_the_csv(tmp_path: Path) -> None:
    film = film_at(FILM, "01:00:00:00")
    path = written("csv", film, steady(film, 600), tmp_path, 100, 240)
    base = FrameTimecode(0, FILM)
    context = SimpleNamespace(
        load_scenes_input=str(path),
        load_scenes_column_name="Start Frame",
        video_stream=SimpleNamespace(frame_rate=FILM, base_timecode=base, duration=FrameTimecode(600, FILM)),
        start_time=None,
        end_time=None,
        duration=None,
    )
    _, cuts = _load_scenes(context)
    assert [cut.frame_num for cut in cuts] == [100, 240]
    with path.open() as file:
        first, second, third = csv.DictReader(file)
    assert (first["Start Frame"], first["End Frame"], first["Length (frames)"]) == ("1", "100", "100")
    assert (second["Start Timecode"], second["Start Time (seconds)"]) == ("00:00:04.171", "4.171")
    assert (second["Start SMPTE Timecode"], second["End SMPTE Timecode"]) == ("01:00:04:04", "01:00:10:00")
    assert (third["Scene Number"], third["Looks"], third["Chunks"]) == ("3", "none", "3")


def test_the_edges_of_an_override_are_no_cuts() -> None:
    looks = [Look(choice=LookChoice(name=name)) for name in ("none", "colorize")]
    plan = Plan(target=20)
    parts = [(1, (0, 30), 0), (2, (30, 40), 0), (2, (40, 50), 1), (2, (50, 90), 0)]
    plan.grow([Shot(number, Range(*frames), looks[look]) for number, frames, look in parts])
    assert listed(plan) == [
        ListedShot(1, Range(0, 30), ("none",), (1, 2)),
        ListedShot(2, Range(30, 90), ("none", "colorize"), (3, 6)),
    ]
