"""TEMP"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class MatchedReference:
    luma: Plane
    chroma: Plane
    weight: Plane
    whole: bool


def matched(luma: Plane, own: Plane, references: Sequence[MatchedReference]) -> Plane:
    return own
