"""Tracks the state of each chunk of a film: what is made of it, what it lacks, and who needs its finished pieces."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from jobs.errors import Damaged
from jobs.film.frame_index import PacketSpan
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.ledger.render_history import continuity
from jobs.plan.plan import Chunk, Range
from jobs.records.guides import GuideRecord, ReferenceRecord, guides_of
from jobs.records.media import Media
from jobs.records.orders import (
    DissolveOrder,
    Encoding,
    HandlesRecord,
    RenderOrder,
    SegmentRecord,
    SplitOrder,
    handles_digest,
    split_order,
)
from jobs.records.transcode import SegmentNames, TranscodeOrder, WantedSegment

Kept = TypeVar("Kept", SegmentRecord, HandlesRecord)


@dataclass(frozen=True)
class Seam:
    """The seam before a chunk that lacks its opening in some encodings, and the two renderings it takes, by digest."""

    before: str
    later: str
    encodings: tuple[Encoding, ...]


@dataclass
class ChunkState:
    """One chunk, and how far it is. Where another stands in for it, it begins anew."""

    chunk: Chunk
    missing: set[str] = field(default_factory=set)
    """Digests of the segments and handles it lacks; none: it is finished."""
    encodings: dict[str, Encoding] = field(default_factory=dict)
    """Of these, what a renderer encodes, by digest."""
    handles: dict[str, Range] = field(default_factory=dict)
    """And what it keeps for a dissolve."""
    transcodes: list[TranscodeOrder] = field(default_factory=list)
    """Where all the segments it lacks are made from those of other deliverables, so that nothing of them is rendered."""
    names: dict[str, dict[Range, str]] = field(default_factory=dict)
    """What these segments are called, by encoding."""
    rendered_only: bool = False
    """It could not be transcoded."""
    split: SplitOrder | None = None
    media: Media | None = None
    """Its read, once it is split."""
    colour: tuple[str, ...] = ()
    """Digests of the guides and references that it is rendered from, where its colour is propagated."""
    batch: tuple[int, ...] = ()
    """The chunks that it is rendered with, itself included."""
    seam: Seam | None = None
    frames_done: int = 0
    """Frames of its core that the console has been told of."""

    @property
    def number(self) -> int:
        """Counted from 1."""
        return self.chunk.number

    def tell_rest(self) -> int:
        """Frames of the finished chunk that people were not told of; they are now."""
        rest, self.frames_done = self.chunk.core.frames - self.frames_done, self.chunk.core.frames
        return rest

    @property
    def to_split(self) -> bool:
        """It is shown to its look for what it lacks."""
        return bool(self.missing) and (not self.transcodes or bool(self.handles))


class ChunkStates:
    """The chunks of one film planned so far, by number, and an index of digests."""

    def __init__(self, film: Film, ledger: Ledger, encodings: Collection[Encoding]) -> None:
        self.film = film
        self.ledger = ledger
        self.encodings = encodings
        self.chunks: list[Chunk] = []
        """What is made, in film order: chunks of the plan, or what stands in for them."""
        self._states: list[ChunkState] = []
        # By digest of a split, a segment or handles. Chunks whose reads are clipped to one may share splits and handles.
        self._chunks_of: dict[str, set[int]] = {}
        self.on_paper = ledger.finished()
        self._records: dict[str, SegmentRecord | HandlesRecord] = {}
        earlier = [one.encoding for one in continuity(ledger).encoded]
        self._names = SegmentNames(film, self.chunks, self.on_paper, [*encodings, *earlier])

    def __getitem__(self, number: int) -> ChunkState:
        return self._states[number - 1]

    def __iter__(self) -> Iterator[ChunkState]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)

    def add(self, chunks: Iterable[Chunk]) -> list[ChunkState]:
        """Chunks that come next in the film; what they lack is found by `note`."""
        new = [ChunkState(chunk) for chunk in chunks]
        self._states += new
        self.chunks += [state.chunk for state in new]
        return new

    def replace(self, chunk: Chunk, *, rendered_only: bool = False) -> ChunkState:
        """A chunk becomes another: what is known of it is forgotten, but for what people were told."""
        number = chunk.number
        for numbers in self._chunks_of.values():
            numbers.discard(number)
        rendered_only |= self[number].rendered_only
        state = ChunkState(chunk, rendered_only=rendered_only, frames_done=self[number].frames_done)
        self._states[number - 1], self.chunks[number - 1] = state, chunk
        return state

    def names(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        """Digests of a chunk's segments in one encoding, in film order."""
        decided = self[chunk.number].names
        return (decided and decided.get(encoding.model_dump_json())) or self._names.of(chunk, encoding)

    def lacks_segment(self, chunk: Chunk) -> bool:
        """Whether a segment of a chunk is not on paper."""
        return any(self._wanted(chunk, encoding) for encoding in self.encodings)

    def note(self, state: ChunkState) -> list[ChunkState]:
        """Find what a chunk lacks. Gives the chunk before where that was finished, and this one may need its tail again."""
        lacking = [encoding for encoding in self.encodings if self._wanted(state.chunk, encoding)]
        state.transcodes = [] if state.rendered_only else self._transcodes(state, lacking)
        for encoding in self.encodings:
            self._index(state, self.names(state.chunk, encoding).values())
        if state.transcodes:
            state.missing = {piece.digest for order in state.transcodes for piece in order.prints}
        elif lacking:
            return self._note_rendering(state, lacking)
        return []

    def _wanted(self, chunk: Chunk, encoding: Encoding) -> list[WantedSegment]:
        return [
            WantedSegment(digest=name, frames=frames, encoding=encoding)
            for frames, name in self.names(chunk, encoding).items()
            if name not in self.on_paper
        ]

    def _transcodes(self, state: ChunkState, lacking: Sequence[Encoding]) -> list[TranscodeOrder]:
        """Orders for all that a chunk lacks, one for each source; none where any of it must be rendered."""
        found = [next(self._names.printed(state.chunk, encoding), None) for encoding in lacking]
        if None in found:
            return []
        orders: dict[str, TranscodeOrder] = {}
        for encoding, (master, names) in zip(lacking, filter(None, found), strict=True):
            state.names[encoding.model_dump_json()] = names
            kind = master.model_dump_json()
            orders[kind] = TranscodeOrder(
                chunk=state.number,
                picture=self.film.picture,
                master=master,
                masters=self._names.masters(state.chunk, master),
                prints=(*(orders[kind].prints if kind in orders else ()), *self._wanted(state.chunk, encoding)),
            )
        return list(orders.values())

    def _note_rendering(self, state: ChunkState, lacking: Sequence[Encoding]) -> list[ChunkState]:
        chunk, openings = state.chunk, list[Encoding]()
        for piece in (piece for encoding in lacking for piece in self._wanted(chunk, encoding)):
            state.missing.add(piece.digest)
            if piece.frames == piece.encoding.opening(chunk.core, chunk.dissolve):
                openings.append(piece.encoding)
            else:
                state.encodings[piece.digest] = piece.encoding
        self._keep_handles(state, self.tail(chunk))  # the chunk after may not be planned yet
        if not openings:
            return []
        before = self[chunk.number - 1]
        finished = not before.missing or bool(before.transcodes)
        tail, own = self.seam_handles(before.chunk, chunk)
        state.seam = Seam(next(iter(tail)), next(iter(own)), tuple(openings))
        self._index(state, [*tail, *own])
        for name in {*tail, *own} & self.on_paper:
            self.record(name, HandlesRecord)
        for shown, handles in ((before, tail), (state, own)):
            self._keep_handles(shown, {name: frames for name, frames in handles.items() if name not in self._records})
        return [before] if finished else []

    def tail(self, chunk: Chunk) -> dict[str, Range]:
        """The frames after a core that a renderer keeps for the chunk after, by digest."""
        frames = Range(chunk.core.stop, chunk.core.stop + chunk.tail)
        return {handles_digest(self.film, chunk, frames): frames} if chunk.tail else {}

    def seam_handles(self, before: Chunk, chunk: Chunk) -> tuple[dict[str, Range], dict[str, Range]]:
        """The frames that a dissolve takes of either chunk, by digest."""
        # One rendering serves all encodings of the job, whichever lacks: the longest opening holds the others.
        opening = max(encoding.opening(chunk.core, chunk.dissolve) for encoding in self.encodings)
        return self.tail(before), {handles_digest(self.film, chunk, opening): opening}

    def _keep_handles(self, state: ChunkState, handles: dict[str, Range]) -> None:
        lacking = {name: frames for name, frames in handles.items() if name not in self.on_paper}
        state.handles |= lacking
        state.missing |= lacking.keys()
        self._index(state, lacking)

    def _index(self, state: ChunkState, names: Iterable[str]) -> None:
        for name in names:
            self._chunks_of.setdefault(name, set()).add(state.number)

    def order_split(self, state: ChunkState, span: PacketSpan) -> SplitOrder:
        """A chunk's read is to be put into the store."""
        state.split = split_order(self.film, state.chunk, span)
        state.colour = tuple(guides_of(self.film, state.chunk))
        self._index(state, [state.split.digest, *state.colour])
        return state.split

    def render_order(
        self, state: ChunkState, guides: Sequence[GuideRecord], references: Sequence[ReferenceRecord]
    ) -> RenderOrder | None:
        """What is to be rendered of a chunk whose read lies in the store, and its colour, where that is propagated; None where nothing is."""
        chunk = state.chunk
        if not (state.encodings or state.handles) or not state.split or not state.media:
            return None
        return RenderOrder(
            chunk=chunk.number,
            core=chunk.core,
            read=chunk.read,
            dissolve=chunk.dissolve,
            look=chunk.look,
            film=self.film,
            split=state.split,
            media=state.media,
            encodings=tuple(state.encodings.values()),
            handles=tuple(state.handles.values()),
            guides=tuple(guides),
            references=tuple(references),
        )

    def of(self, name: str) -> list[ChunkState]:
        """The chunks that a split, a segment, handles or propagated colour are of, or that wait for them."""
        return [self[number] for number in sorted(self._chunks_of.get(name, ()))]

    def keep(self, record: SegmentRecord | HandlesRecord) -> list[ChunkState]:
        """One piece is finished; gives the chunks of which it was the last that they lacked."""
        self._records[record.digest] = record
        lacking = [state for state in self.of(record.digest) if record.digest in state.missing]
        for state in lacking:
            state.missing.remove(record.digest)
        return [state for state in lacking if not state.missing]

    def record(self, name: str, kind: type[Kept]) -> Kept:
        """The record of a segment or of handles."""
        found = self._records.get(name) or self.ledger.record(name)
        if not isinstance(found, kind):  # a listing named it that lagged, or it was damaged
            what = "segment" if kind is SegmentRecord else "handles"
            raise Damaged(f"The record of the {what} {name} is gone; run the job again: it is made again.", name)
        self._records[name] = found
        return found

    def dissolve_order(self, state: ChunkState) -> DissolveOrder | None:
        """What is to be blended before a chunk: once, when its read lies in the store and both renderings are there."""
        seam, chunk = state.seam, state.chunk
        if not seam or not state.split or not state.media or not {seam.before, seam.later} <= self._records.keys():
            return None
        state.seam = None
        return DissolveOrder(
            chunk=chunk.number,
            core=chunk.core,
            read=chunk.read,
            dissolve=chunk.dissolve,
            look=chunk.look,
            before=self.record(seam.before, HandlesRecord),
            after=self.record(seam.later, HandlesRecord),
            film=self.film,
            split=state.split,
            media=state.media,
            encodings=seam.encodings,
        )


def batches(chunks: Iterable[Chunk], target: int) -> Iterator[tuple[int, ...]]:
    """Neighbours, by number, together at most as long as one chunk may be: a two-second shot should not cost a call.

    What stands in for a chunk is a batch of its own. Batching changes no digest.
    """
    batch: list[Chunk] = []
    for chunk in chunks:
        full = sum(one.core.frames for one in batch) + chunk.core.frames > target
        apart = bool(batch) and bool(batch[-1].look.stand_in or chunk.look.stand_in)
        if batch and (full or apart or batch[-1].number + 1 != chunk.number):
            yield tuple(one.number for one in batch)
            batch = []
        batch.append(chunk)
    if batch:
        yield tuple(one.number for one in batch)
