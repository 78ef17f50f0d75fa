"""The ledger: one job's folder in the store, and what lies where in it.

A record is written last and once, and damaged documents are never trusted.

<store>/<job>/job.json                 source, its rate, and store, written once
              specs/<digest>.json      every spec this job has had; spec.json is the last
              survey/source.json       what tells the source from any other, written once
              survey/film-<digest>.json  what it is, by how the spec has it read
              survey/<stream>/         index-NNNNN.npz and cuts-*.json of one video stream
              chunks/<digest>.mkv      a chunk's read, as split
              media/<sha256>           encoded segments, and the handles of seams
              records/<digest>.json    the proof that a piece of work is finished
              damaged/<digest>.json    records set aside, because they or their media were damaged
              damaged/<name>           other documents that were damaged
              assembly/<run>/<NNNNN>   which segments are finished, in film order, for the finishers
              quarantine/<digest>.json which chunks were set aside, and why
              stills/<digest>.jpg      a segment's middle frame, before and after, for the review page
              clips/<digest>.mp4       all its frames, before and after, for the same
              figures/<digest>.json    what was measured of them (jobs/review/figures.py)
              proof/<digest>.json      a proof's still: which frame, and its picture, proof/<sha256>.jpg (jobs/records/stills.py)
              deliverables.json  report.json
              stills.json              the stills that the last run began with (jobs/stills/listing.py)
              grades/<sha256>.cube     LUTs that its specs name (actors/picture/grading/reading.py)
              continuity.json          what was last made of each shot (jobs/ledger/render_history.py)
              lease.json               who works on it (jobs/ledger/lease.py)
              logs/<began>-<n>.txt     what each run's driver said (jobs/ledger/driver_log.py)
              submitted/<digest>.json  specs as they were submitted to a cluster
              submitted/<mark>/<name>  films, shot lists and looks that were sent along (farm/ops/input_upload.py)

All documents are sealed (jobs/digest.py). What is damaged and can be made again is set aside and made again; of job.json and
spec.json one sentence says what to do.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from pydantic import TypeAdapter

from jobs.digest import digest, sealed, sealed_bytes, unsealed_bytes
from jobs.document import LARGEST_DOCUMENT, AnyPaper, Document, read_document
from jobs.errors import BadStore
from jobs.film.frame_index import Page
from jobs.film.source import Film, SourceIdentity
from jobs.records.guides import GuideRecord
from jobs.records.orders import SegmentRecord
from jobs.records.record import Record
from jobs.spec.job import JobSpec, Reading
from jobs.spec.names import JobName, another_name, job_key
from jobs.stills.listing import StillFile, StillsOfSpec
from jobs.store import Store, open_store

STILLS = "stills.json"
CONCURRENCY = 16
"""Objects that are asked for, or deleted, at once: a bucket answers one in some hundredths of a second."""
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class JobDocument(Document):
    """job.json: what a job keeps for its life."""

    version: Literal[1] = 1
    name: JobName
    source: str
    rate: str | None
    store: str
    propagates: bool = False
    """Whether a colouriser's colour is propagated where the spec does not say. Not in jobs that were begun when it never was: they go on so."""

    @classmethod
    def of(cls, spec: JobSpec) -> "JobDocument":
        """As a spec has it."""
        rate = str(spec.rate) if spec.rate else None
        return cls(name=spec.name, source=spec.source, rate=rate, store=spec.store, propagates=True)


def _record(data: bytes, name: str) -> Record | None:
    """The record of that digest in its JSON; None where it is damaged, or another's."""
    record = read_document(_RECORD, data)
    return record if record and record.digest == name else None


def still_name(segment: str) -> str:
    """Where the still of a segment lies, by the segment's digest."""
    return f"stills/{segment}.jpg"


def clip_name(segment: str) -> str:
    """Where the clip of a segment lies, source and result side by side as browsers play them, by the segment's digest."""
    return f"clips/{segment}.mp4"


def figures_name(segment: str) -> str:
    """Where what was measured of a segment's pictures lies, by the segment's digest."""
    return f"figures/{segment}.json"


def _film_name(reading: Reading) -> str:
    return f"survey/film-{digest(reading)}.json"


def _page_name(stream: int, number: int) -> str:
    return f"survey/{stream}/index-{number:05d}.npz"


class Ledger:
    """One job's paper and media in a store."""

    def __init__(self, store: Store, job: str) -> None:
        self.store = store
        self.job = job

    @classmethod
    def at(cls, url: str, job: str) -> "Ledger":
        """The ledger of `job` in the store at `url`."""
        return cls(open_store(url), job)

    def key(self, name: str) -> str:
        """A name in the job's folder as a key of the store."""
        return f"{self.job}/{name}"

    def enter(self, spec: JobSpec, began: JobDocument | None = None, *, to_render: bool = True) -> None:
        """Put the spec on paper; one that is not `to_render` only where the job has none. Refuses what `admit` does.

        `began`: what that has given, where it was asked already.
        """
        if not self.keep_paper("job.json", began or self.admit(spec)):
            self.admit(spec)
        if to_render or not self.store.stat(self.key("spec.json")):
            self.keep_paper(f"specs/{digest(spec)}.json", spec, only_if_absent=False)
            self.keep_paper("spec.json", spec, only_if_absent=not to_render)

    def begun(self) -> JobDocument | None:
        """What the job was begun with; None where it is new, or its job.json is gone. Raises BadStore where that is damaged."""
        data = self.read("job.json")
        began = None if data is None else read_document(JobDocument, data)
        if data is not None and began is None:
            raise BadStore(
                f"{self.store.url}/{self.key('job.json')}, which says what the job was begun with, is damaged; where the spec has "
                "the source that it had then, delete it, and the same command resumes; else give the job another name (--name)."
            )
        return began

    def title(self) -> str:
        """The job's name as it was written; its folder's where job.json does not tell, or is another's."""
        with suppress(BadStore):
            began = self.begun()
            if began and job_key(began.name) == self.job:
                return began.name
        return self.job

    def admit(self, spec: JobSpec) -> JobDocument:
        """What the job was begun with, or would be now. Raises BadStore where that was another source or store, or cannot be told.

        Writes nothing: the spec may still be refused.
        """
        began, asked = self.begun(), JobDocument.of(spec)
        if began is None:
            return asked.model_copy(update={"propagates": self._may_propagate()})
        for name in ("source", "rate", "store"):
            if getattr(began, name) != getattr(asked, name):
                raise BadStore(
                    f"The job '{spec.name}' in {self.store.url} was begun with {name} {getattr(began, name)}, "
                    f"not {getattr(asked, name)}; set {another_name(spec.name)} to make this another job, or give it a store of its own."
                )
        return began

    def _may_propagate(self) -> bool:
        """Whether colour is propagated in a job without a job.json: one that has rendered frames goes on as it did them, with guides or without."""

        def kind(name: str) -> type | None:
            return type(_record(self.read(f"records/{name}.json") or b"", name))

        with ThreadPoolExecutor(CONCURRENCY) as pool:
            kinds = set(pool.map(kind, self.finished()))
        return GuideRecord in kinds or SegmentRecord not in kinds

    def spec(self) -> JobSpec:
        """The spec this job was last run with. Raises BadStore where there is no such job."""
        data = self.read("spec.json")
        if data is None and not self.store.stat(self.key("job.json")):
            raise BadStore(f"There is no job '{self.job}' in {self.store.url}; check its name with `farm status`.")
        if data and (spec := read_document(JobSpec, data)):
            return spec
        what = "is gone" if data is None else "is not a spec this version can read"
        raise BadStore(f"{self.store.url}/{self.key('spec.json')} {what}; run the job again to write it again.")

    def keep_stills(self, spec: JobSpec, stills: Sequence[StillFile]) -> None:
        """Put on paper which stills a run of this spec begins with."""
        if spec.stills is not None:
            self.keep_paper(STILLS, StillsOfSpec(spec=digest(spec), stills=tuple(stills)), only_if_absent=False)

    def stills(self, spec: JobSpec) -> tuple[StillFile, ...] | None:
        """The stills that the last run of this spec began with, whatever lies in their folder by now; None where no run has."""
        if spec.stills is None:
            return ()
        kept = self.paper(STILLS, StillsOfSpec)
        return kept.stills if kept and kept.spec == digest(spec) else None

    # survey

    def keep_source(self, identity: SourceIdentity) -> SourceIdentity:
        """Put on paper which source this is; the first one written holds, and is given back."""
        if kept := self.paper("survey/source.json", SourceIdentity):
            return kept
        for name in [one for one in self.names("survey/") if one.count("/") > 1]:
            self.store.delete(self.key(name))  # pages and cuts of a source that nobody knows any more
        self.keep_paper("survey/source.json", identity)
        return self.paper("survey/source.json", SourceIdentity) or identity

    def film(self, reading: Reading) -> Film | None:
        """The film as it was last surveyed when read so, or None where it has not been yet."""
        return self.paper(_film_name(reading), Film)

    def keep_film(self, reading: Reading, film: Film) -> None:
        """Put on paper what the source is when it is read so."""
        self.keep_paper(_film_name(reading), film, only_if_absent=False)

    def pages(self, stream: int) -> list[Page]:
        """The pages of one video stream's index, in order, up to the first that is missing."""
        kept: list[Page] = []
        while (data := self.read(_page_name(stream, len(kept)))) is not None:
            try:
                kept.append(Page.load(unsealed_bytes(data)))
            except ValueError:
                self._drop_pages(stream, len(kept))
        return kept

    def _drop_pages(self, stream: int, first: int) -> None:
        """A page is damaged: it and those that follow are surveyed again."""
        for name in list(self.names(f"survey/{stream}/index-")):
            if name >= _page_name(stream, first):
                self.store.delete(self.key(name))

    def keep_page(self, stream: int, number: int, page: Page) -> None:
        """Put one page of a stream's index on paper."""
        self.store.write(self.key(_page_name(stream, number)), sealed_bytes(page.dump()), only_if_absent=True)

    def paper(self, name: str, kind: type[AnyPaper]) -> AnyPaper | None:
        """A document of the job, or None; None also where it is damaged or of another version: then it is set aside, to be made again."""
        data = self.read(name)
        found = None if data is None else read_document(kind, data)
        if data is not None and found is None:
            self.store.write(self.key(f"damaged/{name}"), data)
            self.store.delete(self.key(name))
        return found

    def keep_paper(self, name: str, paper: Document, *, only_if_absent: bool = True) -> bool:
        """Put a document on paper, sealed. False where one was there and stays."""
        return self.store.write(self.key(name), sealed(paper), only_if_absent=only_if_absent)

    # records

    def keep(self, record: AnyPaper) -> AnyPaper:
        """Write a record, last and only if absent. Gives back the one that holds: a late twin loses to the first."""
        name: str = getattr(record, "digest")  # noqa: B009  every record has one; Document does not
        for _ in range(2):  # a damaged one that is there gives way
            if self.store.write(self.key(f"records/{name}.json"), sealed(record), only_if_absent=True):
                break
            if isinstance(found := self.record(name), type(record)):
                return found
        return record

    def record(self, name: str) -> Record | None:
        """The record of one digest, or None. One that is damaged, or not of this version, is set aside: its piece is made again."""
        data = self.read(f"records/{name}.json")
        if data is None:
            return None
        record = _record(data, name)
        if record is None:  # or a copy of another
            self.set_aside(name)
            return None
        return record

    def set_aside(self, name: str) -> None:
        """Take a record out of use, and the media it names, so that both are made again; its text stays under damaged/."""
        data = self.read(f"records/{name}.json")
        if data is None:
            return
        self.store.write(self.key(f"damaged/{name}.json"), data)
        self.store.delete(self.key(f"records/{name}.json"))
        if record := _record(data, name):
            # Under its hash it would be taken for the piece that is made again.
            self.store.delete(self.key(record.media.key))

    def finished(self) -> set[str]:
        """Digests of all finished pieces, by one listing."""
        return {name.rpartition("/")[2].removesuffix(".json") for name in self.names("records/")}

    # objects

    def read(self, name: str) -> bytes | None:
        """An object of the job, or None where there is none. Raises BadStore for one that is larger than any document."""
        there = self.store.stat(self.key(name))
        if there and there.bytes > LARGEST_DOCUMENT:
            raise BadStore(
                f"{self.store.url}/{self.key(name)} has {there.bytes:,} bytes, which no document of the farm has: "
                "it is not the farm's; move it elsewhere, and what is needed is made again."
            )
        return self.store.read(self.key(name)) if there else None

    def names(self, prefix: str) -> Iterator[str]:
        """Names in the job's folder that begin with `prefix`."""
        start = len(self.job) + 1
        return (key[start:] for key in self.store.list(self.key(prefix)))
