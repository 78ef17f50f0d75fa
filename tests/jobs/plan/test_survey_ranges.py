"""Survey ranges: they tile the film, begin where decoding can, and are the same however far the survey has come."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.film.frame_index import FrameIndex, Page
from jobs.plan.plan import Range
from jobs.plan.survey_ranges import AFTER, BEFORE, seen, survey_ranges
from tests.jobs.packets import films, page_of


def test_a_range_begins_behind_a_keyframe_so_that_nothing_is_decoded_in_vain() -> None:
    index = FrameIndex([page_of(list(range(100)), keys=[0, 12, 24, 36, 48, 96])], complete=True)
    ranges = list(survey_ranges(index, 20))
    # 12 + 3 is nearer than 20; 96 + 3 is too near the end.
    assert ranges == [Range(0, 27), Range(27, 51), Range(51, 100)]
    assert [index.span(*seen(one, index)).lead_in for one in ranges] == [0, 0, 0]
    assert [seen(one, index) for one in ranges] == [Range(0, 29), Range(24, 53), Range(48, 100)]


@given(films(), st.integers(1, 40))
def test_ranges_tile_the_film(film: Page, target: int) -> None:
    index = FrameIndex([film], complete=True)
    ranges = list(survey_ranges(index, target))
    assert [frame for one in ranges for frame in range(*one)] == list(range(index.frames))
    assert all(one.frames >= target for one in ranges[:-1])
    entries = set(index.entries().tolist())
    assert all(one.start - BEFORE in entries for one in ranges[1:])


@given(films(), st.integers(1, 20), st.data())
def test_a_longer_index_continues_the_same_list(film: Page, target: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(film.pts)), label="packets seen")
    part = FrameIndex([Page(*(getattr(film, name)[:count] for name in Page.__dataclass_fields__))], complete=False)
    whole = FrameIndex([film], complete=True)
    early = list(survey_ranges(part, target))
    assert early == list(survey_ranges(whole, target))[: len(early)]
    for one in early:
        # What a range must see is settled already, and the same as it will be.
        assert one.stop + AFTER <= part.frames
        assert seen(one, part) == seen(one, whole)
        assert part.span(*seen(one, part)) == whole.span(*seen(one, whole))
