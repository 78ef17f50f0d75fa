"""Seams to be dissolved: which renderings each one waits for. Promises that each is asked for once, when all it needs is there; calls nobody itself."""

from collections.abc import Collection
from dataclasses import dataclass

from jobs.errors import Damaged
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Chunk, Range
from jobs.records.media import Media
from jobs.records.orders import DissolveOrder, Encoding, HandlesRecord, SplitOrder, handles_digest


@dataclass(frozen=True)
class Seam:
    """A seam that lacks its opening in some encodings, and the two renderings it takes, by digest."""

    chunk: Chunk
    """The later one."""
    before: str
    later: str
    encodings: tuple[Encoding, ...]


class Seams:
    """The seams of one film that still want dissolving."""

    def __init__(self, film: Film, ledger: Ledger, on_paper: Collection[str], encodings: Collection[Encoding]) -> None:
        """`on_paper`: digests of all finished pieces; `encodings`: all of the job's."""
        self.film = film
        self.ledger = ledger
        self.encodings = encodings
        self._on_paper = on_paper
        self._seams: dict[int, Seam] = {}  # by the later chunk
        self._waiting: dict[str, int] = {}  # by digest of a rendering: the later chunk
        self._kept: dict[str, HandlesRecord] = {}

    def tail(self, chunk: Chunk) -> dict[str, Range]:
        """The frames after a core that a renderer keeps for the chunk after, by digest."""
        frames = Range(chunk.core.stop, chunk.core.stop + chunk.tail)
        return {handles_digest(self.film, chunk, frames): frames} if chunk.tail else {}

    def add(self, before: Chunk, chunk: Chunk, encodings: Collection[Encoding]) -> list[tuple[Chunk, dict[str, Range]]]:
        """One more seam, which lacks its opening in `encodings`. Gives the handles still to be rendered for it: by chunk, by digest."""
        # One rendering serves all encodings of the job, whichever lacks: the longest opening holds the others.
        opening = max(one.opening(chunk.core, chunk.dissolve) for one in self.encodings)
        needs = [(before, self.tail(before)), (chunk, {handles_digest(self.film, chunk, opening): opening})]
        (earlier,), (later,) = (handles for _, handles in needs)
        self._seams[chunk.number] = Seam(chunk, earlier, later, tuple(encodings))
        self._waiting |= {earlier: chunk.number, later: chunk.number}
        for name in (earlier, later):
            if name in self._on_paper:
                self._kept[name] = self._record(name)
        return [(one, handles) for one, handles in needs if not handles.keys() <= self._kept.keys()]

    def _record(self, name: str) -> HandlesRecord:
        record = self.ledger.record(name)
        if not isinstance(record, HandlesRecord):  # a listing named it that lagged, or it was damaged
            raise Damaged(f"The record of the handles {name} is gone; run the job again: it is made anew.", name)
        return record

    def drop(self, number: int) -> None:
        """The seam before a chunk is none any more."""
        if seam := self._seams.pop(number, None):
            self._waiting = {name: one for name, one in self._waiting.items() if name not in (seam.before, seam.later)}

    def keep(self, record: HandlesRecord) -> int | None:
        """One rendering is there; gives the later chunk of its seam, None where that is not planned yet."""
        self._kept[record.digest] = record
        return self._waiting.get(record.digest)

    def order(self, number: int, split: SplitOrder, media: Media) -> DissolveOrder | None:
        """What is to be blended before a chunk, whose read lies in the store: once, when both renderings are there."""
        seam = self._seams.get(number)
        if seam is None or not {seam.before, seam.later} <= self._kept.keys():
            return None
        del self._seams[number]
        return DissolveOrder(
            chunk=number,
            core=seam.chunk.core,
            read=seam.chunk.read,
            dissolve=seam.chunk.dissolve,
            look=seam.chunk.look,
            before=self._kept[seam.before],
            after=self._kept[seam.later],
            film=self.film,
            split=split,
            media=media,
            encodings=seam.encodings,
        )
