"""Counts finished frames whose colours leave the legal gamut."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from jobs.document import Count, Document
from jobs.plan.ranges import FrameNumber


class OutsideGamut(Document):
    """How far finished frames leave the legal gamut (EBU R103), before they are encoded."""

    frames: Count
    """That were counted."""
    over: Count
    """Of these, those with more than 1 % of their pixels outside, which is what R103 tolerates."""
    most: Annotated[float, Field(ge=0, le=1)]
    """Part of the pixels of the worst frame."""
    most_at: FrameNumber
    """The first frame with as many."""
    mean: Annotated[float, Field(ge=0, le=1)]
    """Part of all pixels."""

    @classmethod
    def of(cls, found: Iterable["OutsideGamut"]) -> "OutsideGamut | None":
        """Some together, in film order; None where there are none."""
        each = list(found)
        if not each:
            return None
        worst, frames = max(each, key=lambda one: one.most), sum(one.frames for one in each)
        return cls(
            frames=frames,
            over=sum(one.over for one in each),
            most=worst.most,
            most_at=worst.most_at,
            mean=sum(one.mean * one.frames for one in each) / max(1, frames),
        )
