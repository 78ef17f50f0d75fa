"""Reads OpenTimelineIO timelines: what is seen of their tracks, as spans in seconds. Refuses what it does not support.

Of tracks above each other a higher one covers the lower ones where it has a clip; what is disabled, and gaps, cover nothing.
A transition moves no cut: that lies where the timeline has it, between its clips.
"""

from collections.abc import Iterator
from fractions import Fraction

import opentimelineio as otio

from actors.shot_lists.layers import LayerSpan
from jobs.film.timecode import timecode_rate

LONGEST = 1_000_000_000
"""Seconds that no clip lasts: what is longer is damage, and beyond what floats can tell apart."""

DEEPEST = 50
"""Levels of nesting."""


class UnsupportedTimeline(ValueError):
    """What a timeline says and this reader does not read, in words."""


def spans_of(timeline: otio.schema.Timeline) -> tuple[list[LayerSpan], Fraction]:
    """What the video tracks show, lower layers first, and how long the timeline is. Raises Unread."""
    return _shown(timeline.tracks, 0)


def begins(timeline: otio.schema.Timeline) -> tuple[int, Fraction | None] | None:
    """The frame that the timeline says it begins with, counted from 00:00:00:00, and the rate it counts at. Raises Unread."""
    first = timeline.global_start_time
    if first is None:
        return None
    _seconds(first, "its beginning")
    return round(first.value), timecode_rate(_rate(first))


def _shown(item: otio.core.Item, depth: int) -> tuple[list[LayerSpan], Fraction]:
    if depth > DEEPEST:
        raise UnsupportedTimeline(f"it is nested more than {DEEPEST} levels deep")
    if not isinstance(item, otio.core.Composition):
        length = _length(item)
        opaque = item.enabled and not isinstance(item, otio.schema.Gap) and length > 0
        return ([LayerSpan(Fraction(0), length)] if opaque else []), length
    if any(isinstance(one, otio.schema.TimeEffect) for one in item.effects):
        raise UnsupportedTimeline(f"{_named(item)} has clips inside and plays at another speed, which is not read here")
    layers = isinstance(item, otio.schema.Stack)
    spans: list[LayerSpan] = []
    at = longest = Fraction(0)
    for child in item:
        if isinstance(child, otio.schema.Transition) or _is_sound(child):
            continue
        below, length = _shown(child, depth + 1)
        spans += (LayerSpan(at + one.start, at + one.stop) for one in below)
        longest = max(longest, at + length)
        at = Fraction(0) if layers else at + length
    if item.source_range is not None:
        first = _seconds(item.source_range.start_time, _named(item), least=-LONGEST)
        longest = _seconds(item.source_range.duration, _named(item))
        spans = [*_trimmed(spans, first, longest)]
    return (spans if item.enabled else []), longest


def _trimmed(spans: list[LayerSpan], first: Fraction, length: Fraction) -> Iterator[LayerSpan]:
    for one in spans:
        start, stop = max(Fraction(0), one.start - first), min(length, one.stop - first)
        if start < stop:
            yield LayerSpan(start, stop)


def _is_sound(child: otio.core.Composable) -> bool:
    return isinstance(child, otio.schema.Track) and child.kind != otio.schema.TrackKind.Video


def _length(item: otio.core.Item) -> Fraction:
    try:
        length = item.trimmed_range().duration
    except Exception:  # OTIO's own errors are of several kinds
        raise UnsupportedTimeline(
            f"{_named(item)} has no length: no source range, and its media tells no available range"
        ) from None
    return _seconds(length, _named(item))


def _named(item: otio.core.Item) -> str:
    kind = type(item).__name__.lower()
    return f"the {kind} '{item.name}'" if item.name else f"a {kind}"


def _rate(time: otio.opentime.RationalTime) -> Fraction:
    if not 0 < time.rate < LONGEST:
        raise UnsupportedTimeline(f"it counts {time.rate:g} frames a second")
    rate = Fraction(time.rate)
    return timecode_rate(rate) or rate


def _seconds(time: otio.opentime.RationalTime, whose: str, least: int = 0) -> Fraction:
    if not least * time.rate <= time.value < LONGEST * time.rate:
        raise UnsupportedTimeline(f"{whose} lasts {time.value:g} frames at {time.rate:g} a second")
    return Fraction(time.value) / _rate(time)
