"""Segments out of the store, one after another. Promises that what is read is what the records say, packet for packet; knows no deliverable."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from actors.encode import extradata_sha256
from jobs.errors import FilmFailed
from jobs.ledger import Ledger
from jobs.records import SegmentRecord

BLOCK = 1 << 20


class Segments:
    """The segments of one deliverable, in the film's order. On disk there is never more than one."""

    def __init__(self, ledger: Ledger, records: Sequence[SegmentRecord], frames: int, folder: Path) -> None:
        """`frames`: of the whole film; `folder`: where a segment is put while it is read.

        Raises FilmFailed where the records do not tile the film, or were encoded in ways that do not join.
        """
        self.ledger = ledger
        self.records = records
        self.folder = folder
        self._hash = hashlib.sha256()
        _refuse_gaps(records, frames)
        _refuse_strangers(records)

    @property
    def delay(self) -> int:
        """Frames by which decode order runs ahead of display order, at most, in any segment."""
        return max(one.delay for one in self.records)

    @property
    def picture_sha256(self) -> str:
        """Over the payloads of all packets read so far, in decode order."""
        return self._hash.hexdigest()

    @contextmanager
    def template(self) -> Iterator[VideoStream]:
        """The first segment's stream, to make the deliverable's like it."""
        with self.opened(self.records[0]) as container:
            yield container.streams.video[0]

    def packets(self) -> "Iterator[tuple[int, Packet[Any]]]":
        """All packets in decode order, each with its frame's number. Raises FilmFailed where one is missing or too many."""
        for record in self.records:
            with self.opened(record) as container:
                yield from self._ranked(record, container)

    def _ranked(self, record: SegmentRecord, container: InputContainer) -> "Iterator[tuple[int, Packet[Any]]]":
        seen = bytearray(record.frames.frames)
        for place, packet in enumerate(self._demuxed(record, container)):
            rank = packet.pts
            if rank is None or not 0 <= rank < len(seen) or seen[rank] or place - rank > record.delay:
                raise self._refused(record, f"its packet {place} is stamped {rank}")
            if place == 0 and not packet.is_keyframe:
                raise self._refused(record, "it does not begin with a keyframe")
            seen[rank] = 1
            # Packet is a buffer: hashed where it lies.
            self._hash.update(packet)
            yield record.frames.start + rank, packet
        if not all(seen):
            raise self._refused(record, f"its frame {seen.index(0)} of {len(seen)} is missing")

    def _demuxed(self, record: SegmentRecord, container: InputContainer) -> "Iterator[Packet[Any]]":
        try:
            yield from (one for one in container.demux(container.streams.video[0]) if one.size)
        except av.error.FFmpegError as error:
            raise self._refused(record, str(error.strerror)) from None

    @contextmanager
    def opened(self, record: SegmentRecord) -> Iterator[InputContainer]:
        """One segment, fetched and checked against its record, for as long as the block lasts."""
        path = self._fetched(record)
        try:
            with self._container(record, path) as container:
                yield container
        finally:
            path.unlink(missing_ok=True)

    def _container(self, record: SegmentRecord, path: Path) -> InputContainer:
        try:
            container = av.open(str(path), "r", format="matroska")
        except av.error.FFmpegError as error:
            raise self._refused(record, str(error.strerror)) from None
        if extradata_sha256(container.streams.video[0]) != record.extradata_sha256:
            container.close()
            raise self._refused(record, "its codec header is not the recorded one")
        return container

    def _fetched(self, record: SegmentRecord) -> Path:
        path = self.folder / f"{record.frames.start}-{record.media.sha256[:16]}.mkv"
        found = hashlib.sha256()
        if not self.ledger.store.stat(self.ledger.key(record.media.key)):
            raise self._refused(record, "it is gone")
        with self.ledger.store.open(self.ledger.key(record.media.key)) as media, path.open("wb") as file:
            while block := media.read(BLOCK):
                found.update(block)
                file.write(block)
        if found.hexdigest() != record.media.sha256:
            path.unlink()
            raise self._refused(record, "its bytes are not the recorded ones")
        return path

    def _refused(self, record: SegmentRecord, why: str) -> FilmFailed:
        where = f"{self.ledger.store.url}/{self.ledger.key(record.media.key)}"
        return FilmFailed(
            f"the segment of frames {record.frames.start} to {record.frames.stop - 1} ({where}) is damaged: {why}; "
            f"delete that object and {self.ledger.key(f'records/{record.digest}.json')}, and run the job again."
        )


def _refuse_gaps(records: Sequence[SegmentRecord], frames: int) -> None:
    edge = 0
    for record in records:
        if record.frames.start != edge or record.frames.stop <= edge:
            raise FilmFailed(
                f"the segments do not tile the film: after frame {edge - 1} comes frame {record.frames.start}."
            )
        edge = record.frames.stop
    if edge != frames:
        raise FilmFailed(
            f"the segments end at frame {edge} and the film has {frames} frames; the plan is not of this film."
        )


def _refuse_strangers(records: Sequence[SegmentRecord]) -> None:
    for record in records:
        if record.extradata_sha256 != records[0].extradata_sha256:
            raise FilmFailed(
                f"the segments of frames {records[0].frames.start} and {record.frames.start} have different codec headers and "
                "cannot be joined: they come from different encoders; run all workers from one image and delete the odd records."
            )
