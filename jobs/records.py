"""Orders and records: what is asked of an actor, and the proof that it was done. Promises digests that name everything that changes a picture; does no work.

A digest names the work before it is done; a record, written last and only if absent, names the media that hold it.
"""

from typing import Literal

from jobs.digest import digest
from jobs.film import Colour, Film, Rational, SourceIdentity
from jobs.index import Span
from jobs.plan import Chunk, Look, Range
from jobs.spec import Codec, Paper


class Media(Paper):
    """One object under media/ or chunks/."""

    key: str
    """Its key in the job's folder of the store."""
    sha256: str
    bytes: int


class Encoding(Paper):
    """Everything that fixes the bytes an encoder gives for a picture: the plan decides it, every renderer obeys."""

    codec: Codec
    library: str
    """Encoder and version, as in "libx264 / libavcodec 62.28.102"."""
    width: int
    height: int
    pix_fmt: str
    rate: Rational
    time_base: Rational
    aspect: Rational
    colour: Colour
    options: dict[str, str]
    threads: int


class SplitOrder(Paper):
    """Put the packets of one chunk's read into the store."""

    chunk: int
    read: Range
    form: Literal["packets", "ffv1"]
    """packets: copied as they are, lead-in included. ffv1: decoded once and kept losslessly, where keyframes are too few."""
    first: int
    first_pts: int
    stamps: tuple[int, ...]
    wanted: tuple[int, ...]
    source: SourceIdentity
    stream: int

    @property
    def digest(self) -> str:
        """Names the chunk's media: the source, the packets and the form."""
        return digest(
            {
                "kind": "split",
                "version": 1,
                "source": self.source.model_dump(mode="json"),
                "stream": self.stream,
                "form": self.form,
                "first": [self.first, self.first_pts],
                "stamps": self.stamps,
                "wanted": self.wanted,
            }
        )

    @property
    def kept(self) -> tuple[int, ...]:
        """Stamps, in the chunk's media, of the frames of `read`, in order."""
        return self.wanted if self.form == "packets" else tuple(range(self.read.frames))


class SplitRecord(Paper):
    """A chunk's read lies in the store."""

    kind: Literal["split"] = "split"
    digest: str
    media: Media
    packets: int


class RenderOrder(Paper):
    """Render one chunk in one look and encode its core, once for each encoding."""

    chunk: int
    core: Range
    read: Range
    dissolve: int
    look: Look
    film: Film
    split: SplitOrder
    media: Media
    """The chunk's read, as split."""
    encodings: tuple[Encoding, ...]

    def digest(self, encoding: Encoding) -> str:
        """Names one segment: see `segment_digest`."""
        return _segment_digest(self.film.identity, self.core, self.read, self.dissolve, self.look, encoding)


def segment_digest(film: Film, chunk: Chunk, encoding: Encoding) -> str:
    """Names one encoded core: the source, the frames, the look with its settings, weights and version, and the encoder."""
    return _segment_digest(film.identity, chunk.core, chunk.read, chunk.dissolve, chunk.look, encoding)


def _segment_digest(
    source: SourceIdentity, core: Range, read: Range, dissolve: int, look: Look, encoding: Encoding
) -> str:
    return digest(
        {
            "kind": "segment",
            "version": 1,
            "source": source.model_dump(mode="json"),
            "core": core,
            "read": read,
            "dissolve": dissolve,
            "look": look.named(),
            "encoding": encoding.model_dump(mode="json"),
        }
    )


class SegmentRecord(Paper):
    """One core, rendered and encoded, lies in the store."""

    kind: Literal["segment"] = "segment"
    digest: str
    core: Range
    media: Media
    delay: int
    """Frames by which decode order runs ahead of display order."""
    extradata_sha256: str
    """Segments are joined only where this is one and the same."""
    made_on: str
    """The hardware that made the picture: bit-equality is promised per kind of hardware."""
    seconds: float
    """Wall time of the render call's share for this chunk."""


class Cuts(Paper):
    """Some frames have been looked through; `cuts` are the first frames after a cut, among them."""

    frames: Range
    cuts: tuple[int, ...]


class FramesRendered(Paper):
    """Word from a renderer at work: how many frames of a chunk's core are rendered by now."""

    chunk: int
    done: int


Record = SplitRecord | SegmentRecord


def split_order(film: Film, chunk: Chunk, span: Span) -> SplitOrder:
    """How a chunk is put into the store: packets as they are, or FFV1 where lead-in exceeds the frames wanted."""
    return SplitOrder(
        chunk=chunk.number,
        read=chunk.read,
        form="ffv1" if span.lead_in > len(span.wanted) else "packets",
        first=span.first,
        first_pts=span.first_pts,
        stamps=span.stamps,
        wanted=span.wanted,
        source=film.identity,
        stream=film.picture.stream,
    )
