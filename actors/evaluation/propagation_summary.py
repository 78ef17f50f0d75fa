"""Sums up how good propagated colour is: errors as shares of grey's, by distance from the nearest anchor, and jitter."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from jobs.records.evaluation import (
    ColourError,
    DistanceFigures,
    ErrorShare,
    Jitter,
    JudgedFrame,
    OutsideStrokes,
    PropagationEvaluation,
    StrokesGain,
)

DISTANCES = (12, 24, 48, 96)
"""Frames to the nearest anchor at which one class ends, and the next begins."""


def propagation_summary(
    on: str,
    judged: Sequence[JudgedFrame],
    anchors: Sequence[int],
    *,
    shots: int,
    propagated: int,
    left_out: int,
    strokes: tuple[str, int] | None = None,
) -> PropagationEvaluation:
    """The evaluation of at least one frame; `judged` in film order. `strokes`: the look's name, and how many were drawn on each anchor."""
    edges = pairwise((0, *DISTANCES, None))
    classes = [(first + 1, last) for first, last in edges if first is not None]
    return PropagationEvaluation(
        on=on,
        frames=len(judged),
        propagated=propagated,
        left_out=left_out,
        shots=shots,
        anchors=tuple(anchors),
        total=_figures(judged, 1, None),
        by_distance=tuple(
            _figures(some, *ends)
            for ends in classes
            if (some := [one for one in judged if ends[0] <= one.distance <= (ends[1] or one.distance)])
        ),
        still=_jitter(judged, lambda one: one.still),
        moving=_jitter(judged, lambda one: one.moving),
        strokes=strokes and _gained(judged, *strokes),
        each=tuple(judged),
    )


def _figures(judged: Sequence[JudgedFrame], nearest: int, farthest: int | None) -> DistanceFigures:
    return DistanceFigures(
        nearest=nearest,
        farthest=farthest,
        frames=len(judged),
        de00=_share(judged, lambda one: one.de00),
        chroma_rms=_share(judged, lambda one: one.chroma_rms),
    )


def _gained(judged: Sequence[JudgedFrame], name: str, count: int) -> StrokesGain:
    errors = [(one.look, one.strokes, one.propagated) for one in judged if one.look and one.strokes]
    look, strokes, still = (sum(one.de00 for one in some) / len(errors) for some in zip(*errors, strict=True))
    gained = (look - strokes) / (look - still) if look > still else None
    found = [one.outside for one in judged if one.outside]
    share, before, after = (
        (sum(parts) / len(found) for parts in zip(*((one.share, one.look, one.strokes) for one in found), strict=True))
        if found
        else (0.0, 0.0, 0.0)
    )
    return StrokesGain(
        count=count,
        name=name,
        look=look,
        strokes=strokes,
        still=still,
        gained=gained,
        outside=OutsideStrokes(share=share, look=before, strokes=after) if found else None,
        worst=max((one.strokes - one.look for one in found), default=None),
    )


def _share(judged: Sequence[JudgedFrame], figure: Callable[[ColourError], float]) -> ErrorShare:
    propagated = sum(figure(one.propagated) for one in judged) / len(judged)
    grey = sum(figure(one.grey) for one in judged) / len(judged)
    return ErrorShare(propagated=propagated, grey=grey, share=propagated / grey if grey else None)


def _jitter(judged: Sequence[JudgedFrame], area: Callable[[JudgedFrame], Jitter | None]) -> Jitter | None:
    return together([found for one in judged if (found := area(one))])


def together(parts: list[Jitter]) -> Jitter | None:
    """Of several pairs of frames, each pixel counting alike."""
    pixels = sum(one.pixels for one in parts)
    if not pixels:
        return None
    propagated, truth = (
        sum(one.pixels * value for one, value in zip(parts, values, strict=True)) / pixels
        for values in ([one.propagated for one in parts], [one.truth for one in parts])
    )
    return Jitter(pixels=pixels, propagated=propagated, truth=truth)
