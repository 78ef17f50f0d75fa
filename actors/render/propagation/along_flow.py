"""Gathers what some frames of a span know along its flow, for all its frames, from both sides."""

from collections.abc import Mapping, Sequence

import numpy as np

from actors.picture.motion.flow import Floats, grid, sampled
from actors.render.propagation.frame_sequence import Flows
from actors.render.propagation.guide_upsampling import merged, planes_of


def along(own: Mapping[int, Floats], flows: Flows, memory: float) -> list[Floats]:
    """Planes (h, w, 3) that some frames have, summed along the flow from both sides for every frame: each frame further they count `memory` of it."""
    frames = range(len(flows.back_trust))
    behind = _gathered(own, frames, flows.back, flows.back_trust, memory)
    before = _gathered(own, frames[::-1], flows.ahead, flows.ahead_trust, memory)
    # A frame's own have come from both sides, and count once.
    return [behind[at] + before[at] - own.get(at, np.float32(0)) for at in frames]


def _gathered(
    own: Mapping[int, Floats], numbers: range, flow: Sequence[Floats], trust: Sequence[Floats], memory: float
) -> dict[int, Floats]:
    height, width = trust[0].shape
    state = np.zeros((height, width, 3), np.float32)
    gathered = {}
    for at in numbers:
        if at != numbers[0]:
            moved = planes_of(sampled(state, grid(height, width) + flow[at]))
            kept = trust[at] * np.float32(memory)
            state = merged([plane * kept for plane in moved])
        state = state + own.get(at, np.float32(0))
        gathered[at] = state
    return gathered
