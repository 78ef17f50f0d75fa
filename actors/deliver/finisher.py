"""Stitches a deliverable while its film is rendered, has the file verified, and only then gives it its name.

Nothing unverified bears a deliverable's name, and what gets the name is the very file that was verified. A review stream, which is
watched under its name while it grows, is the exception: it is verified once its SHA-256 file lies beside it.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from actors.deliver.image_sequence import SequenceWriter
from actors.deliver.stitcher import Stitcher
from actors.mux.finished_prefix import GivenUp, records_of
from actors.mux.hls.playlist import manifest
from actors.verify.inspector import Inspector
from actors.verify.source_comparison import SourceComparison
from jobs.errors import FilmFailed
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.output.handover import HeldName, sweep
from jobs.plan.output_timing import Timing
from jobs.plan.sampling import SampledCore, SourceFrames
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.orders import SegmentRecord
from jobs.records.report import Conform
from jobs.store import Stat, open_store

LOOK_SECONDS = 1.0
"""Between two looks at who owns the name, while what may be watched already grows under it."""


class Finisher:
    """Finishes deliverables of one job. `source`, `store` and `output` are paths or URLs."""

    def __init__(self, source: str, store: str, job: str, output: str) -> None:
        self._job = (source, store, job)
        self.ledger = Ledger.at(store, job)
        self.output = open_store(output)

    def finish(
        self, film: Film, plan: DeliverablePlan, timing: Timing, run: str, source: SourceFrames
    ) -> Iterator[int | DeliverableFacts | Conform]:
        """Yields frames joined so far, now and then; what was stitched; at last what was proven of it.

        `run` names the pages on which the film's segments are put down as they are finished, and has claimed the name
        (jobs/output/ownership.py); `source` are the frames that the segments ought to hold. The output gets the file, and its SHA-256 beside it, if it conforms, and nothing if it does
        not. Raises as the stitcher and the inspector do, NameTaken and FilmFailed where the name is another job's or run's
        by now; ends early, and quietly, where the film is given up.
        """
        held = HeldName(self.ledger, self.output, plan.file, run)
        staging = held.staging()
        sweep(self.output, self.ledger.job, plan.file, staging)
        cores: list[SampledCore] = []
        against = SourceComparison(self._job[0], film, plan.encoding, source, cores)
        found = _owned(records_of(self.ledger, run, plan.encoding, cores), held)
        finish = {"folder": self._pictures, "hls": self._stream}.get(plan.container, self._file)
        with suppress(GivenUp):
            yield from finish(film, plan, timing, held, found, against)

    def _file(
        self,
        film: Film,
        plan: DeliverablePlan,
        timing: Timing,
        held: HeldName,
        found: Iterator[SegmentRecord],
        against: SourceComparison,
    ) -> Iterator[int | DeliverableFacts | Conform]:
        staging = held.staging()
        where = (*self._job, f"{self.output.url}/{staging}")
        unproven, beside = f"{staging}/{plan.file}", f"{plan.file}.sha256"
        records: list[SegmentRecord] = []
        for word in Stitcher(*where).stitch(film, plan, timing, _noted(found, records)):
            yield word
            if isinstance(word, DeliverableFacts):
                there = self._made(unproven)
                proof = Inspector(*where).inspect(film, plan, timing, records, word, against)
                if proof.conforms:
                    if self.output.stat(beside):
                        held.write(beside, b"")  # lest it stand beside a file that it is not of
                    held.give(unproven, there, plan.file)
                    held.write(beside, f"{proof.sha256}  {proof.file}\n".encode())
                else:
                    self.output.delete(unproven)
                yield proof

    def _stream(
        self,
        film: Film,
        plan: DeliverablePlan,
        timing: Timing,
        held: HeldName,
        found: Iterator[SegmentRecord],
        against: SourceComparison,
    ) -> Iterator[int | DeliverableFacts | Conform]:
        # A review stream bears its name from its first fragment on, to be watched: what says that it is proven is the sum beside it.
        where = (*self._job, self.output.url)
        self.output.delete(f"{plan.file}.sha256")
        records: list[SegmentRecord] = []
        for word in Stitcher(*where).stitch(film, plan, timing, _noted(found, records)):
            yield word
            if isinstance(word, DeliverableFacts):
                proof = Inspector(*where).inspect(film, plan, timing, records, word, against)
                if proof.conforms:
                    lines = manifest(self.output, plan.file)[0]
                    if hashlib.sha256(lines).hexdigest() != proof.sha256:
                        raise FilmFailed(
                            f"{self.output.url}/{plan.file} was changed after it was proven: run the job again."
                        )
                    held.write(f"{plan.file}.sha256", lines)
                yield proof

    def _pictures(
        self,
        film: Film,
        plan: DeliverablePlan,
        timing: Timing,
        held: HeldName,
        found: Iterator[SegmentRecord],
        against: SourceComparison,
    ) -> Iterator[int | DeliverableFacts | Conform]:
        placer = SequenceWriter(self.ledger, self.output, held.staging(), film.timecode, held.give)
        yield from placer.finish(plan, timing, found, against)

    def _made(self, unproven: str) -> Stat:
        """What is there to be proven. Raises FilmFailed where it has gone."""
        there = self.output.stat(unproven)
        if there is None:
            raise FilmFailed(f"{self.output.url}/{unproven} was made and is gone: run the job again.")
        return there


def _owned(records: Iterable[SegmentRecord], held: HeldName) -> Iterator[SegmentRecord]:
    """No more of them than come while the name is held."""
    looked = time.monotonic()
    for one in records:
        if time.monotonic() - looked >= LOOK_SECONDS:
            held.check()
            looked = time.monotonic()
        yield one


def _noted(records: Iterable[SegmentRecord], kept: list[SegmentRecord]) -> Iterator[SegmentRecord]:
    for one in records:
        kept.append(one)
        yield one
