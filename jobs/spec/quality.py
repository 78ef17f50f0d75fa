"""Bounds beyond which what renderers measure deserves a look."""

from typing import Annotated

from pydantic import Field

from jobs.document import Document


class QualityBounds(Document):
    """How far a picture may go before the review page says that its shot deserves a look. Nothing is refused for it, and no picture changes."""

    flicker: Annotated[float, Field(gt=0, le=100)] | None = 0.75
    """Steps of 8 bits that still areas may change by from frame to frame, beyond what the source's do, as in 0.5. A fifth of a chunk's frames
    must change by more. By default 0.75; clean films have less than 0.2. null: it is not looked for."""
    seam: Annotated[float, Field(ge=1, le=1000)] | None = 3.0
    """How many times a step of colour in still areas, where two chunks meet, may exceed those inside them, as in 2. By default 3, and one step of
    8 bits more at least. null: it is not looked for."""
    black: bool = True
    """Whether frames that are black where the source's are not are told. By default they are."""
    frozen: bool = True
    """Whether frames that repeat the one before where the source moves are told. By default they are."""
