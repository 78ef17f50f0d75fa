"""Chooses which frame near an anchor the look is shown: a blurred, faded or black one would give the whole span little colour."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.picture.frame_batches import FrameBatch
from jobs.plan.ranges import Range
from jobs.plan.spans import Anchor

Plane = NDArray[np.float32]

FAR = 0.3
"""Share of its worth that a frame loses at the ends of the range: near ones are taken where they are about as good."""


class ShownFrame(NamedTuple):
    """A frame that is chosen, as it was decoded."""

    number: int
    batch: FrameBatch


class _Best(NamedTuple):
    frame: ShownFrame
    worth: tuple[float, int]
    """What it shows, and how near it is where others show as much."""


class AnchorFrames:
    """The best frame of each range, chosen as the frames pass in order; of each range one frame is held."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        """`anchors`: those that the look colours, wholly or beside a still; of a still its own frame is taken."""
        self._among = {one.frame: one.around or Range(one.frame, one.frame + 1) for one in anchors}
        self._best: dict[int, _Best] = {}

    def passed(self, number: int, luma_HW: Plane, batch: FrameBatch) -> Iterator[tuple[int, ShownFrame]]:
        """A frame passes, with its luma (0..1) at the working size. Gives anchors whose range ends with it, and the frame of each."""
        wanted = [anchor for anchor, among in self._among.items() if among.start <= number < among.stop]
        worth = _worth(luma_HW) if wanted else 0
        for anchor in wanted:
            among = self._among[anchor]
            apart = abs(number - anchor)
            near = worth * (1 - FAR * apart / among.frames), -apart
            best = self._best.get(anchor)
            if best is None or near > best.worth:
                self._best[anchor] = _Best(ShownFrame(number, batch), near)
            if number + 1 == among.stop:
                yield anchor, self._best.pop(anchor).frame


def _worth(luma_HW: Plane) -> float:
    """Contrast and sharpness at once, as their geometric mean; 0 of a plain picture."""
    return float(np.sqrt(luma_HW.std() * cv2.Laplacian(luma_HW, cv2.CV_32F).std()))
