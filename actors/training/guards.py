"""Ends a training that cannot come to anything: diverged, critic too strong, colours collapsed."""

import math
from collections import deque

from actors.training.course import GuardedValues, ValidationResult
from jobs.errors import TrainingFailed

ADVERSARIAL = "adversarial"
"""The phase in which the critic is watched: alone it is to win."""
CRITIC_STEPS = 200
"""Over so many steps the critic's share is averaged."""
CRITIC_RIGHT = 0.98
"""A critic that is right more often than this has won, and teaches nothing more."""
COLLAPSED = 0.1
"""Least colourfulness of what is made, over the truth's."""
YOUNG = 0.25
"""Share of the training in which colours may still be pale."""


class TrainingGuards:
    """Looks on, step by step. `steps`: of the whole training."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._right: deque[float] = deque(maxlen=CRITIC_STEPS)

    def after_step(self, step: int, phase: str, said: GuardedValues) -> None:
        """Raises TrainingFailed: a loss that is not finite, or a critic that has won. `step`: steps done."""
        for name, value in said.losses.items():
            if not math.isfinite(value):
                raise TrainingFailed(
                    f"At step {step:,} ({phase}) the loss {name!r} is {value}: the training has diverged; lower the course's "
                    "learning rate, or change the seed."
                )
        if phase != ADVERSARIAL:
            self._right.clear()
        elif said.critic_right is not None:
            self._right.append(said.critic_right)
        if len(self._right) == CRITIC_STEPS and (mean := sum(self._right) / CRITIC_STEPS) > CRITIC_RIGHT:
            raise TrainingFailed(
                f"By step {step:,} the critic has won: over {CRITIC_STEPS} steps it told {mean:.1%} of the pictures right, and "
                "teaches nothing more; shorten the adversarial phase, or lower the critic's learning rate."
            )

    def after_check(self, step: int, found: ValidationResult) -> None:
        """Raises TrainingFailed for a figure that is not finite, and, once a quarter is done, for colours that have collapsed."""
        for name, value in {**found.figures, "verdict": found.verdict}.items():
            if not math.isfinite(value):
                raise TrainingFailed(
                    f"At step {step:,} the held-out pictures' {name} is {value}: the training has diverged; lower the course's "
                    "learning rate, or change the seed."
                )
        if found.spread is None or step <= YOUNG * self._steps:
            return
        made, truth = found.spread
        if made < COLLAPSED * truth:
            raise TrainingFailed(
                f"At step {step:,} the colours have collapsed: held-out pictures come out at {made:.1f} of colourfulness where "
                f"the truth has {truth:.1f}; give rare colours more weight, or hold the adversarial losses back."
            )
