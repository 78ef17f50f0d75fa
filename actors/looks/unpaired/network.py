"""Networks that translate pictures of one kind into another, and critics that tell true from made.

A pixel depends on its surroundings alone, never on the whole picture.

By Zhu, Park, Isola and Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (2017):
a residual generator and a critic of patches, with two changes. Doubling is a resize and a convolution. Norms are of each
pixel over its channels (Karras et al. 2018) where the paper has instance norms: nothing is taken from the whole picture,
so a band of rows is what it is in the whole, and a still wall stays still while somebody walks past it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from actors.looks.unpaired.look import Shape

MULTIPLE = 4
"""The generator halves its input twice."""
SMALLEST = 16
"""Height and width of what the generator works on, at least: a mirror needs something to show."""
SLOPE = 0.2
REACH = 1.2
"""The generator gives 0.5 +- REACH / 2: white and black must not lie at the far end of a tanh."""


def normed(x: Tensor) -> Tensor:
    """N C H W, each pixel's channels divided by their root mean square."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-4)


def _kernel(inside: int, out: int, span: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, out, span, stride, span // 2, padding_mode="reflect")


class ResidualBlock(nn.Module):
    """x + norm(conv(ReLU(norm(conv(x)))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _kernel(channels, channels), _kernel(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + normed(self.second(normed(self.first(x)).relu()))


class Translator(nn.Module):
    """A generator: R'G'B' of one kind in, of the other out, in place."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        w = shape.width
        self.fine = _kernel(3, w, 5)
        self.halve = _kernel(w, 2 * w, stride=2)
        self.quarter = _kernel(2 * w, 4 * w, stride=2)
        self.blocks = nn.Sequential(*(ResidualBlock(4 * w) for _ in range(shape.blocks)))
        self.to_half = _kernel(4 * w, 2 * w)
        self.to_fine = _kernel(2 * w, w)
        self.last = _kernel(w, 3, 5)
        # Rows that a pixel depends on, above and below it: kernels by their size, doublings (1 and 2 rows); times 4 below.
        self.reach = 4 + 1 + 2 + 8 * shape.blocks + (4 + 2) + (2 + 1) + 2

    def forward(self, picture_N3HW: Tensor) -> Tensor:
        """N 3 H W in 0..1 -> N 3 H W, float32, a little beyond 0..1 (see REACH)."""
        height, width = picture_N3HW.shape[-2:]
        below, right = (max(SMALLEST, -(-side // MULTIPLE) * MULTIPLE) - side for side in (height, width))
        shown = functional.pad(picture_N3HW, (0, right, 0, below), mode="replicate") if below or right else picture_N3HW
        fine = normed(self.fine(2 * shown.to(self.fine.weight.dtype) - 1)).relu()
        half = normed(self.halve(fine)).relu()
        x = self.blocks(normed(self.quarter(half)).relu())
        x = normed(self.to_half(_doubled(x))).relu() + half
        x = normed(self.to_fine(_doubled(x))).relu() + fine
        # In bfloat16 the last sums would show as bands of equal colour.
        with torch.autocast(x.device.type, enabled=False):
            made = 0.5 + 0.5 * REACH * torch.tanh(self.last(x.float()))
        return made[..., :height, :width]


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class UnpairedCritic(nn.Module):
    """A critic of patches (PatchGAN), its kernels but the last held to a spectral norm of 1 (Miyato et al. 2018)."""

    def __init__(self, width: int, halvings: int) -> None:
        """`halvings`: 3 sees patches of 70x70 pixels, 2 of 34x34, 1 of 16x16."""
        super().__init__()
        widths = [3, *(width * 2 ** min(place, 3) for place in range(halvings + 1))]
        strides = [2] * halvings + [1]
        rows = zip(widths[:-1], widths[1:], strides, strict=True)
        kernels = [nn.Conv2d(inside, out, 4, stride, 1) for inside, out, stride in rows]
        kernels.append(nn.Conv2d(widths[-1], 1, 4, 1, 1))
        # The last is free: held to 1 as well, what it gives cannot reach 0 and 1, which least squares asks for.
        self.kernels = nn.ModuleList([*(spectral_norm(one) for one in kernels[:-1]), kernels[-1]])

    def forward(self, picture_N3HW: Tensor) -> Tensor:
        """N 3 H W in 0..1 -> N 1 h w, float32: near 1 where a patch is taken for true, near 0 for made."""
        x = 2 * picture_N3HW - 1
        for kernel in self.kernels[:-1]:
            x = functional.leaky_relu(kernel(x), SLOPE)
        judged: Tensor = self.kernels[-1](x).float()
        return judged


def smallest_side(halvings: int) -> int:
    """Of what a critic can be shown, in pixels."""
    return int(3 * 2**halvings)
