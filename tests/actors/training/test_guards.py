"""The guards: each ends a training that cannot come to anything, and none ends one that can."""

import math

import numpy as np
import pytest

from actors.training.course import GuardedValues, ValidationResult
from actors.training.guards import TrainingGuards
from jobs.errors import TrainingFailed

SHEET = np.zeros((2, 2, 3), np.uint8)


def examined(*spread: float, verdict: float = 1.0) -> ValidationResult:
    return ValidationResult({}, verdict, SHEET, (spread[0], spread[1]) if spread else None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite(value: float) -> None:
    guards = TrainingGuards(100)
    guards.after_step(1, "learning", GuardedValues({"pixels": 1.0, "deep": 2.0}))
    with pytest.raises(TrainingFailed, match=r"At step 2 \(learning\) the loss 'deep' is -?(nan|inf): .* lower"):
        guards.after_step(2, "learning", GuardedValues({"pixels": 1.0, "deep": value}))


def steps_until_it_ends(rights: list[float], phase: str = "adversarial") -> int | None:
    guards = TrainingGuards(10_000)
    for step, right in enumerate(rights, 1):
        try:
            guards.after_step(step, phase, GuardedValues({}, right))
        except TrainingFailed:
            return step
    return None


def test_a_critic_that_has_won() -> None:
    guards = TrainingGuards(10_000)
    for step in range(1, 200):
        guards.after_step(step, "adversarial", GuardedValues({}, 1.0))
    with pytest.raises(TrainingFailed, match=r"By step 200 the critic has won: over 200 steps it told 100\.0% of"):
        guards.after_step(200, "adversarial", GuardedValues({}, 1.0))
    assert steps_until_it_ends([0.7] * 100 + [1.0] * 300) == 100 + 187, "when the mean of 200 is above 0.98"


def test_a_critic_that_has_not() -> None:
    assert steps_until_it_ends([1.0] * 199) is None
    assert steps_until_it_ends([0.97, 0.985] * 300) is None
    assert steps_until_it_ends([1.0] * 1000, phase="critic") is None, "alone it is to win"


def test_the_critic_begins_anew_with_each_phase() -> None:
    guards = TrainingGuards(1000)
    for step in range(1000):
        guards.after_step(step + 1, "critic" if step % 200 == 150 else "adversarial", GuardedValues({}, 1.0))


def test_colours_that_collapse() -> None:
    guards = TrainingGuards(100)
    guards.after_check(25, examined(0.0, 40.0))
    guards.after_check(50, examined(4.0, 40.0))
    with pytest.raises(TrainingFailed, match=r"At step 50 the colours have collapsed: .* at 3\.9 .* truth has 40\.0"):
        guards.after_check(50, examined(3.9, 40.0))


def test_a_course_without_colours_is_not_judged_by_them() -> None:
    TrainingGuards(100).after_check(100, examined())


def test_figures_that_are_not_finite() -> None:
    with pytest.raises(TrainingFailed, match="At step 10 the held-out pictures' verdict is nan"):
        TrainingGuards(100).after_check(10, examined(verdict=math.nan))
    with pytest.raises(TrainingFailed, match="At step 10 the held-out pictures' dE00 is inf"):
        TrainingGuards(100).after_check(10, ValidationResult({"CF": 1.0, "dE00": math.inf}, 1.0, SHEET))
