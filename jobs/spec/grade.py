"""A grade that another program made: an ASC CDL, and a LUT after it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from jobs.document import Document
from jobs.spec.shots import ONE_LINE

Place = Annotated[str, Field(min_length=1, max_length=4096, pattern=ONE_LINE)]
RecordTime = Annotated[str, Field(pattern=r"^\d\d[:;]\d\d[:;]\d\d[:;.,]\d\d$")]
Factor = Annotated[float, Field(ge=0, le=100)]
Power = Annotated[float, Field(gt=0, le=100)]
Offset = Annotated[float, Field(ge=-10, le=10)]


class Cdl(Document):
    """An ASC Color Decision List of one shot, on R'G'B' as the film has it: (in x slope + offset) ^ power, then saturation."""

    slope: tuple[Factor, Factor, Factor] = (1.0, 1.0, 1.0)
    """Of red, green and blue, as in [1.1, 1, 0.95]. By default 1 each."""
    offset: tuple[Offset, Offset, Offset] = (0.0, 0.0, 0.0)
    """Of red, green and blue, as in [0.01, 0, -0.01]. By default 0 each."""
    power: tuple[Power, Power, Power] = (1.0, 1.0, 1.0)
    """Of red, green and blue, as in [1, 1, 1.05]. By default 1 each."""
    saturation: Factor = 1.0
    """About luma of BT.709, as the ASC has it, as in 0.9. By default 1."""


class EventCdl(Document):
    """The CDL of one event of an EDL."""

    start: RecordTime
    """Record time code of the event's first frame, as in 01:00:10:00."""
    stop: RecordTime
    """Record time code of the frame after its last, as in 01:00:12:12."""
    cdl: Cdl
    """Its correction, from the event's comments, as in {saturation: 0.9}."""

    def covers(self, name: str) -> bool:
        """Whether a frame of this time code is in it: before midnight they stand in the order of their letters."""
        at = name.replace(";", ":")
        return self.start.replace(";", ":") <= at < self.stop.replace(";", ":")


class Grade(Document):
    """What is done with a look's picture after the look and its controls: first the CDL, then the LUT."""

    cdl: Cdl | Place | None = None
    """The values, as in {slope: [1.1, 1, 1], saturation: 0.9}, or a file that has them (.cc, .ccc, .cdl): a path, file:// or s3://, as in
    s3://films/sh010.cc. Of an .edl each shot gets the values in the comments of the event in which it begins, by record time code. By default none."""
    cdl_id: Annotated[str, Field(min_length=1, max_length=1000, pattern=ONE_LINE)] | None = None
    """Which correction of a .ccc or .cdl file is meant, by its id, as in sh010. By default the only one there is."""
    events: tuple[EventCdl, ...] = ()
    """What an .edl named as cdl holds, as in [{start: 01:00:10:00, stop: 01:00:12:12, cdl: {saturation: 0.9}}]. The farm puts it here as the job begins. By default none."""
    lut: Place | None = None
    """A LUT, 1D or 3D, as .cube: a path, file:// or s3://, as in s3://films/show.cube. By default none."""
    lut_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the LUT's file, which it must have, as sha256sum prints it (64 digits). By default whatever the file is as the job begins; the farm then puts it down here."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.cdl is None and self.lut is None and not self.events:
            raise ValueError("a grade says a cdl, a lut, or both")
        if self.cdl_id is not None and not isinstance(self.cdl, str):
            raise ValueError("cdl_id goes with a file of CDLs: name it as cdl")
        return self

    def cdl_of(self, name: str) -> Cdl | None:
        """The values for a shot that begins with a frame of this time code; None where they are at rest. Files are read by now."""
        found = (
            self.cdl if isinstance(self.cdl, Cdl) else next((one.cdl for one in self.events if one.covers(name)), None)
        )
        return None if found == Cdl() else found
