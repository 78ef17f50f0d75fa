"""What a review page is told of a film: its shots, the pictures that lie beside the page, and how frames are named."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Count, Document
from jobs.records.deliverables import StreamFate
from jobs.review.figures import Figure, ShownFinding

DATA = "data.js"
"""The page's data, as a script: a page that is opened from disk may fetch nothing, and loads scripts."""
VERSIONS = "versions.json"
"""Beside it: which pictures were shown of every version of every shot so far."""

Progress = Literal["made", "rendering", "waiting", "aside"]


class ShownPiece(Document):
    """Some frames of a shot, with the files that show them: places relative to the page, empty where there is none."""

    start: Count
    stop: Count
    seconds: float
    """When the first of them is shown, after the film's first frame."""
    still_at: Count
    """The frame that the still is of."""
    still: Annotated[str, Field(pattern=r"^(stills/[0-9a-f]{1,64}\.jpg)?$")] = ""
    """JPEG, source and result side by side."""
    clip: Annotated[str, Field(pattern=r"^(clips/[0-9a-f]{1,64}\.mp4)?$")] = ""
    """H.264, source and result side by side; frame n of the piece at n / rate."""


class ShownVersion(Document):
    """A shot as it was made once."""

    version: str
    """See `jobs.ledger.render_history.version_of`."""
    start: Count
    stop: Count
    pieces: tuple[ShownPiece, ...]


class ReviewVersions(Document):
    """versions.json."""

    kind: Literal["review-versions"] = "review-versions"
    version: Literal[1] = 1
    shots: tuple[ShownVersion, ...] = ()
    """In the order in which they were made."""


class ShownLook(Document):
    """A look of a shot."""

    title: str
    settings: tuple[tuple[str, str | int | float | bool | None], ...] = ()


class ShownStill(Document):
    """A still that a person has painted."""

    name: str
    frame: Count
    file: str = ""
    """Beside the page, where a browser can show it."""


class ShownShot(Document):
    """A shot on the page."""

    number: Count
    start: Count
    stop: Count
    progress: Progress
    version: str
    """Of what is made now, also where that is still to come."""
    locked: bool = False
    looks: tuple[ShownLook, ...]
    pieces: tuple[ShownPiece, ...]
    """As far as they are made."""
    older: tuple[ShownVersion, ...] = ()
    painted: tuple[ShownStill, ...] = ()
    warnings: tuple[str, ...] = ()
    findings: tuple[ShownFinding, ...] = ()
    """What was measured and deserves a look; the greatest weight first."""


class ShownPlot(Document):
    """A figure over the film, drawn as a curve."""

    name: str
    unit: str
    limit: float | None
    """From here on a shot deserves a look."""
    points: tuple[tuple[Count, Figure], ...]
    """Frames, ascending, and the figure there."""


class ShownTimecode(Document):
    """How frames are counted by time code; see `jobs.film.timecode.TimecodeCounting`."""

    first: Count
    """The film's first frame, counted from 00:00:00:00."""
    nominal: Count
    left_out: Count
    """Numbers that drop-frame leaves out each minute."""


class ShownDeliverable(Document):
    """A file that was delivered."""

    file: str
    place: str
    """From the page."""
    bytes: Count
    timing: str
    fates: tuple[StreamFate, ...]
    findings: tuple[str, ...]


class ReviewData(Document):
    """data.js."""

    version: Literal[1] = 1
    id: str
    """Names the job: what is written on one film's page is not shown on another's."""
    title: str
    said: str
    """How far the film is, in a sentence."""
    whole: bool
    """Nothing will be added: the film is delivered, or this is all that was asked for."""
    conforms: bool | None = None
    rate: tuple[int, int]
    """Frames a second, as a fraction."""
    timecode: ShownTimecode | None
    """None: frames are named by the clock from the film's first."""
    steady: bool
    """Frames are as far apart as the rate says, so that the clock can be told by counting them."""
    frames: Count
    """As far as they are known."""
    shots: tuple[ShownShot, ...]
    plots: tuple[ShownPlot, ...] = ()
    deliverables: tuple[ShownDeliverable, ...] = ()
