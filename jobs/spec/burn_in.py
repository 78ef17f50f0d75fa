"""What a deliverable shows over its picture: time code, frame number, name, version and a text, for copies that are looked at and talked about."""

from typing import Annotated

from pydantic import Field

from jobs.document import Document
from jobs.spec.shots import ONE_LINE

Line = Annotated[str, Field(min_length=1, max_length=100, pattern=ONE_LINE)]


class BurnInTexts(Document):
    """Texts that are drawn over the picture of one deliverable; the others, and the review page, have none of it."""

    timecode: bool = True
    """The film's time code below on the left; where its rate has none, the time on the clock. By default true. Where the rate varies, frames are counted."""
    frame: bool = True
    """The frame's number, counted from 0 as on the review page, below on the right. By default true."""
    name: bool = True
    """The job's name above on the left. By default true."""
    version: Line | None = None
    """What this version is called, as in v3, behind the name. By default nothing."""
    text: Line | None = None
    """A watermark across the middle, faint, as in NOT FOR RELEASE. By default none."""
