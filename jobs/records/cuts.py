"""The cuts that a survey has found in some of a film's frames."""

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from jobs.document import Document
from jobs.plan.ranges import FrameNumber, Range


class Cuts(Document):
    """Some frames have been looked through; `cuts` are the first frames after a cut, among them."""

    frames: Range
    cuts: tuple[FrameNumber, ...]
    continued: tuple[FrameNumber, ...] | None = Field(default=None, exclude_if=lambda continued: continued is None)
    """Those of a list's cuts at which the picture goes on; None: nobody looked."""

    @model_validator(mode="after")
    def _are_among_them(self) -> Self:
        edges = (self.frames.start - 1, *self.cuts, self.frames.stop)
        if self.frames.stop < self.frames.start or any(after <= before for before, after in pairwise(edges)):
            raise ValueError("cuts are frames of the range, in order")
        if not {*(self.continued or ())} <= {*self.cuts}:
            raise ValueError("the picture goes on at some of the cuts")
        return self
