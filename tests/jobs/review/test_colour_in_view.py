"""Colour of what stays in view: as much change as was planted is found, through motion and light; what shows something else is not compared."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.plan.ranges import Range
from jobs.records.quality import Check, QualityFigure
from jobs.review.colour_in_view import SeenPicture, colour_change
from jobs.review.edges import EdgePicture
from jobs.review.figures import FrameFigure, MeasuredShot, PaintedPicture, PieceFigures
from jobs.spec.quality import QualityBounds

WIDTH, HEIGHT = 64, 36
Plane = NDArray[np.float32]


def setting(seed: int, across: int = 0, gain: float = 1.0) -> list[Plane]:
    """Soft shapes in soft colours (Y', Cb, Cr), seen from so many pixels to the right, in so much light."""
    rough = np.random.default_rng(seed).uniform(-1, 1, (3, 9, 24)).astype(np.float32)
    luma, *chroma = (
        cv2.resize(one, (128, HEIGHT), interpolation=cv2.INTER_CUBIC)[:, across : across + WIDTH] for one in rough
    )
    return [np.asarray(16 + gain * (104 + 60 * luma), np.float32)] + [
        np.asarray(128 + gain * 12 * one, np.float32) for one in chroma
    ]


def picture(shown: list[Plane], own: list[Plane] | None = None) -> SeenPicture:
    def small(planes: list[Plane]) -> EdgePicture:
        return EdgePicture.of([one.round().clip(0, 255).astype(np.uint8) for one in (planes[0], *planes)])

    return SeenPicture(small(shown), small(own) if own else None)


def tinted(planes: list[Plane], by: float) -> list[Plane]:
    return [planes[0], planes[1] - np.float32(by), planes[2] + np.float32(by)]


@pytest.mark.parametrize("across", [0, 5, 17])
@pytest.mark.parametrize("by", [0, 4, 9])
def test_a_change_is_found_however_the_camera_moved(across: int, by: float) -> None:
    found = colour_change(picture(setting(1)), picture(tinted(setting(1, across), by)))
    assert found == pytest.approx(by, abs=0.7)


def test_light_takes_its_colour_along() -> None:
    dim = setting(2, gain=0.6)
    assert colour_change(picture(setting(2)), picture(dim)) == pytest.approx(0, abs=0.6)
    assert colour_change(picture(setting(2)), picture(tinted(dim, 6))) == pytest.approx(6, abs=1.5)


def test_what_the_source_does_itself_is_no_change() -> None:
    first, later = setting(3), tinted(setting(3), 8)
    assert colour_change(picture(first, first), picture(later, later)) == 0
    assert colour_change(picture(first, first), picture(tinted(later, 5), later)) == pytest.approx(5, abs=0.7)


def test_another_picture_is_not_compared() -> None:
    first = picture(setting(4))
    assert [colour_change(first, picture(setting(seed))) for seed in range(5, 25)] == [None] * 20
    assert colour_change(first, picture([one[:20] for one in setting(4)])) is None
    assert (
        colour_change(picture([one[:4, :4] for one in setting(4)]), picture([one[:4, :4] for one in setting(4)]))
        is None
    )
    broken = SeenPicture(first.shown.model_copy(update={"samples": "no base64"}), None)
    assert colour_change(broken, first) is None
    black = picture([np.full((HEIGHT, WIDTH), level, np.float32) for level in (16, 128, 128)])
    assert colour_change(black, black) is None


def test_black_bars_are_nothing_in_view() -> None:
    def barred(planes: list[Plane]) -> list[Plane]:
        for plane, level in zip(planes, (16, 128, 128), strict=True):
            plane[:6] = plane[-6:] = level
        return planes

    assert colour_change(picture(barred(setting(6))), picture(barred(setting(7)))) is None
    assert colour_change(picture(barred(setting(6))), picture(barred(tinted(setting(6), 5)))) == pytest.approx(
        5, abs=0.7
    )


def piece(first: SeenPicture, last: SeenPicture, **fields: object) -> PieceFigures:
    ends = {"first": first.shown, "last": last.shown, "first_own": first.own, "last_own": last.own}
    return PieceFigures.model_validate({"flicker": 0.0, "flicker_at": 0, "step": 0.0, "colour": 0.0} | ends | fields)


def figure(check: Check, *pieces: PieceFigures) -> QualityFigure | None:
    """Of a shot of pieces of fifty frames."""
    numbered = [(50 * n, one) for n, one in enumerate(pieces)]
    shot = MeasuredShot(1, Range(0, 50 * len(pieces)), 50 * len(pieces), numbered)
    return shot.quality(QualityBounds()).figures.get(check)


def steps(by: float) -> SeenPicture:
    return picture(tinted(setting(1), by))


def test_a_shot_that_drifts_is_found_and_one_that_jumps_or_flickers_is_told_of_otherwise() -> None:
    drifting = [piece(steps(2 * n), steps(2 * n + 2), last_at=50 * n + 49) for n in range(3)]
    found = figure("drift", *drifting)
    assert found
    assert (found.at, found.verdict) == (149, "warn")
    assert found.value == pytest.approx(6, abs=0.7)
    for sudden in ({"flicker": 6.5}, {"flicker": 1.0, "jump": FrameFigure(value=6.0, at=3)}):
        found = figure("drift", piece(steps(0), steps(6), last_at=49, **sudden))
        assert found
        assert (found.value < 0.7, found.verdict) == (True, "pass")
    assert figure("drift", piece(picture(setting(8)), picture(setting(9)))) is None


@pytest.mark.parametrize(("shown", "verdict"), [(steps, "warn"), (lambda _: steps(0), "pass")])
def test_a_shot_that_leaves_its_still_is_found(shown: Callable[[float], SeenPicture], verdict: str) -> None:
    painted = (PaintedPicture(at=10, shown=steps(0).shown),)
    found = figure(
        "stills", piece(shown(0), shown(4), last_at=49, painted=painted), piece(shown(4), shown(10), last_at=99)
    )
    assert found
    assert (found.verdict, found.at) == (verdict, 99 if verdict == "warn" else found.at)
    assert found.value == pytest.approx(10 if verdict == "warn" else 0, abs=0.7)
    assert figure("stills", piece(shown(0), shown(10))) is None


def test_the_nearest_of_several_stills_counts() -> None:
    painted = [(PaintedPicture(at=at, shown=steps(by).shown),) for at, by in ((0, 0), (60, 8))]
    found = figure(
        "stills", piece(steps(0), steps(4), painted=painted[0]), piece(steps(4), steps(8), painted=painted[1])
    )
    assert found
    assert found.value == pytest.approx(4, abs=0.7)
