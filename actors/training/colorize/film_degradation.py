"""Makes training pictures look like old film: what cameras, stocks and years do to a picture's luma.

Stocks see colours differently (orthochromatic film is blind to red), printing changes gamma and contrast, lenses blur, silver
has grain, and handling scratches.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from actors.training.colorize.losses import LUMA

MIXES = {"panchromatic": (0.30, 0.45, 0.25), "orthochromatic": (0.03, 0.52, 0.45)}


class OldFilm:
    """Draws for a batch of pictures; the same seed gives the same wear."""

    def __init__(self, pictures: int, seed: int) -> None:
        self.pictures = pictures
        self.generator = torch.Generator().manual_seed(seed)

    def shot(self, rgb: Tensor) -> Tensor:
        """R'G'B' N 3 H W in 0..1 -> the luma N 1 H W that some film of some age would show."""
        grey = (rgb * self._mixes()[:, :, None, None]).sum(1, keepdim=True)
        grey = grey.clamp(1e-4, 1) ** (1 + self._some(0.5) * (torch.exp2(self._uniform(-0.6, 0.6)) - 1))
        return self.worn(self.exposed(grey))

    def exposed(self, grey: Tensor) -> Tensor:
        """Another contrast and brightness, not clipped."""
        contrast = 1 + self._some(0.4) * self._uniform(-0.3, 0.25)
        return 0.5 + (grey - 0.5) * contrast + self._some(0.4) * self._uniform(-0.08, 0.08)

    def worn(self, grey: Tensor) -> Tensor:
        """Blur, grain and scratches; 0..1."""
        soft = F.avg_pool2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), 3, 1)
        grey = torch.lerp(grey, soft, self._some(0.3) * self._uniform(0.3, 1.0))
        noise = torch.randn(grey.shape, generator=self.generator)
        grey = grey + self._some(0.35) * self._uniform(0.0, 0.06) * noise
        return (grey + self._scratches(grey)).clamp(0, 1)

    def again(self, grey: Tensor) -> Tensor:
        """The first pictures of the batch, N 1 H W, lit and worn once more."""
        film = OldFilm(len(grey), int(torch.randint(2**62, (1,), generator=self.generator)))
        return film.worn(film.exposed(grey))

    def _mixes(self) -> Tensor:
        """Weights of red, green and blue, N 3: mostly BT.709, sometimes a stock's, sometimes any."""
        any_mix = -torch.rand(self.pictures, 3, generator=self.generator).clamp_min(1e-6).log()
        any_mix = any_mix / any_mix.sum(1, keepdim=True)
        stocks = torch.tensor(list(MIXES.values()))
        stock = stocks[torch.randint(len(stocks), (self.pictures,), generator=self.generator)]
        mix = torch.lerp(
            LUMA.expand(self.pictures, 3), any_mix, self._some(0.2).view(-1, 1) * self._uniform(0.2, 1.0).view(-1, 1)
        )
        return torch.lerp(mix, stock, self._some(0.15).view(-1, 1))

    def _scratches(self, grey: Tensor) -> Tensor:
        """Thin upright lines, light or dark, on a few pictures."""
        where = torch.randint(grey.shape[-1], (self.pictures,), generator=self.generator)
        line = F.one_hot(where, grey.shape[-1])[:, None, None, :].to(grey.dtype)
        return line * self._some(0.08) * self._uniform(-0.5, 0.5)

    def _uniform(self, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(self.pictures, 1, 1, 1, generator=self.generator)

    def _some(self, share: float) -> Tensor:
        return (torch.rand(self.pictures, 1, 1, 1, generator=self.generator) < share).float()
