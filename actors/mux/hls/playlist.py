"""Writes and parses a review stream's HLS playlist (RFC 8216), and reads the files that it names as one film.

A playlist that is not as the farm writes it is refused.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, NamedTuple, cast

from jobs.records.deliverables import DeliverablePlan
from jobs.store import Store
from jobs.store.virtual_quicktime import VirtualQuickTime

PLAYLIST = "stream.m3u8"
PAGE = "index.html"

_HEAD = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:{target}
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="{init}"
"""
_ROUNDED = Fraction(1, 1_000_000)
"""Seconds that a segment's told length may be off."""
_END = "#EXT-X-ENDLIST\n"
_INIT = r"init-[0-9a-f]{12}\.mp4"
_FRAGMENT = r"[0-9]{5,}-[0-9a-f]{12}\.m4s"


class Segment(NamedTuple):
    """One fragment: its file's name in the folder, and for how long its pictures are shown."""

    name: str
    seconds: Fraction


@dataclass(frozen=True)
class Playlist:
    """What a playlist says."""

    init: str
    segments: tuple[Segment, ...]
    target: int
    """Seconds that no segment exceeds, rounded to the nearest whole."""
    ended: bool
    """No more segments will come."""

    def __str__(self) -> str:
        named = "".join(f"#EXTINF:{float(one.seconds):.6f},\n{one.name}\n" for one in self.segments)
        return _HEAD.format(target=self.target, init=self.init) + named + _END * self.ended

    @classmethod
    def parsed(cls, text: str) -> "Playlist":
        """A playlist from its text. Raises ValueError where it is not as the farm writes it."""
        head = re.escape(_HEAD).replace(r"\{target\}", r"(?P<target>\d+)").replace(r"\{init\}", f"(?P<init>{_INIT})")
        named = rf"(?P<named>(?:#EXTINF:\d+\.\d{{6}},\n{_FRAGMENT}\n)*)"
        found = re.fullmatch(f"{head}{named}(?P<end>{_END})?", text)
        if found is None:
            raise ValueError("it is no playlist of the farm's")
        segments = re.findall(rf"#EXTINF:([\d.]+),\n({_FRAGMENT})\n", found["named"])
        named_by = tuple(Segment(name, Fraction(seconds)) for seconds, name in segments)
        return cls(found["init"], named_by, int(found["target"]), found["end"] is not None)


def read_playlist(output: Store, folder: str) -> Playlist:
    """The playlist that lies in a folder of the output. Raises ValueError, or BadStore where there is none."""
    return Playlist.parsed(output.read(f"{folder}/{PLAYLIST}").decode())


def files_of(output: Store, folder: str) -> Iterator[str]:
    """Keys of the files that a playlist there may name."""
    named = re.compile(rf"{re.escape(folder)}/({_INIT}|{_FRAGMENT})")
    return (key for key in output.list(f"{folder}/") if named.fullmatch(key))


def whole_key(plan: DeliverablePlan) -> str:
    """The key of a deliverable's file; of a review stream, that of its playlist."""
    return f"{plan.file}/{PLAYLIST}" if plan.container == "hls" else plan.file


def playlist_findings(output: Store, folder: str, seconds: Fraction) -> Iterator[str]:
    """In sentences, what is wrong with the playlist of a finished film of so many seconds. Raises as `read_playlist` does."""
    playlist = read_playlist(output, folder)
    if not playlist.ended:
        yield "its playlist does not end"
    if long := [one.name for one in playlist.segments if round(one.seconds) > playlist.target]:
        yield f"{long[0]} is longer than the playlist's {playlist.target} s"
    told = sum((one.seconds for one in playlist.segments), Fraction(0))
    if abs(told - seconds) > _ROUNDED * len(playlist.segments):
        yield f"its playlist tells {float(told):.3f} s and the film has {float(seconds):.3f} s"


def opened_stream(output: Store, folder: str) -> BinaryIO:
    """Header and fragments, in the playlist's order, as one film. Raises ValueError where one is missing."""
    playlist = read_playlist(output, folder)
    keys = [f"{folder}/{one.name}" for one in playlist.segments]
    sizes = []
    for key in keys:
        there = output.stat(key)
        if there is None:
            raise ValueError(f"{key}, which the playlist names, is missing")
        sizes.append(there.bytes)
    head = output.read(f"{folder}/{playlist.init}")
    return cast(BinaryIO, VirtualQuickTime(head, sizes, lambda place: output.open(keys[place])))


def manifest(output: Store, folder: str) -> tuple[bytes, int]:
    """SHA-256 of every file of a stream, as `sha256sum -c` reads it, and their bytes in all. Raises as `opened_stream` does."""
    playlist = read_playlist(output, folder)
    lines, length = b"", 0
    for name in (playlist.init, *(one.name for one in playlist.segments), PLAYLIST):
        data = output.read(f"{folder}/{name}")
        lines += f"{hashlib.sha256(data).hexdigest()}  {folder}/{name}\n".encode()
        length += len(data)
    return lines, length
