"""Keeps the Gram matrices of the styles, by Tiny Darknet's first stages, and measures pictures against them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actors.picture.device import working_dtype
from actors.training.darknet import halved
from actors.training.style.losses import gram, style_distance

STAGES = 4
"""Maps at the picture's size, a half, a quarter and an eighth; the fifth stage brings noise (docs/training/style.md)."""
COARSEST = 8
"""Sides of pictures are multiples of this, as each stage halves the one before."""


class StyleDistance:
    """The styles' Gram matrices, and any picture's distance to them.

    Each map counts twice: about the style's own mean of each channel, and about nought, as Gatys has it. About nought the means
    outweigh all the rest: a photograph is within 0.3 of a painting, and brushwork hardly counts. About its mean alone, a palette
    may lose the colours that are far from it.
    """

    def __init__(self, encoder: nn.Module, styles_13HW: Sequence[Tensor]) -> None:
        """`encoder` gives a map for each of its `stages`; it is not trained."""
        self.stages = [stage.requires_grad_(False) for stage in list(encoder.stages)[:STAGES]]  # type: ignore[arg-type]
        self.dtype = working_dtype(styles_13HW[0].device)
        maps = [self.maps(one) for one in styles_13HW]
        means = [torch.cat([one[place].float().mean((2, 3)) for one in maps]) for place in range(STAGES)]
        self.origins = [*means, *(torch.zeros_like(one) for one in means)]
        self.wanted = [
            torch.cat(
                [gram(one[place % STAGES].float() - origin[style, :, None, None]) for style, one in enumerate(maps)]
            )
            for place, origin in enumerate(self.origins)
        ]

    def maps(self, picture_N3HW: Tensor) -> list[Tensor]:
        """One map for each stage, without its rim, where zeros stand around the picture. R'G'B', 0..1."""
        maps: list[Tensor] = []
        x = picture_N3HW
        with torch.autocast(x.device.type, self.dtype, enabled=self.dtype is not torch.float32):
            for stage in self.stages:
                x = stage(halved(x) if maps else x)
                maps.append(x)
        return [one[..., 1:-1, 1:-1] for one in maps]

    def style(self, maps_NCHW: Sequence[Tensor], styles_N: Tensor) -> Tensor:
        """For each picture and map (N, 2 M), its distance to the style of that number, first about the style's means, then about nought:
        see `style_distance`."""
        grams = [
            gram(maps_NCHW[place % STAGES].float() - origin[styles_N][..., None, None])
            for place, origin in enumerate(self.origins)
        ]
        return style_distance(grams, [one[styles_N] for one in self.wanted])
