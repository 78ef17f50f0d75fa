"""What is measured of a segment's pictures: each planted fault is found where it lies, and what the source brings itself is not one."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from actors.render.review.flashes import FlashMeasure
from actors.render.review.levels import BeyondLevels
from actors.render.review.measure import PieceMeasure
from actors.render.review.shrink import Planes
from jobs.plan.ranges import Range
from jobs.records.quality import Check, ShotQuality
from jobs.review.edges import EdgePicture
from jobs.review.figures import FrameFigure, MeasuredShot, PieceFigures, ShownFinding, findings_of
from jobs.spec.quality import Limits, QualityBounds

BOUNDS = QualityBounds()
Grey = NDArray[np.float64]

HEIGHT, WIDTH = 90, 160


def planes(luma: Grey, blue: float = 128.0, red: float = 128.0) -> Planes:
    """A picture of 4:2:0 in one colour."""
    chroma = [np.full((HEIGHT // 2, WIDTH // 2), round(level), np.uint8) for level in (blue, red)]
    return [luma.clip(0, 255).astype(np.uint8), *chroma]


def moving(frames: int) -> Iterator[Grey]:
    """Noise that stands still, and a bright block that moves over a tenth of it."""
    background = np.random.default_rng(1).integers(60, 180, (HEIGHT, WIDTH)).astype(np.float64)
    for frame in range(frames):
        luma = background.copy()
        luma[20:60, 3 * frame : 3 * frame + 40] = 220
        yield luma


def measured(
    result: Callable[[int, Grey], Planes], source: Callable[[int, Grey], Planes], first: int = 100
) -> PieceFigures:
    measure = PieceMeasure(first, FlashMeasure(24))
    for frame, luma in enumerate(moving(24)):
        measure.take(source(frame, luma), result(frame, luma), BeyondLevels())
    return measure.figures()


def grey(_: int, luma: Grey) -> Planes:
    return planes(luma)


def warm(_: int, luma: Grey) -> Planes:
    return planes(luma, 110, 150)


def quality_of(*pieces: tuple[int, PieceFigures], bounds: QualityBounds = BOUNDS) -> ShotQuality:
    return MeasuredShot(1, Range(pieces[0][0], 200), 24 * len(pieces), pieces).quality(bounds)


def found_in(*pieces: tuple[int, PieceFigures], bounds: QualityBounds = BOUNDS) -> list[ShownFinding]:
    return list(findings_of(quality_of(*pieces, bounds=bounds), bounds))


FAULTS: dict[str, tuple[Callable[[int, Grey], Planes], tuple[Check, ...], range]] = {
    "luma by two hundredths": (
        lambda n, luma: planes(luma + 5 * (n % 2), 110, 150),
        ("flicker", "warp"),
        range(101, 124),
    ),
    "chroma by two hundredths": (
        lambda n, luma: planes(luma, 110 + 5 * (n % 2), 150),
        ("flicker", "warp"),
        range(101, 124),
    ),
    "a cut within the shot": (lambda n, luma: planes(luma, 110 + 8 * (n > 11), 150), ("jump",), range(112, 113)),
    "a black frame": (lambda n, luma: planes(luma * (n != 7) + 16 * (n == 7), 110, 150), ("black",), range(107, 108)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    fault, kinds, where = FAULTS[name]
    found = found_in((100, measured(fault, grey)))
    assert tuple(one.kind for one in found) == kinds
    assert all(one.at in where and one.weight >= 1 for one in found)


def test_a_frame_that_repeats_the_one_before_is_found() -> None:
    pictures = list(moving(24))
    found = found_in((100, measured(lambda n, luma: warm(n, pictures[6 if n == 7 else n]), grey)))
    assert [(one.kind, one.at) for one in found] == [("frozen", 107)]


def test_what_the_source_does_itself_is_no_fault() -> None:
    def flash(n: int, luma: Grey) -> Grey:
        return luma + 40 * (n % 5 == 0)

    def dark(n: int, luma: Grey) -> Grey:
        return luma if n % 9 else np.full_like(luma, 16)

    def still(_: int, luma: Grey) -> Grey:
        return next(moving(1))

    def same(_: int, luma: Grey) -> Grey:
        return luma

    def clean(change: Callable[[int, Grey], Grey]) -> PieceFigures:
        return measured(lambda n, luma: warm(n, change(n, luma)), lambda n, luma: grey(n, change(n, luma)))

    for change in (same, flash, dark, still):
        assert found_in((100, clean(change))) == []
        assert clean(change).colour == pytest.approx(20, abs=0.5)


def test_a_jump_of_colour_at_a_seam_is_found_and_at_a_cut_is_not() -> None:
    first = measured(warm, grey, first=0)
    same, tinted = measured(warm, grey, 24), measured(lambda n, luma: planes(luma, 113, 150), grey, 24)
    # The second piece begins where the block began: what it covers moves, and the rest stands still.
    assert found_in((0, first), (24, same)) == []
    (jump,) = found_in((0, first), (24, tinted))
    assert (jump.kind, jump.at) == ("seam", 24)
    other = EdgePicture.of([np.zeros((36, 64), np.uint8)] * 4)
    assert found_in((0, first), (24, tinted.model_copy(update={"first": other}))) == []


def test_bounds_are_the_specs() -> None:
    quiet = QualityBounds(flicker=None, jump=None, seam=None, black=False, frozen=False, warp=None)
    for fault, _, _ in FAULTS.values():
        figures = measured(fault, grey)
        assert found_in((100, figures), bounds=quiet) == []
        assert found_in((100, figures), bounds=QualityBounds(flicker=9, jump=9, warp=9, black=False)) == []


def test_a_figure_beyond_the_second_bound_fails() -> None:
    figures = measured(FAULTS["luma by two hundredths"][0], grey)

    def verdict(check: Check, **bounds: object) -> tuple[str, float | None]:
        found = quality_of((100, figures), bounds=QualityBounds.model_validate(bounds)).figures[check]
        return found.verdict, found.limit

    assert 4 < figures.flicker < 6
    assert verdict("flicker", flicker={"fail": 4}) == ("fail", 4.0)
    assert verdict("flicker", flicker={"fail": 8}) == ("warn", 0.75)
    assert verdict("flicker", flicker={"warn": 7, "fail": 8}) == ("pass", None)
    assert verdict("flicker", flicker={"fail": 0.5}) == ("fail", 0.5)
    assert verdict("flicker", flicker={"warn": 2}) == ("warn", 2.0)
    assert verdict("black", black={"fail": 1}) == ("pass", None)
    dark = measured(FAULTS["a black frame"][0], grey)
    assert (
        quality_of((100, dark), bounds=QualityBounds.model_validate({"black": {"fail": 1}})).figures["black"].verdict
        == "fail"
    )


def test_bounds_at_their_defaults_are_written_as_before_there_were_more() -> None:
    # Digests of specs that say nothing of the younger checks stay what they were.
    assert QualityBounds().model_dump(mode="json") == {"flicker": 0.75, "seam": 3.0, "black": True, "frozen": True}
    assert QualityBounds(gamut=2.0).model_dump()["gamut"] == 2.0


def test_figures_that_nobody_has_measured_are_still_judged() -> None:
    # What lies in a store is data: numbers at the ends of what they may be.
    odd = measured(grey, grey).model_copy(
        update={
            "flicker": 1e6,
            "flicker_at": 2**53,
            "step": -1e6,
            "black": tuple(range(1000)),
            "gamut": FrameFigure(value=-1e6, at=2**53),
        }
    )
    bounds = QualityBounds(flicker=1e-9, black=Limits(warn=1e-9))
    assert {one.kind: one.weight for one in found_in((0, odd), (24, odd), bounds=bounds)} == {
        "flicker": 1e6,
        "black": 1e6,
    }


def panned(fault: Callable[[int, Grey], Planes], step: int = 3) -> PieceFigures:
    """Of a camera that moves over a rough wall, where next to nothing is still."""
    rough = np.random.default_rng(3).normal(128, 250, (HEIGHT, 4 * WIDTH))
    world = np.asarray(cv2.GaussianBlur(rough, (0, 0), 2), np.float64).clip(20, 235)
    measure = PieceMeasure(100, FlashMeasure(24))
    for frame in range(24):
        luma = world[:, step * frame : step * frame + WIDTH]
        measure.take(planes(luma), fault(frame, luma), BeyondLevels())
    return measure.figures()


def test_what_wavers_along_motion_is_found_where_nothing_is_still() -> None:
    clean = panned(lambda _, luma: planes(luma, 110, 150))
    assert (clean.flicker, found_in((100, clean))) == (0.0, [])
    wavering = panned(lambda n, luma: planes(luma, 110 + 4 * (n % 2), 150))
    (found,) = found_in((100, wavering))
    assert (found.kind, found.at in range(101, 124), wavering.flicker) == ("warp", True, 0.0)
    # Cb goes by 4 steps and Cr by none: the root of the mean of 16 and 0.
    assert wavering.warp
    assert wavering.warp.value == pytest.approx(8**0.5, abs=0.1)


def test_a_look_of_more_contrast_than_its_source_does_not_waver() -> None:
    stronger = panned(lambda _, luma: planes(128 + 1.4 * (luma - 128), 110, 150))
    assert [one for one in found_in((100, stronger)) if one.kind == "warp"] == []


def test_a_cut_of_the_source_does_not_waver() -> None:
    pictures = np.random.default_rng(4).uniform(40, 220, (24, HEIGHT, WIDTH))

    def cut(n: int, _: Grey) -> Grey:
        return np.asarray(cv2.GaussianBlur(pictures[n // 2], (0, 0), 4), np.float64)

    figures = measured(lambda n, luma: warm(n, cut(n, luma)), lambda n, luma: grey(n, cut(n, luma)))
    assert found_in((100, figures)) == []
