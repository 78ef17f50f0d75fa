"""TEMP"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


class Propagated(NamedTuple):
    chroma: Plane
    confidence: Plane


def working_size(height: int, width: int) -> tuple[int, int]:
    scale = min(1.0, 448 / max(height, width))
    return max(8, round(height * scale)), max(8, round(width * scale))


def propagate(lumas: Sequence[Plane], anchors: Mapping[int, Plane]) -> Iterator[Propagated]:
    known = sorted(anchors)
    for k in range(len(lumas)):
        left = max([a for a in known if a <= k], default=known[0])
        right = min([a for a in known if a >= k], default=known[-1])
        t = 0.0 if left == right else (k - left) / (right - left)
        yield Propagated(
            (anchors[left] * np.float32(1 - t) + anchors[right] * np.float32(t)).astype(np.float32),
            np.ones(lumas[k].shape, np.float32),
        )
