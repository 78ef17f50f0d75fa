"""Spreads the strokes of a layer to what is alike around them, and lays their colour over a span's propagated colour.

Colour flows between neighbouring pixels as far as their luma is alike, as in "Colorization using optimization" (Levin, Lischinski
and Weiss 2004), and a little of it is lost on the way, so that beside each colour there is how far it counts: the probability that a
random walk from a pixel comes to a stroke before it is lost (Grady, "Random walks for image segmentation", 2006). A meadow may be
as light as the sky above it, and no edge between them: a colour counts less the less a place looks like what is under strokes, by
the features that frames are matched by, unless light and texture are the same. Where it counts nothing, what was there before stays,
bit for bit.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.picture.motion.flow import Floats, as_floats
from actors.picture.motion.likeness import FADE_LIMIT
from actors.render.propagation.guide_upsampling import merged
from actors.render.propagation.matching import Matcher, from_cells, likeness_to
from actors.render.propagation.propagation import Guides, KnownColour, propagate
from actors.render.propagation.window import Window
from jobs.plan.ranges import Range
from jobs.plan.spans import STILL_REACH

Doubles = NDArray[np.float64]

ALIKE = 0.018
"""Difference of luma, 0..1, between neighbours at which colour flows by a factor of e^-0.5 less; beyond a few times as much nearly none does."""
LEAK = 1e-5
"""What flows across any edge."""
LOST = 1 / 120**2
"""What is lost at each pixel: in a plain area colour goes about 120 pixels of the working size."""
HELD = 10.0
"""How firmly a pixel under a stroke keeps the painter's colour."""
TOUCHED, HALF = 0.005, 0.04
"""Probability of coming to a stroke up to which a pixel is not touched by any, and what it is beyond that where strokes count half."""
UNSEEN = np.float32(1e-3)
"""What strokes count up to which nobody would see it: they count nothing there."""
OTHER, SAME = np.float32(0), np.float32(0.3)
"""Likeness to what is under strokes up to which a cell is another thing, where they count nothing, and from which on it is the same."""
TEXTURE = 7
"""Side of the window, in pixels, over which mean and deviation of luma are taken."""
AS_LIGHT, AS_ROUGH = 0.03, 0.005
"""Differences of luma and of its deviation from what is under a stroke, 0..1, at which a place counts as the same by e^-0.5: of a plain
wall, features tell apart what lies beside the frame's edge."""
DARK = 0.05
"""Luma, 0..1, that is added where chroma is scaled by light: a colour spread to a darker place has less chroma."""
STEPS, CLOSE = 600, 1e-4
"""Steps of conjugate gradients at most, and the part of the first error at which they end."""
NOTHING = np.float32(0.05)
"""A share of the painter's colour, once it is propagated, up to which there is none."""
FADE = STILL_REACH // 4
"""Frames over which strokes fade at the end of their reach."""
_SMALL = np.float32(0.1)
"""What a share of one is propagated as: chroma of usual size."""
_TINY = 1e-300
"""Against a division by nothing, of grey paint."""


class _Texture(NamedTuple):
    """Mean and deviation of luma about each pixel."""

    light: Doubles
    rough: Doubles


def spread(luma_HW: Floats, chroma_HW2: Floats, weight_HW: Floats, matcher: Matcher) -> KnownColour:
    """The colour of strokes wherever it spreads, and how far it counts there (0: not at all).

    `luma_HW` 0..1 at the working size, `chroma_HW2` -0.5..0.5 where `weight_HW`, 0..1, says that there is a stroke.
    """
    if not weight_HW.any():
        return KnownColour(np.zeros_like(chroma_HW2), np.zeros_like(weight_HW))
    luma, held = luma_HW.astype(np.float64), HELD * weight_HW.astype(np.float64)
    texture = _texture(luma_HW)
    sources = [held, held * (luma + DARK), held * texture.rough, *(held * chroma_HW2[..., plane] for plane in range(2))]
    reached, light, rough, *chroma = _diffused(luma, held, np.stack(sources))
    share = np.maximum(reached, 1e-12)
    scale = np.minimum((luma + DARK) / np.maximum(light, 1e-12), FADE_LIMIT / share)
    spread_HW2 = np.stack([plane * scale for plane in chroma], -1).astype(np.float32)
    painted = _Texture(light / share - DARK, rough / share)
    same = np.maximum(_as_alike(luma_HW, weight_HW, matcher), _as_plain(luma, texture, painted))
    beyond = np.maximum(reached - TOUCHED, 0)
    counted = (beyond / (beyond + HALF) * same).astype(np.float32)
    return KnownColour(spread_HW2, np.where(counted > UNSEEN, counted, np.float32(0)))


def _as_alike(luma_HW: Floats, weight_HW: Floats, matcher: Matcher) -> Floats:
    """How far each pixel shows what is under any stroke, 0..1, by the features of its cell."""
    likeness = likeness_to((weight_HW > 0).astype(np.float32), luma_HW, matcher)
    return from_cells(((likeness - OTHER) / (SAME - OTHER)).clip(0, 1), *luma_HW.shape)


def _as_plain(luma_HW: Doubles, texture: _Texture, painted: _Texture) -> Doubles:
    """How far light and texture are those of what is under the strokes that colour comes from, 0..1."""
    alike = _bell(texture.light - painted.light, AS_LIGHT) * _bell(texture.rough - painted.rough, AS_ROUGH)
    # A pixel beside an edge is in no window that is like the stroke's, but for one to its side.
    beside = cv2.dilate(alike, np.ones((TEXTURE, TEXTURE)))
    return np.asarray(beside * _bell(luma_HW - painted.light, AS_LIGHT))


def _bell(difference_HW: Doubles, deviation: float) -> Doubles:
    return np.asarray(np.exp(-0.5 * (difference_HW / deviation) ** 2))


def _texture(luma_HW: Floats) -> _Texture:
    planes = luma_HW, luma_HW * luma_HW
    light, square = (np.asarray(cv2.blur(plane, (TEXTURE, TEXTURE)), np.float64) for plane in planes)
    return _Texture(light, np.sqrt(np.maximum(square - light * light, 0)))


def laid_over(
    guides: Guides, frames: Range, window: Window, layers: Mapping[int, KnownColour], matcher: Matcher | None
) -> Guides:
    """A span's guides with the spread strokes of some frames laid over them, propagated as an anchor's colour is.

    `guides` begins with the first of `frames`; `window` holds all frames between these and the layers'.
    """
    chroma, confidence = guides.chroma.copy(), guides.confidence.copy()
    mixed, weights, most = (np.zeros_like(one) for one in (chroma, confidence, confidence))
    for at, layer in layers.items():
        for number, (colour, share) in _brought(layer, at, frames, window, matcher):
            place = number - frames.start
            # The nearest layer has most to say.
            weight = share * share / np.float32(1 + abs(number - at))
            weights[place] += weight
            mixed[place] += colour * weight[..., None]
            most[place] = np.maximum(most[place], share)
    touched = weights > 0
    share = most[touched][:, None]
    chroma[touched] += (mixed[touched] / weights[touched][:, None] - chroma[touched]) * share
    confidence[touched] = np.maximum(confidence, most)[touched]
    return Guides(chroma, confidence)


def _brought(
    layer: KnownColour, at: int, frames: Range, window: Window, matcher: Matcher | None
) -> Iterator[tuple[int, tuple[Floats, Floats]]]:
    """A layer's colour and its share in each pixel of these frames; `at`: its own frame, among or beside them."""
    share, whole = layer.confidence, np.ones_like(layer.confidence)
    # What is propagated beside the share, and is one everywhere, tells what light and doubt have made of both.
    planes = [layer.chroma * share[..., None], merged([share * _SMALL, whole * _SMALL])]
    known = [KnownColour(plane, whole) for plane in planes]
    after = Range(at, frames.stop), range(max(at, frames.start), frames.stop), [(one, None) for one in known]
    before = Range(frames.start, at + 1), range(frames.start, min(at, frames.stop)), [(None, one) for one in known]
    for way, wanted, ends in (after, before):
        if not wanted:
            continue
        shown = window.sequence(way)
        colours, shares = (propagate(shown, first, last, (), matcher).chroma for first, last in ends)
        for number in wanted:
            colour, (part, of) = colours[number - way.start], cv2.split(shares[number - way.start])
            sure = (part / np.maximum(of, np.float32(1e-4))).clip(0, 1)
            counted = ((sure - NOTHING) / (1 - NOTHING)).clip(0, 1) if number != at else share
            faded = counted * np.float32(np.clip((STILL_REACH + 1 - abs(number - at)) / FADE, 0, 1))
            yield number, (colour / np.maximum(sure, np.float32(1e-4))[..., None], as_floats(faded))


def _diffused(luma_HW: Doubles, held_HW: Doubles, sources_CHW: Doubles) -> Doubles:
    """What comes of each source at every pixel: conjugate gradients, preconditioned by the diagonal."""
    down, right = (np.exp(-0.5 * (np.diff(luma_HW, axis=axis) / ALIKE) ** 2) + LEAK for axis in (0, 1))
    diagonal = held_HW + LOST
    diagonal[1:] += down
    diagonal[:-1] += down
    diagonal[:, 1:] += right
    diagonal[:, :-1] += right
    found, rest = np.zeros_like(sources_CHW), sources_CHW
    way = rest / diagonal
    fit = (rest * way).sum((1, 2), keepdims=True)
    enough = CLOSE**2 * fit
    for _ in range(STEPS):
        if (fit <= enough).all():
            break
        pushed = diagonal * way
        pushed[:, 1:] -= down * way[:, :-1]
        pushed[:, :-1] -= down * way[:, 1:]
        pushed[:, :, 1:] -= right * way[:, :, :-1]
        pushed[:, :, :-1] -= right * way[:, :, 1:]
        step = fit / ((way * pushed).sum((1, 2), keepdims=True) + _TINY)
        found, rest = found + step * way, rest - step * pushed
        toward = rest / diagonal
        before, fit = fit, (rest * toward).sum((1, 2), keepdims=True)
        way = toward + fit / (before + _TINY) * way
    return found
