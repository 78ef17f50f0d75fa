"""Tells whether strokes make colours worse that they were not meant for: dE00 away from the things that they were drawn on."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.evaluation.drawn_strokes import SAME, Strokes
from actors.picture.colour import to_differences
from actors.picture.image_metrics import ciede2000, lab
from jobs.film.source import Colour
from jobs.records.evaluation import OutsideStrokes

Floats = NDArray[np.float32]

LEAST = 0.01
"""Share of a frame below which what is left says nothing."""


def colours_of(layers: list[Strokes]) -> Floats:
    """The colours that were drawn (N, 2), -0.5..0.5."""
    drawn = [layer.chroma[layer.weight > 0] for layer in layers]
    return np.unique(np.concatenate([np.empty((0, 2), np.float32), *drawn]), axis=0)


def outside_strokes(
    truth_13HW: Tensor, look_13HW: Tensor, strokes_13HW: Tensor, colours_N2: Floats, colour: Colour
) -> OutsideStrokes | None:
    """The mean dE00 of a frame's pixels whose true chroma is none of the strokes', by the look alone and with strokes; None where there are too few."""
    chroma_2P = to_differences(truth_13HW, colour)[1][0].flatten(1) / 2
    outside = torch.ones(chroma_2P.shape[1], dtype=torch.bool)
    for drawn in torch.from_numpy(colours_N2):
        outside &= (chroma_2P - drawn[:, None]).abs().amax(0) > SAME
    share = float(outside.float().mean())
    if share < LEAST:
        return None
    wanted, *found = (lab(one)[0].flatten(1)[:, outside] for one in (truth_13HW, look_13HW, strokes_13HW))
    look, strokes = (float(ciede2000(one, wanted).mean()) for one in found)
    return OutsideStrokes(share=share, look=look, strokes=strokes)
