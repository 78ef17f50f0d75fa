"""Finds what may be deleted of jobs in a store, and deletes it on request.

What a job, or any spec it has had, needs to go on is kept by default, and a job at work is left alone.
"""

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from farm.film.chunk_states import ChunkStates
from farm.film.quarantine import QuarantinedChunks
from farm.ops.input_upload import FOLDER as SUBMITTED
from farm.ops.status import Status, planned, statuses
from farm.progress.console import ProgressConsole
from farm.progress.lease_control import holder_of, lease_on_job
from farm.progress.plain_console import Column, PlainConsole
from jobs.document import Document
from jobs.errors import BadInput, FilmFailed, number_of
from jobs.ledger.consistency import consistent
from jobs.ledger.driver_log import FOLDER as LOGS
from jobs.ledger.finished_prefix import FOLDER as ASSEMBLY
from jobs.ledger.lease import Lease
from jobs.ledger.ledger import CONCURRENCY, Ledger, clip_name, figures_name, still_name
from jobs.output.handover import Unproven
from jobs.records.deliverables import Decided
from jobs.records.guides import GuideRecord, ReferenceRecord, guides_of
from jobs.records.orders import SegmentRecord, SplitRecord, split_order
from jobs.records.record import Record
from jobs.records.stills import FOLDER as PROOF
from jobs.store import open_store

UNPROVEN_LEFT = "deliverables in the output that never were proven, of runs that were cut short"
HALF_WRITTEN = "half-written objects of workers that died, of bytes that no listing tells"


Remade = SplitRecord | GuideRecord | ReferenceRecord
"""Records of what a delivered film is made from, and what its source and its stills give again."""


class Removable(Document):
    """Objects of one kind that may go."""

    what: str
    objects: int
    bytes: int


class CleanReport(Document):
    """`farm clean --json`, one for each job."""

    job: str
    state: str
    """As `farm status` tells it."""
    may_go: tuple[Removable, ...] = ()
    kept: tuple[str, ...] = ()
    """What is kept that may look superfluous, and why."""
    deleted: bool = False
    """It is gone; otherwise this only tells."""


@dataclass(frozen=True)
class CleanOptions:
    """How thoroughly to clean."""

    all_but_last: bool = False
    """Work for earlier specs of a job goes too: to change back to one costs rendering again."""
    delete: bool = False


def clean(place: str, job: str | None, wish: CleanOptions) -> list[CleanReport]:
    """What of one job of a store may go, or of all, and with `wish.delete` delete it. Raises BadStore where there is no job."""
    store = open_store(place)
    return [_told(Ledger(store, one.key), one, wish) for one in statuses(place, job)]


def _told(ledger: Ledger, status: Status, wish: CleanOptions) -> CleanReport:
    try:
        with consistent(ledger):
            return _cleaned(ledger, status, wish)
    except (BadInput, FilmFailed) as error:  # the other jobs can still be cleaned
        return CleanReport(job=status.name, state=status.state, kept=(f"everything: {error}",))


def _cleaned(ledger: Ledger, status: Status, wish: CleanOptions) -> CleanReport:
    if holder := holder_of(ledger):
        return CleanReport(
            job=status.name, state=status.state, kept=(f"everything: {holder.paper.who}, is at work on it",)
        )
    if not wish.delete:
        return _Sweep(ledger, status, wish).told()
    with lease_on_job(ledger) as lease:  # it may have just begun
        sweep = _Sweep(ledger, status, wish)
        told = sweep.told()
        sweep.delete(lease)
        return told.model_copy(update={"deleted": True})


class _Sweep:
    """What may go of one job, found out when it is made."""

    def __init__(self, ledger: Ledger, status: Status, wish: CleanOptions) -> None:
        self.ledger = ledger
        self.status = status
        self.finished = status.state == "delivered"
        self.kept: list[str] = []
        self.piles: dict[str, list[str]] = {}
        # Media before records: what is written meanwhile is then named, or not in the list.
        self._media = {name for folder in ("media/", "chunks/") for name in ledger.names(folder)}
        self._stills = {one for part in ("stills/", "clips/", "figures/") for one in ledger.names(part)}
        self._records = self._read_records()
        stay = self._staying(wish)
        going = [one for one in self._records if one.digest not in stay and not isinstance(one, Remade)]
        # Two records may name one object: a name is of the bytes, and two specs may come to the same ones.
        shared = {one.media.key for one in self._records if one.digest in stay}
        self._pile("records no plan of the last spec names", (f"records/{one.digest}.json" for one in going))
        self._pile("media of these records", self._media & {one.media.key for one in going} - shared)
        self._sort_media(stay)
        self._sort_submitted()
        self._half_written = sorted(ledger.store.unfinished(ledger.key("")))
        self._unproven = Unproven(ledger)
        if self._unproven and not self.finished:
            self.kept.append("what deliverables have grown to in the output: the job goes on with it")

    def told(self) -> CleanReport:
        """In figures."""
        may_go = []
        known = {one.media.key: one.media.bytes for one in self._records}
        for what, names in self.piles.items():
            with ThreadPoolExecutor(CONCURRENCY) as pool:
                sizes = pool.map(lambda name: known.get(name) or self._size(name), names)
                may_go.append(Removable(what=what, objects=len(names), bytes=sum(sizes)))
        if self._half_written:
            may_go.append(Removable(what=HALF_WRITTEN, objects=len(self._half_written), bytes=0))
        if self._unproven and self.finished:
            may_go.append(Removable(what=UNPROVEN_LEFT, objects=len(self._unproven), bytes=self._unproven.bytes))
        return CleanReport(job=self.status.name, state=self.status.state, may_go=tuple(may_go), kept=tuple(self.kept))

    def delete(self, lease: Lease) -> None:
        """Delete it. Records go before the media they name: what is cut short leaves nothing that is named and not there."""
        names = [name for pile in self.piles.values() for name in pile]
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            for part in (lambda name: name.startswith("records/"), lambda name: not name.startswith("records/")):
                keys = [self.ledger.key(name) for name in names if part(name)]
                for _ in pool.map(self.ledger.store.delete, keys):
                    lease.tick()
            for _ in pool.map(self.ledger.store.abort, self._half_written):
                lease.tick()
        if self.finished:
            self._unproven.delete()

    def _read_records(self) -> list[Record]:
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            found = pool.map(self.ledger.record, self.ledger.finished())
            return [one for one in found if one]

    def _staying(self, wish: CleanOptions) -> set[str]:
        """Digests of the records that stay."""
        everything = {one.digest for one in self._records}
        if not wish.all_but_last:
            self.kept.append(
                "all records and what they name: a spec that is changed back needs them (--all-but-last deletes)"
            )
        elif not self.finished:
            self.kept.append(f"all records and what they name: the job is not delivered ({self.status.state})")
        elif self.ledger.stills(self.ledger.spec()) is None:
            self.kept.append(
                "all records and what they name: no paper of the job tells its stills; render it once more"
            )
        else:
            return everything & _named_by_last(self.ledger)
        return everything

    def _sort_media(self, stay: Collection[str]) -> None:
        splits = [one for one in self._records if isinstance(one, SplitRecord)]
        if self.finished:
            # With their records: what is split again may be made of other bytes, by another libav.
            chunks = self._media & {one.media.key for one in splits}
            self._pile("chunks of a delivered film, which its source gives again", chunks)
            self._pile("records of these chunks", (f"records/{one.digest}.json" for one in splits))
            self._pile("pages for finishers that have ended", self.ledger.names(f"{ASSEMBLY}/"))
            colour = [one for one in self._records if isinstance(one, GuideRecord | ReferenceRecord)]
            self._pile("propagated colour of a delivered film", self._media & {one.media.key for one in colour})
            self._pile("records of this colour", (f"records/{one.digest}.json" for one in colour))
        elif splits:
            self.kept.append(
                f"{number_of(len(splits), 'chunk')}: the job is not delivered ({self.status.state}), and goes on with them"
            )
        proofs = list(self.ledger.names(f"{PROOF}/"))
        if self.finished:
            self._pile("stills of proofs, which `farm proof` makes again", proofs)
        elif proofs:
            self.kept.append("stills of proofs: the job is not delivered, and another proof goes on with them")
        self._pile("media no record names", self._media - {one.media.key for one in self._records})
        segments = [one.digest for one in self._records if isinstance(one, SegmentRecord) and one.digest in stay]
        shown = {name(digest) for digest in segments for name in (still_name, clip_name, figures_name)}
        self._pile(
            "stills, clips and figures of segments that are not there", self._stills - shown if self.finished else ()
        )
        if self._stills & shown:
            self.kept.append(
                "stills, clips and figures of the segments that are kept: the review page is made of them at each delivery"
            )

    def _sort_submitted(self) -> None:
        """What was sent along with specs, which may be a whole film, and what drivers said."""
        sent: dict[str, list[str]] = {}
        specs = list(self.ledger.names("specs/"))
        for name in self.ledger.names(SUBMITTED):
            _, mark, *rest = name.split("/")
            if rest:
                sent.setdefault(mark, []).append(name)
            else:
                specs.append(name)  # it may be one that no driver has begun with yet
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            said = b"".join(data for data in pool.map(self.ledger.read, specs if sent else ()) if data).decode(
                "utf-8", "replace"
            )
        gone = [mark for mark in sent if f"/{SUBMITTED}{mark}/" not in said]
        self._pile("what was sent along with specs, and no spec names", (one for mark in gone for one in sent[mark]))
        if len(gone) < len(sent):
            self.kept.append("the film and looks that were sent along with the job's specs, which name them")
        if self.finished:
            self._pile("logs of earlier runs", sorted(self.ledger.names(LOGS))[:-1])

    def _pile(self, what: str, names: Iterable[str]) -> None:
        if found := sorted(names):
            self.piles[what] = found

    def _size(self, name: str) -> int:
        there = self.ledger.store.stat(self.ledger.key(name))
        return there.bytes if there else 0


def _named_by_last(ledger: Ledger) -> set[str]:
    """Digests of all that the plan of the last spec names: segments, handles of its seams, chunks, and what stands in for them."""
    spec = ledger.spec()
    film = ledger.film(spec.reading)
    assert film  # the job is delivered
    began = ledger.begun()
    survey = planned(ledger, spec, film, propagates=began is None or began.propagates)
    decided = ledger.paper("deliverables.json", Decided)
    assert decided  # likewise
    encodings = [one.encoding for one in decided.deliverables]
    aside = QuarantinedChunks(survey, ProgressConsole(console=PlainConsole(quiet=True)))
    states = ChunkStates(film, ledger, encodings)
    states.add(aside.standing(chunk.number) for chunk in survey.plan.chunks)
    named: set[str] = set()
    for before, chunk in zip((None, *states.chunks), states.chunks, strict=False):
        named.add(split_order(film, chunk, survey.span(chunk.read)).digest)
        named.update(guides_of(film, chunk))
        for one in encodings:
            named |= set(states.names(chunk, one).values())
        if before and chunk.dissolve:
            named |= {name for handles in states.seam_handles(before, chunk) for name in handles}
    return named


def show(found: Sequence[CleanReport]) -> None:
    """For people, on stderr."""
    console = PlainConsole()
    title = "deleted" if any(one.deleted for one in found) else "may be deleted (nothing was; --yes does)"
    piles = [(one, pile) for one in found for pile in one.may_go]
    rows = [(one.job, one.state, pile.what, f"{pile.objects:,}", f"{pile.bytes:,}") for one, pile in piles]
    if rows:
        console.table(title, rows, [*map(Column, ("job", "state", "what", "objects", "bytes"))])
    for one in found:
        for sentence in one.kept:
            console.note(f"{one.job}: kept: {sentence}")
    console.note(f"{sum(pile.bytes for _, pile in piles):,} bytes in all" if rows else "Nothing may be deleted.")
