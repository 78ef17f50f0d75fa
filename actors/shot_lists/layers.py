"""Where what is seen changes in a cut list whose spans lie over one another, the later over the earlier."""

import heapq
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple


class LayerSpan(NamedTuple):
    """A picture on the record side of a list, in frames or in seconds."""

    start: Fraction
    stop: Fraction


def shots_seen(spans: Sequence[LayerSpan], shortest_gap: Fraction, begin: Fraction | None = None) -> list[Fraction]:
    """Where each shot begins: wherever another span comes to be seen, and where a gap begins. A span covers those before it in the list.

    A gap shorter than `shortest_gap` belongs to the shot before it. A first gap, from `begin` on, is a shot too.
    """
    seen = [(begin, -1)] if begin is not None and spans and begin < min(one.start for one in spans) else []
    seen += _seen(spans)
    starts = []
    for place, (start, which) in enumerate(seen):
        after = seen[place + 1][0] if place + 1 < len(seen) else None
        gap = which < 0
        if gap and (after is None or (place and after - start < shortest_gap)):
            continue  # what follows the last span is the end
        starts.append(start)
    return starts


def _seen(spans: Sequence[LayerSpan]) -> Iterable[tuple[Fraction, int]]:
    """Times at which another span comes to be seen, and its place in the list; -1 where none is."""
    begins = sorted((one.start, place) for place, one in enumerate(spans) if one.start < one.stop)
    edges = sorted({edge for one in spans if one.start < one.stop for edge in one})
    on_top: list[int] = []
    found: list[tuple[Fraction, int]] = []
    due = 0
    for edge in edges:
        while due < len(begins) and begins[due][0] <= edge:
            heapq.heappush(on_top, -begins[due][1])
            due += 1
        while on_top and spans[-on_top[0]].stop <= edge:
            heapq.heappop(on_top)
        which = -on_top[0] if on_top else -1
        if not found or found[-1][1] != which:
            found.append((edge, which))
    return found
