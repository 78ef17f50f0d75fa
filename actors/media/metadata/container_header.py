"""Refuses a container whose tags, covers or attachments would take libav far more time or memory than any film's: seen before a film is opened for work.

libav compares each tag with all before it, so that a hundred thousand take minutes, and keeps all that a header holds. Matroska's, whose
tags libav compares after it has read them all, are counted by their structure, and mp4's and mov's are measured by theirs. Whatever the
container, libav then reads the header once with its decoders shut off, and gets no more bytes once it takes far longer than a header does.
"""

import os
import time
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, cast

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from actors.media.container import OPENING, harmless
from actors.media.ebml import CLUSTER, INFO, LONGEST_HEAD, SEGMENT, TRACKS, FoundElement, element_at
from actors.media.limits import JPEGS, refuse_parts
from actors.media.metadata.ogg_comments import comments_in
from jobs.errors import BadMedia

MOST_TAGS = 10_000
"""Of a film and all its streams: mkvmerge writes seven of each stream, and 10,000 take libav two seconds."""
MOST_HEADER = 64 << 20
"""Bytes of texts, covers and chapters beside the tables of samples."""
MOST_ATTACHED = 256 << 20
"""Bytes of attachments: the fonts of a film's subtitles have some dozens of megabytes."""
MOST_READ = 512 << 20
"""Bytes of a header, tables of samples among them: those of 100 hours have less."""
LARGEST_VALUE = 96 << 20
"""Bytes that libav asks for at once: a table of 20 million samples has fewer."""

PROBED_BYTES = 6_000_000
"""Of the first packets: libav looks for pictures that it can decode among five million (its probesize)."""

_SECONDS, _BYTES_PER_SECOND = 2.0, 10 << 20
"""Of a processor that a header may take, and how many bytes of it make that a second longer. The slowest index takes a tenth of that."""
_BUFFER = 1 << 15
"""What libav reads at once: after each of these it can be stopped."""
_DEMUXER = OPENING | {"codec_whitelist": "none"}
_PROBED = (*JPEGS, "tiff")
"""Decoders that libav tries as it opens a film, and whose pictures carry tags."""

_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = (bytes.fromhex(name) for name in ("114d9b74", "4dbb", "53ab", "53ac"))
_TAGS, _TAG, _SIMPLE_TAG = (bytes.fromhex(name) for name in ("1254c367", "7373", "67c8"))
_CHAPTERS, _EDITION, _ATOM = (bytes.fromhex(name) for name in ("1043a770", "45b9", "b6"))
_ATTACHMENTS, _CUES = bytes.fromhex("1941a469"), bytes.fromhex("1c53bb6b")
_NESTING = {_TAGS: {_TAG, _SIMPLE_TAG}, _CHAPTERS: {_EDITION, _ATOM}, _SEEK_HEAD: {_SEEK}}
"""In which elements of a part others lie that are looked for."""
_MOST_PARTS = 64
"""That an index of parts names; libav follows no more."""

_TABLES = (b"trak", b"mdia", b"minf", b"stbl")
"""The way to a track's tables of samples, box by box."""
_MOST_BOXES = 100_000
"""In a row, or parts of a Matroska: more than any header has."""
_MOST_ELEMENTS = 1_000_000
"""Of a Matroska's tags, or of its chapters: some for each."""


def refuse_costly_header(file: BinaryIO, what: str) -> None:
    """Raises BadMedia for a container that holds far more beside its streams than films do, or whose first pictures do."""
    size = file.seek(0, os.SEEK_END)
    head = _at(file, 0, 12)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        _measure_matroska(file, size, what)
    elif head.startswith(b"OggS") and comments_in(file) > MOST_TAGS:
        raise _too_much(what)
    elif head[4:8].isalnum():
        _measure_boxes(file, size, what)
    file.seek(0)
    watched = _WatchedReader(file)
    try:
        with av.open(
            watched, "r", metadata_errors="replace", buffer_size=_BUFFER, container_options=_DEMUXER
        ) as container:
            _count(container, what)
            _refuse_first_pictures(container, what)
    except (av.error.FFmpegError, MemoryError):
        pass  # who opens it for work says why
    if watched.stopped:
        raise _too_much(what)


def _refuse_first_pictures(container: InputContainer, what: str) -> None:
    """Raises BadMedia where one of the pictures that libav decodes as it opens a film carries far more than a picture."""
    probed = [
        stream for stream in container.streams.video if stream.codec_context and stream.codec_context.name in _PROBED
    ]
    left = PROBED_BYTES
    for packet in container.demux(probed) if probed else ():
        if left < 0 or not packet.size:
            return
        harmless(cast("Packet[VideoStream]", packet), what)
        left -= packet.size


def _count(container: InputContainer, what: str) -> None:
    tags = [container.metadata, *(one.metadata for one in container.streams)]
    if sum(map(len, tags)) > MOST_TAGS or sum(len(text) for some in tags for text in some.values()) > MOST_HEADER:
        raise _too_much(what)


def _too_much(what: str) -> BadMedia:
    return BadMedia(
        f"{what} has more than {MOST_TAGS:,} tags, or more texts, covers and attachments than a film has: write it again without them "
        "where it was made, or try ffmpeg -i FILM -map 0:v -map 0:a? -c copy -map_metadata -1 NEW.mkv, which may take long."
    )


class _WatchedReader:
    """A file as PyAV reads it, which is at its end for a demuxer that has used up what a header may take: an error would be printed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._read, self._began = file, 0, time.thread_time()
        self.tell = file.tell
        self.stopped = False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):  # to where none can be, in a damaged file
            return -1

    def read(self, count: int) -> bytes:
        seconds = time.thread_time() - self._began
        self.stopped = (
            self.stopped
            or count > LARGEST_VALUE
            or self._read > MOST_READ
            or seconds > _SECONDS + self._read / _BYTES_PER_SECOND
        )
        data = b"" if self.stopped else self._file.read(count)
        self._read += len(data)
        return data


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def _measure_matroska(file: BinaryIO, size: int, what: str) -> None:
    tags = chapters = beside = attached = 0
    for part in _parts(file, size):
        length = min(part.stop or size, size) - part.content
        if part.name in (_TAGS, _CHAPTERS, _SEEK_HEAD, INFO, TRACKS):
            beside += length
        attached += length if part.name == _ATTACHMENTS else 0
        if beside > MOST_HEADER or attached > MOST_ATTACHED:
            raise _too_much(what)
        for number, found in enumerate(_within(part, file) if part.name in (_TAGS, _CHAPTERS) else ()):
            tags, chapters = tags + (found.name == _SIMPLE_TAG), chapters + (found.name == _ATOM)
            if tags > MOST_TAGS or number > _MOST_ELEMENTS:
                raise _too_much(what)
    refuse_parts(0, chapters, what)


def _parts(file: BinaryIO, size: int) -> Iterator[FoundElement]:
    """Those parts of a segment that libav reads as it opens a film: what comes before the first cluster, and what an index of parts names."""
    top = element_at(_at(file, 0, LONGEST_HEAD))
    segment = element_at(_at(file, top.stop, LONGEST_HEAD), top.stop) if top and top.stop else None
    if segment is None or segment.name != SEGMENT:
        return
    place, named, seen = segment.content, list[int](), set[int]()
    while (part := _part(file, place, size)) and part.name != CLUSTER and len(seen) < _MOST_BOXES:
        seen.add(place)
        named += islice(_positions(part, file, segment.content), max(0, _MOST_PARTS - len(named)))
        yield part
        place = part.stop or size
    for place in named:  # which grows meanwhile: an index may name another
        part = None if place in seen else _part(file, place, size)
        seen.add(place)
        if part is not None and part.name not in (CLUSTER, _CUES):
            named += islice(_positions(part, file, segment.content), max(0, _MOST_PARTS - len(named)))
            yield part


def _part(file: BinaryIO, place: int, size: int) -> FoundElement | None:
    return element_at(_at(file, place, LONGEST_HEAD), place) if place < size else None


def _positions(part: FoundElement, file: BinaryIO, origin: int) -> Iterator[int]:
    for found in _within(part, file) if part.name == _SEEK_HEAD else ():
        if found.name == _SEEK_POSITION:
            yield origin + int.from_bytes(_at(file, found.content, 8)[: (found.stop or 0) - found.content], "big")


def _within(part: FoundElement, file: BinaryIO) -> Iterator[FoundElement]:
    """All elements of a part, and those in them that are looked for, in order."""
    data = _at(file, part.content, min((part.stop or 1 << 62) - part.content, MOST_HEADER))
    place, nested = 0, _NESTING[part.name]
    while found := element_at(data[place : place + LONGEST_HEAD], place):
        stop = len(data) if found.stop is None else found.stop
        yield FoundElement(found.name, part.content + place, part.content + found.content, part.content + stop)
        place = found.content if found.name in nested else stop


def _measure_boxes(file: BinaryIO, size: int, what: str) -> None:
    """A moov's bytes but its tables of samples, and what lies beside it at the top, up to the pictures."""
    beside, seen = 0, set[bytes]()
    for name, start, stop in _boxes(file, 0, size):
        seen.add(name)
        if name in (b"moov", b"meta", b"udta"):
            beside += stop - start
        for place in _samples(file, start, stop) if name == b"moov" else ():
            beside -= place
        if beside > MOST_HEADER:
            raise _too_much(what)
        if {b"moov", b"mdat"} <= seen or name == b"moof":
            return


def _samples(file: BinaryIO, start: int, stop: int, way: tuple[bytes, ...] = _TABLES) -> Iterator[int]:
    """Bytes of each table of samples within a box."""
    for name, begin, end in _boxes(file, start + 8, stop):
        if name == way[0]:
            yield from _samples(file, begin, end, way[1:]) if way[1:] else (end - begin,)


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Names of the boxes that lie one after another, where each begins and where it ends."""
    for _ in range(_MOST_BOXES):
        head = _at(file, start, 16) if start + 8 <= stop else b""
        length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\1" else head[:4], "big")
        end = start + length if length else stop
        if len(head) < 8 or end < start + 8:
            return
        yield head[4:8], start, min(end, stop)
        start = end
