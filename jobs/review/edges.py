"""A segment's first and last frame, very small, and what two of them tell: a jump of colour at a seam, and another colour of shots that show the same."""

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from jobs.document import Document

STILL_SHARE = 0.05
"""Of a picture that must be still for it to be judged by that."""
NEIGHBOURS = 8
"""Shots on either side that one is held against: a dialogue returns to its set-ups."""
ALIKE = 0.7
"""Correlation of luma's detail from which on two pictures show the same: in *Tears of Steel* those that do have 0.8 and more, in it and in two other films others 0.36 at most."""
FINE, COARSE = 3, 17
"""Pixels over which detail is averaged, and those about it whose mean it is told from."""
BAR = 24.0
"""Luma of a row or column of a black bar, at most."""
SAME_LUMA, SAME_SHARE = 6, 0.3
"""Steps of 8 bits that luma of the same place differs by at most, and the part of the picture that must be so."""
LEAST_CONTRAST = 6.0
"""Steps that luma deviates by at least: black resembles black."""

Small = NDArray[np.int16]
Profile = NDArray[np.float32]


class EdgePicture(Document):
    """A segment's first or last frame, very small: luma of the source, and Y', Cb, Cr of the result."""

    width: Annotated[int, Field(ge=1, le=256)]
    height: Annotated[int, Field(ge=1, le=256)]
    samples: Annotated[str, Field(max_length=400_000)]
    """Of 8 bits, plane after plane, in base64."""

    @classmethod
    def of(cls, planes: Sequence[NDArray[np.uint8]]) -> "EdgePicture":
        """Four planes of one size."""
        height, width = planes[0].shape
        samples = base64.b64encode(np.stack(planes).tobytes()).decode()
        return cls(width=width, height=height, samples=samples)

    def planes(self) -> Small | None:
        """The planes, 4HW; None where they are damaged."""
        try:
            found = np.frombuffer(base64.b64decode(self.samples, validate=True), np.uint8)
            return found.reshape(4, self.height, self.width).astype(np.int16)
        except ValueError:
            return None


def seam_step(before: EdgePicture, after: EdgePicture) -> float | None:
    """Mean steps that chroma changes by in still areas from one frame to the next; None where too little is still, or they are of two sizes."""
    one, other = before.planes(), after.planes()
    if one is None or other is None or one.shape != other.shape:
        return None
    change = np.abs(other - one)
    still = change[0] <= 1
    return float(change[2:, still].mean()) if still.mean() >= STILL_SHARE else None


class SetupDifference(NamedTuple):
    """How far a shot's colour is from that of others of its set-up."""

    apart: float
    """dE (CIE 1976) of the mean colour of what has the same luma, to the nearest of them."""
    other: int
    """The number of that shot."""


def setup_differences(shots: Sequence[tuple[int, Sequence[EdgePicture]]]) -> Mapping[int, SetupDifference]:
    """By number, for shots that another one near them shows the same as; `shots`: numbers and edges, in film order.

    The nearest counts: of three that show the same, one that is tinted is far from both others, and these are near each other.
    """
    found: dict[int, SetupDifference] = {}
    seen: list[tuple[int, list[tuple[Small, Profile]]]] = []
    for number, edges in shots:
        views = [view for one in edges if (view := _profiled(one))]
        for other, earlier in seen[-NEIGHBOURS:]:
            apart = _apart(earlier, views)
            if apart is not None:
                for one, against in ((number, other), (other, number)):
                    found[one] = min(found.get(one, SetupDifference(apart, against)), SetupDifference(apart, against))
        seen.append((number, views))
    return found


def _profiled(edge: EdgePicture) -> tuple[Small, Profile] | None:
    """Its planes, and its luma's detail, of length one; None where it is damaged, or all of one shade."""
    planes = edge.planes()
    if planes is None or planes[0].std() < LEAST_CONTRAST:
        return None
    # Light and dark in large belong to the sky and the lamp; what is where belongs to the set-up.
    detail = detail_of(_without_bars(planes[0].astype(np.float32)))
    length = float(np.linalg.norm(detail))
    return (planes, (detail / np.float32(length)).ravel()) if length else None


def _without_bars(luma: Profile) -> Profile:
    """Black bars at the edges take on what they border on: they are alike in all shots."""
    for _ in range(2):
        lit = np.flatnonzero(luma.max(axis=1) > BAR)
        if len(lit) > 2:
            luma = luma[np.clip(np.arange(len(luma)), lit[0] + 1, lit[-1] - 1)]
        luma = luma.T
    return luma


def detail_of(luma: Profile) -> Profile:
    """What is finer than the light about it."""
    return mean_about(luma, FINE) - mean_about(luma, COARSE)


def mean_about(luma: Profile, side: int) -> Profile:
    """The mean over so many pixels about each, odd, in both directions."""
    for _ in range(2):
        padded = np.pad(luma, ((side // 2 + 1, side // 2), (0, 0)), mode="edge").cumsum(axis=0, dtype=np.float64)
        luma = ((padded[side:] - padded[:-side]) / side).astype(np.float32).T
    return luma


def _apart(one: Sequence[tuple[Small, Profile]], other: Sequence[tuple[Small, Profile]]) -> float | None:
    """dE of the two views that are most alike; None where none are."""
    pairs = [(float(a @ b), x, y) for x, a in one for y, b in other if x.shape == y.shape]
    alike, first, second = max(pairs, key=lambda pair: pair[0], default=(0.0, None, None))
    if alike < ALIKE or first is None or second is None:
        return None
    same = np.abs(first[0] - second[0]) <= SAME_LUMA
    if same.mean() < SAME_SHARE:
        return None
    return round(float(np.linalg.norm(_lab(first[1:, same].mean(1)) - _lab(second[1:, same].mean(1)))), 3)


def _lab(ycc: NDArray[np.floating]) -> NDArray[np.float64]:
    """CIE L*a*b* of mean Y', Cb, Cr of limited range, as BT.709 has them and an sRGB screen shows them."""
    luma, blue, red = (ycc[0] - 16) / 219, (ycc[1] - 128) / 224, (ycc[2] - 128) / 224
    signal = np.clip([luma + 1.5748 * red, luma - 0.1873 * blue - 0.4681 * red, luma + 1.8556 * blue], 0, 1)
    light = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    xyz = np.array([[0.4338, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]]) @ light
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])
