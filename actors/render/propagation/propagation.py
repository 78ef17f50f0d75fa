"""Carries the chroma of anchor frames to the frames between them. The same span always gives the same bits.

A span is the frames between two neighbouring anchors of one shot. Each frame is given three guesses: the colour that optical
flow brings from the anchor before it, that from the anchor after it, and that of the places that it is like (see
`matching`), which is itself carried along the flow from frame to frame, so that it does not flicker. They are blended by
confidence; what stays uncertain is filled in along luma (see `guide_upsampling`).

Where things go, and how far that is trusted, is reckoned at half the working size (planes `_hw`); chroma alone is sampled at the
whole of it (planes `_HW`). Flows are composed and the anchor is sampled once. Bidirectional blending: Meyer et al., "Deep
video color propagation", 2018.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from actors.picture.motion.flow import MOTION_SCALE, Floats, as_floats, grid, large, sampled, small
from actors.picture.motion.likeness import likeness
from actors.render.propagation.along_flow import along
from actors.render.propagation.features import CELL
from actors.render.propagation.frame_sequence import Flows, FrameSequence
from actors.render.propagation.guide_upsampling import filling_lines, merged, planes_of
from actors.render.propagation.matching import KnownPicture, Match, Matcher, ReferenceMemory, from_cells

WORKING_SIDE = 384
"""Longest side of the working size, in pixels; both sides are multiples of 8."""
LONGEST = 96
"""Most frames of a span that are propagated at once; a longer one is cut by derived anchors."""
MATCHED_EVERY = 6
"""Every so many frames of a span features are matched; the frames between have it by flow."""
MATCHED_SELDOM = 12
"""The same where flow brings most of a frame its colour."""
SUFFICIENT = 0.5
"""Mean trust in what flow brings from the anchors to a frame at which that is so."""
BROKEN = 0.2
"""Mean trust in a step's flow below which the frames on both sides of it are matched too."""
HALF_LIFE = 80.0
"""Frames from its anchor after which flow is worth half."""
CONTEST = 4
"""Power of two anchors' weights by which they share a pixel."""
MATCH_SHARE = 0.15
"""What a match is worth beside flow of the same confidence."""
FLOW_LEAD = 2.0
"""What flow of confidence 1 counts beside a match that is worth 1, where both have a colour for a pixel."""
MATCH_MEMORY = 0.9
"""What a match is still worth one frame further along the flow."""
GREY = 0.01
"""Weight of all guesses together at which their chroma is halved: one that is worth less is drawn towards grey."""
DOUBT = 0.05
"""Weight of all guesses together at which a pixel's confidence is a half."""


@dataclass(frozen=True, eq=False)
class KnownColour:
    """The known colour of a span's first or last frame: chroma (H, W, 2), -0.5..0.5; confidence (H, W), 0..1."""

    chroma: Floats
    confidence: Floats


class Guides(NamedTuple):
    """A span's answer: chroma (T, H, W, 2), -0.5..0.5, and confidence (T, H, W), 0..1."""

    chroma: Floats
    confidence: Floats

    def part(self, some: slice) -> "Guides":
        """Of some of its frames: the same memory."""
        return Guides(self.chroma[some], self.confidence[some])


class _Brought(NamedTuple):
    """What an anchor says of a frame: where in it each pixel comes from, how its chroma is scaled by light, and what that is worth."""

    moved_hw2: Floats
    ratio_hw: Floats
    weight_hw: Floats


class _Matched(NamedTuple):
    """What features say of a frame: the chroma of all matches, each times its weight, and their weights together."""

    chroma_hw2: Floats
    weight_hw: Floats


def propagate(
    frames: FrameSequence,
    first: KnownColour | None,
    last: KnownColour | None,
    references: Sequence[KnownPicture] = (),
    matcher: Matcher | None = None,
) -> Guides:
    """Chroma and confidence of every frame of a span whose first or last frame is an anchor, or both.

    `references` are further pictures of this film with known colour, of any size. Without `matcher` nothing is matched.
    A span longer than LONGEST is done from both ends inward: the last frame of each part is the anchor of the next.
    """
    start, stop = 0, len(frames.lumas)
    shape = stop, *frames.lumas[0].shape
    whole = Guides(np.empty((*shape, 2), np.float32), np.empty(shape, np.float32))
    known = _around(frames.lumas, first, last, references)
    memory = ReferenceMemory(known, matcher) if matcher and known else None
    while stop - start > LONGEST:
        from_first = first is not None and (last is None or start <= len(frames.lumas) - stop)
        part = slice(start, start + LONGEST) if from_first else slice(stop - LONGEST, stop)
        ends = (first, None) if from_first else (None, last)
        _fill_in(whole.part(part), frames.part(part), ends, memory)
        at = part.stop - 1 if from_first else part.start
        derived = KnownColour(whole.chroma[at].copy(), whole.confidence[at].copy())
        if from_first:
            first, start = derived, part.stop - 1
        else:
            last, stop = derived, part.start + 1
    rest = slice(start, stop)
    _fill_in(whole.part(rest), frames.part(rest), (first, last), memory)
    return whole


def _around(
    lumas: Sequence[Floats], first: KnownColour | None, last: KnownColour | None, references: Sequence[KnownPicture]
) -> list[KnownPicture]:
    ends = [KnownPicture(lumas[at], one.chroma, one.confidence) for at, one in ((0, first), (-1, last)) if one]
    return [*references, *ends]


def _fill_in(
    guides: Guides,
    frames: FrameSequence,
    ends: tuple[KnownColour | None, KnownColour | None],
    memory: ReferenceMemory | None,
) -> None:
    """Write the guides of frames, at most LONGEST, from the anchors at their ends."""
    lumas, small_lumas, flows = frames
    first, last = ends
    before = _carried(small_lumas, flows.back, flows.back_trust, first)
    after = _carried(small_lumas[::-1], flows.ahead[::-1], flows.ahead_trust[::-1], last)[::-1]
    brought = [*zip(before, after, strict=True)]
    matches: Sequence[_Matched | None] = [None] * len(lumas)
    if memory:
        anchors = {at for at, anchor in ((0, first), (len(lumas) - 1, last)) if anchor}
        keys = _keys(flows, [_trust(sides) for sides in brought])
        matches = _matches(flows, {at: memory.match(lumas[at]) for at in keys if at not in anchors})
    for number, (pair, match) in enumerate(zip(brought, matches, strict=True)):
        passed = (number + 1) / (len(lumas) + 1)
        sides = [(anchor.chroma, one) for anchor, one in zip(ends, pair, strict=True) if anchor and one]
        guides.chroma[number], guides.confidence[number] = _blended(
            lumas[number], small_lumas[number], sides, passed, match
        )
    for at, anchor in ((0, first), (-1, last)):
        if anchor:
            guides.chroma[at], guides.confidence[at] = anchor.chroma, anchor.confidence


def _carried(
    lumas_hw: Sequence[Floats], flow: Sequence[Floats], trusts: Sequence[Floats], anchor: KnownColour | None
) -> list[_Brought | None]:
    """What the anchor, the first of these frames, says of each."""
    if anchor is None:
        return [None] * len(lumas_hw)
    carried: list[_Brought | None] = []
    height, width = lumas_hw[0].shape
    places = grid(height, width)
    trust = np.ones((height, width), np.float32)
    known = merged([lumas_hw[0], small(anchor.confidence)])
    for number, luma in enumerate(lumas_hw):
        if number:
            step = grid(height, width) + flow[number]
            x, y, trust = planes_of(sampled(merged([*planes_of(places), trust]), step))
            places, trust = merged([x, y]), as_floats(trust * trusts[number])
        other, sure = planes_of(sampled(known, places))
        alike, ratio = likeness(luma, other)
        nearness = np.float32(1 / (1 + number / HALF_LIFE))
        carried.append(_Brought(places - grid(height, width), ratio, trust * alike * sure * nearness))
    return carried


def _matches(flows: Flows, matched: Mapping[int, Match]) -> list[_Matched]:
    """What features say of each frame, gathered along the flow from the matched frames on both sides."""
    height, width = flows.back_trust[0].shape
    found = {}
    for at, (chroma, confidence) in matched.items():
        weight = from_cells(confidence * np.float32(MATCH_SHARE), height, width, CELL // MOTION_SCALE)
        one, two = planes_of(from_cells(chroma, height, width, CELL // MOTION_SCALE))
        found[at] = merged([one * weight, two * weight, weight])
    matches = []
    for planes_hw3 in along(found, flows, MATCH_MEMORY):
        one, two, weight = planes_of(planes_hw3)
        scale = np.minimum(weight, 1) / (weight + np.float32(1e-6))
        matches.append(_Matched(merged([one * scale, two * scale]), np.minimum(weight, 1)))
    return matches


def _keys(flows: Flows, trusts: Sequence[float]) -> list[int]:
    """The frames that are matched: some evenly, the last, and both beside a place where flow breaks off. `trusts`: in what it brings to each."""
    back, ahead = ([trust.mean() < BROKEN for trust in trusts] for trusts in (flows.back_trust, flows.ahead_trust))
    last = len(back) - 1
    every = (MATCHED_SELDOM if trust >= SUFFICIENT else MATCHED_EVERY for trust in trusts)
    return [at for at, step in enumerate(every) if at % step == 0 or at == last or back[at] or ahead[at]]


def _trust(brought: Iterable[_Brought | None]) -> float:
    """The mean of what the better anchor of each pixel is worth to it."""
    weights = [one.weight_hw for one in brought if one]
    return float(np.maximum.reduce(weights).mean(dtype=np.float64)) if weights else 0.0


def _blended(
    luma_HW: Floats,
    luma_hw: Floats,
    sides: Sequence[tuple[Floats, _Brought]],
    passed: float,
    match: _Matched | None,
) -> tuple[Floats, Floats]:
    """Chroma (H, W, 2) and confidence (H, W) from what the anchors and the features say.

    `sides`: chroma of none, one or two anchors and what is brought of it. `passed`: the share of the way from the first to the second, 0..1.
    """
    height, width = luma_HW.shape
    brought = _contested([side for _, side in sides], passed)
    best = np.maximum.reduce([np.zeros_like(luma_hw), *(side.weight_hw for _, side in sides)])
    found = match.weight_hw if match else np.zeros_like(luma_hw)
    total = best + found + np.float32(1e-6)
    square = total * total
    confidence = square / (square + np.float32(DOUBT * DOUBT))
    # A guess that is worth next to nothing errs less when it is drawn towards grey.
    scale = total / (square + np.float32(GREY * GREY))
    # Flow that has come far is worth little, and still more than what only looks like it; beside sure flow a match counts nothing.
    doubted = found * (1 - best * best)
    by_match = doubted / (doubted + np.float32(FLOW_LEAD) * np.sqrt(best) + np.float32(1e-6))
    blue, red = (np.zeros((height, width), np.float32) for _ in range(2))
    if match:
        part = total * scale * by_match / (found + np.float32(1e-6))
        blue, red = large([plane * part for plane in planes_of(match.chroma_hw2)], height, width)
    for (known, side), share in zip(sides, brought, strict=True):
        (part,) = large([share * side.ratio_hw * total * scale * (1 - by_match)], height, width)
        moved = as_floats(cv2.resize(side.moved_hw2, (width, height), interpolation=cv2.INTER_LINEAR))
        one, two = planes_of(sampled(known, grid(height, width) + moved * np.float32(MOTION_SCALE)))
        blue, red = blue + one * part, red + two * part
    slopes_offsets = filling_lines(luma_hw, [small(blue), small(red)], confidence)
    rest = 1 - confidence
    slope_blue, slope_red, blue_at, red_at, sure = large(
        [*(plane * rest for plane in slopes_offsets), confidence], height, width
    )
    chroma = [blue * sure + slope_blue * luma_HW + blue_at, red * sure + slope_red * luma_HW + red_at]
    return merged(chroma), sure


def _contested(sides: Sequence[_Brought], passed: float) -> list[Floats]:
    """How two anchors share each pixel: by a power of their weights, for at occlusions one side is wrong, and a mean would be half wrong."""
    if len(sides) < 2:
        return [np.ones_like(side.weight_hw) for side in sides]
    one, two = (
        (side.weight_hw * side.weight_hw) ** (CONTEST // 2) * np.float32(way)
        for side, way in zip(sides, (1 - passed, passed), strict=True)
    )
    share = (one + np.float32(1e-20)) / (one + two + np.float32(2e-20))
    return [as_floats(share), as_floats(1 - share)]
