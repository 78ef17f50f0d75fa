"""Sums up each look over all pictures: means, confidence intervals, points of its curve, and paired differences between looks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from actors.evaluation.intervals import Floats, between, crossing, interval, resampled
from jobs.plan.plan import Look
from jobs.records.evaluation import (
    Difference,
    Evaluation,
    Figures,
    JudgedPicture,
    LookFigures,
    Point,
    SkippedPicture,
    StrengthPoint,
)

NAMES = tuple(Figures.model_fields)
HALF = 0.5
"""Share of the truth's colourfulness at which bold and timid looks are compared."""


class Candidate(NamedTuple):
    """A look as it was judged."""

    look: Look
    domain: str
    strengths: tuple[float, ...]
    """Of its curve, ascending; 1 is among them."""


class _Means(NamedTuple):
    """Means over pictures, row by row as `resampled` gives them."""

    truth: Floats
    """Colourfulness, R."""
    grey: Floats
    """dE00, R."""
    curves: list[dict[str, Floats]]
    """For each look, by figure, RS."""


def summary(
    on: str, candidates: Sequence[Candidate], judged: Sequence[JudgedPicture], passed_over: Sequence[SkippedPicture]
) -> Evaluation:
    """The evaluation of at least one picture. The first candidate is held against each of the others."""
    means = _means(judged, candidates)
    return Evaluation(
        on=on,
        pictures=len(judged),
        passed_over=tuple(passed_over),
        truth=interval(means.truth),
        grey=interval(means.grey),
        looks=tuple(_figures(one, curve, means) for one, curve in zip(candidates, means.curves, strict=True)),
        differences=tuple(_difference(candidates, means, other) for other in range(1, len(candidates))),
        each=tuple(judged),
    )


def _means(judged: Sequence[JudgedPicture], candidates: Sequence[Candidate]) -> _Means:
    """All in one drawing: what is subtracted later is of the same pictures."""
    columns = [[one.colourfulness, one.grey.de00, *_flat(one)] for one in judged]
    means = resampled(np.array(columns))
    place, curves = 2, []
    for candidate in candidates:
        width = len(candidate.strengths) * len(NAMES)
        block = means[:, place : place + width].reshape(len(means), -1, len(NAMES))
        curves.append({name: block[:, :, number] for number, name in enumerate(NAMES)})
        place += width
    return _Means(means[:, 0], means[:, 1], curves)


def _flat(judged: JudgedPicture) -> list[float]:
    return [getattr(figures, name) for look in judged.looks for figures in look for name in NAMES]


def _figures(candidate: Candidate, curve: dict[str, Floats], means: _Means) -> LookFigures:
    return LookFigures(
        name=candidate.look.title,
        choice=candidate.look.choice,
        weights=candidate.look.weights,
        version=candidate.look.version,
        domain=candidate.domain,  # type: ignore[arg-type]  # pydantic proves it
        curve=tuple(
            _point(candidate.strengths[number], number, curve, means) for number in range(len(candidate.strengths))
        ),
        lowest=_lowest(candidate, curve, means),
        half=_half(candidate, curve, means),
    )


def _point(strength: float, number: int, curve: dict[str, Floats], means: _Means) -> Point:
    at = {name: one[:, number] for name, one in curve.items()}
    return Point(
        strength=strength,
        less_grey=interval(at["de00"] - means.grey),
        less_truth=interval(at["colourfulness"] - means.truth),
        **{name: interval(one) for name, one in at.items()},
    )


def _lowest(candidate: Candidate, curve: dict[str, Floats], means: _Means) -> StrengthPoint | None:
    if candidate.domain != "chroma":
        return None
    strength = candidate.strengths[int(curve["de00"][0].argmin())]
    lowest = _lowest_de00(curve)
    return StrengthPoint(strength=strength, de00=interval(lowest), less_grey=interval(lowest - means.grey))


def _lowest_de00(curve: dict[str, Floats]) -> Floats:
    # Sought anew in every drawing: that it is sought is part of how sure it is.
    lowest: Floats = curve["de00"].min(1)
    return lowest


def _half(candidate: Candidate, curve: dict[str, Floats], means: _Means) -> StrengthPoint | None:
    place = _half_place(curve, means)
    if candidate.domain != "chroma" or np.isnan(place[0]):
        return None
    de00 = between(curve["de00"], place)
    strength = float(between(np.array([candidate.strengths]), place[:1])[0])
    return StrengthPoint(strength=strength, de00=interval(de00), less_grey=interval(de00 - means.grey))


def _half_place(curve: dict[str, Floats], means: _Means) -> Floats:
    return crossing(curve["colourfulness"], HALF * means.truth)


def _difference(candidates: Sequence[Candidate], means: _Means, other: int) -> Difference:
    pair = [(candidates[number], means.curves[number]) for number in (0, other)]
    rendered = [curve["de00"][:, one.strengths.index(1.0)] for one, curve in pair]
    lowest = half = None
    if all(one.domain == "chroma" for one, _ in pair):
        best = [_lowest_de00(curve) for _, curve in pair]
        lowest = interval(best[0] - best[1])
        halves = [between(curve["de00"], _half_place(curve, means)) for _, curve in pair]
        half = None if np.isnan(halves[0][0] - halves[1][0]) else interval(halves[0] - halves[1])
    return Difference(
        look=pair[0][0].look.title,
        other=pair[1][0].look.title,
        rendered=interval(rendered[0] - rendered[1]),
        lowest=lowest,
        half=half,
    )
