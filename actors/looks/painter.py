"""The rendering shared by looks that make a whole new picture of each frame. A frame's picture is the same in any batch."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

from actors.looks.paint_settings import PaintSettings
from actors.picture.colour import from_differences, to_differences
from actors.picture.domain import Domain
from actors.picture.frame_batches import FrameBatch
from actors.picture.motion.temporal_filter import steady
from actors.picture.resize import resized
from jobs.film.source import Colour

PIXELS = 2**23
"""Pixels that a GPU is given at once."""


class Painter:
    """Paints frames as settings ask."""

    def __init__(self, paint: Callable[[Tensor], Tensor], wish: PaintSettings) -> None:
        """`paint`: R'G'B' N3HW, 0..1, from the same of any size; pictures of a batch do not touch each other."""
        self.paint, self.wish = paint, wish
        self.domain = Domain.LUMA if wish.keep_chroma else Domain.RGB

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size; `steady` frames late."""
        if self.wish.strength == 0:
            yield from map(self._own, batches)
            return
        own: deque[Tensor] = deque()
        for made in steady(self._frames(batches, own), self.wish.steady):
            yield (own.popleft() * (1 - self.wish.strength) + made * self.wish.strength)[None]

    def _own(self, frame_batch: FrameBatch) -> Tensor:
        return frame_batch.luma() if self.wish.keep_chroma else frame_batch.rgb()

    def _frames(self, batches: Iterable[FrameBatch], own: deque[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        # `own` receives the film's pictures; `steady` runs late, so they wait there.
        for frame_batch in batches:
            shown = self.wish.shown(*frame_batch.luma_NHW.shape[-2:])
            # A batch brings a processor nothing, and takes memory.
            at_once = 1 if frame_batch.luma_NHW.is_cpu else _at_once(shown, frame_batch.whole or len(frame_batch))
            for some in frame_batch.parts(at_once):
                luma, rgb = some.luma(), some.rgb()
                own.extend(luma if self.wish.keep_chroma else rgb)
                yield from zip(luma, self._made(rgb, shown, at_once, some.scale.colour), strict=True)

    @torch.inference_mode()
    def _made(self, rgb_N3HW: Tensor, shown: tuple[int, int], at_once: int, colour: Colour) -> Tensor:
        frames, (height, width) = len(rgb_N3HW), rgb_N3HW.shape[-2:]
        small = resized(rgb_N3HW, shown)
        # A GPU may choose another kernel, with other last bits, for another batch: there is one shape.
        full = torch.cat([small, small[-1:].expand(at_once - frames, -1, -1, -1)]) if frames < at_once else small
        painted = resized(self.paint(full)[:frames], (height, width)).clamp(0, 1)
        if not self.wish.keep_chroma and self.wish.saturation == 1:
            return painted
        luma, differences = to_differences(painted, colour)
        if self.wish.keep_chroma:
            return luma
        return from_differences(luma, differences * self.wish.saturation, colour).clamp(0, 1)


def _at_once(shown: tuple[int, int], whole: int) -> int:
    # A batch falls into parts that are nearly equal: the last is filled up to the others' length.
    fit = max(1, PIXELS // (shown[0] * shown[1]))
    return -(-whole // -(-whole // fit))
