"""Where in a shot the anchors are, and the spans of frames between them. Pure; what is settled never changes as the shot grows.

    shot     |-----------------------------------------------|     nothing is propagated across its edges
    anchors      A           S        A           A                S: a still; A: a frame that the look itself colours
    spans    |---|-----------|--------|-----------|----------|     each is propagated from the anchors at its ends

Stills are where a person put them. The look's own anchors stand `reach` frames apart, half of that from the shot's edge, and
STILL_REACH from stills. A layer of strokes is no anchor: its colours are laid over what the anchors give, as far as STILL_REACH.
"""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document
from jobs.plan.ranges import Range

VERSION = 6
"""Of propagation: raised whenever its pictures change, so that no old guide is taken for a new one."""

STROKES_VERSION = 2
"""Of how strokes spread: raised whenever their pictures change, so that guides without strokes stay as they are."""

REACH = 48
"""Frames between two of the look's own anchors: two seconds of film."""

STILL_REACH = 96
"""Frames beside a still without an anchor of the look's own: so far optical flow brings its colour."""

AROUND = 12
"""Frames on either side of the look's own anchors that it may be shown instead, where they show more."""

FARTHEST = 960
"""Frames from an anchor to a still that it is matched with, at most: so far a shot that goes on must be known."""

MOST_ELSEWHERE = 4
"""Stills of other shots that an anchor is matched with, at most."""


class PaintedFrame(Document):
    """A frame that a person has painted."""

    frame: int
    still: str
    """SHA-256 of the file."""
    strokes: bool = Field(default=False, exclude_if=lambda strokes: not strokes)
    """Whether it is a layer of strokes."""
    spread: int = Field(default=0, exclude_if=lambda spread: not spread)
    """STROKES_VERSION for strokes; 0 for any other still, and for strokes before they had a version."""


class Anchor(Document):
    """A frame whose colour is known."""

    frame: int
    still: str = ""
    """SHA-256 of the file that a person painted; empty: the look colours it."""
    beside: tuple[PaintedFrame, ...] = ()
    """The nearest stills before and after it in its shot: what the look gives it is matched with them."""
    elsewhere: tuple[PaintedFrame, ...] = ()
    """The nearest stills of other shots, which may show the same things."""
    around: Range | None = None
    """The frames of which the look is shown the one that shows most; None: a still, which belongs to its frame alone."""


class Span(Document):
    """Frames that get their colour from the anchors at their ends."""

    frames: Range
    """Without the later anchor, which begins the next span; at the end of a shot to its last frame."""
    anchors: Annotated[tuple[Anchor, ...], Field(min_length=1, max_length=2)]
    """One, at either end, beside a shot's edge; else both, the earlier first."""
    strokes: tuple[PaintedFrame, ...] = Field(default=(), exclude_if=lambda strokes: not strokes)
    """Layers of strokes that reach its frames, in film order."""

    @property
    def propagated(self) -> Range:
        """Its own frames, and the later anchor."""
        return Range(self.frames.start, max(self.frames.stop, self.anchors[-1].frame + 1))

    @property
    def read(self) -> Range:
        """The frames that are read to propagate it: with those around the look's own anchors, and those on the way from strokes."""
        read = [self.propagated, *(anchor.around for anchor in self.anchors if anchor.around)]
        read += [Range(layer.frame, layer.frame + 1) for layer in self.strokes]
        return Range(min(some.start for some in read), max(some.stop for some in read))

    @property
    def stills(self) -> tuple[PaintedFrame, ...]:
        """All stills it depends on, in film order."""
        own = [PaintedFrame(frame=one.frame, still=one.still) for one in self.anchors if one.still]
        matched = [painted for anchor in self.anchors for painted in (*anchor.beside, *anchor.elsewhere)]
        return tuple(
            sorted({one.frame: one for one in (*own, *matched, *self.strokes)}.values(), key=lambda one: one.frame)
        )

    @property
    def elsewhere(self) -> set[int]:
        """Frames of other shots whose stills it is matched with."""
        return {painted.frame for anchor in self.anchors for painted in anchor.elsewhere}


class Propagation(Document):
    """How a look's colour is propagated through a shot: it replaces the look on all frames but the anchors."""

    version: int = VERSION
    reach: int = REACH
    stills: tuple[PaintedFrame, ...] = ()
    """Of the shot and of the FARTHEST frames on either side of it, in film order."""
    match: Literal["film", "shot"] = "film"
    """Whether stills of other shots count."""
    joined: Range | None = Field(default=None, exclude_if=lambda joined: joined is None)
    """The shot with its neighbours, where a shot list has cuts at which the picture goes on; None: it stands alone."""
    spans: tuple[Span, ...] = ()
    """Of one chunk: those that give any of its frames their colour. Empty where a whole shot is meant."""

    def through(self, shot: Range) -> tuple[Span, ...]:
        """The spans of a whole shot and of those joined to it, in film order; they tile these."""
        shot = self.joined or shot
        spans = spans_between(self._anchors(shot) or [self._own((shot.start + shot.stop) // 2, shot)], shot)
        layers = [one for one in self.stills if one.strokes and one.frame in range(*shot)]
        return tuple(_with_strokes(span, layers, self._whole(shot)) for span in spans) if layers else spans

    def settled(self, known: Range) -> int:
        """The frame before which no frame to come changes a span of a shot that goes on, or to which others are joined."""
        known = self.joined or known
        to_come = next((still.frame for still in self.stills if not still.strokes and still.frame >= known.stop), None)
        strokes = next((still.frame for still in self.stills if still.strokes and still.frame >= known.stop), None)
        sure = takewhile(
            lambda anchor: (
                (strokes is None or anchor.frame + STILL_REACH < strokes)
                and (
                    bool(anchor.still)
                    or (anchor.frame + AROUND < known.stop and (to_come is None or anchor.frame + FARTHEST < to_come))
                )
            ),
            self._anchors(known),
        )
        return max((anchor.frame for anchor in sure), default=known.start)

    def over(self, frames: Range, spans: Sequence[Span]) -> "Propagation":
        """What it is for some frames alone, of which the `spans` of the shot are given."""
        some = tuple(span for span in spans if span.frames.meets(frames))
        return self.model_copy(update={"stills": (), "joined": None, "spans": some})

    def _anchors(self, shot: Range) -> list[Anchor]:
        """All but that of a shot so short that it has only one, in its middle."""
        stills = [Anchor(frame=one.frame, still=one.still) for one in self._whole(shot)]
        ends = [Anchor(frame=shot.start), *stills, Anchor(frame=shot.stop)]
        anchors: list[Anchor] = []
        for before, after in pairwise(ends):
            first = before.frame + (STILL_REACH if before.still else self.reach // 2)
            # One that would stand close before the next end is left out: that end, or one span, serves as well.
            own = range(first, after.frame - (STILL_REACH if after.still else self.reach // 4), self.reach)
            anchors += [*([before] if before.still else []), *(self._own(frame, shot) for frame in own)]
        return anchors

    def _whole(self, shot: Range) -> list[PaintedFrame]:
        """The shot's stills that are no layers of strokes."""
        return [one for one in self.stills if not one.strokes and one.frame in range(*shot)]

    def _own(self, frame: int, shot: Range) -> Anchor:
        """An anchor of the look's own, beside the stills of its shot that are near enough."""
        near = [one for one in self.stills if not one.strokes and abs(one.frame - frame) <= FARTHEST]
        stills = [one for one in near if one.frame in range(*shot)]
        beside = (*[one for one in stills if one.frame < frame][-1:], *[one for one in stills if one.frame > frame][:1])
        others = [one for one in near if one.frame not in range(*shot)] if self.match == "film" else []
        nearest = sorted(others, key=lambda one: (abs(one.frame - frame), one.frame))[:MOST_ELSEWHERE]
        elsewhere = tuple(sorted(nearest, key=lambda one: one.frame))
        around = Range(max(shot.start, frame - AROUND), min(shot.stop, frame + AROUND + 1))
        return Anchor(frame=frame, beside=beside, elsewhere=elsewhere, around=around)


def spans_between(anchors: Sequence[Anchor], shot: Range) -> tuple[Span, ...]:
    """The spans of a shot that has these anchors, at least one, in film order; they tile it."""
    first, last = anchors[0], anchors[-1]
    head = Span(frames=Range(shot.start, first.frame), anchors=(first,))
    inner = [Span(frames=Range(one.frame, other.frame), anchors=(one, other)) for one, other in pairwise(anchors)]
    tail = Span(frames=Range(last.frame, shot.stop), anchors=(last,))
    return tuple(span for span in (head, *inner, tail) if span.frames.frames)


def _with_strokes(span: Span, layers: Sequence[PaintedFrame], stills: Sequence[PaintedFrame]) -> Span:
    """A span with the layers of its shot that reach it: none from beyond a still, which knows better."""
    begin, end = span.frames.start, span.frames.stop - 1
    first = max((one.frame for one in stills if one.frame <= begin), default=begin - STILL_REACH)
    last = min((one.frame for one in stills if one.frame > end), default=end + STILL_REACH)
    reach = range(max(first, begin - STILL_REACH), min(last, end + STILL_REACH) + 1)
    return span.model_copy(update={"strokes": tuple(one for one in layers if one.frame in reach)})
