"""Puts each chunk's packets, or its decoded frames, into the store as a small Matroska file. Equal orders give equal bytes.

Neighbouring chunks are made in one reading of the source, and where they are decoded, in one decoding.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from actors.media.container import named, opened_at
from actors.media.temp_dirs import spool
from actors.render.chunk_files import ChunkCutter, ConcealedFrames
from jobs.errors import BadMedia
from jobs.ledger.ledger import Ledger
from jobs.records.media import Media
from jobs.records.orders import SplitOrder, SplitRecord
from jobs.store import open_store, source_identity


class Splitter:
    """Splits one source into one job's folder of a store."""

    def __init__(self, source: str, store: str, job: str, threads: int = 0) -> None:
        """`source` and `store` are URLs; `threads` for decoding, 0 is one for each core: no byte depends on it."""
        self.source = source
        self.threads = threads
        self.ledger = Ledger(open_store(store), job)

    def split(self, orders: Sequence[SplitOrder]) -> Iterator[SplitRecord]:
        """The record of each order, in order, the work done where there is none yet.

        Give neighbours in one call, ascending: what they share is read and decoded once. Raises BadMedia where the
        source is no longer what was surveyed or cannot be carried; ChunkFailed where a frame cannot be decoded; BadStore and StoreFault as the store does.
        """
        # Two short chunks may read the very same frames: then one order's media serve both.
        kept = {order.digest: self._kept(order) for order in orders}
        missing = list({order.digest: order for order in orders if kept[order.digest] is None}.values())
        if missing and source_identity(self.source) != missing[0].source:
            raise BadMedia(f"{named(self.source)} was changed since its survey; begin a new job for it.")
        made = (record for run in runs(missing) for record in self._split_run(run))
        for order in orders:
            record = kept[order.digest] = kept[order.digest] or next(made)
            yield record

    def _kept(self, order: SplitOrder) -> SplitRecord | None:
        record = self.ledger.record(order.digest)
        if not isinstance(record, SplitRecord) or not self.ledger.store.stat(self.ledger.key(record.media.key)):
            return None
        return record

    def _split_run(self, run: Sequence[SplitOrder]) -> Iterator[SplitRecord]:
        head = run[0]
        if head.mending and not head.mending.decode:
            yield self._keep_grey(head)
            return
        with (
            spool("split") as folder,
            opened_at(self.source, head.stream, head.first, head.first_pts) as (stream, packets),
        ):
            cutter = ChunkCutter(named(self.source), run, stream, Path(folder), self.threads)
            for order, path in cutter.cut(packets):
                yield self._keep(order, path)
                path.unlink()

    def _keep_grey(self, order: SplitOrder) -> SplitRecord:
        with spool("split") as folder:
            chunk = ConcealedFrames(order, Path(folder) / f"{order.digest}.mkv")
            chunk.end()
            chunk.close()
            return self._keep(order, chunk.path)

    def _keep(self, order: SplitOrder, path: Path) -> SplitRecord:
        name = f"chunks/{order.digest}.mkv"
        key = self.ledger.key(name)
        if self.ledger.store.write_file(key, path, only_if_absent=True):
            with path.open("rb") as file:
                media = _media(name, file)
        else:
            # Somebody was here and left no record; what lies there may have been made by another libav.
            with closing(self.ledger.store.open(key)) as file:
                media = _media(name, file)
        packets = len(order.stamps) if order.form == "packets" else order.read.frames
        return self.ledger.keep(SplitRecord(digest=order.digest, media=media, packets=packets))


def _media(name: str, file: BinaryIO) -> Media:
    found = hashlib.sha256()
    while block := file.read(1 << 20):
        found.update(block)
    return Media(key=name, sha256=found.hexdigest(), bytes=file.tell())


def runs(orders: Iterable[SplitOrder]) -> Iterator[list[SplitOrder]]:
    """Orders grouped so that each group is one reading: same form and development, ascending, no packet between them that none wants."""
    run: list[SplitOrder] = []
    end = 0
    for order in orders:
        alike = bool(run) and (run[-1].form, run[-1].development) == (order.form, order.development)
        # A stand-in is made alone: what harms its neighbour shall not harm it.
        if run and not (alike and not order.mending and not run[-1].mending and run[-1].first <= order.first <= end):
            yield run
            run, end = [], 0
        run.append(order)
        end = max(end, order.first + len(order.stamps))
    if run:
        yield run
