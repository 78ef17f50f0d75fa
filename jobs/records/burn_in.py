"""What is drawn over one encoding's frames, as the plan has decided it: it is part of the encoding, and so of its segments' digests alone."""

from typing import Annotated, Literal, Self

from pydantic import Field

from jobs.document import Document
from jobs.film.source import Film, Rational
from jobs.film.timecode import FrameTimecodes
from jobs.spec.burn_in import BurnInTexts


class BurntIn(Document):
    """Texts by their place."""

    version: Literal[1] = 1
    """Raised when they are drawn otherwise."""
    title: str
    """Above on the left; empty where nothing is there."""
    text: str
    """Across the middle, faint."""
    frame: bool
    """The frame's number is below on the right."""
    rate: Annotated[Rational | None, Field(ge=0)]
    """Its time code is below on the left, at this rate; None: it is not."""
    start: str
    """The film's time code, as the source has it."""

    @classmethod
    def of(cls, wanted: BurnInTexts, name: str, film: Film) -> Self:
        """`name`: the job's."""
        return cls(
            title="  ".join(filter(None, (name if wanted.name else "", wanted.version))),
            text=wanted.text or "",
            frame=wanted.frame,
            rate=film.picture.rate if wanted.timecode else None,
            start=film.timecode if wanted.timecode else "",
        )

    def timecodes(self) -> FrameTimecodes | None:
        """The names of its frames, where these are drawn."""
        return None if self.rate is None else FrameTimecodes(self.rate, self.start)


DrawnOver = Annotated[BurntIn | None, Field(exclude_if=lambda burnt: burnt is None)]
"""What is drawn over an encoding's frames. Where nothing is, it is in no dump, and digests are what they were."""
