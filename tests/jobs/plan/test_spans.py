"""Spans: they tile their shot, share their anchors, and what is settled of them never changes as the shot grows."""

import random
from itertools import accumulate, pairwise

import pytest

from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.plan.spans import FARTHEST, REACH, STILL_REACH, PaintedFrame, Propagation, Span
from jobs.spec.job import LookChoice

SEEDS = range(200)


def painted(*frames: int) -> tuple[PaintedFrame, ...]:
    return tuple(PaintedFrame(frame=frame, still=f"{frame:064x}") for frame in frames)


def any_shot(seed: int) -> tuple[Range, Propagation]:
    chance = random.Random(seed)
    start = chance.randrange(500)
    shot = Range(start, start + chance.choice([1, 2, 7, 30, 36, 37, 60, 200, 3000]) + chance.randrange(40))
    inside = chance.sample(range(*shot), min(shot.frames, chance.randrange(4)))
    return shot, Propagation(stills=painted(*sorted(inside)))


def with_strokes(seed: int) -> tuple[Range, Propagation]:
    """A shot, some of whose stills are layers of strokes."""
    shot, propagation = any_shot(seed)
    chance = random.Random(seed + 2)
    stills = tuple(one.model_copy(update={"strokes": chance.random() < 0.5}) for one in propagation.stills)
    return shot, propagation.model_copy(update={"stills": stills})


@pytest.mark.parametrize("seed", SEEDS)
def test_strokes_move_no_anchor_and_reach_no_further_than_a_still(seed: int) -> None:
    shot, propagation = with_strokes(seed)
    stills = [one for one in propagation.stills if not one.strokes]
    layers = [one for one in propagation.stills if one.strokes]
    spans = propagation.through(shot)
    alone = propagation.model_copy(update={"stills": tuple(stills)}).through(shot)
    assert [span.model_copy(update={"strokes": ()}) for span in spans] == list(alone)
    for span in spans:
        for layer in layers:
            apart = max(span.frames.start - layer.frame, layer.frame - span.frames.stop + 1)
            before, after = range(layer.frame + 1, span.frames.start + 1), range(span.frames.stop, layer.frame)
            between = any(one.frame in before or one.frame in after for one in stills)
            assert (layer in span.strokes) == (apart <= STILL_REACH and not between)
            assert layer not in span.strokes or span.read.start <= layer.frame < span.read.stop


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_settled_under_strokes_never_changes_as_the_shot_grows(seed: int) -> None:
    shot, whole = with_strokes(seed)
    complete = whole.through(shot)
    for stop in range(shot.start + 1, shot.stop, max(1, shot.frames // 12)):
        known = Range(shot.start, stop)
        settled = whole.settled(known)
        for span in complete:
            if span.frames.stop <= settled:
                assert span in whole.through(known)


def look(stills: tuple[PaintedFrame, ...] = ()) -> Look:
    return Look(choice=LookChoice(name="colorize"), keeps="luma").propagated(Propagation(stills=stills))


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_tile_a_shot_and_every_still_is_an_anchor(seed: int) -> None:
    shot, propagation = any_shot(seed)
    spans = propagation.through(shot)
    assert [frame for span in spans for frame in range(*span.frames)] == list(range(*shot))
    anchors = {anchor.frame: anchor.still for span in spans for anchor in span.anchors}
    assert {one.frame: one.still for one in propagation.stills}.items() <= anchors.items()
    assert all(shot.start <= frame < shot.stop for frame in anchors)
    assert max(span.frames.frames for span in spans) <= 2 * STILL_REACH
    if not propagation.stills:
        assert max(span.frames.frames for span in spans) <= REACH + REACH // 4


@pytest.mark.parametrize("seed", SEEDS)
def test_neighbours_share_an_anchor_with_all_that_decides_its_colour(seed: int) -> None:
    shot, propagation = any_shot(seed)
    for before, after in pairwise(propagation.through(shot)):
        assert before.anchors[-1] == after.anchors[0]
        around = after.anchors[0].around or Range(after.frames.start, after.frames.start + 1)
        assert before.read.stop >= around.stop
        assert after.read.start <= around.start
        assert shot.start <= before.read.start <= after.read.start < before.read.stop <= after.read.stop <= shot.stop


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_settled_never_changes_as_the_shot_grows(seed: int) -> None:
    shot, whole = any_shot(seed)
    chance = random.Random(seed + 1)
    behind = painted(*sorted(chance.sample(range(shot.stop, shot.stop + 2 * FARTHEST), 2)))
    growing = whole.model_copy(update={"stills": (*whole.stills, *behind)})
    final = whole.through(shot)
    for stop in sorted(chance.sample(range(shot.start + 1, shot.stop + 1), min(20, shot.frames))):
        known = Range(shot.start, stop)
        settled = growing.settled(known)
        early = [span for span in growing.through(known) if span.frames.stop <= settled]
        assert early == [span for span in final if span.frames.stop <= settled]
        assert not early or early[-1].frames.stop == settled


def test_a_shot_too_short_for_two_has_one_anchor_in_its_middle() -> None:
    (head, tail) = Propagation().through(Range(100, 120))
    assert (head.frames, tail.frames) == (Range(100, 110), Range(110, 120))
    assert head.anchors == tail.anchors
    assert head.anchors[0].frame == 110


def test_a_still_is_matched_only_as_far_as_it_reaches() -> None:
    far = Propagation(stills=painted(10)).through(Range(0, 3 * FARTHEST))
    beside = {anchor.frame: anchor.beside for span in far for anchor in span.anchors if not anchor.still}
    assert all(bool(known) == (frame <= 10 + FARTHEST) for frame, known in beside.items())


def test_a_changed_still_changes_the_spans_between_its_neighbours_and_no_others() -> None:
    shot = Range(0, 2000)
    before = Propagation(stills=painted(100, 400, 900)).through(shot)
    other = PaintedFrame(frame=400, still="f" * 64)
    after = Propagation(stills=(*painted(100), other, *painted(900))).through(shot)
    changed = [span.frames for span, same in zip(after, before, strict=True) if span != same]
    assert (changed[0].start, changed[-1].stop) == (100, 900)
    assert [frames.start for frames in changed[1:]] == [frames.stop for frames in changed[:-1]]


def test_a_chunk_names_the_spans_of_its_frames_alone() -> None:
    plan = Plan(target=60)
    plan.grow([Shot(1, Range(0, 500), look(painted(250)))])
    for chunk in plan.chunks:
        assert chunk.look.propagation
        spans = chunk.look.propagation.spans
        assert spans[0].frames.start <= chunk.core.start < spans[0].frames.stop
        assert spans[-1].frames.start < chunk.core.stop <= spans[-1].frames.stop


def test_a_plan_that_grows_is_the_plan_of_the_whole_shot() -> None:
    stills = painted(130, 700, 1400)
    whole = Plan(target=60)
    whole.grow([Shot(1, Range(0, 1500), look(stills))])
    growing = Plan(target=60)
    for known in range(50, 1500, 50):
        growing.grow([], Shot(1, Range(0, known), look(stills)))
    assert 10 < len(growing.chunks) < len(whole.chunks)
    growing.grow([Shot(1, Range(0, 1500), look(stills))])
    assert growing.chunks == whole.chunks


def test_a_look_that_is_not_propagated_is_called_as_before() -> None:
    plain = Look(choice=LookChoice(name="colorize"), keeps="luma")
    assert "propagation" not in plain.named()
    assert look().of_anchors.named() == plain.named()
    assert look().named() != plain.named()


def test_all_stills_of_a_span_are_told_once() -> None:
    spans: tuple[Span, ...] = Propagation(stills=painted(30, 60)).through(Range(0, 100))
    assert [one.frame for one in spans[0].stills] == [30]
    assert [one.frame for one in spans[1].stills] == [30, 60]


def test_an_anchor_is_matched_with_the_nearest_stills_of_other_shots_unless_told_not_to() -> None:
    stills = painted(10, 40, 70, 90, 500, 2000)
    shot = Range(100, 130)
    (head, _) = Propagation(stills=stills).through(shot)
    assert head.elsewhere == {40, 70, 90, 10}
    (head, _) = Propagation(stills=stills, match="shot").through(shot)
    assert head.stills == ()


def test_a_slow_look_is_shown_few_frames_of_a_film() -> None:
    """Shots as long as those of a trailer, two to fourteen seconds; neighbouring calls may both show it the anchor that they share."""
    lengths = [52, 106, 63, 88, 406, 73, 84, 255, 76, 31, 12, 38, 61, 33, 193, 47, 32, 51]
    shots = [Range(start, start + frames) for start, frames in zip(accumulate([0, *lengths]), lengths, strict=False)]
    spans = [span for shot in shots for span in Propagation().through(shot)]
    shown = {anchor.frame for span in spans for anchor in span.anchors}
    assert len(shown) * 30 < sum(lengths)


TEARS = (0, 52, 158, 221, 309, 715, 788, 872, 1127, 1203, 1234, 1246, 1284, 1345, 1378, 1650, 1665, 1691)
"""Edges of Tears of Steel's shots as the farm finds them in the grey film."""


def test_a_look_is_asked_for_a_twentieth_of_a_film_s_frames_at_most() -> None:
    """In calls as the driver makes them: each colours its own anchors, so that one between two calls is coloured in both."""
    target, asked = 120, 0
    for shot in map(Range, TEARS, TEARS[1:]):
        calls: list[list[Span]] = []
        for span in Propagation().through(shot):
            if calls and span.frames.stop - calls[-1][0].frames.start <= target:
                calls[-1].append(span)
            else:
                calls.append([span])
        asked += sum(len({anchor.frame for span in call for anchor in span.anchors}) for call in calls)
    assert asked <= TEARS[-1] / 20
