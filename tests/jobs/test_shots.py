"""From cuts to shots: minimum length on paper, looks by shot and by frame range."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.plan import Look, Range
from jobs.shots import dressed, far_enough, ranges_between
from jobs.spec import LookChoice, Override

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
    parts = list(dressed(7, Range(0, 100), BASE, overrides, fit))
    assert [(part.frames, part.look.choice.name) for part in parts] == expected
    assert {part.number for part in parts} == {7}
