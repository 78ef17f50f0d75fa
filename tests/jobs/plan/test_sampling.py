"""Which frames are compared: all of a short film, every edge of one with many keyframes, and never more than is allowed to be decoded."""

from itertools import pairwise

import numpy as np
import pytest

from jobs.plan.plan import Range
from jobs.plan.sampling import ALWAYS, AROUND, LARGEST_SHARE, SourceFrames, joined, runs_to_compare


def film(frames: int, gop: int, inspect: str = "edges") -> SourceFrames:
    return SourceFrames(np.arange(frames) * 512, np.arange(0, frames, gop), inspect)  # type: ignore[arg-type]


def decoded(source: SourceFrames, runs: list[Range]) -> int:
    """Frames from each run's keyframe to its end, each once."""
    return len({one for run in runs for one in range(int(source.entries[source.entries <= run.start].max()), run.stop)})


def test_of_a_short_film_every_frame_is_compared() -> None:
    assert runs_to_compare(film(ALWAYS, 1000), [7, 20]) == [Range(0, ALWAYS)]


def test_all_means_all() -> None:
    assert runs_to_compare(film(5000, 1000, "all"), [7, 20]) == [Range(0, 5000)]


def test_every_edge_is_compared_where_keyframes_are_near() -> None:
    source, edges = film(20_000, 12), list(range(192, 20_000, 192))
    runs = runs_to_compare(source, edges)
    compared = {one for run in runs for one in range(*run)}
    assert all(set(range(edge - AROUND, edge + AROUND)) <= compared for edge in edges)
    assert {0, 19_999} <= compared
    assert decoded(source, runs) <= 20_000 * LARGEST_SHARE


@pytest.mark.parametrize(("frames", "gop"), [(720, 720), (7200, 7200), (20_000, 250), (20_000, 1)])
def test_no_more_is_decoded_than_allowed(frames: int, gop: int) -> None:
    source = film(frames, gop)
    runs = runs_to_compare(source, list(range(192, frames, 192)))
    assert 0 < decoded(source, runs) <= max(ALWAYS, frames * LARGEST_SHARE)
    assert runs[0].start == 0
    assert all(one.stop < other.start for one, other in pairwise(runs))


def test_runs_between_edges_are_spread_over_the_film() -> None:
    runs = runs_to_compare(film(100_000, 50), [])
    thirds = {3 * run.start // 100_000 for run in runs}
    assert thirds == {0, 1, 2}


def test_runs_are_joined_in_film_order() -> None:
    assert joined([Range(5, 8), Range(0, 2), Range(2, 3), Range(7, 9)], 10) == [Range(0, 3), Range(5, 9)]
