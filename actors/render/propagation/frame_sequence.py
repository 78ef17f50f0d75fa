"""Neighbouring frames as colour is propagated through them: their luma, and the flow from each to those beside it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from actors.picture.motion.flow import Floats, FlowStep


class Flows(NamedTuple):
    """Flow from each of T frames to the one before it, and to the one after: (h, w, 2) each, in pixels; trust in each, (h, w), 0..1."""

    back: Sequence[Floats]
    back_trust: Sequence[Floats]
    ahead: Sequence[Floats]
    ahead_trust: Sequence[Floats]


class FrameSequence(NamedTuple):
    """T frames of one size."""

    lumas: Sequence[Floats]
    """At the working size, HW, 0..1."""
    small_lumas: Sequence[Floats]
    """At the size of motion, hw."""
    flows: Flows
    """At the size of motion."""

    @classmethod
    def of(cls, lumas: Sequence[Floats], small_lumas: Sequence[Floats], steps: Sequence[FlowStep]) -> "FrameSequence":
        """Of frames between which flow is known: `steps`, one fewer than frames. Beyond the first and the last all is at rest."""
        height, width = small_lumas[0].shape
        rest, sure = np.zeros((height, width, 2), np.float32), np.ones((height, width), np.float32)
        flows = Flows(
            [rest, *(step.back for step in steps)],
            [sure, *(step.back_trust for step in steps)],
            [*(step.ahead for step in steps), rest],
            [*(step.ahead_trust for step in steps), sure],
        )
        return cls(lumas, small_lumas, flows)

    def part(self, some: slice) -> "FrameSequence":
        """Some of its frames, in the same order."""
        return FrameSequence(self.lumas[some], self.small_lumas[some], Flows(*(one[some] for one in self.flows)))
