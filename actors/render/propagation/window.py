"""What spans in work have read of their film, and what is known of their anchors, at the working size."""

from dataclasses import dataclass, field

import numpy as np

from actors.picture.motion.flow import Floats
from actors.render.propagation.matching import KnownPicture
from actors.render.propagation.propagation import KnownColour
from jobs.plan.ranges import Range


@dataclass
class Window:
    """What spans in work have read, at the working size, upright."""

    lumas: dict[int, Floats] = field(default_factory=dict)
    """By frame: HW, 0..1."""
    own: dict[int, tuple[int, Floats]] = field(default_factory=dict)
    """By anchor: the frame that the look was shown, and its chroma, HW2, -0.5..0.5."""
    known: dict[int, tuple[KnownPicture, KnownColour]] = field(default_factory=dict)
    """By anchor: what is known of that frame, and what of the anchor, which two spans share."""

    def shown(self, anchor: int) -> int:
        """The frame that the look was shown for an anchor; the anchor itself where it was shown none."""
        return self.own[anchor][0] if anchor in self.own else anchor

    def forget_before(self, number: int) -> None:
        """No span to come reads frames before this one."""
        self.lumas = {frame: luma for frame, luma in self.lumas.items() if frame >= number}

    def stacked(self, frames: Range) -> Floats:
        """THW."""
        return np.stack([self.lumas[number] for number in range(*frames)])
