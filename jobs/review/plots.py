"""Puts together what the review page draws over the film: of each piece that was measured one point."""

from collections.abc import Iterator, Sequence

from jobs.records.quality import Check
from jobs.review.figures import MeasuredShot
from jobs.review.shown import ShownPlot
from jobs.spec.quality import QualityBounds

Points = list[tuple[int, float]]
PLOTTED: tuple[tuple[Check, str, str], ...] = (
    ("flicker", "Flicker", "steps of 8 bits"),
    ("seam", "Jumps at seams", "times the step inside"),
    ("warp", "Wavering along motion", "steps of 8 bits"),
    ("gamut", "Beyond the gamut", "% of a frame"),
)


def plots_of(shots: Sequence[MeasuredShot], bounds: QualityBounds) -> Iterator[ShownPlot]:
    """The curves of a film, as far as it is measured; `shots` in film order."""
    pieces = [piece for shot in shots for _, piece in shot.pieces]
    points: dict[Check, Points] = {
        "flicker": [(one.flicker_at, one.flicker) for one in pieces],
        "seam": [(at, ratio) for shot in shots for ratio, at in shot.seams()],
        "warp": [(one.warp.at, one.warp.value) for one in pieces if one.warp],
        "gamut": [(one.gamut.at, one.gamut.value) for one in pieces if one.gamut],
    }
    for check, name, unit in PLOTTED:
        if points[check]:
            limit = bounds.limits(check).warn
            yield ShownPlot(name=name, unit=unit, limit=limit, points=tuple(sorted(points[check])))
    colour = [(start, one.colour) for shot in shots for start, one in shot.pieces]
    if colour:
        yield ShownPlot(name="Colourfulness", unit="steps of 8 bits from grey", limit=None, points=tuple(colour))
