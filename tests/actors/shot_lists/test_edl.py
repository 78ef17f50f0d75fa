"""EDLs as editing programs write them: transitions, tracks, speed, keys, black, gaps, time codes, texts."""

import time
from fractions import Fraction
from pathlib import Path

import pytest

from actors.shot_lists.cut_lists import given_cuts
from actors.shot_lists.edl import UnreadableLine, events_of
from jobs.errors import BadSpec
from tests.actors.shot_lists.test_cut_lists import film_at, steady

NTSC = Fraction(30000, 1001)


def code(frame: int, rate: int = 24, mark: str = ":") -> str:
    """A time code that leaves nothing out."""
    seconds, rest = divmod(frame, rate)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:02d}"


def event(
    number: int,
    start: int,
    stop: int,
    how: str = "C",
    *,
    reel: str = "AX",
    channels: str = "V",
    source: int | None = None,
) -> str:
    """An event's line; `start` and `stop` are frames of the record side, from 01:00:00:00 on."""
    length = stop - start if source is None else source
    times = f"{code(0)} {code(length)} {code(86400 + start)} {code(86400 + stop)}"
    return f"{number:03d}  {reel:<8} {channels:<5} {how:<8} {times}\n"


def cuts(tmp_path: Path, text: str, frames: int = 240, rate: Fraction = Fraction(24), timecode: str = "") -> list[int]:
    path = tmp_path / "shots.edl"
    path.write_bytes(text.encode())
    return given_cuts(str(path), film_at(rate, timecode=timecode), steady(frames, rate))


FADES = (
    event(1, 0, 0, reel="BL")
    + event(1, 0, 120, "D    024", reel="A1")
    + event(2, 120, 120, reel="A1")
    + event(2, 120, 144, "D    024", reel="BL")
    + event(3, 144, 240, reel="B1")
)


def test_a_film_that_fades_from_and_to_black(tmp_path: Path) -> None:
    assert cuts(tmp_path, "TITLE: F\nFCM: NON-DROP FRAME\n\n" + FADES) == [120, 144]


@pytest.mark.parametrize("how", ["D    012", "W001 012", "W119 012"])
def test_a_transition_cuts_where_the_incoming_picture_begins(tmp_path: Path, how: str) -> None:
    text = event(1, 0, 48) + event(2, 48, 48) + event(2, 48, 240, how, reel="BX")
    assert cuts(tmp_path, text + "* FROM CLIP NAME: one\n* TO CLIP NAME: two\n") == [48]


def test_the_foreground_of_a_key_is_no_shot(tmp_path: Path) -> None:
    text = event(1, 0, 48) + event(2, 48, 240, "K B") + event(2, 60, 120, "K    000", reel="TITLES")
    assert cuts(tmp_path, text) == [48]
    assert cuts(tmp_path, event(1, 0, 240) + event(2, 60, 120, "K O  010", reel="TITLES")) == []


def test_a_speed_effect_changes_the_source_alone(tmp_path: Path) -> None:
    text = event(1, 0, 48) + event(2, 48, 144, source=48) + "M2   AX       012.0                00:00:00:00\n"
    assert cuts(tmp_path, text + event(3, 144, 240)) == [48, 144]


def test_sound_is_no_shot_and_both_is(tmp_path: Path) -> None:
    text = event(1, 0, 100, channels="B") + event(2, 0, 60, channels="A") + event(3, 60, 240, channels="A2")
    text += event(4, 0, 50, channels="AA") + event(5, 0, 20, channels="NONE") + event(6, 100, 240, channels="AA/V")
    assert cuts(tmp_path, text) == [100]


def test_a_higher_track_covers_the_lower(tmp_path: Path) -> None:
    text = event(1, 60, 80, channels="V2") + event(2, 0, 120, channels="V1") + event(3, 120, 240, channels="V1")
    text += event(4, 110, 130, channels="V2")
    assert cuts(tmp_path, text) == [60, 80, 110, 130]


def test_events_may_come_in_the_order_of_their_reels(tmp_path: Path) -> None:
    assert cuts(tmp_path, event(1, 100, 240, reel="A") + event(2, 0, 40, reel="B") + event(3, 40, 100, reel="B")) == [
        40,
        100,
    ]


def test_inclusive_outs_leave_no_shots_of_one_frame(tmp_path: Path) -> None:
    assert cuts(tmp_path, event(1, 0, 40) + event(2, 41, 88) + event(3, 89, 239)) == [41, 89]
    # A gap that is meant is a shot.
    assert cuts(tmp_path, event(1, 0, 40) + event(2, 42, 88) + event(3, 89, 239)) == [40, 42, 89]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_texts_of_any_system(tmp_path: Path, end: str, encoding: str) -> None:
    text = (
        "TITLE: R\u00e9sum\u00e9\n"
        + event(1, 0, 40)
        + "* FROM CLIP NAME: \u00e9t\u00e9\x85\n>>> SOURCE AX 1\n"
        + event(2, 40, 240)
    )
    text += "AUD  3  4\nSPLIT:    AUDIO DELAY=  00:00:00:12\n\x1a"
    path = tmp_path / "shots.edl"
    path.write_bytes(text.replace("\n", end).encode(encoding))
    assert given_cuts(str(path), film_at(Fraction(24)), steady(240, Fraction(24))) == [40]


@pytest.mark.parametrize("reel", ["AX", "AUX", "BL", "A001_C002_0101AB", "MY REEL 2", "clip.mov"])
def test_any_name_of_a_reel(tmp_path: Path, reel: str) -> None:
    assert cuts(tmp_path, event(1, 0, 40, reel=reel) + event(2, 40, 240, "D 010", reel=reel)) == [40]


@pytest.mark.parametrize(
    ("head", "marks"), [("FCM: DROP FRAME", "::"), ("FCM: DROP FRAME", ":;"), ("", ":;"), ("", ";;")]
)
def test_drop_frame_however_it_is_written(tmp_path: Path, head: str, marks: str) -> None:
    def at(text: str) -> str:
        return text[:8].replace(":", marks[0]) + marks[1] + text[9:]

    one, two, three = (at(one) for one in ("01:00:58:00", "01:01:00:02", "01:01:02:00"))
    text = f"{head}\n001 AX V C {one} {two} {one} {two}\n002 AX V C {two} {three} {two} {three}\n"
    # From 01:00:58;00 to 01:01:00;02 are 60 frames: ;00 and ;01 are left out.
    assert cuts(tmp_path, text, 118, NTSC, "01:00:58;00") == [60]
    assert cuts(tmp_path, text, 148, NTSC, "01:00:57;00") == [30, 90]


def test_counting_may_change_on_the_way(tmp_path: Path) -> None:
    text = "FCM: NON-DROP FRAME\n" + "001 AX V C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n"
    text += "FCM: DROP FRAME\n" + "002 AX V C 00:00:00:00 00:00:01:00 00:00:01:00 00:00:02:00\n"
    assert cuts(tmp_path, text, 60, NTSC) == [30]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "002  AX V C 00:00:00:00 00:00:01:00 01:00:01:00",
            "line 2: '002 .* is not an event in a form that is read here",
        ),
        ("002  AX V X 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:00", "line 2: .* transition"),
        (
            "002  AX V C 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:30",
            "line 2: 01:00:02:30 is no time code: 24 frames",
        ),
        ("002  AX V C 00:00:00:00 00:00:01:00 01:61:01:00 01:00:02:00", "line 2: 01:61:01:00 is no time code"),
    ],
)
def test_a_line_that_is_not_read_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(BadSpec, match=said):
        cuts(tmp_path, event(1, 0, 24) + line + "\n")


CASES = Path(__file__).parents[4] / "shared" / "cases"


@pytest.mark.parametrize(
    ("name", "frames", "rate", "wanted"),
    [
        ("o7.edl", 240, Fraction(24), [120, 144]),
        ("psd.edl", 130, Fraction(25), [42, 90]),
        ("trim.otio", 240, Fraction(24), [72, 168]),
    ],
)
def test_lists_that_went_wrong(name: str, frames: int, rate: Fraction, wanted: list[int]) -> None:
    if not (CASES / name).is_file():
        pytest.skip(f"{CASES / name} is not on this machine")
    assert given_cuts(str(CASES / name), film_at(rate), steady(frames, rate)) == wanted


@pytest.mark.parametrize(
    "text", ["001 AX V" + " " * 10**5 + "C 00:00:00:00", "1 " + "A V C " * 10**5, "001 AX V C" + " \t" * 450 + "x"]
)
def test_a_line_without_end_is_refused_soon(text: str) -> None:
    began = time.process_time()
    with pytest.raises(UnreadableLine, match=r"line 1: .* is not an event"):
        events_of(text, Fraction(24))
    assert time.process_time() - began < 2


def test_blanks_between_fields_are_of_no_account() -> None:
    line = "001  AX  V  C  00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00"
    wide = line.replace("  ", " " * 90)
    assert events_of(wide, Fraction(24)) == events_of(line, Fraction(24))
