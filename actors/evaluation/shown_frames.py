"""Frames as a player shows them, in R'G'B': the film's own, and those composed with given colours as in production; true frames as stills."""

from collections.abc import Sequence

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.media.pixel_formats import plain
from actors.picture.colour import to_differences
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch, batches_of, turned_back
from actors.picture.resize import resized
from actors.render.propagation.propagated_colour import chroma_of
from actors.render.propagation.span_propagator import HALF, known_chroma, working_size
from jobs.film.source import Picture
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

Floats = NDArray[np.float32]

CPU = torch.device("cpu")


def composed(frame: av.VideoFrame, picture_1CHW: Tensor, domain: Domain, picture: Picture) -> Tensor:
    """The finished frame, upright: R'G'B' 1 3 H W, 0..1. `picture_1CHW` lies as the film does in its file."""
    return rgb_of(compose([frame], picture_1CHW, domain, picture, _as_it_is(picture)), picture)


def coloured(frame: av.VideoFrame, batch: FrameBatch, guide_hw2: Floats, picture: Picture) -> Tensor:
    """The same, with propagated chroma (-0.5..0.5) at the working size; `batch` holds the frame alone."""
    guide = torch.from_numpy(guide_hw2 / HALF).permute(2, 0, 1)[None]
    return composed(frame, turned_back(chroma_of(guide, batch), picture), Domain.CHROMA, picture)


def true_chroma(batch: FrameBatch, picture: Picture) -> Floats:
    """One frame's own chroma at the working size, as that of a still, which is R'G'B' of the film's size."""
    differences = to_differences(batch.rgb(), picture.colour)[1]
    return known_chroma(resized(differences, working_size(*differences.shape[-2:]))[0])


def rgb_of(frames: Sequence[av.VideoFrame], picture: Picture) -> Tensor:
    """Frames of one film, upright: R'G'B' N 3 H W, 0..1."""
    return batch_of(frames, picture).rgb()


def batch_of(frames: Sequence[av.VideoFrame], picture: Picture) -> FrameBatch:
    """Frames of one film as one batch."""
    ((_, frame_batch),) = batches_of(frames, picture, len(frames), CPU)
    return frame_batch


def _as_it_is(picture: Picture) -> Encoding:
    """A deliverable of the film's own form."""
    return Encoding(
        codec=Codec.FFV1,
        encoder="ffv1",
        library="",
        width=picture.width,
        height=picture.height,
        pix_fmt=plain(picture.pix_fmt),
        rate=picture.rate,
        time_base=picture.time_base,
        aspect=picture.aspect,
        colour=picture.colour,
        options={},
        threads=1,
        reorder=0,
    )
