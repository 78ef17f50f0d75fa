"""What the planned chunks of one film lack: segments to be encoded or printed, handles to be kept. Promises that what is on paper is not asked for again; makes nothing."""

from collections.abc import Collection, Iterable, Sequence

from farm.seams import Seams
from jobs.film import Film
from jobs.plan import Chunk, Range
from jobs.prints import Print, PrintOrder, serves
from jobs.records import Encoding, segment_digests


class Lacking:
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
        self.prints: dict[int, PrintOrder] = {}
        """Chunks whose lacking segments are all struck from lossless ones, so that nothing of them is rendered."""
        self.unprinted: set[int] = set()
        """Chunks that could not be printed: they are rendered."""
        self._masters = [one for one in (*encodings, *earlier) if serves(one, one)]
        self._seams = seams
        self._on_paper = on_paper
        # By digest of a segment or of handles. Two chunks whose reads are clipped to one may share handles.
        self._chunks_of: dict[str, set[int]] = {}

    def names(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        """Digests of a chunk's segments in one encoding, in film order."""
        return segment_digests(self.film, self.chunks, chunk, encoding)

    def lacks(self, chunk: Chunk) -> bool:
        """Whether a chunk lacks a segment."""
        names = (name for one in self.encodings for name in self.names(chunk, one).values())
        return any(name not in self._on_paper for name in names)

    def note(self, chunk: Chunk) -> list[Chunk]:
        """Put down what a chunk lacks. Gives the chunk before where that was finished, and this one may need its tail again."""
        lacking: list[Print] = []
        for encoding in self.encodings:
            for frames, name in self.names(chunk, encoding).items():
                self._chunks_of.setdefault(name, set()).add(chunk.number)
                if name not in self._on_paper:
                    lacking.append(Print(digest=name, frames=frames, encoding=encoding))
        if not lacking:
            return []
        self.pieces[chunk.number] = {one.digest for one in lacking}
        if masters := self._masters_of(chunk, lacking):
            self.prints[chunk.number] = PrintOrder(chunk=chunk.number, masters=masters, prints=tuple(lacking))
            self.bodies[chunk.number] = {}
            return []
        return self._note_rendering(chunk, lacking)

    def _note_rendering(self, chunk: Chunk, lacking: Sequence[Print]) -> list[Chunk]:
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

    def _masters_of(self, chunk: Chunk, lacking: Sequence[Print]) -> tuple[str, ...]:
        """Segments on paper that hold a chunk's core losslessly, in the form of all that it lacks; none where there are none."""
        for master in self._masters if chunk.number not in self.unprinted else ():
            names = tuple(self.names(chunk, master).values())
            if all(name in self._on_paper for name in names) and all(serves(master, one.encoding) for one in lacking):
                return names
        return ()

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
