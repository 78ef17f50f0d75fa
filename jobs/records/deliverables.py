"""Documents about deliverables: what becomes of each of the source's streams, and what a finished file was found to hold."""

import re
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from jobs.document import Document
from jobs.film.source import Film, Rational
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec, Wrapping
from jobs.spec.formats import Deliverable


class StreamFate(Document):
    """What becomes of one stream of the source in one deliverable; or of its captions, or its chapters."""

    stream: int
    """Its index in the source; the picture's for what is no stream of its own (captions, chapters)."""
    kind: str
    """audio, video, subtitle, data, attachment; captions: within the picture's packets; chapters."""
    codec: str
    fate: Literal["picture", "copied", "converted", "rewritten", "dropped"]
    """copied: packet by packet. converted: text subtitles in the container's own form. rewritten: a list that the container
    keeps for itself (time code, chapters), made anew from what the film says."""
    detail: str = ""
    """For a person: what a conversion loses, or why the stream was dropped."""


class StreamHash(Document):
    """What a finished file holds of one stream of the source that goes beside the picture."""

    stream: int
    """Its index in the source."""
    packets: int
    sha256: str
    """Over the packets' payloads as the file holds them, one after the other."""


class DeliverablePlan(Document):
    """One finished file as the plan has decided it: container chosen, encoder fixed, every stream's fate known."""

    deliverable: Deliverable
    file: str
    """File name in the output, ending included; for pictures their folder's name."""
    container: Wrapping
    encoding: Encoding
    fates: tuple[StreamFate, ...]
    """One for each stream of the source, by index; then captions and chapters, where there are any."""
    start_number: Annotated[int, Field(exclude_if=lambda number: number == 0)] = 0
    """Of an image sequence: the number of its first picture's file."""
    origin: Rational = Fraction(0)
    """Seconds on the source's clock that become 0 in the deliverable: not 0 where the clock begins anywhere (MPEG-TS, MPEG-PS)."""


def expected_bytes(film: Film, plan: DeliverablePlan, frames: int) -> int:
    """Bytes of the finished file, by a generous estimate: most films take less than half of it.

    Of its pictures as they are before encoding FFV1 may need all, the lossy codecs a quarter (ProRes and DNxHR at their
    highest rates; h264 and hevc take a tenth where there is much grain). What is carried beside them is no more than the source.
    """
    encoding = plan.encoding
    planes = re.search("420|422|44[04]|gray", encoding.pix_fmt)
    samples = {"420": 1.5, "422": 2.0, "440": 2.0, "gray": 1.0}.get(planes[0] if planes else "", 3.0)
    wide = 2 if re.search(r"(9|1\d)(le|be)$", encoding.pix_fmt) else 1
    picture = frames * encoding.width * encoding.height * samples * wide
    beside = film.identity.bytes if any(one.fate != "picture" for one in plan.fates) else 0
    return round(picture if encoding.codec is Codec.FFV1 else picture / 4) + beside


class Decided(Document):
    """deliverables.json: what the last run of a job decided."""

    deliverables: tuple[DeliverablePlan, ...]


class DeliverableFacts(Document):
    """A deliverable lies whole in the output: what the stitcher knows of it."""

    file: str
    """Its key in the output."""
    bytes: int
    frames: int
    seconds: float
    """From the first frame's time to the end of the last."""
    picture_sha256: str
    """SHA-256 over the payloads of all picture packets, in decode order: equal to that of the segments, one after the other."""
    timing: str
    """For a person: whose time stamps the frames carry."""
