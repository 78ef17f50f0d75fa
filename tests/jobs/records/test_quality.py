"""What quality control says of a film in words: few shots by name, and how many more there are."""

import pytest

from jobs.plan.ranges import Range
from jobs.records.quality import FilmQuality, QualityFigure, ShotQuality


def warned(shots: int) -> FilmQuality:
    """A film whose first shots all flicker."""
    figure = QualityFigure(value=1.0, at=3, verdict="warn", limit=0.75)
    return FilmQuality(
        shots=tuple(
            ShotQuality(shot=number, frames=Range(0, 9), measured=9, figures={"flicker": figure})
            for number in range(1, shots + 1)
        )
    )


@pytest.mark.parametrize(
    ("shots", "last"),
    [
        (5, "shot 5 flickers by 1.0 steps of 8 bits where the source is still (frame 3, warn: 0.75)"),
        (6, "1 finding more, on the review page"),
        (12, "7 findings more, on the review page"),
    ],
)
def test_few_shots_are_named(shots: int, last: str) -> None:
    said = warned(shots).said("warn")
    assert (len(said), said[-1]) == (min(shots, 6), last)
    assert warned(shots).said("fail") == []
