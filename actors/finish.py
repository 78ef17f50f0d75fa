"""The finisher: stitches a deliverable while its film is rendered, has it proven, and only then gives it its name. Promises that nothing unproven bears a deliverable's name, but a review stream, which is proven when its sum lies beside it; renders nothing."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from actors.against_source import AgainstSource
from actors.assembly import GivenUp, records_of
from actors.images import Placer
from actors.inspect import Inspector
from actors.playlist import manifest
from actors.stitch import Stitcher
from jobs.deliverables import DeliverableFacts, DeliverablePlan
from jobs.film import Film
from jobs.ledger import Ledger
from jobs.records import SegmentRecord
from jobs.report import Conform
from jobs.sampling import Core, SourceFrames
from jobs.store import open_store
from jobs.timing import Timing

UNPROVEN = "unproven"
"""The folder of the output where deliverables grow and are proven."""


class Finisher:
    """Finishes deliverables of one job. `source`, `store` and `output` are paths or URLs."""

    def __init__(self, source: str, store: str, job: str, output: str) -> None:
        self._where = (source, store, job, f"{output.rstrip('/')}/{UNPROVEN}")
        self._streaming = (source, store, job, output)
        self.ledger = Ledger.at(store, job)
        self.output = open_store(output)

    def finish(
        self, film: Film, plan: DeliverablePlan, timing: Timing, run: str, source: SourceFrames
    ) -> Iterator[int | DeliverableFacts | Conform]:
        """Yields frames joined so far, now and then; what was stitched; at last what was proven of it.

        `run` names the pages on which the film's segments are put down as they are finished, `source` the frames that they
        ought to hold. The output gets the file, and
        its SHA-256 beside it, if it conforms, and nothing if it does not. Raises as the stitcher and the inspector do;
        ends early, and quietly, where the film is given up.
        """
        cores: list[Core] = []
        against = AgainstSource(self._where[0], film, plan.encoding, source, cores)
        with suppress(GivenUp):
            yield from self._finish(film, plan, timing, records_of(self.ledger, run, plan.encoding, cores), against)

    def _finish(
        self,
        film: Film,
        plan: DeliverablePlan,
        timing: Timing,
        found: Iterator[SegmentRecord],
        against: AgainstSource,
    ) -> Iterator[int | DeliverableFacts | Conform]:
        if plan.container == "folder":
            yield from Placer(self.ledger, self.output, UNPROVEN, film.timecode).finish(plan, timing, found, against)
            return
        records: list[SegmentRecord] = []
        segments = _noted(found, records)
        streamed = plan.container == "hls"
        where = self._streaming if streamed else self._where
        if streamed:
            self.output.delete(f"{plan.file}.sha256")
        for word in Stitcher(*where).stitch(film, plan, timing, segments):
            yield word
            if isinstance(word, DeliverableFacts):
                proof = Inspector(*where).inspect(film, plan, timing, records, word, against)
                if streamed:
                    self._vouch(proof)
                else:
                    self._place(proof)
                yield proof

    def _vouch(self, proof: Conform) -> None:
        # A review stream bears its name from its first fragment on, to be watched: what says that it is proven is the sum beside it.
        if proof.conforms:
            self.output.write(f"{proof.file}.sha256", manifest(self.output, proof.file)[0])

    def _place(self, proof: Conform) -> None:
        unproven, sidecar = f"{UNPROVEN}/{proof.file}", f"{proof.file}.sha256"
        if not proof.conforms:
            self.output.delete(unproven)
            return
        self.output.delete(sidecar)  # lest it stand beside a file that it is not of
        self.output.rename(unproven, proof.file)
        self.output.write(sidecar, f"{proof.sha256}  {proof.file}\n".encode())


def _noted(records: Iterable[SegmentRecord], kept: list[SegmentRecord]) -> Iterator[SegmentRecord]:
    for one in records:
        kept.append(one)
        yield one
