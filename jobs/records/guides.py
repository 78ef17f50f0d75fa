"""References and guides: orders to propagate colour, and the records that the results lie in the store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.digest import digest
from jobs.document import Document
from jobs.film.frame_index import PacketSpan
from jobs.film.source import Film
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.spans import STROKES_VERSION, VERSION, PaintedFrame, Span
from jobs.records.media import Media
from jobs.stills.listing import StillFile

DETAIL_REACH = 6
"""Frames on either side of a still that are given its fine detail."""


class ReferenceRecord(Document):
    """A still's colour lies in the store, brought to the film's own size and aligned with its frame."""

    kind: Literal["reference"] = "reference"
    digest: str
    frame: int
    still: str
    """SHA-256 of the file that was painted."""
    media: Media
    tool: str = ""
    """The program that saved it, as its metadata tells; empty where it does not."""
    remarks: tuple[str, ...] = ()
    """What was done to make it fit, in words."""


class GuideRecord(Document):
    """The propagated chroma of a span's frames lies in the store, at a working size."""

    kind: Literal["guide"] = "guide"
    digest: str
    frames: Range
    media: Media
    confidence: float
    """Mean over its frames, 0 to 1: how far what was propagated was found again in them."""
    made_on: str
    seconds: float
    """Wall time from its first frame to the store."""


@dataclass(frozen=True)
class RefusedStill:
    """A still that cannot be used, as its worker found: nothing of it is kept."""

    digest: str
    """Of the reference that there is not."""
    frame: int
    why: str
    """A sentence for people."""


def still_media(file: StillFile) -> Media:
    """A still's file as it is kept in a job's folder."""
    return Media(key=f"media/{file.sha256}", sha256=file.sha256, bytes=file.bytes)


def painted_frame(file: StillFile) -> PaintedFrame:
    """What plans and digests know of a still's file: its frame, what it holds, whether that is strokes, and how those spread; not its name."""
    spread = STROKES_VERSION if file.strokes else 0
    return PaintedFrame(frame=file.frame, still=file.sha256, strokes=file.strokes, spread=spread)


@dataclass(frozen=True)
class ReferenceOrder:
    """Bring a still to the film's own size, and hold it against its frame."""

    film: Film
    called: str
    """The frame's name, for people: "frame 123 (00:00:05:03)"."""
    painted: PaintedFrame
    name: str
    """The file's, for people."""
    media: Media
    """The file itself, in the job's folder."""
    head: int
    """Frames decoded before it, for a deinterlacer."""
    packets: PacketSpan

    @property
    def digest(self) -> str:
        """Names the reference."""
        return reference_digest(self.film, self.painted)


@dataclass(frozen=True)
class GuideOrder:
    """Propagate colour through some neighbouring spans of one shot."""

    film: Film
    look: Look
    """That colours the anchors which are no stills."""
    spans: Sequence[Span]
    references: Sequence[ReferenceRecord]
    read: Range
    head: int
    """Frames decoded before `read`, for a deinterlacer."""
    packets: PacketSpan

    def digest(self, span: Span) -> str:
        """Names the guide of one of them."""
        return guide_digest(self.film, self.look, span)


def reference_digest(film: Film, still: PaintedFrame) -> str:
    """Names a still's reference: the source, the frame and the file."""
    own = still.model_dump(
        mode="json", exclude={"spread"}
    )  # a layer as it was drawn; without strokes, where it has none
    return digest({"kind": "reference", "version": VERSION, **own, **_source(film)})


def guide_digest(film: Film, look: Look, span: Span) -> str:
    """Names a span's guide: the source, its frames, its anchors and the stills they are matched with, and the look of its own anchors."""
    named = {"span": span.model_dump(mode="json"), "look": look.of_anchors.named()}
    return digest({"kind": "guide", "version": VERSION, **named, **_source(film)})


def guides_of(film: Film, chunk: Chunk) -> Iterator[str]:
    """Digests of the guides that give a chunk its colour, in film order, then of the references of its shot's stills that its frames show or lie beside."""
    yield from (guide_digest(film, chunk.look, span) for span in chunk.spans)
    near = range(chunk.core.start - DETAIL_REACH, chunk.core.stop + DETAIL_REACH)
    # Strokes are in the guides alone: they have no detail.
    stills = {one.frame: one.still for span in chunk.spans for one in span.anchors if one.still and one.frame in near}
    yield from (reference_digest(film, PaintedFrame(frame=frame, still=stills[frame])) for frame in sorted(stills))


def _source(film: Film) -> dict[str, object]:
    return {"source": film.identity.model_dump(mode="json"), "picture": film.picture.named()}
