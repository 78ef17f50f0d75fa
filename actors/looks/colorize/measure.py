"""For: judging a colouriser. Promises: dE00 against CF over strength, sheets. Refuses to know: training."""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from actors.looks.colorize import data
from actors.looks.colorize.figures import ciede2000, colourfulness, lab
from actors.looks.colorize.network import MULTIPLE, ColorNet, load_network

STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SHEET_ROWS = 8


@dataclass(frozen=True)
class Point:
    """Mean figures over pictures at one strength of the chroma."""

    strength: float
    de00: float
    colourfulness: float


@torch.inference_mode()
def curve(
    network: ColorNet, pictures: list[data.Picture], side: int | None, strengths: tuple[float, ...] = STRENGTHS
) -> tuple[list[Point], float]:
    """One point for each strength, and the truth's colourfulness; the middle of each picture."""
    sums, truth = np.zeros((len(strengths), 2)), 0.0
    for picture in pictures:
        rgb = middle(picture, side)
        grey, guess = data.luma(rgb), chroma_of(network, rgb)
        true = pixels(rgb)
        truth += colourfulness(true)
        wanted = lab(true)
        for row, strength in enumerate(strengths):
            shown = pixels(data.compose(grey, strength * guess))
            sums[row] += ciede2000(lab(shown), wanted).mean(), colourfulness(shown)
    means = sums / len(pictures)
    return [Point(s, *row) for s, row in zip(strengths, means.tolist(), strict=True)], truth / len(pictures)


def chroma_of(network: ColorNet, rgb: Tensor) -> Tensor:
    """What the network says of the luma of N 3 H W, in the precision of its weights: N 2 H W float32."""
    seen = data.luma(rgb).to(network.last.weight.dtype)
    guess: Tensor = network(seen.contiguous(memory_format=torch.channels_last))
    return guess.float()


def middle(picture: data.Picture, side: int | None) -> Tensor:
    """The picture with a short side of `side` pixels (None: as it is), cut to what the network takes: 1 3 H W."""
    rgb = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
    if side is not None:
        size = [max(side, round(length * side / min(rgb.shape[-2:]))) for length in rgb.shape[-2:]]
        rgb = F.interpolate(rgb, size, mode="bilinear", antialias=True, align_corners=False)
    height, width = (length // MULTIPLE * MULTIPLE for length in rgb.shape[-2:])
    top, left = (rgb.shape[-2] - height) // 2, (rgb.shape[-1] - width) // 2
    return rgb[..., top : top + height, left : left + width].clamp(0, 1)


def pixels(rgb: Tensor) -> NDArray[np.float64]:
    """1 3 H W -> H W 3, clipped to 0..1."""
    return rgb[0].clamp(0, 1).permute(1, 2, 0).double().numpy()


def verdict(points: list[Point], truth: float) -> float:
    """dE00 where the colourfulness is half the truth's: one figure that rewards neither grey nor boldness."""
    colours = [point.colourfulness for point in points]
    if colours[-1] < truth / 2:
        return math.inf
    return float(np.interp(truth / 2, colours, [point.de00 for point in points]))


def as_text(points: list[Point], truth: float) -> str:
    """The curve on one line."""
    shown = (f"{point.strength}: {point.de00:.2f}/{point.colourfulness:.1f}" for point in points)
    return f"truth {truth:.1f}, strength: dE00/CF {'  '.join(shown)}"


@torch.inference_mode()
def sheet(network: ColorNet, pictures: list[data.Picture], side: int) -> data.Picture:
    """Grey, result and truth beside each other, one picture a row, two rows abreast."""
    rows = []
    for picture in pictures:
        rgb = middle(picture, side)
        grey = data.luma(rgb)
        three = (grey.expand_as(rgb), data.compose(grey, chroma_of(network, rgb)), rgb)
        line = np.concatenate([pixels(one)[:side, :side] for one in three], 1)
        rows.append(np.pad(line, ((0, side - line.shape[0]), (0, 3 * side - line.shape[1]), (0, 0))))
    rows += [np.zeros_like(rows[0])] * (len(rows) % 2)
    pairs = [np.concatenate(rows[at : at + 2], 1) for at in range(0, len(rows), 2)]
    return (np.concatenate(pairs) * 255).round().astype(np.uint8)


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photographs, and folders in it")
    parser.add_argument("--side", type=int, help="resize to this short side first")
    parser.add_argument("--sheets", type=Path, help="folder to write sheets to")
    parser.add_argument("--float32", action="store_true", help="instead of bfloat16")
    asked = parser.parse_args(arguments)
    network = load_network(asked.weights, "cpu").to(torch.float32 if asked.float32 else torch.bfloat16)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = [data.read(path, None) for path in sorted(asked.photos.rglob("*")) if path.suffix in data.SUFFIXES]
    points, truth = curve(network, pictures, asked.side)
    print(f"{len(pictures)} pictures, {as_text(points, truth)}")
    if asked.sheets:
        asked.sheets.mkdir(parents=True, exist_ok=True)
        for at in range(0, len(pictures), 2 * SHEET_ROWS):
            shown = sheet(network, pictures[at : at + 2 * SHEET_ROWS], asked.side or 256)
            cv2.imwrite(str(asked.sheets / f"sheet-{at:03}.png"), shown[..., ::-1])


if __name__ == "__main__":
    main(sys.argv[1:])
