"""The books: what a job counts and costs, kept on paper while its fleet works. Promises that a count which was scraped is on paper, and that a job stops at its cap; no picture depends on them.

They stand between the fleet and the board: whatever the fleet tells they pass on. The tally is written by a thread of its own,
so that no worker waits for it.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as until
from contextlib import suppress
from types import TracebackType
from typing import Self

from farm.fleet.calls import ListenerRelay, PoolSize, PoolSpec
from farm.progress.console import ProgressConsole
from farm.progress.metrics import FilmMetrics, WorkerUsage
from farm.progress.worker_seconds import WorkerSeconds
from jobs.errors import BadStore, FilmFailed, Stopped, StoreDown, StoreFault
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import WRITE_SECONDS, JobState, Usage, keep_tally, read_tally
from jobs.spec.cost import Cost
from jobs.store.retry import hurried
from jobs.store.traffic import drain

SCRAPE_WAITS = 0.3
"""Seconds that a scrape waits for the tally to be on paper: beyond that the store is slow, and numbers matter more."""


class UsageAccounting(ListenerRelay):
    """One job's books: a context manager, and the fleet's watcher. To be opened while the job's lease is held."""

    def __init__(
        self,
        ledger: Ledger,
        board: ProgressConsole,
        metrics: FilmMetrics,
        prices: Cost | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds."""
        super().__init__(board)
        self._ledger, self._board, self._metrics, self._prices = ledger, board, metrics, prices
        self._clock = clock
        self._wages = WorkerSeconds(clock)
        self._state: JobState = "working"
        self._written = clock()
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        """Goes on from the last run's tally. Raises FilmFailed where the job has cost already what it may."""
        tally = read_tally(self._ledger)
        if tally is None or (tally.updated == 0 and any(self._ledger.names("records/"))):
            self._board.note(
                f"{self._ledger.key('tally.json')} is {'damaged' if tally is None else 'not there'}: what this job counts and costs begins at nought."
            )
        self._metrics.resume(tally or Usage())
        self._check()
        self._writer = ThreadPoolExecutor(1, "tally")
        self._metrics.before = self._scraped
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        stopped = isinstance(error, KeyboardInterrupt | Stopped)
        self._state = "delivered" if error is None else "stopped" if stopped else "failed"
        self._settle(self._wages.due())
        self._metrics.before = lambda: None
        self._metrics.eta(0.0 if error is None else None)
        self._metrics.state(self._state)
        self._writer.shutdown(wait=not hurried(), cancel_futures=True)  # it may wait for a store that is away
        with suppress(BadStore, StoreDown, StoreFault):
            self._write()

    # what the fleet tells

    def staffed(self, crew: PoolSpec, staff: PoolSize) -> None:
        self._settle(self._wages.staffed(crew, staff))
        super().staffed(crew, staff)

    def tick(self) -> None:
        """Raises FilmFailed where the job has cost what it may."""
        super().tick()
        self._settle(self._wages.due())
        self._check()
        if abs(self._clock() - self._written) >= WRITE_SECONDS:
            self._begin_to_write()

    # what is kept

    def _settle(self, due: Iterable[WorkerUsage]) -> None:
        for paid in due:
            self._metrics.paid(paid)
        if moved := drain():  # by this process
            self._metrics.moved(moved)

    def _check(self) -> None:
        if self._prices is None:
            return
        spent, most, currency = self._metrics.cost(self._prices), self._prices.most, self._prices.currency
        self._board.spent = f"{spent:,.2f} {currency}"
        if most is not None and spent >= most:
            done, total = self._board.done_frames, self._board.total_frames
            so_far = f"{done:,} of {total:,} frames are done" if total else "no frame was asked for yet"
            raise FilmFailed(
                f"The job '{self._ledger.job}' has cost {spent:,.2f} {currency}, and cost.most is {most:,.2f}: it stops here; {so_far}. "
                "What is finished is kept: raise cost.most, and the same command goes on."
            )

    def _begin_to_write(self) -> Future[None]:
        if self._writing is None or self._writing.done():
            self._written = self._clock()
            self._writing = self._writer.submit(self._write)
        return self._writing

    def _scraped(self) -> None:
        """Before an answer to Prometheus: a counter that went back would be taken for one that began anew."""
        with suppress(RuntimeError):  # the job ends just now
            until([self._begin_to_write()], SCRAPE_WAITS)

    def _write(self) -> None:
        board = self._board
        priced = {"cost": self._metrics.cost(self._prices), "currency": self._prices.currency} if self._prices else {}
        known = {
            "state": self._state,
            "updated": time.time(),
            "frames_per_second": board.rate(),
            "seconds_left": board.seconds_left(),
        }
        keep_tally(self._ledger, self._metrics.tally().model_copy(update={**known, **priced}))
