"""Timing: geometry of time stamps, without a file."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadSpec
from jobs.film.frame_index import FrameIndex, Page
from jobs.film.source import Picture
from jobs.plan.output_timing import MILLISECOND, MXF_RATES, constant_rate, refuse_rate, timing_for
from jobs.spec.advice import UnfitDeliverable
from jobs.spec.codecs import Wrapping
from tests.paper import picture_of

NTSC = Fraction(24000, 1001)


def index_of(pts: list[int], last: int = 0) -> FrameIndex:
    """The index of a film whose frames are shown at these ticks; all are keyframes."""
    ticks = np.array(pts, np.int64)
    none = np.zeros(len(pts), np.int64)
    flags = np.ones(len(pts), bool)
    return FrameIndex([Page(ticks, ticks, none + last, none + 1, flags, ~flags)], complete=True)


def picture(tick: Fraction, rate: Fraction) -> Picture:
    """A picture with this clock and nominal rate."""
    return picture_of("yuv420p").model_copy(update={"time_base": tick, "rate": rate})


def test_ntsc_over_a_thousand_segments_does_not_drift() -> None:
    frames = 1000 * 48
    index = index_of([1001 * n for n in range(frames)])
    timing = timing_for(index, picture(Fraction(1, 24000), NTSC), "mp4")
    assert timing.rule == "own"
    assert timing.rate == NTSC
    assert all(timing.at(48 * k) == 48 * k / NTSC for k in range(1000))
    assert timing.seconds == frames / NTSC


@given(
    st.sampled_from([NTSC, Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)]),
    st.integers(2, 3000),
    st.integers(0, 5000),
)
def test_stamps_rounded_to_milliseconds_become_the_exact_grid(rate: Fraction, frames: int, first: int) -> None:
    stamps = [first + round(n * 1000 / rate) for n in range(frames)]
    timing = timing_for(index_of(stamps, last=round(1000 / rate)), picture(MILLISECOND, rate), "mp4")
    assert timing.rate == rate
    assert timing.at(frames - 1) - timing.at(0) == (frames - 1) / rate
    assert timing.at(0) == Fraction(first, 1000)
    assert all(abs(timing.at(n) - Fraction(stamps[n], 1000)) <= MILLISECOND for n in range(frames))
    assert timing.rule == ("own" if rate == 25 else "grid")


def test_a_source_in_milliseconds_keeps_its_stamps_in_matroska() -> None:
    stamps = [3, 45, 86, 128]
    timing = timing_for(index_of(stamps, last=42), picture(MILLISECOND, Fraction(24)), "mkv")
    assert timing.pts.tolist() == stamps
    assert timing.rule == "own"
    assert timing.rate == 24


def test_the_rate_is_found_where_the_header_has_an_average() -> None:
    stamps = np.array([round(n * 1000 / 24) for n in range(700)], np.int64)
    assert constant_rate(stamps, MILLISECOND, Fraction(27056000, 1127339)) == 24


@given(st.lists(st.integers(1, 500), min_size=1, max_size=200), st.integers(-5000, 100_000))
def test_variable_rate_keeps_every_stamp_of_its_own(gaps: list[int], first: int) -> None:
    stamps = np.cumsum([first, *gaps]).tolist()
    timing = timing_for(index_of(stamps, last=7), picture(Fraction(1, 90000), Fraction(30)), "mp4")
    start = min(0, first)
    tolerance = 0 if timing.rule == "own" else Fraction(1, 90000)
    assert all(abs(timing.at(n) - Fraction(stamps[n] - start, 90000)) <= tolerance for n in range(len(stamps)))
    assert timing.pts[0] >= 0
    assert timing.origin == Fraction(start, 90000)
    assert (timing.durations > 0).all()


@given(st.lists(st.integers(30, 5000), min_size=1, max_size=300), st.integers(0, 10**9))
def test_milliseconds_are_each_rounded_by_itself(gaps: list[int], first: int) -> None:
    stamps = np.cumsum([first, *gaps]).tolist()
    timing = timing_for(index_of(stamps, last=40), picture(Fraction(1, 24000), NTSC), "mkv")
    off = [abs(timing.at(n) - Fraction(stamps[n], 24000)) for n in range(len(stamps))]
    assert max(off) <= MILLISECOND / 2
    assert timing.time_base == MILLISECOND


@given(st.lists(st.integers(1, 100), min_size=1, max_size=60), st.integers(0, 3), st.randoms())
def test_decode_times_ascend_and_never_pass_the_frame(gaps: list[int], delay: int, random: object) -> None:
    stamps = np.cumsum([0, *gaps]).tolist()
    timing = timing_for(index_of(stamps, last=1), picture(Fraction(1, 90000), Fraction(30)), "mp4")
    times = timing.decode_times(delay)
    assert len(times) == timing.frames
    assert (np.diff(times) > 0).all()
    # A packet in place p shows a frame of rank p - delay at the earliest.
    assert all(times[place] <= timing.pts[max(0, place - delay)] for place in range(timing.frames))


def test_a_clock_that_begins_anywhere_is_shifted_by_its_origin() -> None:
    index = index_of([126_000 + 3600 * n for n in range(10)])
    timing = timing_for(index, picture(Fraction(1, 90000), Fraction(25)), "mp4", origin=Fraction(7, 5))
    assert timing.pts[0] == 0
    assert timing.at(9) == Fraction(9, 25)
    assert timing_for(index, picture(Fraction(1, 90000), Fraction(25)), "mkv", Fraction(7, 5)).at(9) == Fraction(
        360, 1000
    )


def test_frames_within_one_millisecond_do_not_go_into_matroska() -> None:
    index = index_of([0, 10, 20, 5000])
    with pytest.raises(UnfitDeliverable, match=r"Frames 0 and 1 .* mp4"):
        timing_for(index, picture(Fraction(1, 90000), Fraction(30)), "mkv")


def test_a_clock_finer_than_mp4_is_refused() -> None:
    index = index_of([0, 7, 19], last=5)
    with pytest.raises(UnfitDeliverable, match="mkv"):
        timing_for(index, picture(Fraction(1, 3 * 10**9), Fraction(30)), "mp4")


def test_one_frame_is_a_film() -> None:
    timing = timing_for(index_of([512], last=512), picture(Fraction(1, 12288), Fraction(24)), "mp4")
    assert timing.frames == 1
    assert timing.seconds == Fraction(1, 24)
    assert timing.rate == 24


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ("mp4", "constant 24 frames a second; an exact grid"),
        ("mov", "constant 24 frames a second; an exact grid"),
        ("mxf", "constant 24 frames a second; an exact grid"),
        ("mkv", "constant 24 frames a second; the source's own time stamps, tick for tick"),
        ("folder", "constant 24 frames a second; frames are numbered"),
    ],
)
def test_the_report_says_whose_stamps_these_are(container: Wrapping, words: str) -> None:
    index = index_of([0, 42, 83, 125], last=42)
    assert words in timing_for(index, picture(MILLISECOND, Fraction(24)), container).sentence


@pytest.mark.parametrize("rate", [NTSC, Fraction(30000, 1001), Fraction(25)])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "mxf", "folder"])
def test_a_thousand_seams_drift_by_nothing(container: Wrapping, rate: Fraction) -> None:
    _has_no_drift(container, rate)


@pytest.mark.parametrize("rate", [Fraction(15000, 1001), Fraction(10)])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "folder"])
def test_nor_at_rates_that_mxf_does_not_have(container: Wrapping, rate: Fraction) -> None:
    _has_no_drift(container, rate)


def _has_no_drift(container: Wrapping, rate: Fraction) -> None:
    frames, seam = 24_000, 24
    clock = picture(1 / Fraction(rate.numerator), rate)
    index = index_of([rate.denominator * n for n in range(frames)])
    timing = timing_for(index, clock, container)
    tolerance = MILLISECOND / 2 if container == "mkv" else 0
    assert timing.rate == rate
    assert all(abs(timing.at(seam * k) - seam * k / rate) <= tolerance for k in range(1000))
    assert abs(timing.seconds - frames / rate) <= tolerance


@given(
    st.sampled_from(MXF_RATES),
    st.integers(4, 2000),
    st.integers(-5000, 5000),
    st.sampled_from([Fraction(1, 90000), MILLISECOND, Fraction(1, 24000)]),
)
def test_mxf_counts_frames_from_0(rate: Fraction, frames: int, first: int, tick: Fraction) -> None:
    stamps = [first + round(n / rate / tick) for n in range(frames)]
    timing = timing_for(index_of(stamps, last=1), picture(tick, rate), "mxf")
    assert timing.pts.tolist() == list(range(frames))
    assert timing.durations.tolist() == [1] * frames
    assert timing.time_base == 1 / rate
    assert timing.origin == first * tick
    assert timing.seconds == frames / rate


@pytest.mark.parametrize(
    ("stamps", "tick", "rate", "words"),
    [
        ([0, 100, 200, 300], MILLISECOND, Fraction(10), "10 frames a second, and .* container: mov"),
        ([0, 1001, 2002], Fraction(1, 15000), Fraction(15000, 1001), "15000/1001 frames a second, .* container: mov"),
        ([0, 1, 2, 4, 5], Fraction(1, 24), Fraction(24), "a variable rate, and .* container: mov"),
    ],
)
def test_rates_that_mxf_has_no_number_for_are_refused(
    stamps: list[int], tick: Fraction, rate: Fraction, words: str
) -> None:
    with pytest.raises(UnfitDeliverable, match=words):
        timing_for(index_of(stamps, last=1), picture(tick, rate), "mxf")
    for container in ("mp4", "mov", "mkv", "folder"):
        assert timing_for(index_of(stamps, last=1), picture(tick, rate), container).frames == len(stamps)


def test_a_rate_that_the_header_tells_is_judged_before_the_index() -> None:
    for rate in (Fraction(10), Fraction(15000, 1001), Fraction(12), Fraction(20), Fraction(27)):
        with pytest.raises(BadSpec, match=f"{rate} frames a second, .* container: mov"):
            refuse_rate(picture(MILLISECOND, rate), "mxf")
        refuse_rate(picture(MILLISECOND, rate), "mov")
    # An average of rounded stamps.
    for rate in (*MXF_RATES, Fraction(27056000, 1127339)):
        refuse_rate(picture(MILLISECOND, rate), "mxf")


def test_stamps_reckoned_by_whole_ticks_mean_the_rate() -> None:
    # MPEG-PS: a stamp for every fourth frame, the others reckoned from it by 3753 ticks where a frame lasts 3753.75.
    stamps = [round(Fraction(15015, 4) * (n - n % 4)) + 3753 * (n % 4) for n in range(500)]
    timing = timing_for(index_of(stamps, last=3753), picture(Fraction(1, 90000), NTSC), "mp4")
    assert (timing.rule, timing.rate) == ("grid", NTSC)
    assert all(timing.at(n) == n / NTSC for n in range(500))
    # Where a frame is a whole number of ticks, nothing need be rounded, and nothing is mended.
    uneven = [3600 * n + n % 4 for n in range(500)]
    kept = timing_for(index_of(uneven, last=3600), picture(Fraction(1, 90000), Fraction(25)), "mp4")
    assert (kept.rule, kept.rate, kept.pts.tolist()) == ("own", None, uneven)


@pytest.mark.parametrize("ticks", [1, 2, 3, 4, 5])
def test_a_gap_is_kept_where_ticks_are_nearly_as_long_as_frames(ticks: int) -> None:
    stamps = [ticks * n for n in (0, 1, 2, 4, 5)]
    timing = timing_for(index_of(stamps, last=ticks), picture(Fraction(1, 24 * ticks), Fraction(24)), "mov")
    assert timing.rate is None
    assert [timing.at(n) * 24 for n in range(5)] == [0, 1, 2, 4, 5]


def test_a_folder_keeps_no_times_but_the_film_its_length() -> None:
    timing = timing_for(index_of([500, 540, 620], last=40), picture(MILLISECOND, Fraction(25)), "folder")
    assert timing.sentence == "variable rate; frames are numbered, and a folder of pictures keeps no times"
    assert (timing.pts[0], timing.seconds, timing.frames) == (0, Fraction(160, 1000), 3)
