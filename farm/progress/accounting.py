"""Keeps a job's usage document up to date while its workers run, and enforces the cap on its cost.

What was scraped is in the store: a counter that went back in the next run would be taken for one that began anew. The document
is written by a thread of its own, so that no worker waits for it; no picture depends on it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as until
from contextlib import contextmanager, suppress

from farm.progress.progress import Progress
from jobs.errors import BadStore, FilmFailed, Stopped, StoreDown, StoreFault
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import NAME, WRITE_SECONDS, Usage, keep_tally, read_tally
from jobs.store.retry import hurried
from jobs.store.traffic import drain

SCRAPE_WAITS = 0.3
"""Seconds that a scrape waits for the document to be on paper: beyond that the store is slow, and numbers matter more."""


class UsageAccounting:
    """One job's. To be opened while the job's lease is held."""

    def __init__(self, ledger: Ledger, progress: Progress) -> None:
        self._ledger, self._progress = ledger, progress
        self._writer: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None
        self._written = progress.clock()

    @contextmanager
    def open(self, say: Callable[[str], None]) -> Iterator[None]:
        """Goes on from the last run's document. `say`: told where it is lost. Raises FilmFailed where the job has cost already what it may."""
        usage = read_tally(self._ledger)
        if usage is None or (usage.updated == 0 and any(self._ledger.names("records/"))):
            say(
                f"{self._ledger.key(NAME)} is {'damaged' if usage is None else 'not there'}: what this job counts and costs begins at nought."
            )
        self._progress.resume(usage or Usage())
        self._refuse_above_cap()
        self._writer = writer = ThreadPoolExecutor(1, "tally")
        try:
            yield
            self._progress.end("delivered")
        except BaseException as error:
            self._progress.end("stopped" if isinstance(error, KeyboardInterrupt | Stopped) else "failed")
            raise
        finally:
            self._settle()
            self._writer = None
            writer.shutdown(wait=not hurried(), cancel_futures=True)  # it may wait for a store that is away
            with suppress(BadStore, StoreDown, StoreFault):
                self._write()

    def tick(self) -> None:
        """At least once a second. Raises FilmFailed where the job has cost what it may."""
        self._settle()
        self._refuse_above_cap()
        if self._writer and abs(self._progress.clock() - self._written) >= WRITE_SECONDS:
            self._begin_to_write(self._writer)

    def before_scrape(self) -> None:
        """Put on paper what Prometheus is about to read; from any thread, and before and after the work too."""
        if self._writer:
            with suppress(RuntimeError):  # the job ends just now
                until([self._begin_to_write(self._writer)], SCRAPE_WAITS)

    def _settle(self) -> None:
        self._progress.settle()
        if moved := drain():  # by this process
            self._progress.moved(moved)

    def _refuse_above_cap(self) -> None:
        prices, cost, progress = self._progress.prices, self._progress.cost, self._progress
        if prices is None or cost is None or prices.most is None or cost < prices.most:
            return
        done, total = progress.done_frames, progress.total_frames
        so_far = f"{done:,} of {total:,} frames are done" if total else "no frame was asked for yet"
        raise FilmFailed(
            f"The job '{self._ledger.title()}' has cost {cost:,.2f} {prices.currency}, and cost.most is {prices.most:,.2f}: it stops here; {so_far}. "
            "Finished work is kept: raise cost.most, and the same command resumes."
        )

    def _begin_to_write(self, writer: ThreadPoolExecutor) -> Future[None]:
        if self._writing is None or self._writing.done():
            self._written = self._progress.clock()
            self._writing = writer.submit(self._write)
        return self._writing

    def _write(self) -> None:
        keep_tally(self._ledger, self._progress.document())
