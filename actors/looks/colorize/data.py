"""For: photographs to learn from. Promises: crops, and the luma of old film. Refuses to know: networks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Picture = NDArray[np.uint8]

# Share of the crops each folder gives: people and variety up, arbitrary colours and plain backdrops down.
SHARES = {
    "wallpapers": 0.28,
    "cid22": 0.16,
    "clic": 0.14,
    "people/openstax-textbooks": 0.14,
    "people/18f-gsa": 0.07,
    "people/documerica-1970s": 0.03,
    "people/openstax-usgov": 0.01,
    "people/met-paintings": 0.015,
    "people/us-congress-portraits": 0.02,
    "grocery": 0.065,
    "clothing": 0.07,
}
TESTED = {"wallpapers": 10, "cid22": 20, "clic": 5, "people/openstax-textbooks": 20, "people/18f-gsa": 8, "grocery": 5}
SUFFIXES = {".jpg", ".png"}
LUMA = torch.tensor([0.2126, 0.7152, 0.0722])  # BT.709


@dataclass(frozen=True)
class Photographs:
    """Pictures to train with, the odds of each, and pictures held out."""

    training: list[Picture]
    odds: NDArray[np.float64]
    tested: list[Picture]


def photograph(path: Path) -> str:
    """Which photograph a file shows: crops of one share ten characters, save in `people`, one file each."""
    return path.stem if path.parent.parent.name == "people" else path.stem[:10]


def load(root: Path) -> Photographs:
    """Reads every folder of `SHARES`; a photograph is held out whole or not at all."""
    training: list[Picture] = []
    odds: list[float] = []
    tested: list[Picture] = []
    for folder, share in SHARES.items():
        files = sorted(path for path in (root / folder).iterdir() if path.suffix in SUFFIXES)
        names = sorted({photograph(path) for path in files}, key=lambda name: crc32(name.encode()))
        held = set(names[: TESTED.get(folder, 0)])
        kept = [path for path in files if photograph(path) not in held]
        shown = {photograph(path): path for path in files if photograph(path) in held}
        training += [read(path) for path in kept]
        odds += [share / len(kept)] * len(kept)
        tested += [read(path) for path in shown.values()]
    return Photographs(training, np.array(odds) / sum(odds), tested)


def read(path: Path, most: int | None = 288) -> Picture:
    """RGB H W 3, the short side at most `most` pixels."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise ValueError(f"{path} is not a picture")
    picture = cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
    scale = most / min(picture.shape[:2]) if most else 1.0
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return picture.astype(np.uint8)


def batches(photographs: Photographs, count: int, side: int, seed: int) -> Iterator[Tensor]:
    """Endless batches of crops, N 3 side side in 0..1."""
    rng = np.random.default_rng(seed)
    while True:
        chosen = rng.choice(len(photographs.training), count, p=photographs.odds)
        crops = np.stack([crop(photographs.training[i], side, rng) for i in chosen])
        yield torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255


def crop(picture: Picture, side: int, rng: np.random.Generator) -> Picture:
    """A square of random place and size, often most of the picture: meaning needs surroundings."""
    most = min(picture.shape[:2])
    size = int(rng.integers(min(side, most), most + 1))
    top, left = (int(rng.integers(0, length - size + 1)) for length in picture.shape[:2])
    square = picture[top : top + size, left : left + size]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    method = cv2.INTER_AREA if size >= side else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(square), (side, side), interpolation=method).astype(np.uint8)


def luma(rgb: Tensor) -> Tensor:
    """N 3 H W -> N 1 H W, BT.709."""
    return (rgb * LUMA[:, None, None]).sum(1, keepdim=True)


def chroma(rgb: Tensor) -> Tensor:
    """N 3 H W -> N 2 H W, B'-Y' and R'-Y'."""
    return rgb[:, [2, 0]] - luma(rgb)


def compose(grey: Tensor, colour: Tensor) -> Tensor:
    """Luma N 1 H W and B'-Y', R'-Y' N 2 H W -> RGB N 3 H W, not clipped."""
    blue, red = colour[:, :1] + grey, colour[:, 1:] + grey
    return torch.cat((red, (grey - LUMA[0] * red - LUMA[2] * blue) / LUMA[1], blue), 1)


def aged(rgb: Tensor, generator: torch.Generator) -> Tensor:
    """The luma N 1 H W that film of some age and stock might show: other mixes, gamma, contrast, blur, grain."""
    count = len(rgb)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)

    def some(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, generator=generator) < share).float()

    mix = -torch.rand(count, 3, generator=generator).clamp_min(1e-6).log()
    mix = mix / mix.sum(1, keepdim=True)
    mix = torch.lerp(LUMA.expand(count, 3), mix, (some(0.3) * uniform(0.2, 1.0)).reshape(count, 1))
    grey = (rgb * mix[:, :, None, None]).sum(1, keepdim=True)
    grey = grey.clamp(1e-4, 1) ** (1 + some(0.5) * (torch.exp2(uniform(-0.6, 0.6)) - 1))
    grey = 0.5 + (grey - 0.5) * (1 + some(0.4) * uniform(-0.3, 0.25)) + some(0.4) * uniform(-0.08, 0.08)
    soft = F.avg_pool2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), 3, 1)
    grey = torch.lerp(grey, soft, some(0.3) * uniform(0.3, 1.0))
    noise = torch.randn(grey.shape, generator=generator)
    return (grey + some(0.35) * uniform(0.0, 0.06) * noise).clamp(0, 1)
