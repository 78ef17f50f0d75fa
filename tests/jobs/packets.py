"""Paper packets for tests: pages made by hand, and films of random groups of pictures. Tests nothing."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from jobs.film.frame_index import Page


def page_of(pts: Sequence[int], keys: Sequence[int], hidden: Sequence[int] = ()) -> Page:
    """A page of packets with these times in decode order; `keys` and `hidden` are places."""
    places = np.arange(len(pts))
    return Page(
        pts=np.array(pts, np.int64),
        dts=places.astype(np.int64),
        duration=np.zeros(len(pts), np.int64),
        size=100 + places.astype(np.int64),
        key=np.isin(places, keys),
        hidden=np.isin(places, hidden),
    )


@st.composite
def films(draw: st.DrawFn) -> Page:
    """A film of random groups of pictures: I or P frames, each decoded before the B-frames that are shown before it."""
    pts: list[int] = []
    keys: list[int] = []
    now = 0
    for group in draw(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), min_size=1, max_size=8)):
        for number, b_frames in enumerate(group):
            # The first of a film has none before it; those of later groups lean on the group before: open GOPs.
            before = b_frames if pts else 0
            if number == 0:
                keys.append(len(pts))
            pts += [now + before, *range(now, now + before)]
            now += before + 1
    lead = draw(st.integers(0, min(3, now - 1)))
    times = [time * 512 for time in pts]
    return page_of(times, keys, [place for place, time in enumerate(pts) if time < lead])
