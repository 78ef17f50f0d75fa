"""Checks the structure of Matroska and WebM (RFC 9559), and finds where elements do not lie within one another."""

from collections.abc import Iterator

from actors.media.ebml import (
    CLUSTER,
    CRC,
    ENTRY,
    LONGEST_HEAD,
    SEGMENT,
    TRACKS,
    VOID,
    FoundElement,
    element_at,
    elements,
    number_width,
)
from actors.survey.structure.octets import BrokenStructure, FileBytes, broken_at

TRACK_NUMBER = b"\xd7"
SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = b"\xa3", b"\xa0", b"\xa1"

_OF_SEGMENT = frozenset(
    bytes.fromhex(name)
    for name in ("114d9b74", "1549a966", "1654ae6b", "1f43b675", "1c53bb6b", "1941a469", "1043a770", "1254c367")
)
"""SeekHead, Info, Tracks, Cluster, Cues, Attachments, Chapters, Tags."""
_OF_CLUSTER = frozenset((b"\xe7", b"\x58\x54", b"\xa7", b"\xab", b"\xa3", b"\xa0", b"\xaf", VOID, CRC))
"""Timestamp, SilentTracks, Position, PrevSize, SimpleBlock, BlockGroup, EncryptedBlock, Void, CRC-32."""
_NUMBERS = (b"\xe7", b"\xa7", b"\xab")
"""Timestamp, Position, PrevSize."""
_LONGEST_NUMBER = 8
_BLOCK_HEAD = 2 * LONGEST_HEAD + 8
"""Bytes in which a block group's own head, its block's, and that block's track number lie."""


def check_segment(file: FileBytes) -> None:
    """Raises BrokenStructure where the segment says that it is longer than the file."""
    for one in _top(file):
        if one.name == SEGMENT and one.stop is not None:
            file.must_hold(one.stop, "its segment")


def check_elements(file: FileBytes) -> None:
    """Raises BrokenStructure where the elements of the file do not follow one another from its beginning to its end."""
    for one in _top(file):
        if one.name == SEGMENT:
            _check_segment(file, one)


def _top(file: FileBytes) -> Iterator[FoundElement]:
    place = 0
    while place < file.size:
        found = element_at(file.at(place, LONGEST_HEAD), place)
        if found is None:
            if place == 0:
                raise broken_at(place, "an element of Matroska")
            # What was put behind a finished film is no part of it.
            return
        yield found
        if found.stop is None:
            return
        place = found.stop


def _check_segment(file: FileBytes, segment: FoundElement) -> None:
    stop = file.size if segment.stop is None else segment.stop
    file.must_hold(stop, "its segment")
    place, tracks = segment.content, frozenset[int]()
    while place < stop:
        found = element_at(file.at(place, LONGEST_HEAD), place)
        # Of other elements Matroska may have more one day; their ids are as long as those of today.
        if found is None or not (found.name in _OF_SEGMENT or found.name in (VOID, CRC) or len(found.name) == 4):
            _refuse(file, place, stop)
        assert found is not None
        end = found.stop if found.name != CLUSTER else _check_cluster(file, found, stop, tracks)
        if found.name == TRACKS and found.stop is not None and found.stop <= stop:
            tracks = _track_numbers(file.at(found.content, found.stop - found.content))
        if end is None:
            raise broken_at(place, "an element of Matroska")
        if end > stop:
            file.must_hold(end, "a part of its segment")
            raise broken_at(place, "an element of its segment")
        place = end


def _track_numbers(tracks: bytes) -> frozenset[int]:
    """The numbers of all tracks; none where they cannot be read."""
    try:
        entries = [one for one in elements(tracks, 0, len(tracks)) if one.name == ENTRY]
        parts = [part for entry in entries for part in elements(tracks, entry.content, entry.stop)]
    except IndexError:
        return frozenset()
    return frozenset(int.from_bytes(tracks[one.content : one.stop], "big") for one in parts if one.name == TRACK_NUMBER)


def _track_of(head: bytes, block: FoundElement) -> int | None:
    """The number of the track that a block or block group is of, by the bytes it begins with; None where they do not tell."""
    inner = 0 if block.name == SIMPLE_BLOCK else None
    if block.name == BLOCK_GROUP:
        within = element_at(head[block.content - block.start :])
        inner = within.content if within and within.name == BLOCK else None
    if inner is None:
        return None
    number = head[block.content - block.start + inner :][:8]
    width = number_width(number[0]) if number else 9
    return int.from_bytes(number[:width], "big") & ((1 << 7 * width) - 1) if width <= len(number) else None


def _check_cluster(file: FileBytes, cluster: FoundElement, within: int, tracks: frozenset[int]) -> int:
    """Where the cluster ends."""
    stop, place = cluster.stop, cluster.content
    if stop is not None:
        file.must_hold(stop, "a cluster")
    while place < (within if stop is None else stop):
        head = file.at(place, _BLOCK_HEAD)
        found = element_at(head, place)
        if stop is None and found is not None and found.name in _OF_SEGMENT:
            return place
        if found is None or found.name not in _OF_CLUSTER or found.stop is None:
            _refuse(file, place, within)
        assert found is not None
        assert found.stop is not None
        file.must_hold(found.stop, "a block")
        if found.name in _NUMBERS and found.stop - found.content > _LONGEST_NUMBER:
            raise broken_at(place, "a block of Matroska")
        if tracks and (track := _track_of(head, found)) is not None and track not in tracks:
            raise BrokenStructure(f"is damaged at byte {place}: a block is of track {track}, and there is none")
        place = found.stop
    if stop is not None and place != stop:
        raise broken_at(stop, "a block of Matroska")
    return place


def _refuse(file: FileBytes, place: int, stop: int) -> None:
    if stop == file.size and stop - place < LONGEST_HEAD:
        raise BrokenStructure(f"is truncated: its last {stop - place} bytes are the beginning of a block")
    raise broken_at(place, "an element of Matroska")
