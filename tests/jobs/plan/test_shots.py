"""From cuts to shots: minimum length on paper, looks by shot and by frame range."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadSpec
from jobs.film.timecode import FrameTimecodes
from jobs.plan.plan import Look, Range
from jobs.plan.shots import by_name, dressed, far_enough, placed, ranges_between, refuse_idle_overrides
from jobs.spec.job import LookChoice, Override

cuts = st.lists(st.integers(1, 500), unique=True).map(sorted)


@given(cuts, st.integers(1, 50))
def test_cuts_keep_their_distance(found: list[int], minimum: int) -> None:
    kept = far_enough(found, minimum)
    assert all(b - a >= minimum for a, b in zip([0, *kept], kept, strict=False))
    assert set(kept) <= set(found)


@given(cuts, st.integers(1, 50), st.integers(0, 500))
def test_more_cuts_never_change_the_earlier_ones(found: list[int], minimum: int, known: int) -> None:
    early = far_enough([cut for cut in found if cut < known], minimum)
    assert far_enough(found, minimum)[: len(early)] == early


@given(cuts, st.integers(0, 100), st.integers(1, 600))
def test_ranges_tile_what_lies_between(found: list[int], start: int, length: int) -> None:
    ranges = ranges_between(found, start, start + length)
    assert ranges[0].start == start
    assert ranges[-1].stop == start + length
    assert all(a.stop == b.start for a, b in pairwise(ranges))
    assert all(one.frames > 0 for one in ranges)


def fit(choice: LookChoice) -> Look:
    return Look(choice=choice)


def over(**fields: Any) -> Override:
    return Override.model_validate(fields)


BASE, OTHER, THIRD = (LookChoice(name=name) for name in ("base", "other", "third"))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], [((0, 100), "base")]),
        ([over(shots="7", look=OTHER)], [((0, 100), "other")]),
        ([over(shots="5-9", look=OTHER)], [((0, 100), "other")]),
        ([over(shots="8-9", look=OTHER)], [((0, 100), "base")]),
        ([over(frames=(20, 30), look=OTHER)], [((0, 20), "base"), ((20, 30), "other"), ((30, 100), "base")]),
        ([over(frames=(90, 300), look=OTHER)], [((0, 90), "base"), ((90, 100), "other")]),
        (
            [over(shots="7", look=OTHER), over(frames=(50, 60), look=THIRD)],
            [((0, 50), "other"), ((50, 60), "third"), ((60, 100), "other")],
        ),
        (
            [over(frames=(50, 60), look=THIRD), over(shots="7", look=OTHER)],
            [((0, 50), "other"), ((50, 60), "other"), ((60, 100), "other")],
        ),
    ],
)
def test_the_last_override_that_names_a_frame_wins(overrides: list[Override], expected: list[object]) -> None:
    parts = list(dressed(7, Range(0, 100), BASE, placed(overrides, FrameTimecodes(Fraction(24)), 100), fit))
    assert [(part.frames, part.look.choice.name) for part in parts] == expected
    assert {part.number for part in parts} == {7}


MARKED = ("01:00:02:00", "01:00:03:00")


def test_a_named_frame_is_the_films_own() -> None:
    names = FrameTimecodes(Fraction(25), "01:00:00:00")
    found = placed([over(frames=MARKED, look=OTHER), over(frames=(3, "00:00:01.000"), look=OTHER)], names, 100)
    assert [one.frames for one in found] == [(50, 75), (3, 25)]
    assert placed([over(frames=("01:00:02:00", "01:00:04:00"), look=OTHER)], names, 100)[0].frames == (50, 100)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"frames": ("00:00:02:00", "00:00:03:00")}, "00:00:02:00 is not in the film, which has frames 0 to 99 (01:00:00:00 to 01:00:03:24)."),
        ({"frames": (5, "01:00:04:01")}, "override 2, frames = [5, '01:00:04:01']: 01:00:04:01 is not in the film"),
        ({"frames": ("01:00:02:30", 90)}, "25 frames a second are numbered 00 to 24; the film has frames 0 to 99"),
        ({"frames": ("01:00:02;00", 90)}, "count every frame, with ':' before the frames; the film has"),
        ({"frames": ("01:00:02:00", 50)}, "start comes before stop, and these are frames 50 and 50."),
        ({"frames": (100, 200)}, "override 2, frames = [100, 200]: the film has frames 0 to 99 (01:00:00:00 to 01:00:03:24)."),
        ({"shots": "5-6"}, "override 2, shots = 5-6: the film has shots 1 to 4; see them with `farm plan`."),
    ],
)  # fmt: skip
def test_an_override_that_names_nothing_is_refused(fields: dict[str, Any], words: str) -> None:
    overrides = [over(frames=MARKED, look=OTHER), over(look=OTHER, **fields)]
    with pytest.raises(BadSpec) as refused:
        refuse_idle_overrides(overrides, 4, 100, FrameTimecodes(Fraction(25), "01:00:00:00"))
    assert words in str(refused.value)


def test_only_a_name_must_wait_for_the_film() -> None:
    assert by_name([over(shots="1", look=OTHER), over(frames=(3, "00:00:01.000"), look=OTHER)])
    assert not by_name([over(shots="1", look=OTHER), over(frames=(3, 4), look=OTHER)])
