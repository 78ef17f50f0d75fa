"""Gathers what some frames of a span know along its flow, for all its frames, from both sides."""

from collections.abc import Mapping

import numpy as np

from actors.picture.motion.flow import Floats, Flows, grid, sampled
from actors.render.propagation.guide_upsampling import merged, planes_of


def along(own: Mapping[int, Floats], flows: Flows, memory: float) -> list[Floats]:
    """Planes (h, w, 3) that some frames have, summed along the flow from both sides for every frame: each frame further they count `memory` of it."""
    frames = range(len(flows.back_trust))
    behind = _gathered(own, frames, flows.back, flows.back_trust * np.float32(memory))
    before = _gathered(own, frames[::-1], flows.ahead, flows.ahead_trust * np.float32(memory))
    # A frame's own have come from both sides, and count once.
    return [behind[at] + before[at] - own.get(at, np.float32(0)) for at in frames]


def _gathered(own: Mapping[int, Floats], numbers: range, flow_Thw2: Floats, kept_Thw: Floats) -> dict[int, Floats]:
    height, width = kept_Thw.shape[1:]
    state = np.zeros((height, width, 3), np.float32)
    gathered = {}
    for at in numbers:
        if at != numbers[0]:
            moved = planes_of(sampled(state, grid(height, width) + flow_Thw2[at]))
            state = merged([plane * kept_Thw[at] for plane in moved])
        state = state + own.get(at, np.float32(0))
        gathered[at] = state
    return gathered
