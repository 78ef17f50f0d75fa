"""What judged frames say together: shares are sums over sums, by distance from the anchors."""

import pytest

from actors.evaluation.propagation_summary import propagation_summary
from jobs.records.evaluation import ColourError, Jitter, JudgedFrame, PropagationEvaluation


def judged(frame: int, distance: int, propagated: float, grey: float, still: Jitter | None = None) -> JudgedFrame:
    errors = [ColourError(de00=value, chroma_rms=3 * value) for value in (propagated, grey)]
    return JudgedFrame(frame=frame, distance=distance, propagated=errors[0], grey=errors[1], still=still, moving=None)


def summary(*found: JudgedFrame) -> PropagationEvaluation:
    return propagation_summary("film", found, [50, 300], shots=2, propagated=400, left_out=7)


def test_a_share_is_the_sum_of_errors_over_the_sum_of_greys() -> None:
    found = summary(judged(1, 12, 1, 10), judged(2, 12, 5, 5))
    assert (found.total.de00.propagated, found.total.de00.grey, found.total.de00.share) == (3, 7.5, 0.4)
    assert found.total.chroma_rms.propagated == 9
    assert found.total.chroma_rms.share == pytest.approx(0.4)


def test_frames_are_told_by_their_distance() -> None:
    distances = (1, 12, 13, 24, 25, 48, 49, 97, 400)
    found = summary(*(judged(place, distance, place, 10) for place, distance in enumerate(distances)))
    classes = [(one.nearest, one.farthest, one.frames, one.de00.propagated) for one in found.by_distance]
    assert classes == [(1, 12, 2, 0.5), (13, 24, 2, 2.5), (25, 48, 2, 4.5), (49, 96, 1, 6), (97, None, 2, 7.5)]
    assert (found.total.nearest, found.total.farthest, found.total.frames) == (1, None, 9)
    assert [one.nearest for one in summary(judged(1, 30, 1, 1)).by_distance] == [25]


def test_where_grey_has_no_error_there_is_no_share() -> None:
    assert summary(judged(1, 1, 1, 0)).total.de00.share is None


def test_jitter_is_that_of_all_pixels() -> None:
    parts = [Jitter(pixels=10, propagated=1.0, truth=2.0), None, Jitter(pixels=30, propagated=3.0, truth=0.0)]
    found = summary(*(judged(place, 1, 1, 1, still) for place, still in enumerate(parts)))
    assert found.still == Jitter(pixels=40, propagated=2.5, truth=0.5)
    assert found.moving is None


def test_it_can_be_read_back() -> None:
    found = summary(judged(1, 1, 1, 2))
    assert PropagationEvaluation.model_validate_json(found.model_dump_json()) == found
    assert (found.frames, found.propagated, found.left_out, found.shots, found.anchors) == (1, 400, 7, 2, (50, 300))
