"""Yields the records of one encoding's segments in film order, waiting for each until the film is finished that far."""

import time
from collections.abc import Callable, Iterator

from jobs.document import read_document
from jobs.errors import Damaged, FilmFailed, StoreFault
from jobs.ledger.finished_prefix import FOLDER, PrefixPage, name_of, page_name
from jobs.ledger.ledger import Ledger
from jobs.plan.sampling import SampledCore
from jobs.records.orders import Encoding, SegmentRecord

FIRST_WAIT, LONGEST_WAIT = 0.2, 2.0
"""Seconds between two looks for the next page: half as long again each time."""


class GivenUp(Exception):
    """The film is not delivered by this run, which tells why: whoever finishes it ends without a word."""


def records_of(
    ledger: Ledger, run: str, encoding: Encoding, cores: list[SampledCore], wait: Callable[[float], object] = time.sleep
) -> Iterator[SegmentRecord]:
    """Records in the film's order, each as soon as it is on paper, until the film is whole. The chunks they are of are added to `cores`.

    Raises GivenUp where the film is given up, FilmFailed where another run of the job has taken over, Damaged where a record is gone or a page is damaged.
    """
    number, last = 0, False
    while not last:
        page = _page(ledger, run, number, wait)
        if page.given_up:
            raise GivenUp
        cores += page.cores
        for name in page.segments.get(name_of(encoding), ()):
            record = ledger.record(name)
            if not isinstance(record, SegmentRecord):
                where = f"{ledger.store.url}/{ledger.key(f'records/{name}.json')}"
                raise Damaged(
                    f"The record {where} is gone; run the job again, and its segment is made again.",
                    name,
                    ledger.key(f"records/{name}.json"),
                )
            yield record
        number, last = number + 1, page.last


def _page(ledger: Ledger, run: str, number: int, wait: Callable[[float], object]) -> PrefixPage:
    pause = FIRST_WAIT
    while True:
        try:
            data = ledger.read(page_name(run, number))
            if data is not None:
                return _read(ledger, data, page_name(run, number))
            # The first page is there before anyone is asked to read it, until the next run sweeps it.
            if not ledger.store.stat(ledger.key(page_name(run, 0))):
                over = FilmFailed(
                    f"Another run of the job '{ledger.job}' has begun and will finish its deliverables; this one ends here."
                )
                over.missing = ledger.key(page_name(run, 0))  # the driver looks for itself before this is believed
                raise over
        except StoreFault:  # passing, and not the film's: the next look will tell
            pass
        wait(pause)
        pause = min(1.5 * pause, LONGEST_WAIT)


def _read(ledger: Ledger, data: bytes, name: str) -> PrefixPage:
    page = read_document(PrefixPage, data)
    if page is None:
        # By the folder: each run writes pages of other names, and one that is damaged every time must end somewhere.
        raise Damaged(f"The page {ledger.store.url}/{ledger.key(name)} is damaged; run the job again.", FOLDER)
    return page
