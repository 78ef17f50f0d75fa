"""What spans in work have read of their film, and what is known of their anchors, at the working size."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from actors.picture.motion.flow import Floats, FlowStep, flow_between, small
from actors.render.propagation.frame_sequence import FrameSequence
from actors.render.propagation.matching import KnownPicture
from actors.render.propagation.propagation import Guides, KnownColour
from jobs.plan.ranges import Range


class KnownStretch(NamedTuple):
    """The frames from an anchor to the one that the look was shown for it, in either order; one frame where these are the same."""

    shown: int
    picture: KnownPicture
    """That frame."""
    frames: Range
    guides: Guides
    """Of all of them, from that frame alone."""

    def part(self, some: Range) -> Guides:
        """Of some of the frames."""
        return self.guides.part(slice(some.start - self.frames.start, some.stop - self.frames.start))

    def colour(self, frame: int) -> KnownColour:
        """What is known of one of the frames."""
        return KnownColour(*(planes[frame - self.frames.start] for planes in self.guides))


@dataclass
class Window:
    """What spans in work have read, at the working size, upright."""

    lumas: dict[int, Floats] = field(default_factory=dict)
    """By frame: HW, 0..1."""
    own: dict[int, tuple[int, Floats]] = field(default_factory=dict)
    """By anchor: the frame that the look was shown, and its chroma, HW2, -0.5..0.5."""
    known: dict[int, KnownStretch] = field(default_factory=dict)
    """By anchor; two spans share one."""

    _small_lumas: dict[int, Floats] = field(default_factory=dict)
    _steps: dict[int, FlowStep] = field(default_factory=dict)
    """By frame: the flow between it and the one before it. Spans and what is laid over them ask for the same."""

    def shown(self, anchor: int) -> int:
        """The frame that the look was shown for an anchor; the anchor itself where it was shown none."""
        return self.own[anchor][0] if anchor in self.own else anchor

    def forget_before(self, number: int) -> None:
        """No span to come reads frames before this one, nor begins at an anchor there."""
        for kept in (self.lumas, self.own, self.known, self._small_lumas, self._steps):
            for frame in [one for one in kept if one < number]:
                del kept[frame]

    def sequence(self, frames: Range) -> FrameSequence:
        """Frames that were read."""
        for number in range(*frames):
            if number not in self._small_lumas:
                self._small_lumas[number] = small(self.lumas[number])
        small_lumas = [self._small_lumas[number] for number in range(*frames)]
        return FrameSequence.of([self.lumas[number] for number in range(*frames)], small_lumas, [*self._flow(frames)])

    def _flow(self, frames: Range) -> Iterator[FlowStep]:
        for number in range(frames.start + 1, frames.stop):
            if number not in self._steps:
                self._steps[number] = flow_between(self._small_lumas[number - 1], self._small_lumas[number])
            yield self._steps[number]
