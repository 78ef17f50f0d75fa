"""The plan's geometry, by properties: cores tile, nothing crosses a cut, a finished prefix never changes."""

import dataclasses
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.plan.plan import Look, Plan, Range, Shot, Support, dissolve_weights, divide
from jobs.spec.job import LookChoice

supports = st.builds(Support, context=st.integers(0, 20), warmup=st.integers(0, 60), dissolve=st.integers(0, 16))
lengths = st.lists(st.integers(1, 700), min_size=1, max_size=12)
targets = st.integers(1, 200)


def shots_of(lengths: list[int], supports: list[Support]) -> list[Shot]:
    shots, start = [], 0
    for number, length in enumerate(lengths, 1):
        look = Look(choice=LookChoice(name="test"), support=supports[number % len(supports)])
        shots.append(Shot(number, Range(start, start + length), look))
        start += length
    return shots


@given(lengths, targets, st.lists(supports, min_size=1, max_size=3))
def test_cores_tile_the_film_exactly_once(lengths: list[int], target: int, needs: list[Support]) -> None:
    plan = Plan(target)
    plan.grow(shots_of(lengths, needs))
    assert [chunk.number for chunk in plan.chunks] == list(range(1, len(plan.chunks) + 1))
    frames = [n for chunk in plan.chunks for n in range(*chunk.core)]
    assert frames == list(range(sum(lengths)))
    assert all(1 <= chunk.core.frames <= max(target, 2 * chunk.look.support.dissolve * 2 + 1) for chunk in plan.chunks)


@given(lengths, targets, st.lists(supports, min_size=1, max_size=3))
def test_reads_hold_what_the_look_needs_and_cross_no_cut(lengths: list[int], target: int, needs: list[Support]) -> None:
    plan = Plan(target)
    shots = shots_of(lengths, needs)
    plan.grow(shots)
    for chunk in plan.chunks:
        shot, need = shots[chunk.shot - 1].frames, chunk.look.support
        assert shot.start <= chunk.read.start <= chunk.shown.start <= chunk.core.start
        assert chunk.core.stop <= chunk.shown.stop == chunk.read.stop <= shot.stop
        assert chunk.shown.start == max(shot.start, chunk.core.start - need.context)
        assert chunk.read.start <= max(shot.start, chunk.core.start - need.warmup)
        assert chunk.shown.stop >= min(shot.stop, chunk.core.stop + need.context)


@given(lengths, targets, st.lists(supports, min_size=1, max_size=3))
def test_at_most_two_chunks_keep_any_frame(lengths: list[int], target: int, needs: list[Support]) -> None:
    plan = Plan(target)
    plan.grow(shots_of(lengths, needs))
    for before, chunk in pairwise(plan.chunks):
        assert chunk.seam == (before.shot == chunk.shot)
        assert chunk.dissolve == before.tail == (chunk.look.support.dissolve if chunk.seam else 0)
        # The earlier chunk shows itself the frames that it keeps for the later.
        assert before.shown.stop >= chunk.core.start + chunk.dissolve
    assert not plan.chunks[0].dissolve
    assert not plan.chunks[-1].tail
    for chunk in plan.chunks:
        if chunk.seam:
            assert chunk.core.frames > 2 * chunk.dissolve


@given(lengths, targets, supports, st.data())
def test_a_finished_prefix_never_changes(lengths: list[int], target: int, need: Support, data: st.DataObject) -> None:
    shots = shots_of(lengths, [need])
    whole, grown = Plan(target), Plan(target)
    whole.grow(shots)
    split = data.draw(st.integers(0, len(shots)))
    early = list(grown.grow(shots[:split]))
    assert early == whole.chunks[: len(early)]
    grown.grow(shots[split:])
    assert grown == whole


@given(st.integers(1, 5000), targets, st.integers(0, 10_000), st.integers(0, 16))
def test_a_shot_divides_by_its_own_length_alone(length: int, target: int, start: int, dissolve: int) -> None:
    here = divide(Range(start, start + length), target, dissolve)
    assert here == [Range(a + start, b + start) for a, b in divide(Range(0, length), target, dissolve)]
    sizes = [core.frames for core in here]
    longest = max(target, 4 * dissolve + 1)
    assert all(size == longest for size in sizes[:-2])
    assert abs(sizes[-1] - sizes[-2]) <= 1 if len(sizes) > 1 else sizes[0] <= longest


@given(st.integers(1, 900), st.integers(1, 900), targets, supports)
def test_what_is_planned_of_a_shot_that_goes_on_is_what_the_whole_shot_has(
    length: int, known: int, target: int, need: Support
) -> None:
    (shot,) = shots_of([max(length, known)], [need])
    whole, grown = Plan(target), Plan(target)
    whole.grow([shot])
    early = grown.grow([], dataclasses.replace(shot, frames=Range(0, min(length, known))))
    assert early == whole.chunks[: len(early)]
    assert (
        grown.grow([], dataclasses.replace(shot, frames=Range(0, known)))
        == whole.chunks[len(early) : len(grown.chunks)]
    )
    assert [*early, *grown.grow([shot])][-1] == whole.chunks[-1]
    assert grown == whole


def test_a_shot_of_a_thousand_chunks_keeps_two_of_them_waiting() -> None:
    (shot,) = shots_of([1000], [Support()])
    plan = Plan(1)
    assert len(plan.grow([], shot)) == 998
    assert (plan.edge, plan.frames, plan.shot_count) == (0, 998, 0)


@given(st.integers(0, 64))
def test_dissolve_weights_sum_to_one_with_their_mirror(frames: int) -> None:
    weights = dissolve_weights(frames)
    assert weights == sorted(weights)
    assert all(0 < weight < 1 for weight in weights)
    # The earlier chunk fades out as the later fades in: read backwards, one is the other.
    assert [w + m for w, m in zip(weights, reversed(weights), strict=True)] == pytest.approx([1.0] * frames)


def test_a_plan_counts_what_is_read_twice() -> None:
    plan = Plan(10)
    plan.grow(shots_of([30, 5], [Support(context=2, warmup=4)]))
    assert [chunk.read for chunk in plan.chunks] == [(0, 12), (6, 22), (16, 30), (30, 35)]
    assert (plan.seams, plan.shot_count, plan.extra_frames) == (2, 2, 2 + 6 + 4)


def test_chunk_seconds_become_frames_of_the_film() -> None:
    assert Plan.for_seconds(5, Fraction(24000, 1001)).target == 119
    assert Plan.for_seconds(0.2, Fraction(1)).target == 1


def test_shots_that_do_not_adjoin_are_refused() -> None:
    plan = Plan(10)
    first, second = shots_of([10, 10], [Support()])
    with pytest.raises(ValueError, match="begins at frame 0"):
        plan.grow([second])
    plan.grow([first])
    with pytest.raises(ValueError, match="begins at frame 10"):
        plan.grow([first])
