"""Validates a colouring network on held-out pictures: dE00 against colourfulness, one verdict, a sample sheet."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from actors.looks.colorize.network import MULTIPLE, ColorNet
from actors.picture.image_metrics import colourfulness, de00_of_lab, lab, luma_of
from actors.picture.png_sheet import Photo, photo_of
from actors.training.colorize.losses import composed
from actors.training.course import ValidationResult
from actors.training.dataset.crops import tensor_of

STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Beyond 1, so that a timid network has a verdict too."""
BOLD = 1 / 3
"""Of the truth's colourfulness on held-out pictures: what a look shows at strength 1."""
SHEET = 12


@torch.inference_mode()
def examined(network: ColorNet, pictures: Sequence[Photo], device: torch.device) -> ValidationResult:
    """dE00 and colourfulness at each strength, means over the pictures.

    The verdict is the mean of the lowest dE00 and of that where the colourfulness is half the truth's: neither grey nor
    boldness is rewarded.
    """
    sums, true, rows = np.zeros((len(STRENGTHS), 2)), 0.0, []
    for number, picture in enumerate(pictures):
        rgb = middle(picture)
        grey, guess = luma_of(rgb), guessed(network, rgb, device)
        wanted = lab(rgb)
        true += float(colourfulness(rgb))
        for place, strength in enumerate(STRENGTHS):
            shown = composed(grey, strength * guess).clamp(0, 1)
            sums[place] += float(de00_of_lab(lab(shown), wanted)), float(colourfulness(shown))
        if number in shown_of(len(pictures)):
            rows.append(torch.cat((grey.expand_as(rgb), composed(grey, guess).clamp(0, 1), rgb), 3))
    means, true = sums / max(1, len(pictures)), true / max(1, len(pictures))
    return _told(means, true, sheet(rows))


def _told(means: NDArray[np.float64], true: float, shown: Photo) -> ValidationResult:
    errors, colours = means[:, 0].tolist(), means[:, 1].tolist()
    half = float(np.interp(true / 2, colours, errors)) if colours[-1] >= true / 2 else math.inf
    figures = {"dE00 of grey": errors[0], "dE00 at best": min(errors), "CF of the truth": true}
    if math.isfinite(half):
        figures["dE00 at half the truth's CF"] = half
    for strength, error, colour in zip(STRENGTHS, errors, colours, strict=True):
        figures |= {f"dE00 at strength {strength:g}": error, f"CF at strength {strength:g}": colour}
    at_one = STRENGTHS.index(1.0)
    # A network too timid to reach half the truth's colours is worth no more than its worst.
    verdict = (min(errors) + (half if math.isfinite(half) else max(errors))) / 2
    return ValidationResult(figures, verdict, shown, (colours[at_one], true))


def bold(figures: dict[str, float]) -> float:
    """How many times the network's own colours make a picture `BOLD`; 1 where it is bolder by itself.

    A network that learns by the eye's distance is unsure, hence pale: less colour than the truth has is the best answer to
    what cannot be known. A colourist wants colour, and turns strength down where it is wrong.
    """
    colours = [figures[f"CF at strength {strength:g}"] for strength in STRENGTHS]
    return max(1.0, round(float(np.interp(BOLD * figures["CF of the truth"], colours, STRENGTHS)), 2))


def shown_of(pictures: int) -> set[int]:
    """Which pictures the sheet shows: `SHEET` at most, evenly spread, for neighbours come from one source."""
    return {round(place * (pictures - 1) / (SHEET - 1)) for place in range(SHEET)}


def guessed(network: ColorNet, rgb: Tensor, device: torch.device) -> Tensor:
    """The network's chroma for the luma of 1 3 H W, on the CPU."""
    seen = luma_of(rgb).to(device).contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16):
        guess: Tensor = network(seen)
    return guess.float().cpu()


def middle(picture: Photo) -> Tensor:
    """The middle of a picture, cut to what the network takes, 1 3 H W in 0..1."""
    rgb = tensor_of([picture])
    height, width = (length // MULTIPLE * MULTIPLE for length in rgb.shape[-2:])
    top, left = (rgb.shape[-2] - height) // 2, (rgb.shape[-1] - width) // 2
    return rgb[..., top : top + height, left : left + width]


def sheet(rows: list[Tensor]) -> Photo:
    """Rows 1 3 h w of different sizes under each other, on black, H W 3."""
    width = max((row.shape[-1] for row in rows), default=MULTIPLE)
    filled = [F.pad(row, (0, width - row.shape[-1])) for row in rows] or [torch.zeros(1, 3, MULTIPLE, width)]
    return photo_of(torch.cat(filled, 2))
