"""The frame index on paper packets: ranks, spans, what is settled, and what is refused."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadMedia
from jobs.film.frame_index import REORDER, UNKNOWN, FrameIndex, Page
from tests.jobs.packets import films, page_of


def test_a_page_survives_its_file() -> None:
    page = page_of([0, 3, 1, 2], keys=[0], hidden=[0])
    back = Page.load(page.dump())
    for name in Page.__dataclass_fields__:
        assert getattr(back, name).tolist() == getattr(page, name).tolist()
        assert getattr(back, name).dtype == getattr(page, name).dtype


def test_ranks_and_frames() -> None:
    index = FrameIndex([page_of([0, 30, 10, 20], keys=[0])], complete=True)
    assert index.rank.tolist() == [0, 3, 1, 2]
    assert index.shown.tolist() == [0, 2, 3, 1]
    assert index.pts.tolist() == [0, 10, 20, 30]
    assert index.durations.tolist() == [10, 10, 10, 10]


def test_hidden_packets_keep_their_rank_and_make_no_frame() -> None:
    index = FrameIndex([page_of([-20, -10, 0, 10], keys=[0], hidden=[0, 1])], complete=True)
    assert index.frames == 2
    span = index.span(0, 2)
    assert (span.first, span.stamps, span.wanted, span.lead_in) == (0, (0, 1, 2, 3), (2, 3), 2)


def test_a_hidden_packet_may_share_a_time() -> None:
    index = FrameIndex([page_of([0, 10, 10, 20], keys=[0], hidden=[1])], complete=True)
    assert index.frames == 3
    assert len(set(index.span(1, 3).stamps)) == 4


def test_a_span_of_an_open_group_begins_at_the_keyframe_shown_before() -> None:
    # Decode order; the keyframe shown at 4 is followed by two that lean on the group before.
    index = FrameIndex([page_of([0, 1, 4, 2, 3, 5], keys=[0, 2])], complete=True)
    assert index.span(3, 5).first == 0
    assert index.span(4, 6).first == 2
    assert index.span(4, 6).stamps == (2, 0, 1, 3)
    assert index.span(4, 6).wanted == (2, 3)
    assert index.entries().tolist() == [0, 4]


def test_a_keyframe_that_comes_after_a_frame_is_no_way_into_it() -> None:
    index = FrameIndex([page_of([0, 5, 3, 4], keys=[0, 2])], complete=True)
    assert (index.span(3, 4).first, index.span(3, 4).stamps) == (0, (0, 1))
    assert index.span(2, 3).first == 2


@pytest.mark.parametrize(
    ("pts", "hidden", "words"),
    [
        ([0, 1, 1, 2], [], "one and the same time stamp"),
        ([*range(40), 5.5], [], "jump back"),
        ([0, 1], [0, 1], "no frames"),
    ],
)
def test_what_cannot_be_ordered_is_refused(pts: Sequence[float], hidden: Sequence[int], words: str) -> None:
    page = page_of([round(time * 2) for time in pts], keys=[0], hidden=hidden)
    with pytest.raises(BadMedia, match=words):
        FrameIndex([page], complete=True)


@pytest.mark.parametrize(
    ("pts", "keys", "hidden"),
    [
        # The second part leads in, unseen, over the whole end of the first.
        ([*range(40), *range(20, 60)], [0, 40], range(40, 60)),
        # It leads in over a keyframe of the first, which a seek could not tell from its own.
        ([*range(12), 8, 9, 10, 11, 12], [0, 8, 12], range(12, 16)),
    ],
)
def test_edits_that_overlap_in_decoding_are_refused(
    pts: Sequence[int], keys: Sequence[int], hidden: Sequence[int]
) -> None:
    with pytest.raises(BadMedia, match="edit list joins parts"):
        FrameIndex([page_of(pts, keys, hidden)], complete=True)


def test_edits_whose_lead_in_is_short_are_carried() -> None:
    index = FrameIndex([page_of([*range(12), 10, 11, 12, 13], [0, 6, 12], [12, 13])], complete=True)
    assert index.pts.tolist() == list(range(14))
    span = index.span(12, 14)
    assert (span.first, span.stamps, span.wanted) == (12, (0, 1, 2, 3), (2, 3))


def test_frames_before_the_first_keyframe_are_refused() -> None:
    with pytest.raises(BadMedia, match="2 frames come before its first keyframe"):
        FrameIndex([page_of([0, 1, 2, 3], keys=[2])], complete=True)


def test_frames_before_the_first_keyframe_are_left_out_where_that_is_asked_for() -> None:
    index = FrameIndex([page_of([0, 1, 4, 2, 3, 5], keys=[2])], complete=True, trim=True)
    assert (index.pts.tolist(), index.skipped) == ([4, 5], 4)


def test_decode_times_are_not_needed() -> None:
    page = page_of(list(range(40)), keys=[0])
    blind = Page(page.pts, np.full(40, UNKNOWN), page.duration, page.size, page.key, page.hidden)
    assert FrameIndex([blind], complete=False).frames == 40 - REORDER


@given(films(), st.data())
def test_what_is_settled_never_changes(film: Page, data: st.DataObject) -> None:
    whole = FrameIndex([film], complete=True)
    seen = data.draw(st.integers(1, len(film.pts)), label="packets seen")
    part = FrameIndex([Page(*(getattr(film, name)[:seen] for name in Page.__dataclass_fields__))], complete=False)
    assert part.frames <= whole.frames
    assert part.frames >= int((~film.hidden[:seen]).sum()) - REORDER
    assert part.shown[: part.frames].tolist() == whole.shown[: part.frames].tolist()
    if part.frames:
        start = data.draw(st.integers(0, part.frames - 1), label="start")
        stop = data.draw(st.integers(start + 1, part.frames), label="stop")
        assert part.span(start, stop) == whole.span(start, stop)


@given(films(), st.data())
def test_a_span_holds_what_is_wanted_in_order(film: Page, data: st.DataObject) -> None:
    index = FrameIndex([film], complete=True)
    start = data.draw(st.integers(0, index.frames - 1), label="start")
    stop = data.draw(st.integers(start + 1, index.frames), label="stop")
    span = index.span(start, stop)
    places = [span.first + span.stamps.index(stamp) for stamp in span.wanted]
    assert film.pts[places].tolist() == index.pts[start:stop].tolist()
    assert sorted(span.stamps) == list(range(len(span.stamps)))
    assert film.key[span.first]
    assert max(places) == span.first + len(span.stamps) - 1
    assert span.bytes == int(film.size[span.first : span.first + len(span.stamps)].sum())
