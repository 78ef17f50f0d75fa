"""Reads a deliverable's segments from the store one after another, checking each against its record, packet for packet."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from actors.encode.segment_writer import SEGMENT_FORMATS, extradata_sha256, rank_of
from actors.media.verified import damaged, gone
from jobs.errors import Damaged, FilmFailed, number_of
from jobs.ledger.ledger import Ledger
from jobs.records.orders import SegmentRecord
from jobs.store.protocol import told_here

BLOCK = 1 << 20


class Segments:
    """The segments of one deliverable, in the film's order. On disk there is never more than one."""

    def __init__(self, ledger: Ledger, records: Iterable[SegmentRecord], reorder: int, folder: Path) -> None:
        """`records` may come while they are read; `reorder`: what the encoding says; `folder`: where a segment is put while it is read."""
        self.ledger = ledger
        self.records = iter(records)
        self.reorder = reorder
        self.folder = folder
        self._hash = hashlib.sha256()

    @property
    def picture_sha256(self) -> str:
        """Over the payloads of all packets read so far, in decode order."""
        return self._hash.hexdigest()

    @contextmanager
    def template(self) -> Iterator[VideoStream]:
        """The first segment's stream, to make the deliverable's like it; to be asked for before any packet."""
        first = next(self.records)
        self.records = chain((first,), self.records)
        with self.opened(first) as container:
            yield container.streams.video[0]

    def packets(self) -> "Iterator[tuple[int, Packet[Any]]]":
        """All packets in decode order, each with its frame's number. Raises FilmFailed where one is missing or too many."""
        for record in self.records:
            with self.opened(record) as container:
                yield from self._ranked(record, container)

    def _ranked(self, record: SegmentRecord, container: InputContainer) -> "Iterator[tuple[int, Packet[Any]]]":
        seen = bytearray(record.frames.frames)
        for place, packet in enumerate(self._demuxed(record, container)):
            rank = rank_of(packet)
            if rank is None or not 0 <= rank < len(seen) or seen[rank] or place - rank > self.reorder:
                raise self.refused(record, f"its packet {place} is stamped {rank}")
            if place == 0 and not packet.is_keyframe:
                raise self.refused(record, "it does not begin with a keyframe")
            seen[rank] = 1
            # Packet is a buffer: hashed where it lies.
            self._hash.update(packet)
            yield record.frames.start + rank, packet
        if not all(seen):
            raise self.refused(record, f"its frame {seen.index(0)} of {len(seen)} is missing")

    def _demuxed(self, record: SegmentRecord, container: InputContainer) -> "Iterator[Packet[Any]]":
        try:
            yield from (one for one in container.demux(container.streams.video[0]) if one.size)
        except av.error.FFmpegError as error:
            raise self.refused(record, str(error.strerror)) from None

    @contextmanager
    def opened(self, record: SegmentRecord) -> Iterator[InputContainer]:
        """One segment, fetched and checked against its record, for as long as the block lasts."""
        with self.fetched(record) as path, self._container(record, path) as container:
            yield container

    def _container(self, record: SegmentRecord, path: Path) -> InputContainer:
        try:
            container = av.open(str(path), "r", options={"format_whitelist": ",".join(SEGMENT_FORMATS)})
        except av.error.FFmpegError as error:
            raise self.refused(record, str(error.strerror)) from None
        if extradata_sha256(container.streams.video[0]) != record.extradata_sha256:
            container.close()
            raise self.refused(record, "its codec header is not the recorded one")
        return container

    @contextmanager
    def fetched(self, record: SegmentRecord) -> Iterator[Path]:
        """One segment's file, as its record says it is, for as long as the block lasts."""
        path = self.folder / f"{record.frames.start}-{record.media.sha256[:16]}.mkv"
        store, key = self.ledger.store, self.ledger.key(record.media.key)
        found = hashlib.sha256()
        if not store.stat(key):
            raise gone(self.ledger, record.digest, key)
        try:
            with told_here(str(self.folder)), store.open(key) as media, path.open("wb") as file:
                while block := media.read(BLOCK):
                    found.update(block)
                    file.write(block)
            if found.hexdigest() != record.media.sha256:
                raise self.refused(record, "its bytes are not the recorded ones")
            yield path
        finally:
            path.unlink(missing_ok=True)

    def refused(self, record: SegmentRecord, why: str) -> Damaged:
        """What is raised of a segment that is not what its record says, once that is set aside."""
        where = f"{self.ledger.store.url}/{self.ledger.key(record.media.key)}"
        what = f"the segment of frames {record.frames.start} to {record.frames.stop - 1} ({where}) is damaged: {why}"
        return damaged(self.ledger, record.digest, what)


def tiled(records: Iterable[SegmentRecord], frames: int) -> Iterator[SegmentRecord]:
    """The records as they come. Raises FilmFailed at the first that does not tile a film of so many `frames`, or does not join."""
    first, edge = None, 0
    for record in records:
        first = first or record
        if record.frames.start != edge or record.frames.stop <= edge:
            raise FilmFailed(
                f"the segments do not tile the film: after frame {edge - 1} comes frame {record.frames.start}."
            )
        if record.extradata_sha256 != first.extradata_sha256:
            raise FilmFailed(
                f"the segments of frames {first.frames.start} and {record.frames.start} have different codec headers and "
                "cannot be joined: they come from different encoders; run all workers from one image and delete the odd records."
            )
        edge = record.frames.stop
        if edge > frames:
            break
        yield record
    if edge != frames:
        raise FilmFailed(
            f"the segments end at frame {edge} and the film has {number_of(frames, 'frame')}; the plan is not of this film."
        )
