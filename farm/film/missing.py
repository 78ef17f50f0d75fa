"""What the planned chunks of one film lack: segments to be encoded or printed, handles to be kept. Promises that what is on paper is not asked for again; makes nothing."""

from collections.abc import Collection, Iterable, Sequence

from farm.film.seams import Seams
from jobs.film.source import Film
from jobs.plan.plan import Chunk, Range
from jobs.records.orders import Encoding
from jobs.records.transcode import SegmentNames, TranscodeOrder, WantedSegment


class Missing:
    """By chunk and by digest. `chunks` are those of the film, in order, as far as they are known: the caller's own list."""

    def __init__(
        self,
        film: Film,
        chunks: Sequence[Chunk],
        encodings: Collection[Encoding],
        seams: Seams,
        on_paper: Collection[str],
        earlier: Iterable[Encoding] = (),
    ) -> None:
        """`on_paper`: digests of all finished pieces; `earlier`: encodings of deliverables of earlier runs."""
        self.film = film
        self.chunks = chunks
        self.encodings = encodings
        self.pieces: dict[int, set[str]] = {}
        """By chunk in work: digests of the segments and handles it lacks."""
        self.bodies: dict[int, dict[str, Encoding]] = {}
        """Of these, by chunk, what a renderer encodes."""
        self.handles: dict[int, dict[str, Range]] = {}
        """And what it keeps for a dissolve."""
        self.prints: dict[int, list[TranscodeOrder]] = {}
        """Chunks whose lacking segments are all struck from those of other deliverables, so that nothing of them is rendered."""
        self.unprinted: set[int] = set()
        """Chunks that could not be printed: they are rendered."""
        self._names = SegmentNames(film, chunks, on_paper, [*encodings, *earlier])
        # By chunk and encoding: what its prints are called.
        self._printed_as: dict[tuple[int, str], dict[Range, str]] = {}
        self._seams = seams
        self._on_paper = on_paper
        # By digest of a segment or of handles. Two chunks whose reads are clipped to one may share handles.
        self._chunks_of: dict[str, set[int]] = {}

    def names(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        """Digests of a chunk's segments in one encoding, in film order."""
        decided = self._printed_as.get((chunk.number, encoding.model_dump_json())) if self._printed_as else None
        return decided or self._names.of(chunk, encoding)

    def lacks(self, chunk: Chunk) -> bool:
        """Whether a chunk lacks a segment."""
        return any(self._lacks(chunk, one) for one in self.encodings)

    def _lacks(self, chunk: Chunk, encoding: Encoding) -> bool:
        return any(name not in self._on_paper for name in self.names(chunk, encoding).values())

    def note(self, chunk: Chunk) -> list[Chunk]:
        """Put down what a chunk lacks. Gives the chunk before where that was finished, and this one may need its tail again."""
        lacking = [one for one in self.encodings if self._lacks(chunk, one)]
        prints = self._printed(chunk, lacking)
        for encoding in self.encodings:
            for name in self.names(chunk, encoding).values():
                self._chunks_of.setdefault(name, set()).add(chunk.number)
        if not lacking:
            return []
        if prints:
            self.pieces[chunk.number] = {one.digest for order in prints for one in order.prints}
            self.prints[chunk.number], self.bodies[chunk.number] = prints, {}
            return []
        pieces = [one for encoding in lacking for one in self._pieces(chunk, encoding)]
        self.pieces[chunk.number] = {one.digest for one in pieces}
        return self._note_rendering(chunk, pieces)

    def _pieces(self, chunk: Chunk, encoding: Encoding) -> list[WantedSegment]:
        names = self.names(chunk, encoding)
        return [
            WantedSegment(digest=name, frames=frames, encoding=encoding)
            for frames, name in names.items()
            if name not in self._on_paper
        ]

    def _printed(self, chunk: Chunk, lacking: Sequence[Encoding]) -> list[TranscodeOrder]:
        """Orders for all that a chunk lacks, one for each master; none where any of it must be rendered."""
        found = [next(self._names.printed(chunk, one), None) for one in lacking]
        if chunk.number in self.unprinted or None in found:
            return []
        orders: dict[str, TranscodeOrder] = {}
        for encoding, (master, names) in zip(lacking, filter(None, found), strict=True):
            self._printed_as[chunk.number, encoding.model_dump_json()] = names
            kind = master.model_dump_json()
            before = orders[kind].prints if kind in orders else ()
            orders[kind] = TranscodeOrder(
                chunk=chunk.number,
                picture=self.film.picture,
                master=master,
                masters=self._names.masters(chunk, master),
                prints=(*before, *self._pieces(chunk, encoding)),
            )
        return list(orders.values())

    def _note_rendering(self, chunk: Chunk, lacking: Sequence[WantedSegment]) -> list[Chunk]:
        bodies: dict[str, Encoding] = {}
        openings: dict[str, Encoding] = {}
        for piece in lacking:
            opens = piece.frames == piece.encoding.opening(chunk.core, chunk.dissolve)
            (openings if opens else bodies)[piece.digest] = piece.encoding
        self.bodies[chunk.number] = bodies
        self._keep_handles(chunk, self._seams.tail(chunk))  # the chunk after may not be planned yet
        if not openings:
            return []
        before = self.chunks[chunk.number - 2]
        finished = before.number not in self.pieces or before.number in self.prints
        for one, handles in self._seams.add(before, chunk, openings.values()):
            self._keep_handles(one, handles)
        return [before] if finished else []

    def rendered(self, number: int) -> bool:
        """Whether a chunk that lacks something is shown to its look for it."""
        return number in self.pieces and (number not in self.prints or number in self.handles)

    def hold(self, number: int, why: str) -> None:
        """A chunk that lacks something, `why`, and that nobody makes."""
        self.pieces[number], self.bodies[number] = {why}, {}

    def forget(self, number: int) -> None:
        """A chunk has become another."""
        for name in self.pieces.pop(number, ()):
            self._chunks_of[name].discard(number)
        self.prints.pop(number, None)
        self._printed_as = {key: names for key, names in self._printed_as.items() if key[0] != number}
        self.bodies.pop(number, None)
        self.handles.pop(number, None)
        self._seams.drop(number)

    def settle(self, name: str) -> list[int]:
        """One piece is finished; gives the chunks of which it was the last that they lacked."""
        finished = []
        for number in self._chunks_of[name]:
            lacking = self.pieces.get(number, set())
            lacking.discard(name)
            if not lacking and self.pieces.pop(number, None) is not None:
                finished.append(number)
        return finished

    def _keep_handles(self, chunk: Chunk, handles: dict[str, Range]) -> None:
        if lacking := {name: frames for name, frames in handles.items() if name not in self._on_paper}:
            self.handles.setdefault(chunk.number, {}).update(lacking)
            self.pieces.setdefault(chunk.number, set()).update(lacking)
            for name in lacking:
                self._chunks_of.setdefault(name, set()).add(chunk.number)
