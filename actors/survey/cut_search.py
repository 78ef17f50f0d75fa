"""Finds the frames that begin a shot, as frames pass in order: by PySceneDetect's detector, and amid fast motion by optical flow."""

import numpy as np
from numpy.typing import NDArray

from actors.shot_lists.cut_detector import AdaptiveDetector, FrameTimecode
from actors.survey.hidden_cuts import USUAL_THRESHOLD, HiddenCuts

_ANY_RATE = 25.0
"""Frames are counted, never timed: the detector wants a rate and does nothing with it."""


class CutSearch:
    """Is shown all frames of a range in order."""

    def __init__(self, threshold: float = USUAL_THRESHOLD, *, luma_only: bool) -> None:
        """`threshold`: the adaptive threshold; a higher one finds fewer cuts of either kind."""
        self._detector = AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=1, luma_only=luma_only)
        self._hidden = HiddenCuts(threshold)

    def push(self, number: int, shown_HW3: NDArray[np.uint8]) -> list[int]:
        """One more frame, BGR: the frames up to it that are now known to begin a shot, in any order, each once or twice."""
        cuts = self._detector.process_frame(FrameTimecode(number, _ANY_RATE), shown_HW3)
        return [*(cut.frame_num for cut in cuts), *self._hidden.push(number, shown_HW3)]
