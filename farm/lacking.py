"""What the planned chunks of one film lack: segments to be encoded, handles to be kept. Promises that what is on paper is not asked for again; makes nothing."""

from collections.abc import Collection, Sequence

from farm.seams import Seams
from jobs.film import Film
from jobs.plan import Chunk, Range
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
    ) -> None:
        self.film = film
        self.chunks = chunks
        self.encodings = encodings
        self.pieces: dict[int, set[str]] = {}
        """By chunk in work: digests of the segments and handles it lacks."""
        self.bodies: dict[int, dict[str, Encoding]] = {}
        """Of these, by chunk, what a renderer encodes."""
        self.handles: dict[int, dict[str, Range]] = {}
        """And what it keeps for a dissolve."""
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
        bodies: dict[str, Encoding] = {}
        openings: dict[str, Encoding] = {}
        for encoding in self.encodings:
            for frames, name in self.names(chunk, encoding).items():
                self._chunks_of.setdefault(name, set()).add(chunk.number)
                if name not in self._on_paper:
                    opens = frames == encoding.opening(chunk.core, chunk.dissolve)
                    (openings if opens else bodies)[name] = encoding
        if not (bodies or openings):
            return []
        self.pieces[chunk.number] = {*bodies, *openings}
        self.bodies[chunk.number] = bodies
        self._keep_handles(chunk, self._seams.tail(chunk))  # the chunk after may not be planned yet
        if not openings:
            return []
        before = self.chunks[chunk.number - 2]
        finished = before.number not in self.pieces
        for one, handles in self._seams.add(before, chunk, openings.values()):
            self._keep_handles(one, handles)
        return [before] if finished else []

    def hold(self, number: int, why: str) -> None:
        """A chunk that lacks something, `why`, and that nobody makes."""
        self.pieces[number], self.bodies[number] = {why}, {}

    def forget(self, number: int) -> None:
        """A chunk has become another."""
        for name in self.pieces.pop(number, ()):
            self._chunks_of[name].discard(number)
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
