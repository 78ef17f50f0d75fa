"""TEMP"""

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from actors.stills.reading import StillImage
from jobs.film.source import Picture


@dataclass(frozen=True)
class R:
    chroma: NDArray[np.float32]
    weight: NDArray[np.float32]
    said: tuple[str, ...]


def match_still(still: StillImage, frame: av.VideoFrame, film: Picture, called: str) -> R:
    import cv2

    rgb = cv2.resize(
        still.rgb_HW3.astype(np.float32) / 65535, (frame.width, frame.height), interpolation=cv2.INTER_AREA
    )
    y = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    c = np.stack([rgb[..., 2] - y, rgb[..., 0] - y]).astype(np.float32)
    return R(c, np.ones(y.shape, np.float32), ())
