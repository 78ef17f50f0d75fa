"""The critic of the colouring course: tells true colours from made ones, patch by patch (some 46 pixels).

Spectral norm bounds its answers.
"""

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

WIDTHS = (32, 64, 128)
SHARPEN = 4.0
"""Chroma is shown so many times as strong: its values are a fraction of luma's."""


class ColorizeCritic(nn.Module):
    """A PatchGAN (Isola et al. 2017) on luma and chroma, with spectral norm (Miyato et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        channels = 3
        for out in WIDTHS:
            self.layers.append(spectral_norm(nn.Conv2d(channels, out, 4, 2, 1)))
            channels = out
        self.layers.append(spectral_norm(nn.Conv2d(channels, 2 * channels, 3, 1, 1)))
        self.last = spectral_norm(nn.Conv2d(2 * channels, 1, 3, 1, 1))

    def forward(self, luma_chroma: Tensor) -> tuple[Tensor, list[Tensor]]:
        """N 3 H W (Y', B'-Y', R'-Y') -> its say for each patch, N 1 h w, greater for true; and its own maps."""
        x = luma_chroma * luma_chroma.new_tensor([1.0, SHARPEN, SHARPEN])[:, None, None]
        maps = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            maps.append(x)
        return self.last(x), maps
