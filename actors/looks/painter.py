"""Painting frame by frame: what looks have in common that make a whole new picture of each frame. Promises one picture for a frame in any company; knows no network."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from actors.looks.package import SizeRule
from actors.picture.colour import from_differences, to_differences
from actors.picture.frame_batches import FrameBatch
from actors.picture.generator import Domain
from actors.picture.resize import resized
from actors.picture.temporal_filter import steady
from jobs.document import Document
from jobs.film.source import Colour
from jobs.plan.plan import Keeps, Support

PIXELS = 2**23
"""Pixels that a GPU is given at once."""


class PaintSettings(Document):
    """What a colourist can ask of any such look."""

    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the film's own picture, 1 takes the painted one."""
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Factor on the painted picture's chroma."""
    keep_chroma: bool = False
    """Paint luma alone: the film's own chroma stays, bit for bit."""
    size: Annotated[int, Field(ge=64, le=8192)] | None = None
    """Long side of the picture that is painted, in pixels: smaller makes strokes broader. None: the film's own."""
    steady: Annotated[int, Field(ge=0, le=16)] = 0
    """Radius, in frames, of a temporal window that calms flicker where the film's luma stands still."""

    def support(self) -> Support:
        """Frames that are needed around a frame."""
        return Support(context=self.steady if self.strength else 0)

    @property
    def keeps(self) -> Keeps:
        """What of the film's own picture stays."""
        return "chroma" if self.keep_chroma else ""

    def shown(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the picture that is painted, of a film's."""
        return SizeRule(rule="long", side=self.size).of(height, width) if self.size else (height, width)


class Painter:
    """Paints plates as settings ask."""

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

    def _own(self, plates: FrameBatch) -> Tensor:
        return plates.luma() if self.wish.keep_chroma else plates.rgb()

    def _frames(self, batches: Iterable[FrameBatch], own: deque[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        # `own` receives the film's pictures; `steady` runs late, so they wait there.
        for plates in batches:
            shown = self.wish.shown(*plates.luma_NHW.shape[-2:])
            # A batch brings a processor nothing, and takes memory.
            at_once = 1 if plates.luma_NHW.is_cpu else _at_once(shown, plates.whole or len(plates))
            for some in plates.parts(at_once):
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
