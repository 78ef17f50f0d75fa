"""Compose: a look's picture and the film's frame made one finished frame. Promises that a chroma look never touches luma; knows no encoder.

One function brings every look to every deliverable. Luma is copied from the film as integers. Chroma is resampled
(bicubic) only where the sizes differ, so a look that gives back what it got gives back the film bit for bit.
"""

from collections.abc import Sequence

import av
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from actors.colour import Quantiser, to_differences
from actors.looks.generator import Domain
from actors.plates import Plane, planes_of
from jobs.errors import FilmFailed
from jobs.film import Picture


def compose(
    frames: Sequence[av.VideoFrame], picture_NCHW: Tensor, domain: Domain, film: Picture, pix_fmt: str
) -> list[av.VideoFrame]:
    """Finished frames in `pix_fmt` (planar Y'CbCr or grey, any depth) for the film's frames and the look's pictures.

    Raises FilmFailed where a picture holds NaN or infinity.
    """
    if not bool(torch.isfinite(picture_NCHW).all()):
        raise FilmFailed("the look gave a picture that is not a number (NaN or infinite)")
    wanted = av.VideoFormat(pix_fmt)
    depth = wanted.components[0].bits
    scale = Quantiser(film.colour, depth)
    if domain is Domain.RGB:
        luma, differences = to_differences(picture_NCHW, film.colour)
        lumas = _integers(scale.luma_integers(luma)[:, 0], depth)
    else:
        differences = picture_NCHW
        lumas = [_at_depth(planes_of(frame)[0], film.depth, depth) for frame in frames]
    chromas: Sequence[Sequence[Plane]] = [()] * len(frames)
    if len(wanted.components) == 3:
        size = (wanted.chroma_height(film.height), wanted.chroma_width(film.width))
        chroma = scale.difference_integers(_resized(differences, size))
        chromas = list(zip(_integers(chroma[:, 0], depth), _integers(chroma[:, 1], depth), strict=True))
    return [_frame((luma, *rest), film, pix_fmt) for luma, rest in zip(lumas, chromas, strict=True)]


def _resized(differences: Tensor, size: tuple[int, int]) -> Tensor:
    if differences.shape[-2:] == size:
        return differences
    if differences.shape[-2] >= size[0] and differences.shape[-1] >= size[1]:
        return functional.interpolate(differences, size, mode="area")
    return functional.interpolate(differences, size, mode="bicubic", align_corners=False)


def _integers(stack_NHW: Tensor, depth: int) -> list[Plane]:
    dtype = np.uint8 if depth == 8 else np.uint16
    return list(stack_NHW.cpu().numpy().astype(dtype))


def _at_depth(luma: Plane, source: int, wanted: int) -> Plane:
    if wanted == source:
        return luma
    if wanted > source:
        return (luma.astype(np.uint32) << (wanted - source)).astype(np.uint16)
    # Rounded, not cut off: half a step of the wanted depth is added first, and the top is held.
    shift = source - wanted
    rounded = (luma.astype(np.uint32) + (1 << (shift - 1))) >> shift
    held: Plane = np.minimum(rounded, 2**wanted - 1).astype(np.uint8 if wanted == 8 else np.uint16)
    return held


def _frame(planes: Sequence[Plane], film: Picture, pix_fmt: str) -> av.VideoFrame:
    frame = av.VideoFrame(film.width, film.height, pix_fmt)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.frombuffer(memoryview(plane), values.dtype).reshape(plane.height, -1)
        rows[:, : plane.width] = values
    return frame
