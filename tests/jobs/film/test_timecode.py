"""Time code: known values, the rules of drop-frame, and that a frame's name leads back to it over a whole day."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.film.frame_index import Ints
from jobs.film.timecode import (
    TIMECODE_RATES,
    FrameTimecodes,
    TimecodeCounting,
    names_a_frame,
    timecode_at,
    timecode_rate,
)
from tests.paper import film_of, picture_of

NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
COUNTINGS = [
    *(TimecodeCounting(rate) for rate in TIMECODE_RATES),
    TimecodeCounting(NTSC, drop=True),
    TimecodeCounting(Fraction(60000, 1001), drop=True),
]

FRAMES = Fraction(1, 1000)
SLIDES: Ints = np.array([7000, 7100, 7400, 7401, 9000], np.int64)
"""A variable rate, in milliseconds."""


@given(st.sampled_from(COUNTINGS), st.integers(0, 10_000_000))
def test_a_label_leads_back_to_its_frame(counting: TimecodeCounting, number: int) -> None:
    assert counting.number(counting.label(number)) == number % counting.day


@given(st.sampled_from(COUNTINGS), st.integers(0, 6_000_000))
def test_labels_ascend_through_the_day(counting: TimecodeCounting, number: int) -> None:
    here = number % counting.day
    assert here == counting.day - 1 or counting.label(here) < counting.label(here + 1)


@pytest.mark.parametrize("counting", COUNTINGS, ids=str)
def test_a_day_ends_where_it_begins(counting: TimecodeCounting) -> None:
    last = f"23:59:59{';' if counting.drop else ':'}{counting.nominal - 1:02d}"
    assert counting.label(counting.day - 1) == counting.label(-1) == last
    assert counting.label(counting.day) == counting.label(0)


@pytest.mark.parametrize(
    ("rate", "label", "number"),
    [
        (NTSC, "00:00:59;29", 1799),
        (NTSC, "00:01:00;02", 1800),
        (NTSC, "00:09:59;29", 17981),
        (NTSC, "00:10:00;00", 17982),
        (NTSC, "00:10:00;01", 17983),
        (NTSC, "01:00:00;00", 107892),
        (NTSC, "23:59:59;29", 2589407),
        (2 * NTSC, "00:00:59;59", 3599),
        (2 * NTSC, "00:01:00;04", 3600),
        (2 * NTSC, "00:10:00;00", 35964),
        (NTSC, "01:00:00:00", 108000),
        (FILM, "01:00:00:00", 86400),
        (Fraction(25), "00:00:01:00", 25),
    ],
)
def test_known_values(rate: Fraction, label: str, number: int) -> None:
    counting = TimecodeCounting(rate, drop=";" in label)
    assert (counting.label(number), counting.number(label)) == (label, number)


def test_drop_frame_keeps_up_with_the_clock() -> None:
    counting = TimecodeCounting(NTSC, drop=True)
    off = [abs(counting.number(f"{hour:02d}:00:00;00") / NTSC - 3600 * hour) for hour in range(24)]
    # Known of drop-frame: it loses 86 ms a day, 3.6 of them in each hour.
    assert max(off) < Fraction(84, 1000)


@pytest.mark.parametrize(
    ("counting", "label", "words"),
    [
        (TimecodeCounting(Fraction(25)), "00:00:00:25", "25 frames a second are numbered 00 to 24"),
        (TimecodeCounting(FILM), "24:00:00:00", "it ends at 23:59:59:23"),
        (TimecodeCounting(FILM), "00:60:00:00", "it ends at 23:59:59:23"),
        (TimecodeCounting(FILM), "0:00:00:00", "'0:00:00:00' is no time code; one reads 00:00:00:00"),
        (
            TimecodeCounting(NTSC, drop=True),
            "00:01:00;01",
            "left out by drop-frame time code: the next one is 00:01:00;02",
        ),
        (TimecodeCounting(2 * NTSC, drop=True), "12:59:00;03", "the next one is 12:59:00;04"),
        (TimecodeCounting(NTSC, drop=True), "00:00:01:00", "count drop-frame, with ';' before the frames"),
        (TimecodeCounting(NTSC), "00:00:01;00", "count every frame, with ':' before the frames"),
    ],
)
def test_what_no_frame_is_called_is_refused(counting: TimecodeCounting, label: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        counting.number(label)


@given(st.sampled_from(COUNTINGS), st.integers(0, 5_000_000), st.integers(0, 2_000_000))
def test_a_films_frames_count_from_its_own_time_code(counting: TimecodeCounting, start: int, frame: int) -> None:
    names = FrameTimecodes(counting.rate, counting.label(start))
    assert names.name(0) == counting.label(start)
    assert names.frame(names.name(frame)) == frame % counting.day


def test_a_film_may_pass_midnight() -> None:
    names = FrameTimecodes(Fraction(25), "23:59:59:20")
    assert [names.name(frame) for frame in (4, 5, 30)] == ["23:59:59:24", "00:00:00:00", "00:00:01:00"]
    assert names.frame("00:00:01:00") == 30


@pytest.mark.parametrize(
    ("rate", "start", "name"),
    [
        (Fraction(25), "", "00:00:00:00"),
        (Fraction(25), "10:00:00;12", "10:00:00:12"),
        (Fraction(25), "01:00:00:29", "00:00:00:00"),
        (NTSC, "", "00:00:00:00"),
        (NTSC, "01:00:00;00", "01:00:00;00"),
        (Fraction(27056000, 1127339), "01:00:00:00", "01:00:00:00"),
        (Fraction(10), "01:00:00:00", "00:00:00.000"),
    ],
)
def test_where_a_film_begins(rate: Fraction, start: str, name: str) -> None:
    assert FrameTimecodes(rate, start).name(0) == name


def test_any_film_takes_a_time_on_the_clock() -> None:
    names = FrameTimecodes(FILM, "01:00:00:00")
    assert [names.frame(text) for text in ("00:00:00.000", "00:00:01.001", "00:00:01.02", "00:00:02.5")] == [
        0,
        24,
        24,
        60,
    ]


def test_without_time_code_frames_are_told_by_the_clock() -> None:
    names = FrameTimecodes(Fraction(10))
    assert [names.name(frame) for frame in (0, 15, 36_000)] == ["00:00:00.000", "00:00:01.500", "01:00:00.000"]
    assert names.frame("00:00:01.5") == 15
    with pytest.raises(ValueError, match=r"no time code, for its rate is 10; write a time .* such as 00:00:00\.000"):
        names.frame("00:00:01:05")


def test_a_variable_rate_is_told_by_each_frames_own_time() -> None:
    names = FrameTimecodes(Fraction(25), "01:00:00:00", SLIDES, FRAMES)
    assert [names.name(frame) for frame in range(6)] == [
        "00:00:00.000",
        "00:00:00.100",
        "00:00:00.400",
        "00:00:00.401",
        "00:00:02.000",
        "00:00:02.040",
    ]
    assert [names.frame(names.name(frame)) for frame in range(6)] == list(range(6))
    assert [names.frame(text) for text in ("00:00:00.24", "00:00:00.26", "00:00:03.000")] == [1, 2, 29]
    with pytest.raises(ValueError, match="its rate varies"):
        names.frame("01:00:00:00")


@given(st.lists(st.integers(2, 100_000), min_size=1, max_size=50), st.sampled_from([1000, 90_000, 24_000]))
def test_by_the_clock_too_a_name_leads_back(gaps: list[int], ticks: int) -> None:
    pts = np.cumsum([-5, *(gap * ticks // 1000 for gap in gaps)])
    names = FrameTimecodes(Fraction(10), pts=pts, tick=Fraction(1, ticks))
    assert [names.frame(names.name(frame)) for frame in range(len(pts))] == list(range(len(pts)))


def test_a_steady_film_counts_whatever_its_stamps_are_rounded_to() -> None:
    film = film_of(picture_of("yuv420p").model_copy(update={"rate": FILM, "time_base": Fraction(1, 1000)}))
    pts = np.array([round(frame * 1000 / FILM) for frame in range(500)], np.int64)
    assert FrameTimecodes.of(film, pts).spoken(24, 47) == "frames 24 to 47 (00:00:01:00 to 00:00:01:23)"
    assert FrameTimecodes.of(film, np.append(pts, pts[-1] + 100)).counting is None


def test_the_forms_that_name_a_frame() -> None:
    good = ("01:02:03:04", "01:02:03;04", "01:02:03.004", "100:00:00.5")
    bad = ("", "1", "01:02:03", "01:02:03:4", "01:02:60.000", "01:02:03:004", "00:00:00.0000", "٠١:02:03:04")
    assert [names_a_frame(text) for text in (*good, *bad)] == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    ("code", "rate", "later", "meant"),
    [
        ("01:00:00:10", "24", 0, "01:00:00:10"),
        ("01:00:00:10", "24", 14, "01:00:01:00"),
        ("23:59:59:23", "24", 1, "00:00:00:00"),
        ("01:00:00;00", "25", 0, "01:00:00:00"),
        ("01:00:00;00", "30000/1001", 0, "01:00:00;00"),
        ("01:00:59;29", "2997/100", 1, "01:01:00;02"),
        ("01:00:00:14", "15", 0, "01:00:00:14"),
        ("01:00:00:59", "60", 0, "01:00:00:59"),
        ("01:01:00;00", "30000/1001", 0, ""),
        ("01:00:00:30", "24", 0, ""),
        ("25:00:00:00", "24", 0, ""),
        ("01:00:00:10", "120", 0, ""),
        ("01:00:00:00", "1/4", 0, ""),
        ("", "24", 3, ""),
    ],
)
def test_what_a_code_means_at_a_rate(code: str, rate: str, later: int, meant: str) -> None:
    assert timecode_at(code, Fraction(rate), later) == meant


def test_rates_with_time_codes() -> None:
    assert timecode_rate(Fraction(2997, 100)) == NTSC
    assert timecode_rate(Fraction(24)) == 24
    assert timecode_rate(FILM) == FILM
    assert [timecode_rate(Fraction(rate)) for rate in (10, 15, "25/2", 120)] == [None] * 4


def test_frames_are_told_by_numbers_ranges_and_names() -> None:
    names = FrameTimecodes(Fraction(24), "10:00:00:00")
    assert names.numbers("7, 3-5,10:00:00:04,10:00:01:00-25", 48) == (3, 4, 5, 7, 24, 25)
    for said, words in [
        ("48", "48 is not in the film, whose frames are 0 to 47"),
        ("3-48", "3-48 is not in the film"),
        ("9-3", "9-3 is not in the film"),
        ("", "'' is no time code"),
        ("3,x", "'x' is no time code"),
    ]:
        with pytest.raises(ValueError, match=words):
            names.numbers(said, 48)
