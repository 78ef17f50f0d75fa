"""Measures matching on pairs of held-out photographs: figures, and a sheet of some."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from actors.picture.motion.flow import Floats
from actors.picture.png_sheet import Photo, photo_of, sheet_of
from actors.training.course import ValidationResult

ON_SHEET = 8
"""Pairs of a sheet, at most."""


class MatchedPair(NamedTuple):
    """A pair's second picture by cells: the error of its matched chroma and what was guessed of it (Q,), that chroma and the true one (Q, 2)."""

    error: Tensor
    guessed: Tensor
    chroma: Tensor
    truth: Tensor


def examined(pairs_23HW: Sequence[Floats], matched: Sequence[MatchedPair]) -> ValidationResult:
    """`chroma`: mean error as a share of grey's; `told`: rank correlation of the guessed error with the true one, over all cells."""
    error, guessed = (torch.cat([one[place] for one in matched]) for place in (0, 1))
    grey = torch.cat([one.truth.norm(dim=1) for one in matched])
    share = float(error.mean() / grey.mean())
    rows = [_row(pair, one) for pair, one in zip(pairs_23HW, matched, strict=True)][:ON_SHEET]
    return ValidationResult({"chroma": share, "told": _correlation(guessed, error)}, share, sheet_of(rows))


def _correlation(one_K: Tensor, other_K: Tensor) -> float:
    ranks = torch.stack([values.argsort().argsort().double() for values in (one_K, other_K)])
    return float(torch.corrcoef(ranks)[0, 1])


def _row(pair_23HW: Floats, matched: MatchedPair) -> list[Photo]:
    """The known picture, the other as matched, and in its own colours."""
    first, second = (torch.from_numpy(planes) for planes in pair_23HW)
    cells = round(len(matched.chroma) ** 0.5)
    chroma = matched.chroma.T.reshape(1, 2, cells, cells).cpu()
    made = functional.interpolate(chroma, second.shape[1:], mode="bilinear", align_corners=False)[0]
    return [_photo(first[0], first[1:]), _photo(second[0], made), _photo(second[0], second[1:])]


def _photo(luma_HW: Tensor, chroma_2HW: Tensor) -> Photo:
    blue, red = luma_HW + 1.8556 * chroma_2HW[0], luma_HW + 1.5748 * chroma_2HW[1]
    green = (luma_HW - 0.2126 * red - 0.0722 * blue) / 0.7152
    return photo_of(torch.stack([red, green, blue])[None])
