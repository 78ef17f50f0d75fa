"""Applies a shot's controls to a look's colour, and keeps it in the legal gamut, on whole batches and on any device.

Chroma is worked on as it is put on luma: at the size of the finished frame's own chroma. Controls at rest change no bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import atan2, cos, degrees, pi, radians, sin

import torch
from torch import Tensor

from actors.picture.colour import from_differences, to_differences
from actors.picture.grading.gamut import within_gamut
from actors.picture.grading.grade import PictureGrade
from jobs.film.source import KR_KB, Colour
from jobs.plan.grading import FrameControls, Grading

BINS = 3600
"""Of the table of hues, all around: a tenth of a degree each."""
SKIN = 123.0
"""Degrees on the vectorscope where skin of any tone lies."""
WARMTH = 0.2
"""By how much red is raised, and blue lowered, at a warmth of 1."""


@dataclass(frozen=True)
class Grader:
    """What is done with the pictures of some frames of one film."""

    grading: Grading
    colour: Colour
    grade: PictureGrade | None = None
    """That of the grading, its tables read."""
    whole: bool = False
    """Whether the grade's luma counts, too: not for looks that keep the film's."""

    def acts(self, first: int, frames: int) -> bool:
        """Whether anything is changed on these frames."""
        held = self.grading.gamut in ("hold", "clip")
        return (
            held
            or self.grade is not None
            or any(not self.grading.at(number).rest for number in range(first, first + frames))
        )

    def chroma(self, luma_N1HW: Tensor, differences_N2hw: Tensor, own_N2hw: Callable[[], Tensor], first: int) -> Tensor:
        """(B'-Y', R'-Y') of frames from number `first` on, under their controls. Of luma there are as many pixels, or whole cells of them for each sample.

        `own_N2hw`: the film's own, at the same size, if it is asked for.
        """
        each = [self.grading.at(first + place) for place in range(len(differences_N2hw))]
        return self._controlled(each, luma_N1HW, differences_N2hw, own_N2hw)

    def graded(self, luma_N1HW: Tensor, differences_N2hw: Tensor) -> tuple[Tensor, Tensor]:
        """Luma and (B'-Y', R'-Y') by CDL and LUT. Where the grade is not `whole` luma stays as it is."""
        if self.grade is None:
            return luma_N1HW, differences_N2hw
        shown = _means(luma_N1HW, differences_N2hw)
        luma, made = to_differences(self.grade.on(from_differences(shown, differences_N2hw, self.colour)), self.colour)
        return (luma if self.whole else luma_N1HW), made

    def legal(self, luma_N1HW: Tensor, differences_N2hw: Tensor) -> Tensor:
        """(B'-Y', R'-Y') in the legal gamut, where it is to be kept."""
        gamut = self.grading.gamut
        if gamut not in ("hold", "clip"):
            return differences_N2hw
        return within_gamut(differences_N2hw, luma_N1HW, self.colour, gamut)

    def luma(self, luma_N1HW: Tensor, own_N1HW: Callable[[], Tensor], first: int) -> Tensor:
        """Luma of a look that gives its own: so much of it as the strength says."""
        strength = _column(luma_N1HW, [self.grading.at(first + place).strength for place in range(len(luma_N1HW))])
        return luma_N1HW if strength is None else own_N1HW() + strength * (luma_N1HW - own_N1HW())

    def _controlled(
        self, each: list[FrameControls], luma_N1HW: Tensor, made: Tensor, own_N2hw: Callable[[], Tensor]
    ) -> Tensor:
        if (strength := _column(made, [one.strength for one in each])) is not None:
            own = own_N2hw()
            made = own + strength * (made - own)
        if not all(one.hues_rest for one in each):
            made = _turned_hues(made, [one.hue for one in each], self.colour)
        if (saturation := _column(made, [one.saturation for one in each])) is not None:
            made = made * saturation
        if (warmth := _column(made, [one.warmth for one in each], rest=0.0)) is not None:
            made = _warmed(made, _means(luma_N1HW, made), warmth, self.colour)
        return made


def _column(like_NCHW: Tensor, values: list[float], rest: float = 1.0) -> Tensor | None:
    """A figure for each frame (N111); None where all are at rest."""
    if all(value == rest for value in values):
        return None
    return like_NCHW.new_tensor(values)[:, None, None, None]


def _means(luma_N1HW: Tensor, like_NChw: Tensor) -> Tensor:
    size = (like_NChw.shape[-2], like_NChw.shape[-1])
    return luma_N1HW if luma_N1HW.shape[-2:] == size else torch.nn.functional.adaptive_avg_pool2d(luma_N1HW, size)


def _warmed(differences_N2hw: Tensor, luma_N1hw: Tensor, warmth_N111: Tensor, colour: Colour) -> Tensor:
    """Red raised and blue lowered by a part of themselves, less what that adds to luma: black stays black."""
    kr, kb = KR_KB[colour.matrix]
    gain = WARMTH * warmth_N111
    red = gain * (luma_N1hw + differences_N2hw[:, 1:]).clamp_min(0)
    blue = -gain * (luma_N1hw + differences_N2hw[:, :1]).clamp_min(0)
    added = kr * red + kb * blue
    return differences_N2hw + torch.cat([blue - added, red - added], 1)


def _turned_hues(differences_N2hw: Tensor, hues: list[tuple[tuple[float, float], ...]], colour: Colour) -> Tensor:
    """Each colour turned and scaled as its hue on the vectorscope asks."""
    kr, kb = KR_KB[colour.matrix]
    reach = differences_N2hw.new_tensor([2 * (1 - kb), 2 * (1 - kr)])[None, :, None, None]
    blue, red = (differences_N2hw / reach).unbind(1)
    place = (torch.atan2(red, blue) * (BINS / (2 * pi))).round().long() % BINS
    tables = {values: _table(values, colour.matrix).to(differences_N2hw.device) for values in set(hues)}
    # Frames of a ramp differ; most batches have one table.
    turn = torch.stack([tables[values][some] for values, some in zip(hues, place, strict=True)])
    along, across = turn.unbind(-1)
    return torch.stack([along * blue - across * red, across * blue + along * red], 1) * reach


@cache
def centres(matrix: str) -> tuple[float, ...]:
    """Degrees of HUES on the vectorscope of a matrix, ascending."""
    kr, kb = KR_KB[matrix]

    def angle(red: int, green: int, blue: int) -> float:
        luma = kr * red + (1 - kr - kb) * green + kb * blue
        return degrees(atan2((red - luma) / (1 - kr), (blue - luma) / (1 - kb))) % 360

    red, yellow, green = angle(1, 0, 0), angle(1, 1, 0), angle(0, 1, 0)
    cyan, blue, magenta = angle(0, 1, 1), angle(0, 0, 1), angle(1, 0, 1)
    return red, SKIN, yellow, green, cyan, blue, magenta + 360


@cache
def _table(values: tuple[tuple[float, float], ...], matrix: str) -> Tensor:
    """For each hue, what turns and scales a colour (BINS x 2): between two centres from one's values to the other's, without a corner."""
    middles = centres(matrix)
    edges = [*middles, middles[0] + 360]
    rows = []
    for place in range(BINS):
        hue = (place * 360 / BINS - edges[0]) % 360 + edges[0]
        after = next(number for number, edge in enumerate(edges) if edge > hue)
        part = (hue - edges[after - 1]) / (edges[after] - edges[after - 1])
        weight = 0.5 - 0.5 * cos(pi * part)
        one, other = values[after - 1], values[after % len(values)]
        shift, scale = (a + weight * (b - a) for a, b in zip(one, other, strict=True))
        rows.append((scale * cos(radians(shift)), scale * sin(radians(shift))))
    return torch.tensor(rows, dtype=torch.float32)
