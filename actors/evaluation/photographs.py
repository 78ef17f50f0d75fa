"""Reads photographs as the farm's own frames, so that looks are shown them as they are shown a film."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import PurePosixPath

import av
import cv2
import numpy as np
import torch
from torch import Tensor

from actors.media.limits import refuse_size
from actors.media.planes import planes_of
from actors.picture.colour import Quantiser, to_differences
from actors.picture.image_metrics import WINDOW
from jobs.errors import BadMedia
from jobs.film.source import Colour, Picture
from jobs.store import Store

COLOUR = Colour(matrix="bt709", full_range=True, primaries=1, transfer=13, space=1, assumed=False)
"""sRGB has BT.709's primaries, and a transfer of its own (13)."""


def read_photograph(store: Store, name: str) -> Tensor:
    """R'G'B', 1 3 H W, 0..1, turned upright by its own Exif. Raises BadMedia."""
    data, what = store.read(name), f"{store.url}/{PurePosixPath(name)}"
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:
        found = None
    if found is None:
        raise BadMedia(f"{what} cannot be read as a picture; copy it again, or take it out.")
    height, width = found.shape[:2]
    refuse_size(width, height, what)
    if min(height, width) < WINDOW:
        raise BadMedia(
            f"{what} is {width}x{height}; pictures of at least {WINDOW} pixels a side can be judged: take it out."
        )
    return torch.from_numpy(found[:, :, ::-1].copy()).permute(2, 0, 1)[None].float() / 255


def as_frame(rgb_13HW: Tensor) -> tuple[av.VideoFrame, Picture]:
    """A film of one frame: 8-bit Y'CbCr 4:4:4 of full range, BT.709."""
    height, width = rgb_13HW.shape[-2:]
    frame, scale = av.VideoFrame(width, height, "yuv444p"), Quantiser(COLOUR, 8)
    luma, differences = to_differences(rgb_13HW, COLOUR)
    levels: Sequence[Tensor] = (scale.luma_levels(luma), scale.difference_levels(differences))
    for plane, values in zip(planes_of(frame), scale.integers(torch.cat(tuple(levels), 1))[0], strict=True):
        plane[:] = values.numpy()
    picture = Picture(
        stream=0,
        codec="png",
        width=width,
        height=height,
        stored="yuv444p",
        pix_fmt="yuv444p",
        depth=8,
        time_base=Fraction(1, 24),
        rate=Fraction(24),
        aspect=Fraction(1),
        rotation=0,
        colour=COLOUR,
    )
    return frame, picture
