"""Tells finishers, in film order, which segments are finished while the film is still rendered.

<job>/assembly/<run>/<NNNNN>.json: each page holds a further stretch of the finished prefix, the last says that it is whole.
Whoever reads them needs no driver: a finisher that was lost is replaced by another, which begins at the first page.
"""

import time
from collections.abc import Callable, Mapping
from typing import Literal
from uuid import uuid4

from jobs.digest import digest
from jobs.document import Document
from jobs.ledger.ledger import Ledger
from jobs.plan.sampling import SampledCore
from jobs.records.orders import Encoding

FOLDER = "assembly"
PAGE_SECONDS = 1.0
"""Between two pages, at least: short chunks are many, and a page costs the store a request of everyone."""


class PrefixPage(Document):
    """One page: the segments that follow those of the pages before."""

    kind: Literal["assembly"] = "assembly"
    segments: dict[str, tuple[str, ...]]
    """By encoding (`name_of`), digests of records, in the film's order."""
    cores: tuple[SampledCore, ...] = ()
    """The chunks whose segments these are: what the finished film is held to."""
    last: bool = False
    """With these segments the film is whole."""
    given_up: bool = False
    """No more will come from this run: a chunk was set aside, and the film is not delivered without it."""


def name_of(encoding: Encoding) -> str:
    """What an encoding's segments are found under."""
    return digest(encoding)


def page_name(run: str, number: int) -> str:
    """Where a page lies in the job's folder."""
    return f"{FOLDER}/{run}/{number:05d}.json"


class FinishedPrefix:
    """One run's pages, being written. Those of earlier runs, whose finishers are gone, are swept when the first is."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = uuid4().hex[:12]
        self.whole = False
        """The last page is written: the film is whole, or given up."""
        self._ledger = ledger
        self._clock = clock
        self._pages = 0
        self._written_at = float("-inf")
        self._waiting: dict[str, list[str]] = {}
        self._cores: list[SampledCore] = []

    def add(self, segments: Mapping[str, list[str]], core: SampledCore | None = None) -> None:
        """More segments of the finished prefix, by encoding, and the chunk they are of; they are on paper with the next page."""
        self._cores += [core] if core else []
        for encoding, names in segments.items():
            self._waiting.setdefault(encoding, []).extend(names)

    def give_up(self) -> None:
        """Tell the finishers, once, that no more will come."""
        if not self.whole:
            self._write(PrefixPage(segments={}, given_up=True))
            self.whole = True

    def turn(self, *, whole: bool) -> None:
        """Write a page if one is due: the first at once, the last when the film is `whole`, others when there is something to say."""
        due = whole or not self._pages or (self._waiting and self._clock() - self._written_at >= PAGE_SECONDS)
        if self.whole or not due:
            return
        segments = {one: tuple(names) for one, names in self._waiting.items()}
        self._write(PrefixPage(segments=segments, cores=tuple(self._cores), last=whole))
        self._waiting.clear()
        self._cores.clear()
        self.whole = whole

    def _write(self, page: PrefixPage) -> None:
        if not self._pages:
            for name in list(self._ledger.names(f"{FOLDER}/")):
                self._ledger.store.delete(self._ledger.key(name))
        self._ledger.keep_paper(page_name(self.run, self._pages), page, only_if_absent=False)
        self._pages += 1
        self._written_at = self._clock()
