"""The summary: figures made by hand, whose answers are known."""

import pytest

from actors.evaluation.summary import Candidate, summary
from jobs.plan.plan import Look
from jobs.records.evaluation import Evaluation, Figures, JudgedPicture, SkippedPicture
from jobs.spec.job import LookChoice

STRENGTHS = (0.0, 0.5, 1.0)


def figures(de00: float, colourfulness: float) -> Figures:
    return Figures(de00=de00, colourfulness=colourfulness, psnr=20, chroma_psnr=25, ssim=1)


def candidate(name: str, domain: str = "chroma", strengths: tuple[float, ...] = STRENGTHS) -> Candidate:
    return Candidate(Look(choice=LookChoice(name=name)), domain, strengths)


def judged(number: int, *curves: tuple[tuple[float, float], ...]) -> JudgedPicture:
    """A picture whose dE00 are `number` above what is given; grey's is 10, the truth's colourfulness 40."""
    looks = tuple(tuple(figures(de00 + number, colours) for de00, colours in curve) for curve in curves)
    return JudgedPicture(name=f"{number}.png", colourfulness=40, grey=figures(10 + number, 0), looks=looks)


BOLD = ((10.0, 0.0), (8.0, 16.0), (9.0, 32.0))
TIMID = ((10.0, 0.0), (9.5, 4.0), (9.25, 8.0))


def evaluation(first: str = "chroma") -> Evaluation:
    pictures = [judged(number, BOLD, TIMID) for number in range(5)]
    candidates = (candidate("bold", first), candidate("timid"))
    return summary("films", candidates, pictures, [SkippedPicture(name="x.png")])


def test_every_point_has_its_mean_and_its_difference_to_grey() -> None:
    found = evaluation()
    assert (found.pictures, [one.name for one in found.passed_over]) == (5, ["x.png"])
    assert (found.truth.mean, found.grey.mean) == (40, 12)
    assert found.grey.low < 12 < found.grey.high
    point = found.looks[0].curve[1]
    assert (point.strength, point.de00.mean, point.colourfulness.mean) == (0.5, 10, 16)
    assert point.de00.low < 10 < point.de00.high
    # Paired: all pictures are better than grey by the same.
    assert (point.less_grey.low, point.less_grey.high) == pytest.approx((-2, -2))
    assert point.less_truth.mean == -24
    assert (point.psnr.mean, point.chroma_psnr.mean, point.ssim.mean) == (20, 25, 1)


def test_the_lowest_and_the_half_of_a_curve() -> None:
    bold, timid = evaluation().looks
    assert bold.lowest is not None
    assert (bold.lowest.strength, bold.lowest.de00.mean) == (0.5, 10)
    assert bold.lowest.less_grey.mean == pytest.approx(-2)
    assert bold.half is not None
    # Half of 40 lies a quarter of the way from 16 to 32.
    assert (bold.half.strength, bold.half.de00.mean) == pytest.approx((0.625, 10.25))
    assert (bold.half.less_grey.low, bold.half.less_grey.high) == pytest.approx((-1.75, -1.75))
    assert timid.lowest is not None
    assert timid.lowest.strength == 1
    assert timid.half is None


def test_the_first_look_is_held_against_the_others() -> None:
    (found,) = evaluation().differences
    assert (found.look, found.other) == ("bold", "timid")
    assert found.rendered.mean == pytest.approx(-0.25)
    assert found.lowest is not None
    assert (found.lowest.low, found.lowest.mean) == pytest.approx((-1.25, -1.25))
    assert found.half is None


def test_a_look_that_sees_the_truth_has_no_place_on_a_curve() -> None:
    found = evaluation("rgb")
    assert (found.looks[0].lowest, found.looks[0].half) == (None, None)
    assert (found.differences[0].lowest, found.differences[0].half) == (None, None)
    assert found.differences[0].rendered.mean == pytest.approx(-0.25)


def test_it_is_paper() -> None:
    found = evaluation()
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
