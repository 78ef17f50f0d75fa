"""Encodes film frames and finished pictures as JPEG stills, in the colours a player shows, upright and with square pixels."""

from collections.abc import Sequence

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.media.planes import Plane, planes_of, turned
from actors.picture.colour import Quantiser
from actors.picture.frame_batches import FrameBatch
from actors.picture.resize import resized
from actors.picture.transfer import CURVES
from jobs.film.source import Colour, Picture
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

WIDTH = 960
"""Widest a picture of the pair is, in pixels: as wide as a page shows one on most screens."""
QUALITY = 88


Photo = NDArray[np.uint8]
"""R'G'B', HW3."""


def pair(source: av.VideoFrame, finished: av.VideoFrame, film: Picture, encoding: Encoding) -> bytes:
    """JPEG of both pictures for the review page, the film's on the left; the finished one at the film's size."""
    return jpeg(np.hstack([of_source(source, film, WIDTH), of_finished(finished, film, encoding, WIDTH)]), QUALITY)


def of_source(frame: av.VideoFrame, film: Picture, widest: int | None = None, *, grey: bool = False) -> Photo:
    """A film's own frame, at most `widest` pixels wide before it is turned upright; None: as large as it is. `grey`: its luma alone."""
    planes = planes_of(frame)[:1] if grey else planes_of(frame)
    return _upright(_rgb(planes, frame.format, film.colour, shown_size(film, widest)), film)


def of_finished(frame: av.VideoFrame, film: Picture, encoding: Encoding, widest: int | None = None) -> Photo:
    """A finished picture in the encoding's form, at the film's size, or at most `widest` as `of_source`."""
    # As the film stores its own: all are turned upright at last.
    shown, lying = shown_size(film, widest), turned(planes_of(frame), -encoding.rotation)
    if not frame.format.is_rgb:
        return _upright(_rgb(lying, frame.format, encoding.colour, shown), film)
    planes = np.stack([plane.astype(np.float32) for plane in lying])
    if encoding.codec is Codec.EXR:
        values = CURVES[film.colour.transfer].signal(planes)
    else:
        values = planes / np.float32(2 ** frame.format.components[0].bits - 1)
    return _upright(resized(torch.from_numpy(values)[None], shown)[0].clamp(0, 1), film)


def jpeg(photo: Photo, quality: int, *, whole_chroma: bool = False) -> bytes:
    """A picture as JPEG; `whole_chroma`: 4:4:4, for a still in which colours are judged."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if whole_chroma:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode(".jpg", photo[:, :, ::-1], options)
    assert done
    return data.tobytes()


def _rgb(planes: Sequence[Plane], form: av.VideoFormat, colour: Colour, size: tuple[int, int]) -> Tensor:
    """R'G'B' (3HW), 0..1, of a Y'CbCr or grey frame."""
    stacks = [torch.from_numpy(np.ascontiguousarray(plane, np.int32))[None] for plane in planes]
    scale = Quantiser(colour, form.components[0].bits)
    # Planes are shrunk before they become colours: there is less to reckon.
    return FrameBatch(stacks[0], (stacks[1], stacks[2]) if len(stacks) == 3 else None, scale).rgb(size)[0]


def shown_size(film: Picture, widest: int | None) -> tuple[int, int]:
    """Height and width of one picture with square pixels, not yet upright."""
    width = max(1, round(film.width * film.aspect))
    scale = 1.0 if widest is None else min(1.0, widest / width)
    return max(1, round(film.height * scale)), max(1, round(width * scale))


def _upright(rgb_3HW: Tensor, film: Picture) -> Photo:
    photo = (rgb_3HW.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    return np.ascontiguousarray(np.rot90(photo, film.rotation // 90))
