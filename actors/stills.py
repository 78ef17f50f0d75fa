"""Stills for the review page: a film's frame and its finished picture side by side, as JPEG. Promises the colours a player shows; knows no page."""

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from actors.colour import Quantiser
from actors.planes import planes_of
from actors.plates import Plates
from jobs.film import Picture

WIDTH = 480
"""Widest a picture of the pair is, in pixels."""
QUALITY = 88


def pair(source: av.VideoFrame, finished: av.VideoFrame, film: Picture) -> bytes:
    """JPEG of both pictures, the film's on the left, upright and with square pixels."""
    both = np.hstack([_upright(_rgb(frame, film), film) for frame in (source, finished)])
    done, data = cv2.imencode(".jpg", both[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return data.tobytes()


def _rgb(frame: av.VideoFrame, film: Picture) -> NDArray[np.uint8]:
    planes = [torch.from_numpy(plane.astype(np.int32))[None] for plane in planes_of(frame)]
    scale = Quantiser(film.colour, frame.format.components[0].bits)
    plates = Plates(planes[0], (planes[1], planes[2]) if len(planes) == 3 else None, scale)
    # Planes are shrunk before they become colours: there is less to reckon.
    return (plates.rgb(_shown(film))[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def _shown(film: Picture) -> tuple[int, int]:
    """Height and width of one picture with square pixels, not yet upright."""
    width = max(1, round(film.width * film.aspect))
    scale = min(1.0, WIDTH / width)
    return max(1, round(film.height * scale)), max(1, round(width * scale))


def _upright(picture: NDArray[np.uint8], film: Picture) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(picture, film.rotation // 90))
