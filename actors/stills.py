"""Stills for the review page: a film's frame and its finished picture side by side, as JPEG. Promises the colours a player shows; knows no page."""

from collections.abc import Sequence

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.colour import Quantiser
from actors.planes import Plane, planes_of, turned
from actors.plates import Plates
from actors.resize import resized
from actors.transfer import CURVES
from jobs.film import Colour, Picture
from jobs.formats import Codec
from jobs.records import Encoding

WIDTH = 480
"""Widest a picture of the pair is, in pixels."""
QUALITY = 88


def pair(source: av.VideoFrame, finished: av.VideoFrame, film: Picture, encoding: Encoding) -> bytes:
    """JPEG of both pictures, the film's on the left, upright and with square pixels; the finished one at the film's size."""
    shown = _shown(film)
    pictures = (_rgb(planes_of(source), source.format, film.colour, shown), _finished(finished, film, encoding))
    both = np.hstack([_upright((one.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy(), film) for one in pictures])
    done, data = cv2.imencode(".jpg", both[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    return data.tobytes()


def _finished(frame: av.VideoFrame, film: Picture, encoding: Encoding) -> Tensor:
    # As the film stores its own: both are turned upright at last.
    lying = turned(planes_of(frame), -encoding.rotation)
    if not frame.format.is_rgb:
        return _rgb(lying, frame.format, encoding.colour, _shown(film))
    planes = np.stack([plane.astype(np.float32) for plane in lying])
    if encoding.codec is Codec.EXR:
        values = CURVES[film.colour.transfer].signal(planes)
    else:
        values = planes / np.float32(2 ** frame.format.components[0].bits - 1)
    return resized(torch.from_numpy(values)[None], _shown(film))[0].clamp(0, 1)


def _rgb(planes: Sequence[Plane], form: av.VideoFormat, colour: Colour, size: tuple[int, int]) -> Tensor:
    """R'G'B' (3HW), 0..1, of a Y'CbCr or grey frame."""
    stacks = [torch.from_numpy(np.ascontiguousarray(plane, np.int32))[None] for plane in planes]
    scale = Quantiser(colour, form.components[0].bits)
    # Planes are shrunk before they become colours: there is less to reckon.
    return Plates(stacks[0], (stacks[1], stacks[2]) if len(stacks) == 3 else None, scale).rgb(size)[0]


def _shown(film: Picture) -> tuple[int, int]:
    """Height and width of one picture with square pixels, not yet upright."""
    width = max(1, round(film.width * film.aspect))
    scale = min(1.0, WIDTH / width)
    return max(1, round(film.height * scale)), max(1, round(width * scale))


def _upright(picture: NDArray[np.uint8], film: Picture) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(picture, film.rotation // 90))
