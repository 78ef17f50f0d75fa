"""What a job has used and cost so far, over all its runs. Bookkeeping only: no picture depends on it, and the last write wins.

It lies as tally.json beside the job's other documents, written every WRITE_SECONDS and at the end of a run, by whoever works
on the job. Where it is lost or damaged, counting begins at nought.
"""

from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Amount, Count, Document, UnixTime, read_document
from jobs.ledger.ledger import Ledger
from jobs.records.orders import Starved
from jobs.store.traffic import Traffic

NAME = "tally.json"
WRITE_SECONDS = 10.0
"""Between two writes."""

JobState = Literal["working", "delivered", "failed", "stopped"]
"""How a job stands: at work; handed over, or all that was asked for is rendered; ended with an error; interrupted, cancelled
or taken over. The last two can be gone on with."""


class MeasuredThroughput(Document):
    """How fast one look has been rendered on one kind of hardware."""

    look: str
    """What people call it."""
    network: str
    """Names its weights, settings and code: the digest of what tells it from any other look."""
    hardware: str
    """As records name it."""
    megapixels: Amount
    """Of the source's picture."""
    renderers: Count = 1
    """At work meanwhile: on a processor they take from one another."""
    frames: Count
    """Read and rendered: handles and pre-roll included."""
    seconds: Amount
    """Of renderers at render calls, all renderers added up: their devices at work, or waiting for frames to be read or
    written. Loading weights and waiting for a call are left out."""


class SeamFigures(Document):
    """How far the two renderings of frames that were dissolved lie apart: mean absolute differences, in fractions of full scale."""

    count: Count = 0
    largest: Amount = 0.0
    sum: Amount = 0.0


class Usage(Document):
    """tally.json."""

    kind: Literal["tally"] = "tally"
    version: Literal[1] = 1
    state: JobState = "working"
    updated: UnixTime = 0.0
    """When it was written, in seconds of Unix time by the writer's clock."""
    frames_per_second: Amount | None = None
    """Over the last minute; None where there is nothing to go by."""
    seconds_left: Amount | None = None
    """Until the last frame is rendered, at this pace."""
    frames_done: Count = 0
    """Rendered by now, those of chunks in work included: what the driver shows. These are lost where it is killed."""
    frames_rendered: Count = 0
    """By all runs together: what is rendered again counts again."""
    retries: dict[str, dict[str, Count]] = Field(default_factory=dict)
    """Calls made again, by pool and then by reason: error, loss or preemption."""
    stage_seconds: dict[str, Amount] = Field(default_factory=dict)
    busy_seconds: Amount = 0.0
    """Of generators' devices."""
    starved_seconds: dict[Starved, Amount] = Field(default_factory=dict)
    """What they waited for."""
    worker_seconds: dict[str, Amount] = Field(default_factory=dict)
    """By pool, from being placed on a node until let go."""
    gpu_seconds: Amount = 0.0
    """The same, times the GPUs that each worker is given."""
    cpu_seconds: Amount = 0.0
    cost: Amount | None = None
    """At the prices of the spec that was last run; None where it has none."""
    currency: Annotated[str, Field(pattern="^([A-Z]{3})?$")] = ""
    seams: SeamFigures = SeamFigures()
    traffic: Traffic = Traffic()
    """Of the job's and the deliverables' stores, and of a source in S3."""
    paces: tuple[MeasuredThroughput, ...] = ()


def read_tally(ledger: Ledger) -> Usage | None:
    """A job's tally; an empty one where it has none yet, None where it is damaged or of another version. Changes nothing."""
    data = ledger.read(NAME)
    return Usage() if data is None else read_document(Usage, data)


def keep_tally(ledger: Ledger, tally: Usage) -> None:
    """Put it on paper, in the place of the last."""
    ledger.keep_paper(NAME, tally, only_if_absent=False)
