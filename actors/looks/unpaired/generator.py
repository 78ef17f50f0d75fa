"""The generator of the look "unpaired": translates each frame by itself, in bands of rows that fit into memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from actors.looks.networks import shared
from actors.looks.package import Package, shape_of
from actors.looks.painter import Painter
from actors.looks.unpaired.look import Shape, UnpairedSettings, weights_file
from actors.looks.unpaired.network import MULTIPLE, Translator
from actors.looks.weights import loaded
from actors.picture.device import working_dtype
from actors.picture.frame_batches import FrameBatch
from jobs.document import Document

PIXELS = {"cpu": 1_000_000, "cuda": 2**23}
"""Pixels that are worked on at once, in bands of rows: some 420 to 620 bytes each at a width of 24 channels."""


class UnpairedGenerator:
    """Makes each frame one of another kind."""

    def __init__(self, settings: Document, package: Package | None, device: torch.device) -> None:
        assert isinstance(settings, UnpairedSettings)
        assert package
        shape = shape_of(package, Shape)
        file = weights_file(settings, package)
        path = package.file(file)
        self.network = shared("unpaired", f"{package.digest} {file}", device, lambda: _ready(path, shape, device))
        self.painter = Painter(self._translated, settings)
        self.domain = self.painter.domain

    def render(self, batches: Iterable[FrameBatch]) -> Iterator[Tensor]:
        """R'G'B', or with `keep_chroma` Y', at the film's size."""
        return self.painter.render(batches)

    def _translated(self, rgb_N3HW: Tensor) -> Tensor:
        return in_bands(self.network, rgb_N3HW, PIXELS[rgb_N3HW.device.type])


def in_bands(network: Translator, picture_N3HW: Tensor, pixels: int) -> Tensor:
    """What `network` makes of pictures, in bands of about `pixels` pixels, each shown with the rows that it depends on."""
    count, _, height, width = picture_N3HW.shape
    step = max(1, pixels // (count * width) // MULTIPLE) * MULTIPLE
    around = -(-network.reach // MULTIPLE) * MULTIPLE
    bands = []
    for start in range(0, height, step):
        first = max(0, start - around)
        shown = picture_N3HW[:, :, first : start + step + around].contiguous(memory_format=torch.channels_last)
        bands.append(network(shown)[:, :, start - first : start - first + min(step, height - start)])
    return torch.cat(bands, 2) if len(bands) > 1 else bands[0]


def _ready(path: Path, shape: Shape, device: torch.device) -> Translator:
    network = loaded(path, lambda: Translator(shape))
    network.to(device, working_dtype(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.last.float()
    return network
