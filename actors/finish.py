"""The finisher: stitches a deliverable, has it proven, and only then puts it in its place. Promises that nothing unproven bears a deliverable's name; renders nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from actors.inspect import Inspector
from actors.spool import spool
from actors.stitch import Stitcher
from jobs.deliverables import DeliverableFacts, DeliverablePlan
from jobs.film import Film
from jobs.records import SegmentRecord
from jobs.report import Conform
from jobs.store import open_store
from jobs.timing import Timing


class Finisher:
    """Finishes deliverables of one job. `source`, `store` and `output` are paths or URLs."""

    def __init__(self, source: str, store: str, job: str, output: str) -> None:
        self._job = (source, store, job)
        self.output = open_store(output)

    def finish(
        self, film: Film, plan: DeliverablePlan, timing: Timing, segments: Sequence[SegmentRecord]
    ) -> Iterator[int | DeliverableFacts | Conform]:
        """Yields frames joined so far, now and then; what was stitched; at last what was proven of it.

        The output gets the file if it conforms, and nothing if it does not. Raises as the stitcher and the inspector do.
        """
        with spool("finish") as name:
            for word in Stitcher(*self._job, name).stitch(film, plan, timing, segments):
                yield word
                if isinstance(word, DeliverableFacts):
                    proof = Inspector(*self._job, name).inspect(film, plan, timing, segments, word)
                    if proof.conforms:
                        self.output.write_file(plan.file, Path(name, plan.file))
                    yield proof
