"""The ledger: one job's folder in the store, and what lies where in it. Promises that a record is written last and once; knows nothing of pixels.

<store>/<job>/job.json                 source, its rate, and store, written once
              specs/<digest>.json      every spec this job has had; spec.json is the last
              survey/source.json       what tells the source from any other, written once
              survey/film-<digest>.json  what it is, by how the spec has it read
              survey/<stream>/         index-NNNNN.npz and cuts-*.json of one video stream
              chunks/<digest>.mkv      a chunk's read, as split
              media/<sha256>           encoded segments, and the handles of seams
              records/<digest>.json    the proof that a piece of work is finished
              damaged/<digest>.json    records set aside, because they or their media were damaged
              assembly/<run>/<NNNNN>   which segments are finished, in film order, for the finishers
              quarantine/<digest>.json which chunks were set aside, and why
              stills/<digest>.jpg      a segment's middle frame, before and after, for the review page
              deliverables.json  report.json
              continuity.json          what was last made of each shot (jobs/continuity.py)
              lease.json               who works on it (jobs/lease.py)
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any, TypeVar
from zipfile import BadZipFile

from pydantic import TypeAdapter, ValidationError

from jobs.digest import canonical, digest, sealed, unsealed
from jobs.errors import BadStore
from jobs.film import Film, SourceIdentity
from jobs.index import Page
from jobs.paper import Paper
from jobs.records import Record
from jobs.spec import JobSpec, Reading
from jobs.store import Store, open_store

AnyRecord = TypeVar("AnyRecord", bound=Paper)
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


def _record(data: bytes) -> Record | None:
    try:
        return _RECORD.validate_json(json.dumps(unsealed(data)))
    except ValueError:
        return None


def still_name(segment: str) -> str:
    """Where the still of a segment lies, by the segment's digest."""
    return f"stills/{segment}.jpg"


def _film_name(reading: Reading) -> str:
    return f"survey/film-{digest(reading)}.json"


def _page_name(stream: int, number: int) -> str:
    return f"survey/{stream}/index-{number:05d}.npz"


def _first_paper(spec: JobSpec) -> dict[str, Any]:
    """job.json: what a job keeps for its life."""
    return {
        "version": 1,
        "name": spec.name,
        "source": spec.source,
        "rate": spec.rate and str(spec.rate),
        "store": spec.store,
    }


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

    def enter(self, spec: JobSpec, *, to_render: bool = True) -> None:
        """Put the spec on paper; one that is not `to_render` only where the job has none. Refuses what `admit` does."""
        if not self.store.write(self.key("job.json"), canonical(_first_paper(spec)), only_if_absent=True):
            self.admit(spec)
        if to_render or not self.store.stat(self.key("spec.json")):
            self.store.write(self.key(f"specs/{digest(spec)}.json"), canonical(spec), only_if_absent=True)
            self.store.write(self.key("spec.json"), canonical(spec), only_if_absent=not to_render)

    def admit(self, spec: JobSpec) -> None:
        """Raises BadStore where the job was begun with another source or store. Writes nothing: the spec may still be refused."""
        began, first = self.paper("job.json") or {}, _first_paper(spec)
        for name in ("source", "rate", "store"):
            if began and began.get(name) != first[name]:
                raise BadStore(
                    f"The job '{spec.name}' in {self.store.url} was begun with {name} {began.get(name)}, not {first[name]}; "
                    "give this film a job name (--name) or a store of its own."
                )

    def spec(self) -> JobSpec:
        """The spec this job was last run with. Raises BadStore where there is no such job."""
        data = self.read("spec.json")
        if not data:
            raise BadStore(f"There is no job '{self.job}' in {self.store.url}; check its name with `farm status`.")
        try:
            return JobSpec.model_validate_json(data)
        except ValidationError:
            raise BadStore(
                f"{self.store.url}/{self.key('spec.json')} is not a spec this version can read; run the job again to write it anew."
            ) from None

    # survey

    def keep_source(self, identity: SourceIdentity) -> SourceIdentity:
        """Put on paper which source this is; the first one written holds, and is given back."""
        self.keep_paper("survey/source.json", identity.model_dump(mode="json"))
        if kept := self.paper("survey/source.json"):
            return SourceIdentity.model_validate(kept)
        self.keep_paper("survey/source.json", identity.model_dump(mode="json"))
        return identity

    def film(self, reading: Reading) -> Film | None:
        """The film as it was last surveyed when read so, or None where it has not been yet."""
        data = self.read(_film_name(reading))
        return Film.model_validate_json(data) if data else None

    def keep_film(self, reading: Reading, film: Film) -> None:
        """Put on paper what the source is when it is read so."""
        self.store.write(self.key(_film_name(reading)), canonical(film))

    def pages(self, stream: int) -> list[Page]:
        """The pages of one video stream's index, in order, up to the first that is missing."""
        kept: list[Page] = []
        while data := self.read(_page_name(stream, len(kept))):
            try:
                kept.append(Page.load(data))
            except (ValueError, KeyError, OSError, EOFError, BadZipFile, zlib.error):
                self._drop_pages(stream, len(kept))
        return kept

    def _drop_pages(self, stream: int, first: int) -> None:
        """A page is damaged: it and those that follow are surveyed again."""
        for name in list(self.names(f"survey/{stream}/index-")):
            if name >= _page_name(stream, first):
                self.store.delete(self.key(name))

    def keep_page(self, stream: int, number: int, page: Page) -> None:
        """Put one page of a stream's index on paper."""
        self.store.write(self.key(_page_name(stream, number)), page.dump(), only_if_absent=True)

    def paper(self, name: str) -> Any:
        """A small JSON document of the job, or None; None also where it is damaged, and it is deleted then."""
        data = self.read(name)
        try:
            return unsealed(data) if data else None
        except ValueError:
            self.store.delete(self.key(name))
            return None

    def keep_paper(self, name: str, value: Any, *, only_if_absent: bool = True) -> None:
        """Put a small JSON document on paper."""
        data = sealed(value) if isinstance(value, dict) else json.dumps(value, indent=1).encode()
        self.store.write(self.key(name), data, only_if_absent=only_if_absent)

    # records

    def keep(self, record: AnyRecord) -> AnyRecord:
        """Write a record, last and only if absent. Gives back the one that holds: a late twin loses to the first."""
        name: str = getattr(record, "digest")  # noqa: B009  every record has one; Paper does not
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
        record = _record(data)
        if record is None:
            self.set_aside(name)
        return record

    def set_aside(self, name: str) -> None:
        """Take a record out of use, and the media it names, so that both are made again; its text stays under damaged/."""
        data = self.read(f"records/{name}.json")
        if data is None:
            return
        self.store.write(self.key(f"damaged/{name}.json"), data)
        self.store.delete(self.key(f"records/{name}.json"))
        if record := _record(data):
            # Under its hash it would be taken for the piece that is made again.
            self.store.delete(self.key(record.media.key))

    def finished(self) -> set[str]:
        """Digests of all finished pieces, by one listing."""
        return {name.rpartition("/")[2].removesuffix(".json") for name in self.names("records/")}

    # objects

    def read(self, name: str) -> bytes | None:
        """An object of the job, or None where there is none."""
        return self.store.read(self.key(name)) if self.store.stat(self.key(name)) else None

    def names(self, prefix: str) -> Iterator[str]:
        """Names in the job's folder that begin with `prefix`."""
        start = len(self.job) + 1
        return (key[start:] for key in self.store.list(self.key(prefix)))
