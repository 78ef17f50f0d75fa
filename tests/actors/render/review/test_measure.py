"""What is measured of a segment's pictures: each planted fault is found where it lies, and what the source brings itself is not one."""

from collections.abc import Callable, Iterator

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


FAULTS: dict[str, tuple[Callable[[int, Grey], Planes], str, range]] = {
    "luma by two hundredths": (lambda n, luma: planes(luma + 5 * (n % 2), 110, 150), "flicker", range(101, 124)),
    "chroma by two hundredths": (lambda n, luma: planes(luma, 110 + 5 * (n % 2), 150), "flicker", range(101, 124)),
    "a cut within the shot": (lambda n, luma: planes(luma, 110 + 8 * (n > 11), 150), "jump", range(112, 113)),
    "a black frame": (lambda n, luma: planes(luma * (n != 7) + 16 * (n == 7), 110, 150), "black", range(107, 108)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    fault, kind, where = FAULTS[name]
    found = found_in((100, measured(fault, grey)))
    assert [one.kind for one in found] == [kind]
    assert found[0].at in where
    assert found[0].weight >= 1


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
    quiet = QualityBounds(flicker=None, jump=None, seam=None, black=False, frozen=False)
    for fault, _, _ in FAULTS.values():
        figures = measured(fault, grey)
        assert found_in((100, figures), bounds=quiet) == []
        assert found_in((100, figures), bounds=QualityBounds(flicker=9, jump=9, black=False)) == []


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
