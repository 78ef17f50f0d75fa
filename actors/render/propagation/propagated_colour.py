"""Gives the renderer a chunk's propagated colour: chroma from its guides, and on a painted frame that of the still."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from actors.encode.float_pictures import Bits, read_float_pictures
from actors.media.verified import proven
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch, turned_upright
from actors.picture.resize import Size, resized
from actors.render.propagation.guide_upsampling import upsampled
from actors.render.propagation.still_detail import StillDetail
from jobs.errors import ChunkFailed
from jobs.film.source import Film, Picture
from jobs.ledger.ledger import Ledger
from jobs.plan.ranges import Range
from jobs.records.guides import DETAIL_REACH, GuideRecord, ReferenceRecord

GUIDE_BITS: Bits = 10
"""Of a guide's chroma: finer than the 8 bits of most films, and a third of the bytes of 16."""
REFERENCE_CHANNELS = 4
"""B'-Y', R'-Y', how much of the still is meant (0..1), and the frame's own luma (0..1)."""


class ColouredFrames(Protocol):
    """What names a run of frames and their propagated colour."""

    @property
    def film(self) -> Film: ...

    @property
    def read(self) -> Range:
        """The frames that are shown."""

    @property
    def guides(self) -> tuple[GuideRecord, ...]:
        """Those of all these frames, in order."""

    @property
    def references(self) -> tuple[ReferenceRecord, ...]:
        """Those of stills of these frames."""


class PropagatedColour:
    """Stands in a renderer where a look's generator would: it is shown a chunk's frames, and reads their colour."""

    domain = Domain.CHROMA

    def __init__(self, ledger: Ledger, order: ColouredFrames) -> None:
        self._ledger = ledger
        self._order = order

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """Chroma of each frame (12HW, upright), at the size of the film's own; at that of its luma near a still, whose detail it has.

        Raises Damaged where what the records name is not there or another.
        """
        film = self._order.film.picture
        records = {record.frame: record for record in self._order.references}
        frames = enumerate((frame for batch in batches for frame in batch.parts(1)), self._order.read.start)
        held: int | None = (
            None  # a still and its detail are large: only the nearest is in memory, and a frame later none before it is nearer
        )
        # The guides first: only when they are asked for one more are the last of them proven.
        for guide, (number, frame) in zip(self._guides(), frames, strict=False):
            nearest = min(records, key=lambda still: (abs(still - number), still), default=None)
            if nearest is None or abs(nearest - number) > DETAIL_REACH:
                yield chroma_of(guide, frame)
                continue
            luma = frame.luma()
            chroma = on_luma(guide, luma)
            if nearest != held:
                held = nearest
                still = read_reference(self._ledger, records[held], film)
                detail = detail_of(still, (guide.shape[-2], guide.shape[-1]))
            if nearest == number:
                painted = still.to(luma.device)
                yield chroma + painted[:, 2:3] * (painted[:, :2] - chroma)
            else:
                yield chroma + detail.on(luma, abs(nearest - number))

    def _guides(self) -> Iterator[Tensor]:
        """Chroma of the chunk's frames, in order, at the guides' size."""
        next_frame = self._order.read.start
        for guide in self._order.guides:
            if guide.frames.start > next_frame:
                break
            yield from self._of_guide(guide, next_frame, self._order.read.stop)
            next_frame = guide.frames.stop
        if next_frame < self._order.read.stop:
            raise ChunkFailed(f"frame {next_frame} has no guide: the spans of its shot do not tile it.")

    def _of_guide(self, guide: GuideRecord, start: int, stop: int) -> Iterator[Tensor]:
        what = f"the guide {guide.media.key}"
        with (
            proven(self._ledger, guide.media, guide.digest) as media,
            closing(read_float_pictures(media, 2, GUIDE_BITS, what)) as pictures,
        ):
            for number, picture in enumerate(pictures, guide.frames.start):
                if start <= number < stop:
                    yield picture


def chroma_of(guide_12hw: Tensor, frame: FrameBatch) -> Tensor:
    """A guide as one frame's chroma (12HW): at the size of the film's own chroma and sited as that is, where no guide is larger; else at its luma's."""
    own = frame.chroma[0].shape[-2:] if frame.chroma else frame.luma_NHW.shape[-2:]
    size = own[0], own[1]
    if size == frame.luma_NHW.shape[-2:] or size[0] < guide_12hw.shape[-2] or size[1] < guide_12hw.shape[-1]:
        return on_luma(guide_12hw, frame.luma())
    down, right = frame.shift
    return resized(on_luma(guide_12hw, frame.luma(size)), size, (-down, -right))


def on_luma(guide_12hw: Tensor, luma_11HW: Tensor) -> Tensor:
    """A guide at the size of luma, its edges where luma has them (12HW)."""
    small = resized(luma_11HW, (guide_12hw.shape[-2], guide_12hw.shape[-1]))[0, 0].cpu().numpy()
    chroma = np.ascontiguousarray(guide_12hw[0].permute(1, 2, 0).numpy())
    full = upsampled(small, chroma, luma_11HW[0, 0].cpu().numpy())
    return torch.from_numpy(full)[None].to(luma_11HW.device)


def detail_of(still_14HW: Tensor, size: Size) -> StillDetail:
    """What a still, as it is kept, has beyond guides of this size."""
    chroma, weight, luma = still_14HW[:, :2], still_14HW[:, 2:3], still_14HW[:, 3:]
    return StillDetail(chroma, on_luma(resized(chroma, size), luma), weight, luma)


def read_reference(ledger: Ledger, record: ReferenceRecord, film: Picture) -> Tensor:
    """What is kept of a still (14HW, see REFERENCE_CHANNELS), upright. Raises Damaged."""
    with (
        proven(ledger, record.media, record.digest) as media,
        closing(read_float_pictures(media, REFERENCE_CHANNELS, 16, f"the reference {record.media.key}")) as pictures,
    ):
        return turned_upright(torch.cat(list(pictures))[:1], film)
