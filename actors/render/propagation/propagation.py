"""Carries the chroma of anchor frames to the frames between them. The same span always gives the same bits.

A span is the frames between two neighbouring anchors of one shot. Each frame is given three guesses: the colour that optical
flow brings from the anchor before it, that from the anchor after it, and that of the places that it is like (see
`matching`), which is itself carried along the flow from frame to frame, so that it does not flicker. They are blended by
confidence; what stays uncertain is filled in along luma (see `guide_upsampling`).

Flows are composed and the anchor is sampled once. Bidirectional blending: Meyer et al., "Deep video color propagation", 2018.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from actors.render.propagation.flow import Floats, Flows, flows_of, grid, sampled
from actors.render.propagation.guide_upsampling import as_floats, filled
from actors.render.propagation.matching import FeatureExtractor, KnownPicture, ReferenceMemory, from_cells

WORKING_SIDE = 384
"""Longest side of the working size, in pixels; both sides are multiples of 8."""
LONGEST = 96
"""Most frames of a span that are propagated at once; a longer one is cut by derived anchors."""
MATCHED_EVERY = 6
"""Every so many frames of a span features are matched; the frames between have it by flow."""
BROKEN = 0.2
"""Mean trust in a step's flow below which the frames on both sides of it are matched too."""
PATCH = 11
"""Side of the window, in pixels, in which a frame is compared with the anchor brought to it."""
NOISE = 0.02
"""Deviation of luma, 0..1, that is taken to be grain: contrast below it says nothing of likeness."""
FADE_LIMIT = 1.5
"""Most that chroma is multiplied by where a frame is brighter than its anchor."""
HALF_LIFE = 80.0
"""Frames from its anchor after which flow is worth half."""
CONTEST = 4
"""Power of two anchors' weights by which they share a pixel."""
MATCH_SHARE = 0.15
"""What a match is worth beside flow of the same confidence."""
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


class _Guess(NamedTuple):
    chroma: Floats
    weight: Floats


def propagate(
    luma_THW: Floats,
    first: KnownColour | None,
    last: KnownColour | None,
    references: Sequence[KnownPicture] = (),
    extract: FeatureExtractor | None = None,
) -> Guides:
    """Chroma and confidence of every frame of a span of luma (T, H, W), 0..1, whose first or last frame is an anchor, or both.

    `references` are further pictures of this film with known colour, of any size. Without `extract` nothing is matched.
    A span longer than LONGEST is done from both ends inward: the last frame of each part is the anchor of the next.
    """
    frames = len(luma_THW)
    chroma = np.zeros((*luma_THW.shape, 2), np.float32)
    confidence = np.zeros(luma_THW.shape, np.float32)
    start, stop = 0, frames
    known = _around(luma_THW, first, last, references)
    memory = ReferenceMemory(known, extract) if extract and known else None
    while stop - start > LONGEST:
        from_first = first is not None and (last is None or start <= frames - stop)
        part = slice(start, start + LONGEST) if from_first else slice(stop - LONGEST, stop)
        done = _short(luma_THW[part], first if from_first else None, None if from_first else last, memory)
        chroma[part], confidence[part] = done
        at = -1 if from_first else 0
        derived = KnownColour(done.chroma[at], done.confidence[at])
        if from_first:
            first, start = derived, part.stop - 1
        else:
            last, stop = derived, part.start + 1
    chroma[start:stop], confidence[start:stop] = _short(luma_THW[start:stop], first, last, memory)
    return Guides(chroma, confidence)


def _around(
    luma_THW: Floats, first: KnownColour | None, last: KnownColour | None, references: Sequence[KnownPicture]
) -> list[KnownPicture]:
    ends = [KnownPicture(luma_THW[at], one.chroma, one.confidence) for at, one in ((0, first), (-1, last)) if one]
    return [*references, *ends]


def _short(
    luma_THW: Floats,
    first: KnownColour | None,
    last: KnownColour | None,
    memory: ReferenceMemory | None,
) -> Guides:
    flows = flows_of(luma_THW)
    matches = _matches(luma_THW, flows, memory) if memory else None
    backward = list(_carried(luma_THW[::-1], flows.ahead[::-1], flows.ahead_trust[::-1], last))[::-1]
    chroma = np.empty((*luma_THW.shape, 2), np.float32)
    confidence = np.empty(luma_THW.shape, np.float32)
    for number, before in enumerate(_carried(luma_THW, flows.back, flows.back_trust, first)):
        brought = _contested(before, backward[number], (number + 1) / (len(luma_THW) + 1))
        guesses = [brought, matches[number]] if matches else [brought]
        chroma[number], confidence[number] = _blended(luma_THW[number], guesses)
    for at, anchor in ((0, first), (-1, last)):
        if anchor:
            chroma[at], confidence[at] = anchor.chroma, anchor.confidence
    return Guides(chroma, confidence)


def _carried(luma_THW: Floats, flow_THW2: Floats, trust_THW: Floats, anchor: KnownColour | None) -> Iterator[_Guess]:
    """What the anchor, the first of these frames, says of each: sampled once, where the composed flows lead to."""
    height, width = luma_THW.shape[1:]
    if anchor is None:
        nothing = _Guess(np.zeros((height, width, 2), np.float32), np.zeros((height, width), np.float32))
        yield from [nothing] * len(luma_THW)
        return
    places = grid(height, width)
    trust = np.ones((height, width), np.float32)
    known = np.dstack([anchor.chroma, luma_THW[0], anchor.confidence])
    for number, luma in enumerate(luma_THW):
        if number:
            step = grid(height, width) + flow_THW2[number]
            places = sampled(places, step)
            trust = sampled(trust, step) * trust_THW[number]
        brought = sampled(known, places)
        alike, ratio = _likeness(luma, np.ascontiguousarray(brought[..., 2]))
        nearness = np.float32(1 / (1 + number / HALF_LIFE))
        weight = trust * alike * brought[..., 3]
        yield _Guess(brought[..., :2] * ratio[..., None], as_floats(weight * nearness))


def _contested(before: _Guess, after: _Guess, passed: float) -> _Guess:
    """Two anchors' guesses as one, as sure as the surer. `passed`: the share of the way from the first to the second, 0..1.

    Weighed by a power of their weights: at occlusions one side is wrong, and a mean would be half wrong.
    """
    one = before.weight**CONTEST * np.float32(1 - passed)
    two = after.weight**CONTEST * np.float32(passed)
    share = (one + np.float32(1e-20)) / (one + two + np.float32(2e-20))
    chroma = after.chroma + share[..., None] * (before.chroma - after.chroma)
    return _Guess(chroma, np.maximum(before.weight, after.weight))


def _likeness(luma_HW: Floats, other_HW: Floats) -> tuple[Floats, Floats]:
    """How alike two pictures are about each pixel whatever the light, 0..1, and the ratio of their light, for chroma.

    The first is normalised cross-correlation, where there is contrast; chroma fades with luma.
    """
    planes = luma_HW, other_HW, luma_HW * luma_HW, other_HW * other_HW, luma_HW * other_HW
    one, two, square_one, square_two, product = (cv2.blur(plane, (PATCH, PATCH)) for plane in planes)
    noise = np.float32(NOISE * NOISE)
    spread = np.sqrt((np.maximum(square_one - one * one, 0) + noise) * (np.maximum(square_two - two * two, 0) + noise))
    correlation = ((product - one * two + noise) / spread).clip(0, 1)
    ratio = (np.maximum(one, 0) + np.float32(NOISE)) / (np.maximum(two, 0) + np.float32(NOISE))
    # An anchor much darker than the frame says little: its chroma has drowned in black.
    visible = np.minimum(1, FADE_LIMIT / ratio) ** 2
    return correlation * correlation * visible, np.minimum(ratio, np.float32(FADE_LIMIT))


def _matches(luma_THW: Floats, flows: Flows, memory: ReferenceMemory) -> list[_Guess]:
    """What features say of each frame, gathered along the flow from the matched frames on both sides."""
    frames, height, width = luma_THW.shape
    found = {}
    for at in _keys(flows):
        chroma, confidence = memory.match(luma_THW[at])
        weight = from_cells(confidence, height, width)[..., None] * np.float32(MATCH_SHARE)
        found[at] = np.dstack([from_cells(chroma, height, width) * weight, weight])
    behind = _gathered(found, range(frames), flows.back, flows.back_trust)
    before = _gathered(found, range(frames - 1, -1, -1), flows.ahead, flows.ahead_trust)
    guesses = []
    for at in range(frames):
        # A frame's own match has come from both sides, and counts once.
        both = behind[at] + before[at] - found.get(at, np.float32(0))
        weight = both[..., 2]
        guesses.append(_Guess(both[..., :2] / (weight + np.float32(1e-6))[..., None], np.minimum(weight, 1)))
    return guesses


def _keys(flows: Flows) -> list[int]:
    """The frames that are matched: some evenly, the last, and both beside a place where flow breaks off."""
    back, ahead = (trust.mean((1, 2)) < BROKEN for trust in (flows.back_trust, flows.ahead_trust))
    last = len(back) - 1
    return [at for at in range(last + 1) if at % MATCHED_EVERY == 0 or at == last or back[at] or ahead[at]]


def _gathered(found: dict[int, Floats], numbers: range, flow_THW2: Floats, trust_THW: Floats) -> dict[int, Floats]:
    height, width = trust_THW.shape[1:]
    state = np.zeros((height, width, 3), np.float32)
    gathered = {}
    for at in numbers:
        if at != numbers[0]:
            moved = sampled(state, grid(height, width) + flow_THW2[at])
            state = moved * (np.float32(MATCH_MEMORY) * trust_THW[at])[..., None]
        state = state + found.get(at, np.float32(0))
        gathered[at] = state
    return gathered


def _blended(luma_HW: Floats, guesses: Sequence[_Guess]) -> tuple[Floats, Floats]:
    total = np.full(luma_HW.shape, 1e-6, np.float32)
    chroma = np.zeros((*luma_HW.shape, 2), np.float32)
    for guess in guesses:
        total += guess.weight
        chroma += guess.chroma * guess.weight[..., None]
    square = total * total
    confidence = square / (square + np.float32(DOUBT * DOUBT))
    # A guess that is worth next to nothing errs less when it is drawn towards grey.
    chroma *= (total / (square + np.float32(GREY * GREY)))[..., None]
    return filled(luma_HW, chroma, confidence), confidence
