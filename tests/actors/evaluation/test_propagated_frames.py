"""Spans that get their colour from true frames: figures that follow from films whose colour is known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from actors.evaluation.evaluation_orders import JudgedSpan
from actors.evaluation.propagated_frames import PropagationEvaluator
from actors.survey.neighbouring_frames import run_over
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.film.frame_index import FrameIndex
from jobs.plan.plan import Range
from jobs.plan.spans import Anchor, Span
from jobs.records.evaluation import JudgedFrame
from tests.actors.evaluation.painted_films import Levels, film_of, panned


def order_of(film: Path, frames: Range, *anchors: int, judged: tuple[int, ...]) -> JudgedSpan:
    surveyor = Surveyor(str(film))
    found = surveyor.film()
    index = FrameIndex(list(surveyor.pages()), complete=True)
    span = Span(frames=frames, anchors=tuple(Anchor(frame=frame, still="truth") for frame in anchors))
    return JudgedSpan(3, found, span, frozenset(judged), run_over(found, index, span.read, span.read.start))


def judged(film: Path, frames: Range, *anchors: int, some: tuple[int, ...] = ()) -> list[JudgedFrame]:
    """All frames but the anchors, or some."""
    chosen = some or tuple({*range(*frames)} - {*anchors})
    return list(PropagationEvaluator(None).span(order_of(film, frames, *anchors, judged=chosen)))


def rms(levels: Levels, other: Levels | int) -> float:
    """Of chroma, in steps of 255."""
    apart = levels[1:].astype(np.float64) - (other if isinstance(other, int) else other[1:])
    return float(np.sqrt((apart**2).mean()) * 255 / 224)


def test_where_nothing_moves_the_anchors_colour_is_the_truth(tmp_path: Path) -> None:
    levels = panned(6, step=0)
    found = judged(film_of(tmp_path / "film.mkv", levels), Range(0, 6), 0)
    assert [(one.frame, one.distance) for one in found] == [(number, number) for number in range(1, 6)]
    for one in found:
        assert one.propagated.chroma_rms < 0.1 * one.grey.chroma_rms
        assert one.propagated.de00 < 0.1 * one.grey.de00
        assert one.grey.chroma_rms == pytest.approx(rms(levels[one.frame], 128), rel=0.01)
        assert one.still is None or one.still.truth < 0.01


def test_colours_that_the_anchor_did_not_have_are_as_far_as_grey(tmp_path: Path) -> None:
    levels = panned(5, step=0)
    levels[0, 1:] = 128
    found = judged(film_of(tmp_path / "film.mkv", levels), Range(0, 5), 0)
    for one in found:
        assert one.propagated.chroma_rms == pytest.approx(one.grey.chroma_rms, rel=0.01)
        assert one.propagated.de00 == pytest.approx(one.grey.de00, rel=0.01)


def test_the_anchors_colour_is_what_other_frames_are_held_against(tmp_path: Path) -> None:
    levels = panned(5, step=0)
    levels[1:, 1] += 9
    found = judged(film_of(tmp_path / "film.mkv", levels), Range(0, 5), 0)
    for one in found:
        assert one.propagated.chroma_rms == pytest.approx(rms(levels[one.frame], levels[0]), rel=0.05)


def test_a_moving_texture_keeps_its_colours(tmp_path: Path) -> None:
    found = judged(film_of(tmp_path / "film.mkv", panned(13)), Range(0, 12), 0, 12)
    assert [one.distance for one in found] == [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]
    share = sum(one.propagated.chroma_rms for one in found) / sum(one.grey.chroma_rms for one in found)
    assert share < 0.15
    moving = [one.moving for one in found]
    assert moving.pop() is None, "the frame after it is an anchor"
    assert all(one and one.propagated < 3 for one in moving)


def test_frames_are_judged_alike_in_any_company(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mkv", panned(9))
    whole = {one.frame: one for one in judged(film, Range(0, 9), 4)}
    some = judged(film, Range(0, 9), 4, some=(2, 6, 8))
    assert some == [whole[2], whole[6], whole[8]]
    assert some[2].moving is None, "there is no frame after it"


def test_a_sheet_shows_grey_propagated_and_truth(tmp_path: Path) -> None:
    levels = panned(20, step=0)
    film = film_of(tmp_path / "film.mkv", levels)
    order = order_of(film, Range(0, 20), 0, judged=tuple(range(1, 20)))
    list(PropagationEvaluator(str(tmp_path / "out")).span(order))
    sheet = cv2.imread(str(tmp_path / "out/sheet-003.png"))
    assert sheet is not None
    label, gutter, (height, width) = 18, 4, levels.shape[2:]
    assert sheet.shape[:2] == (3 * (label + height) + 5 * gutter, 7 * width + 6 * gutter)
    tops = [number * (label + height + 2 * gutter) + label + gutter for number in range(3)]
    grey, propagated, truth = (sheet[top : top + height, :width].astype(int) for top in tops)
    assert np.ptp(grey, axis=2).max() == 0
    assert np.ptp(truth, axis=2).max() > 20
    assert np.abs(propagated - truth).mean() < 3


def test_a_turned_film_is_judged_upright(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mkv", panned(4, step=0))
    order = order_of(film, Range(0, 4), 0, judged=(1, 2))
    picture = order.film.picture.model_copy(update={"rotation": 90})
    turned = order._replace(film=order.film.model_copy(update={"picture": picture}))
    upright, along = (list(PropagationEvaluator(None).span(one)) for one in (turned, order))
    for one, other in zip(upright, along, strict=True):
        # What is matched, a network tells; it knows up from down.
        assert max(one.propagated.chroma_rms, other.propagated.chroma_rms) < 0.3 * one.grey.chroma_rms
        assert one.grey.de00 == pytest.approx(other.grey.de00, rel=0.01)


def test_a_frame_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mkv", panned(6))
    order = order_of(film, Range(0, 6), 0, judged=(1, 2))
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    with pytest.raises(BadMedia, match=r"is damaged: a frame near \d cannot be decoded"):
        list(PropagationEvaluator(None).span(order))
