"""Frames as a player shows them, in R'G'B': the film's own, and those composed with given colours as in production."""

from collections.abc import Sequence

import av
import torch
from torch import Tensor

from actors.media.pixel_formats import plain
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch, batches_of
from jobs.film.source import Picture
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec

CPU = torch.device("cpu")


def composed(frame: av.VideoFrame, picture_1CHW: Tensor, domain: Domain, picture: Picture) -> Tensor:
    """The finished frame, upright: R'G'B' 1 3 H W, 0..1. `picture_1CHW` lies as the film does in its file."""
    return rgb_of(compose([frame], picture_1CHW, domain, picture, _as_it_is(picture)), picture)


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
