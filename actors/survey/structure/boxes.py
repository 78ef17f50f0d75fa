"""Checks the boxes of mp4 and mov (ISO/IEC 14496-12), and counts the samples that their tables and fragments promise."""

from collections.abc import Iterator
from typing import NamedTuple

from actors.survey.structure.octets import BrokenStructure, FileBytes, broken_at

_LARGEST_PAPER = 1 << 30
"""Bytes of a moov or moof that are read; a film of 100 hours has less."""


class _Box(NamedTuple):
    name: bytes
    start: int
    content: int
    stop: int


def check_boxes(file: FileBytes, track: int) -> int:
    """Samples of the track with the id `track` that its tables and its fragments promise together; 0 of a film without fragments, whose edit list may leave some out.

    Raises BrokenStructure where a box is longer than the file, a fragment is missing, or the tables contradict one another.
    """
    samples, fragments, sequence, earlier = 0, 0, 0, b""
    tracks: set[int] = set()
    of_track: dict[int, int] = {}
    for box in _top(file):
        if box.name in (b"moov", b"moof") and box.stop - box.start > _LARGEST_PAPER:
            raise broken_at(box.start, "an index of less than 1 GiB")
        if box.name == b"moov":
            moov = file.at(box.content, box.stop - box.content)
            samples, tracks = _samples(moov, track), {_track_id(moov, one) for one in _headers(moov)}
        if box.name == b"moof":
            number, of_track = _fragment(file.at(box.content, box.stop - box.content))
            if not tracks.issuperset(of_track):
                raise BrokenStructure(
                    f"is damaged at byte {box.start}: fragment {number} is of a track that there is not"
                )
            if sequence and number > sequence + 1:
                raise BrokenStructure(f"lacks a part: fragment {sequence} is followed by fragment {number}")
            fragments, sequence = fragments + of_track.get(track, 0), number
        if earlier == b"moof" and box.name not in (b"mdat", b"free", b"skip", b"uuid", b"emsg", b"prft"):
            raise broken_at(box.start, "the samples of a fragment")
        if earlier == b"moof" and box.name == b"mdat" and box.stop > box.content and not of_track:
            raise BrokenStructure(f"is damaged at byte {box.start}: the samples of fragment {sequence} are of no track")
        earlier = box.name if box.name in (b"moof", b"mdat") else earlier
    if earlier == b"moof":
        raise BrokenStructure(f"is truncated: it ends before the samples of fragment {sequence}")
    return samples + fragments if sequence else 0


def _top(file: FileBytes) -> Iterator[_Box]:
    place = 0
    while place < file.size:
        box = _box(file.at(place, 16), place, file.size)
        if box is None or (not box.name.isalnum() and not box.name.strip(b" \xa9").isalnum()):
            # Zeros or a few bytes behind the last box are no part of the film.
            if file.size - place < 8 or not any(file.at(place, 4096)):
                return
            raise broken_at(place, "a box of mp4 or mov")
        file.must_hold(box.stop, f"its {box.name.decode('latin1')} box")
        yield box
        place = box.stop


def _box(head: bytes, start: int, end: int) -> _Box | None:
    if len(head) < 8:
        return None
    size, name, content = int.from_bytes(head[:4], "big"), head[4:8], start + 8
    if size == 1 and len(head) >= 16:
        size, content = int.from_bytes(head[8:16], "big"), start + 16
    stop = end if size == 0 else start + size
    return _Box(name, start, content, stop) if stop >= content else None


def _children(data: bytes, start: int = 0, stop: int | None = None) -> Iterator[_Box]:
    place, end = start, len(data) if stop is None else stop
    while place + 8 <= end:
        box = _box(data[place : place + 16], place, end)
        if box is None or box.stop > end:
            return
        yield box
        place = box.stop


def _filling(data: bytes, start: int, stop: int) -> list[_Box]:
    boxes = list(_children(data, start, stop))
    if (boxes[-1].stop if boxes else start) != stop:
        raise BrokenStructure("is damaged: the boxes of a fragment do not fill it")
    return boxes


def _find(data: bytes, box: _Box | None, *path: bytes) -> _Box | None:
    for name in path:
        if box is None:
            return None
        box = next((one for one in _children(data, box.content, box.stop) if one.name == name), None)
    return box


def _samples(moov: bytes, track: int) -> int:
    """Samples in the track's own tables, which must agree."""
    for trak in (one for one in _children(moov) if one.name == b"trak"):
        header = _find(moov, trak, b"tkhd")
        if header is None or _track_id(moov, header) != track:
            continue
        table = _find(moov, trak, b"mdia", b"minf", b"stbl")
        boxes = {one.name: one for one in _children(moov, table.content, table.stop)} if table else {}
        if not _find(moov, trak, b"mdia", b"mdhd") or not {b"stsd", b"stts", b"stsc"} <= boxes.keys():
            raise BrokenStructure(f"is damaged: the index of track {track} lacks a part")
        sizes = next((boxes[name] for name in (b"stsz", b"stz2") if name in boxes), None)
        times, chunks = boxes.get(b"stts"), _in_chunks(moov, boxes)
        if sizes is None or times is None:
            raise BrokenStructure(f"is damaged: the index of track {track} lacks the sizes of its samples")
        sized = _u32(moov, sizes.content + 8)
        timed = sum(_u32(moov, times.content + 8 + 8 * entry) for entry in range(_count(moov, times, 8)))
        if sized != timed or (chunks is not None and chunks != sized):
            placed = "" if chunks is None else f" and {chunks} places"
            raise BrokenStructure(
                f"has an index that contradicts itself: {sized} sizes of samples, {timed} times{placed}"
            )
        return sized
    return 0


def _track_id(data: bytes, header: _Box) -> int:
    return _u32(data, header.content + (20 if data[header.content] else 12))


def _in_chunks(data: bytes, boxes: dict[bytes, _Box]) -> int | None:
    runs = boxes.get(b"stsc")
    offsets = boxes.get(b"stco") or boxes.get(b"co64")
    if runs is None or offsets is None:
        return None
    last = _u32(data, offsets.content + 4)
    found = 0
    entries = [runs.content + 8 + 12 * entry for entry in range(_count(data, runs, 12))]
    firsts = [*(_u32(data, entry) for entry in entries[1:]), last + 1]
    for entry, following in zip(entries, firsts, strict=False):
        found += max(0, following - _u32(data, entry)) * _u32(data, entry + 4)
    return found


def _count(data: bytes, table: _Box, width: int) -> int:
    """Entries of a table: as many as it says, and has room for."""
    return min(_u32(data, table.content + 4), (table.stop - table.content - 8) // width)


def _headers(moov: bytes) -> Iterator[_Box]:
    found = (_find(moov, one, b"tkhd") for one in _children(moov) if one.name == b"trak")
    return (one for one in found if one is not None)


def _fragment(moof: bytes) -> tuple[int, dict[int, int]]:
    """A fragment's number, 0 where it has none, and its samples of each track. Raises BrokenStructure where its boxes do not fill it."""
    number, samples = 0, dict[int, int]()
    for box in _filling(moof, 0, len(moof)):
        if box.name == b"mfhd":
            number = _u32(moof, box.content + 4)
        if box.name != b"traf":
            continue
        runs = _filling(moof, box.content, box.stop)
        for track in (_u32(moof, one.content + 4) for one in runs if one.name == b"tfhd"):
            of_runs = sum(_u32(moof, one.content + 4) for one in runs if one.name == b"trun")
            samples[track] = samples.get(track, 0) + of_runs
    return number, samples


def _u32(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 4], "big")
