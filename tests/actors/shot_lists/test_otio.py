"""Timelines of OpenTimelineIO: trims, nesting, layers, gaps; and OpenTimelineIO's own flattening of them, to hold ours against."""

import random
from fractions import Fraction
from itertools import accumulate, groupby
from pathlib import Path

import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import Clip, Gap, LinearTimeWarp, Stack, Timeline, Track, Transition

from actors.shot_lists.cut_lists import given_cuts
from jobs.errors import BadSpec
from tests.actors.shot_lists.test_cut_lists import film_at, steady

RATE = Fraction(24)


def span(length: int, start: int = 0, rate: float = 24) -> TimeRange:
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


def clip(length: int, **more: bool) -> Clip:
    made = Clip(name="c", source_range=span(length, 1000))
    made.enabled = more.get("enabled", True)
    return made


def track(*children: otio.core.Composable, trim: TimeRange | None = None, kind: str = "Video") -> Track:
    made = Track(kind=kind, source_range=trim)
    made.extend(children)
    return made


def stack(*children: otio.core.Composable, trim: TimeRange | None = None) -> Stack:
    made = Stack(source_range=trim)
    made.extend(children)
    return made


def cuts(tmp_path: Path, *tracks: Track, trim: TimeRange | None = None, frames: int = 240) -> list[int]:
    timeline = Timeline()
    timeline.tracks[:] = list(tracks)
    if trim:
        timeline.tracks.source_range = trim
    path = tmp_path / "shots.otio"
    otio.adapters.write_to_file(timeline, str(path), "otio_json")
    return given_cuts(str(path), film_at(RATE), steady(frames, RATE))


def test_a_trim_of_a_track_counts(tmp_path: Path) -> None:
    assert cuts(tmp_path, track(clip(96), clip(96), clip(96), trim=span(240, 24))) == [72, 168]
    assert cuts(tmp_path, track(clip(96), clip(96), clip(96)), trim=span(240, 24)) == [72, 168]
    assert cuts(tmp_path, track(clip(24), clip(96), clip(96), trim=span(150, 24))) == [96]


def test_cuts_inside_what_is_nested_count(tmp_path: Path) -> None:
    inner = stack(track(clip(30), clip(30), clip(30)), trim=span(60, 10))
    assert cuts(tmp_path, track(clip(50), inner, clip(50))) == [50, 70, 100, 110]
    deeper = stack(track(clip(10), stack(track(clip(20), clip(20), trim=span(30, 5)))))
    assert cuts(tmp_path, track(clip(50), deeper, clip(50))) == [50, 60, 75, 90]
    assert cuts(tmp_path, track(clip(50), track(clip(10), clip(15)), clip(50))) == [50, 60, 75]


def test_a_higher_track_covers_where_it_has_a_clip(tmp_path: Path) -> None:
    below = track(clip(100), clip(140))
    above = track(Gap(source_range=span(20)), clip(30), Gap(source_range=span(40)), clip(30))
    assert cuts(tmp_path, below, above) == [20, 50, 90, 120]
    # All of a cut that is covered is none.
    assert cuts(tmp_path, track(clip(100), clip(140)), track(clip(240))) == []
    sound = track(clip(10), clip(20), kind="Audio")
    assert cuts(tmp_path, sound, below.deepcopy(), sound.deepcopy()) == [100]


def test_what_is_disabled_covers_nothing(tmp_path: Path) -> None:
    hidden = track(clip(50))
    hidden.enabled = False
    assert cuts(tmp_path, track(clip(100), clip(140)), hidden) == [100]
    assert cuts(tmp_path, track(clip(100), clip(140)), track(Gap(source_range=span(20)), clip(10, enabled=False))) == [
        100
    ]


def test_gaps_are_shots_but_for_a_single_frame(tmp_path: Path) -> None:
    assert cuts(tmp_path, track(Gap(source_range=span(10)), clip(30), Gap(source_range=span(1)), clip(30))) == [10, 41]
    assert cuts(tmp_path, track(clip(30), Gap(source_range=span(2)), clip(30))) == [30, 32]


def test_a_transition_moves_no_cut_nested_or_not(tmp_path: Path) -> None:
    def fade() -> Transition:
        return Transition(in_offset=RationalTime(6, 24), out_offset=RationalTime(6, 24))

    inner = stack(track(clip(30), fade(), clip(30)))
    assert cuts(tmp_path, track(clip(50), fade(), inner)) == [50, 80]


def test_speed_counts_where_there_is_no_cut_inside_and_is_refused_where_there_is(tmp_path: Path) -> None:
    fast = clip(50)
    fast.effects.append(LinearTimeWarp(time_scalar=2.0))
    assert cuts(tmp_path, track(fast, clip(50))) == [50]
    inner = stack(track(clip(30), clip(30)))
    inner.name = "reel two"
    inner.effects.append(LinearTimeWarp(time_scalar=2.0))
    with pytest.raises(BadSpec, match=r"the stack 'reel two' has clips inside and plays at another speed"):
        cuts(tmp_path, track(inner, clip(50)))


def test_a_clip_that_does_not_tell_its_length_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match=r"the clip 'x' has no length: no source range, and its media"):
        cuts(tmp_path, track(clip(50), Clip(name="x")))


@pytest.mark.parametrize("seed", range(12))
def test_as_opentimelineio_flattens_it(tmp_path: Path, seed: int) -> None:
    """Tracks over tracks at random: the edges of what OpenTimelineIO's own algorithm leaves are our cuts."""
    dice = random.Random(seed)
    tracks = []
    for layer in range(dice.randint(1, 4)):
        lengths = [dice.randint(2, 40) for _ in range(6)]
        parts = [Gap(source_range=span(one)) if dice.random() < 0.4 else clip(one) for one in lengths]
        tracks.append(track(*parts, clip(max(2, 240 - sum(lengths)))))
        for place, part in enumerate(tracks[-1]):
            part.name = f"{layer}.{place}"
    flat = otio.algorithms.flatten_stack([one.deepcopy() for one in tracks])
    # It parts a clip where one gap above it follows another: those are no cuts.
    runs = groupby(flat, key=lambda part: "gap" if isinstance(part, Gap) else part.name)
    lengths = [sum(round(part.duration().value) for part in run) for _, run in runs]
    edges = [*accumulate(lengths)][:-1]
    # Gaps of a single frame are told above.
    assert cuts(tmp_path, *tracks, frames=400) == edges or 1 in lengths
