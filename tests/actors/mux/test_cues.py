"""Cues for one screen: what a player would show of the source at every tick is what is shown, one cue at a time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.mux.cues import Cue, Screen


def flat(*cues: tuple[int, int | None, str]) -> list[tuple[int, int | None, str]]:
    screen = Screen()
    found = [one for cue in cues for one in screen.add(Cue(*cue))]
    return [(one.start, one.stop, one.text) for one in (*found, *screen.rest())]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ([(0, 5, "a"), (5, 9, "b")], [(0, 5, "a"), (5, 9, "b")]),
        ([(0, 5, "a"), (7, 9, "b")], [(0, 5, "a"), (7, 9, "b")]),
        ([(0, 5, "a"), (0, 5, "b")], [(0, 5, "a\nb")]),
        ([(0, 5, "a"), (0, 5, "a")], [(0, 5, "a")]),
        ([(0, 6, "a"), (4, 9, "b")], [(0, 4, "a"), (4, 6, "a\nb"), (6, 9, "b")]),
        (
            [(0, 9, "a"), (2, 4, "b"), (6, 7, "c")],
            [(0, 2, "a"), (2, 4, "a\nb"), (4, 6, "a"), (6, 7, "a\nc"), (7, 9, "a")],
        ),
        ([(0, None, "a"), (0, None, "b"), (4, None, "c")], [(0, 4, "a\nb"), (4, None, "c")]),
        ([(-3, 2, "a"), (-1, 0, "b")], [(-3, -1, "a"), (-1, 0, "a\nb"), (0, 2, "a")]),
        ([(5, 9, "late"), (2, 7, "early")], [(5, 7, "late\nearly"), (7, 9, "late")]),
        ([(0, 5, ""), (2, 4, "a")], [(2, 4, "a")]),
        ([], []),
    ],
)
def test_one_cue_at_a_time(given: list[tuple[int, int | None, str]], shown: list[tuple[int, int | None, str]]) -> None:
    assert flat(*given) == shown


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=8))
def test_every_tick_shows_what_the_source_shows(spans: list[tuple[int, int]]) -> None:
    cues = [(start, start + length, f"{number}") for number, (start, length) in enumerate(sorted(spans))]
    shown = flat(*cues)
    assert all((one[1] or 0) <= other[0] for one, other in pairwise(shown))
    for tick in range(45):
        wanted = [text for start, stop, text in cues if start <= tick < stop]
        found = [text for start, stop, text in shown if start <= tick < (stop or 0)]
        assert "\n".join(found) == "\n".join(wanted)
