"""The quarantine: chunks that failed too often, each with a report, and what stands in for them.

A stand-in is a chunk like any other, in a look and with a digest of its own: so records, stitching and verification need not know of
it, and once the report is gone the plan asks for the chunk's own segments again. It reads its core alone, and nothing is
dissolved into it or out of it: its edges are as good as cuts.
"""

from collections.abc import Sequence
from dataclasses import replace

from jobs.digest import digest
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Chunk, Look
from jobs.records.orders import handles_digest
from jobs.records.report import Quarantined

FOLDER = "quarantine"


def quarantine_digest(film: Film, chunk: Chunk) -> str:
    """Names what a chunk's look makes of its core, whatever it is encoded to."""
    return digest({"kind": "quarantine", "version": 1, "pictures": handles_digest(film, chunk, chunk.core)})


class Quarantine:
    """One film's reports. Those that are no longer of its plan stay on paper, and count for nothing."""

    def __init__(self, ledger: Ledger, film: Film, look: Look | None) -> None:
        """`look`: the one that changes nothing, to stand in; None where nothing shall."""
        self.ledger = ledger
        self.film = film
        self.look = look
        self.reports = {one.digest: one for one in reports(ledger)}

    def report_of(self, planned: Chunk) -> Quarantined | None:
        """Why a chunk of the plan was set aside; None where it was not."""
        return self.reports.get(quarantine_digest(self.film, planned)) if self.reports else None

    def keep(self, report: Quarantined) -> None:
        """Put a report on paper."""
        self.reports[report.digest] = report
        name = f"{FOLDER}/{report.digest}.json"
        self.ledger.keep_paper(name, report, only_if_absent=False)

    def standing(self, planned: Sequence[Chunk], number: int) -> Chunk:
        """The chunk that is made for one of the plan: itself, or what stands in for it; and nothing is dissolved from a stand-in."""
        chunk = planned[number - 1]
        if self.look is None:
            return chunk
        if report := self.report_of(chunk):
            look = self.look.model_copy(update={"stand_in": report.stand_in})
            return replace(chunk, shown=chunk.core, read=chunk.core, dissolve=0, tail=0, look=look)
        apart = chunk.dissolve > 0 and self.report_of(planned[number - 2]) is not None
        return replace(chunk, dissolve=0) if apart else chunk


def reports(ledger: Ledger) -> list[Quarantined]:
    """All reports of a job, by chunk. A damaged one counts for nothing: its chunk is tried again."""
    found = [ledger.paper(name, Quarantined) for name in list(ledger.names(f"{FOLDER}/"))]
    return sorted((one for one in found if one), key=lambda one: (one.chunk, one.digest))


def lift(ledger: Ledger, chunk: int | None) -> list[Quarantined]:
    """Take back the reports of one chunk, by number, or of all. Gives them."""
    lifted = [one for one in reports(ledger) if chunk in (None, one.chunk)]
    for one in lifted:
        ledger.store.delete(ledger.key(f"{FOLDER}/{one.digest}.json"))
    return lifted
