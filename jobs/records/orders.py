"""What workers are asked for, with its digest, and the records of the media that were made. A record is written last."""

from collections.abc import Collection, Sequence
from math import ceil
from typing import Literal

from pydantic import Field

from jobs.digest import digest
from jobs.document import Document
from jobs.film.frame_index import PacketSpan
from jobs.film.source import Colour, Development, Film, Mending, Picture, Rational, SourceIdentity
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.survey_ranges import MARGIN
from jobs.records.burn_in import DrawnOver
from jobs.records.guides import GuideRecord, ReferenceRecord
from jobs.records.media import Media
from jobs.records.outside_gamut import OutsideGamut
from jobs.spec.codecs import Codec
from jobs.untrusted import EncoderOptions


class Encoding(Document):
    """Everything that fixes the bytes an encoder gives for a picture: the plan decides it, every renderer obeys."""

    codec: Codec
    encoder: str
    """libav's name of it, as in "libx264"."""
    library: str
    """Encoder and version, as in "libx264 / libavcodec 62.28.102"."""
    width: int
    height: int
    """The deliverable's own size, which may differ from the film's."""
    pix_fmt: str
    """Pixel format in which the encoder is given finished frames."""
    rate: Rational
    time_base: Rational
    aspect: Rational
    """Sample aspect ratio."""
    rotation: int = 0
    """Degrees counter-clockwise that the picture is turned before it is encoded, where no container tells a player to."""
    colour: Colour
    """As it is tagged. The matrix is the film's, also where R'G'B' is written; the range may differ from the film's."""
    options: EncoderOptions
    threads: int
    burn_in: DrawnOver = None
    reorder: int
    """Frames by which decode order may run ahead of display order, at most, in any segment; 0 where every frame stands alone."""

    def opening(self, core: Range, dissolve: int) -> Range:
        """The frames of a core that are encoded only once its head is dissolved; the others need not wait.

        Whole keyframe intervals, so that no keyframe is added (one after 8 frames of its own shows), and all of the core
        where less than an interval would remain. Empty where nothing is dissolved.
        """
        interval = int(self.options.get("g", "1"))
        frames = ceil(dissolve / interval) * interval
        return Range(core.start, core.start + frames if core.frames - frames >= interval or not frames else core.stop)


class SplitOrder(Document):
    """Put the packets of one chunk's read into the store."""

    chunk: int
    read: Range
    form: Literal["packets", "ffv1"]
    """packets: copied as they are, lead-in included. ffv1: kept losslessly, where keyframes are too few or frames are developed."""
    first: int
    first_pts: int
    stamps: tuple[int, ...]
    wanted: tuple[int, ...]
    """Stamps of the frames of `read`. What is decoded beyond them (lead-in, a deinterlacer's neighbours) is not kept."""
    source: SourceIdentity
    picture: Picture
    """What every decoded frame is held against: its form is no part of the digest, for no other comes through."""
    stream: int
    development: Development | None = None
    mending: Mending | None = None
    """Only for a stand-in."""

    @property
    def digest(self) -> str:
        """Names the chunk's media: the source, the packets, the form, the development and the mending."""
        changes = {"development": self.development, "mending": self.mending}
        developed = {name: one.model_dump(mode="json") for name, one in changes.items() if one}
        return digest(
            {
                **developed,
                "kind": "split",
                "version": 2,
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


class SplitRecord(Document):
    """A chunk's read lies in the store."""

    kind: Literal["split"] = "split"
    digest: str
    media: Media
    packets: int


class RenderOrder(Document):
    """Render one chunk in one look: encode its core, once for each encoding, and keep what its seams need."""

    chunk: int
    core: Range
    read: Range
    dissolve: int
    look: Look
    film: Film
    split: SplitOrder
    media: Media
    """The chunk's read, as split."""
    encodings: tuple[Encoding, ...] = ()
    """Each of them lacks the core, less its opening."""
    handles: tuple[Range, ...] = ()
    """Frames whose pictures are kept losslessly, for a dissolve."""
    guides: tuple[GuideRecord, ...] = ()
    """Where its colour is propagated: the guides of all its frames, in order."""
    references: tuple[ReferenceRecord, ...] = ()
    """Of its frames that are shown as they were painted."""

    def body(self, encoding: Encoding) -> Range:
        """The frames that are encoded here: the core less its opening."""
        return Range(encoding.opening(self.core, self.dissolve).stop, self.core.stop)

    def digest(self, encoding: Encoding) -> str:
        """Names one segment: see `segment_digests`."""
        return _segment_digest(self.film, self.body(encoding), self.read, self.look, encoding)

    def handles_digest(self, frames: Range) -> str:
        """Names the kept pictures of some frames: see `handles_digest`."""
        return _handles_digest(self.film, frames, self.read, self.look)

    @property
    def digests(self) -> list[str]:
        """Names of all that is to be made."""
        return [*map(self.digest, self.encodings), *map(self.handles_digest, self.handles)]

    def lacking(self, names: Collection[str]) -> "RenderOrder":
        """The order for only those of its pieces that are named."""
        encodings = tuple(one for one in self.encodings if self.digest(one) in names)
        handles = tuple(one for one in self.handles if self.handles_digest(one) in names)
        return self.model_copy(update={"encodings": encodings, "handles": handles})


def segment_digests(film: Film, chunks: Sequence[Chunk], chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
    """The segments that hold the core of one of the film's `chunks`, in film order: its opening where its head is dissolved, and the rest.

    A digest names the source, the frames, the look with its settings, weights and version, and the encoder; an opening's
    both renderings that are blended in it.
    """
    opening = encoding.opening(chunk.core, chunk.dissolve)
    body = Range(opening.stop, chunk.core.stop)
    names: dict[Range, str] = {}
    if opening.frames:
        head = Range(chunk.core.start, chunk.core.start + chunk.dissolve)
        # By the opening's own frames: how many more are kept, for another encoding, changes nothing in it.
        before = handles_digest(film, chunks[chunk.number - 2], head)
        names[opening] = _opening_digest(before, handles_digest(film, chunk, opening), encoding, chunk.look)
    if body.frames:
        names[body] = _segment_digest(film, body, chunk.read, chunk.look, encoding)
    return names


def _segment_digest(film: Film, frames: Range, read: Range, look: Look, encoding: Encoding) -> str:
    encoded = {"kind": "segment", "version": 3, "encoding": encoding.model_dump(mode="json")}
    return digest(encoded | _pictures(film, frames, read, look))


def handles_digest(film: Film, chunk: Chunk, frames: Range) -> str:
    """Names the pictures of some frames as one chunk renders them: the source, the frames, the memory's start, the look."""
    return _handles_digest(film, frames, chunk.read, chunk.look)


def _handles_digest(film: Film, frames: Range, read: Range, look: Look) -> str:
    # Kept as the look gave them.
    return digest({"kind": "handles", "version": 2} | _pictures(film, frames, read, look.ungraded))


def _pictures(film: Film, frames: Range, read: Range, look: Look) -> dict[str, object]:
    """What tells some frames' pictures from any others: `read` says where a memory begins."""
    source = film.identity.model_dump(mode="json")
    return {"source": source, "picture": film.picture.named(), "frames": frames, "read": read, "look": look.named()}


class HandlesRecord(Document):
    """A look's pictures of some frames lie in the store, lossless, until a seam is dissolved."""

    kind: Literal["handles"] = "handles"
    digest: str
    frames: Range
    domain: str
    """What the pictures are, in the word of the room of looks."""
    media: Media
    made_on: str


class DissolveOrder(Document):
    """Blend two renderings of the frames after a seam, and encode the later chunk's opening, once for each encoding."""

    chunk: int
    """The later one."""
    core: Range
    read: Range
    dissolve: int
    look: Look
    before: HandlesRecord
    """The earlier chunk's pictures of the first `dissolve` frames of `core`."""
    after: HandlesRecord
    """The later chunk's own, of the longest opening."""
    film: Film
    split: SplitOrder
    media: Media
    """The later chunk's read, as split: for what a look leaves as it is."""
    encodings: tuple[Encoding, ...]

    def digest(self, encoding: Encoding) -> str:
        """Names one opening: see `segment_digests`."""
        opening = encoding.opening(self.core, self.dissolve)
        later = _handles_digest(self.film, opening, self.read, self.look)
        return _opening_digest(self.before.digest, later, encoding, self.look)


def _opening_digest(before: str, later: str, encoding: Encoding, look: Look) -> str:
    return digest(
        {
            **({"grading": look.grading.named()} if look.grading else {}),
            "kind": "opening",
            "version": 2,
            "before": before,
            "later": later,
            "encoding": encoding.model_dump(mode="json"),
        }
    )


class SegmentRecord(Document):
    """Some frames of one core, rendered and encoded, lie in the store."""

    kind: Literal["segment"] = "segment"
    digest: str
    frames: Range
    """The core; where its head is dissolved, its opening or the rest."""
    media: Media
    delay: int
    """Frames by which decode order runs ahead of display order."""
    extradata_sha256: str
    """Segments are joined only where this is one and the same."""
    made_on: str
    """The hardware that made the picture: bit-equality is promised per kind of hardware."""
    seconds: float
    """Wall time from the chunk's first picture to its last piece in the store."""
    outside_gamut: OutsideGamut | None = Field(default=None, exclude_if=lambda found: found is None)
    """Of its frames, where the spec asks for a report."""
    apart: float | None = None
    """Of a dissolved opening: the mean absolute difference of its two renderings, in fractions of full scale."""


class FramesRendered(Document):
    """Word from a renderer at work: how many frames of a chunk's core are rendered by now."""

    chunk: int
    done: int


Starved = Literal["read", "write", "call"]
"""What a generator's device waited for: frames to be fetched and decoded, room behind it, or somebody's call."""


class DeviceUsage(Document):
    """Word from a renderer: seconds of its generator's device since the last word, each of them counted once."""

    busy: float
    starved: dict[Starved, float]
    chunk: int = 0
    frames: int = 0
    made_on: str = ""
    """Of the chunk that has just been rendered: its number, its frames, handles and pre-roll included, and the hardware."""


_IN_MATROSKA = ("h264", "hevc", "av1", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "prores", "ffv1", "mjpeg")
"""Codecs whose packets come back from Matroska as they were. Frames of others (DNxHR, CineForm, picture files) are kept in FFV1."""


def split_order(film: Film, chunk: Chunk, span: PacketSpan) -> SplitOrder:
    """How a chunk is put into the store: packets as they are, or FFV1 where lead-in exceeds the frames wanted, or frames are developed.

    `span` are the packets of `jobs.plan.survey_ranges.decoded(chunk.read)`: a few frames more where the film is deinterlaced.
    """
    picture, mending = film.picture, film.picture.mending(chunk.look.stand_in)
    kept = mending or picture.developed or picture.codec not in _IN_MATROSKA or span.lead_in > len(span.wanted)
    head = min(MARGIN, chunk.read.start) if picture.deinterlace else 0
    return SplitOrder(
        chunk=chunk.number,
        read=chunk.read,
        form="ffv1" if kept else "packets",
        first=span.first,
        first_pts=span.first_pts,
        stamps=span.stamps,
        wanted=span.wanted[head : head + chunk.read.frames],
        source=film.identity,
        picture=picture,
        stream=picture.stream,
        development=picture.development,
        mending=mending,
    )
