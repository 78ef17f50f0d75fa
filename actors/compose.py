"""Compose: a look's picture and the film's frame made one finished frame. Promises that what a look does not give stays the film's own, bit for bit; knows no encoder.

One function brings every look to every deliverable. What a look leaves alone, luma or chroma, is copied from the film as
integers. Chroma is resampled only where the sizes differ, so a look that gives back what it got gives back the film.
"""

from collections.abc import Sequence

import av
import numpy as np
import torch
from torch import Tensor

from actors.colour import Quantiser, to_differences
from actors.device import fetched
from actors.looks.generator import Domain
from actors.planes import Plane, planes_of
from actors.resize import resized
from jobs.errors import FilmFailed
from jobs.film import Picture


def compose(
    frames: Sequence[av.VideoFrame], picture_NCHW: Tensor, domain: Domain, film: Picture, pix_fmt: str
) -> list[av.VideoFrame]:
    """Finished frames in `pix_fmt` (planar Y'CbCr or grey, any depth) for the film's frames and the look's pictures.

    Raises FilmFailed where a picture holds NaN or infinity.
    """
    refuse_not_a_number(picture_NCHW)
    return [
        _finished(frame, picture_CHW[None], domain, film, pix_fmt)
        for frame, picture_CHW in zip(frames, picture_NCHW, strict=True)
    ]


def refuse_not_a_number(picture_NCHW: Tensor) -> None:
    """Raises FilmFailed where a picture holds NaN or infinity."""
    # One pass: both come out as a least or a greatest value.
    if not bool(torch.stack(picture_NCHW.aminmax()).isfinite().all()):
        raise FilmFailed("the look gave a picture that is not a number (NaN or infinite)")


def _finished(frame: av.VideoFrame, picture_1CHW: Tensor, domain: Domain, film: Picture, pix_fmt: str) -> av.VideoFrame:
    made = av.VideoFrame(film.width, film.height, pix_fmt)
    scale = Quantiser(film.colour, made.format.components[0].bits)
    own, planes = planes_of(frame), planes_of(made)
    luma_1HW, differences = _parts(picture_1CHW, domain, film)
    planes[0][:] = (
        _at_depth(own[0], film.depth, scale.depth)
        if luma_1HW is None
        else fetched(scale.luma_integers(luma_1HW)[0]).numpy()
    )
    if differences is None and _same_form(own, planes, film, scale):
        for plane, values in zip(planes[1:], own[1:], strict=True):
            plane[:] = values
    elif len(planes) == 3:
        if differences is None:
            differences = _own_differences(own, film)
        height, width = planes[1].shape
        # Brought into steps where the picture is small, and rounded once, where it is large.
        chroma = scale.integers(resized(scale.difference_levels(differences), (height, width)))
        for plane, values in zip(planes[1:], fetched(chroma[0]).numpy(), strict=True):
            plane[:] = values
    return made


def _parts(picture_1CHW: Tensor, domain: Domain, film: Picture) -> tuple[Tensor | None, Tensor | None]:
    """What the look gives: Y' (1HW) and (B'-Y', R'-Y') (12hw), None for what stays the film's own."""
    if domain is Domain.CHROMA:
        return None, picture_1CHW
    if domain is Domain.LUMA:
        return picture_1CHW[:, 0], None
    luma, differences = to_differences(picture_1CHW, film.colour)
    return luma[:, 0], differences


def _same_form(own: Sequence[Plane], wanted: Sequence[Plane], film: Picture, scale: Quantiser) -> bool:
    return film.depth == scale.depth and [one.shape for one in own] == [one.shape for one in wanted]


def _own_differences(own: Sequence[Plane], film: Picture) -> Tensor:
    """The film's own chroma; none for a grey film."""
    if len(own) == 1:
        return torch.zeros(1, 2, 1, 1)
    chroma = torch.from_numpy(np.stack(own[1:]).astype(np.int32))
    return Quantiser(film.colour, film.depth).difference_floats(chroma[None])


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
