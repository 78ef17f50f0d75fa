"""Writes a deliverable as an HLS stream (RFC 8216) that can be watched while its film is rendered.

The playlist names only files that are there, and never takes back what it named.

    <name>/stream.m3u8               an EVENT playlist: it grows, and ends with EXT-X-ENDLIST (RFC 8216, 4.3.3.5)
    <name>/init-<hash>.mp4           the header (EXT-X-MAP)
    <name>/00000-<hash>.m4s ...      fragments of an ISO file (ISO/IEC 14496-12, 8.8), each begins with a keyframe
    <name>/index.html                a page that plays them

Files are named by their content, so a run that goes on, or begins again, finds what is there; one that comes to other pictures
writes other names, and no browser shows what it kept. What no playlist names any more is swept at the end.
"""

import hashlib
import re
import struct
from collections.abc import Iterator
from math import ceil
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream

from actors.mux.hls.player import page
from actors.mux.hls.playlist import PAGE, PLAYLIST, Playlist, Segment, files_of
from jobs.errors import BadStore
from jobs.plan.output_timing import Timing
from jobs.store import Store

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LEAST_SECONDS = 4
"""A fragment is cut at the first keyframe from here on: with one every two seconds that makes the six that are usual."""

FRAGMENTS = {
    "fflags": "+bitexact",
    "movflags": "+frag_keyframe+cmaf+frag_discont+skip_trailer",
    "min_frag_duration": str(LEAST_SECONDS * 1_000_000),
    # Fragments tell the film's own times, on the film's own ticks: nothing is shifted, and nothing is to be shifted back.
    "use_editlist": "0",
    "avoid_negative_ts": "disabled",
    "write_tmcd": "0",
}
"""libav's options of the muxer."""

SOUNDS = ("aac", "mp3", "flac", "opus")
"""What browsers play out of such fragments. Another sound would silence the picture too, which shares its fragments."""


def unstreamed(stream: Stream, media: InputContainer) -> str:
    """Why a review stream of the film `media` leaves a stream out, in words; empty for the one sound that it has."""
    if not isinstance(stream, AudioStream):
        return "a review stream holds the picture and one sound"
    known = [one for one in media.streams.audio if one.codec_context.codec.canonical_name in SOUNDS]
    chosen = next((one for one in known if one.disposition & Disposition.default), known[0] if known else None)
    if stream not in known:
        codec = stream.codec_context.codec.canonical_name
        return f"browsers play {', '.join(SOUNDS)} from a review stream, and no {codec}"
    return "" if stream is chosen else "a review stream holds one sound"


class StreamWriter:
    """Takes what libav's muxer writes and puts it into the output, fragment by fragment. A `jobs.store.Writer` that never steps back."""

    def __init__(self, output: Store, folder: str, timing: Timing, keyframe_frames: int) -> None:
        """`keyframe_frames`: frames from one keyframe to the next, at most."""
        self._output = output
        self._folder = folder
        self._timing = timing
        self._target = longest_fragment(timing, keyframe_frames)
        self._data = bytearray()
        self._scanned = 0  # of these, bytes in whole boxes
        self._written = 0
        self._frames = 0
        self._init = ""
        self._segments: list[Segment] = []
        self._failure: Exception | None = None  # a muxer may pass over it, and go on with the next fragment

    def __enter__(self) -> Self:
        self._put(PAGE, page(self._folder))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._refuse_failed()  # in the place of what the muxer says of it
        if kind is None:
            self._tell(ended=True)
            self._sweep()

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write on; a fragment that is whole by now lies in the output, and the playlist names it. Gives the number of bytes."""
        self._refuse_failed()
        count = memoryview(data).nbytes
        self._data += memoryview(data).cast("B")
        self._written += count
        try:
            for name in self._boxes():
                if name == b"moov":
                    self._init = self._keep("init-{}.mp4")
                elif name == b"mdat":
                    self._add()
        except Exception as error:
            self._failure = error
            raise
        return count

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise self._failure

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """A stream is written forward. Raises BadStore for any place but the end."""
        if (offset, whence) not in ((0, 1), (0, 2), (self._written, 0)):
            raise BadStore(f"{self._output.url}/{self._folder} is a stream, and written forward only.")
        return self._written

    def tell(self) -> int:
        """Bytes written so far."""
        return self._written

    def _boxes(self) -> Iterator[bytes]:
        """Names of the boxes that have become whole; each is told when it is the last of `_data[:_scanned]`."""
        while len(self._data) >= self._scanned + 8:
            size, name = struct.unpack_from(">I4s", self._data, self._scanned)
            if len(self._data) < self._scanned + size:
                return
            self._scanned += size
            yield name

    def _keep(self, name: str) -> str:
        """Put what has been scanned into the output, under its own hash in `name`, which it gives."""
        data, self._data = bytes(self._data[: self._scanned]), self._data[self._scanned :]
        self._scanned = 0
        name = name.format(hashlib.sha256(data).hexdigest()[:12])
        self._put(name, data)
        return name

    def _add(self) -> None:
        frames = _samples(self._data)
        start, stop = self._frames, self._frames + frames
        last = stop >= self._timing.frames
        end = self._timing.at(0) + self._timing.seconds if last else self._timing.at(stop)
        name = self._keep(f"{len(self._segments):05d}-{{}}.m4s")
        self._segments.append(Segment(name, end - self._timing.at(start)))
        self._frames = stop
        self._tell(ended=False)

    def _tell(self, *, ended: bool) -> None:
        text = str(Playlist(self._init, tuple(self._segments), self._target, ended))
        # One that goes on from here was written by an earlier run: whoever follows it is not set back.
        key = f"{self._folder}/{PLAYLIST}"
        there = self._output.read(key).decode(errors="replace") if self._output.stat(key) else ""
        if ended or not there.startswith(text):
            self._put(PLAYLIST, text.encode())

    def _put(self, name: str, data: bytes) -> None:
        # Reading is what tells exactly, and is asked of an object of this very length only.
        key = f"{self._folder}/{name}"
        there = self._output.stat(key)
        if there is None or there.bytes != len(data) or self._output.read(key) != data:
            self._output.write(key, data)

    def _sweep(self) -> None:
        named = {f"{self._folder}/{one}" for one in (self._init, *(one.name for one in self._segments))}
        for key in list(files_of(self._output, self._folder)):
            if key not in named:
                self._output.delete(key)


def longest_fragment(timing: Timing, keyframe_frames: int) -> int:
    """The target duration (RFC 8216, 4.3.3.1): whole seconds that no fragment exceeds, wherever keyframes fall."""
    ends = np.append(timing.pts[1:], timing.pts[-1] + timing.durations[-1])
    cut = np.searchsorted(timing.pts, timing.pts + ceil(LEAST_SECONDS / timing.time_base))
    latest = np.minimum(cut + keyframe_frames, timing.frames) - 1
    return max(1, ceil(int((ends[latest] - timing.pts).max()) * timing.time_base))


def _samples(fragment: "bytes | bytearray") -> int:
    """How many frames a fragment holds: the samples of its first track's run, which is the picture's."""
    # moof > traf > trun (ISO/IEC 14496-12, 8.8.4 to 8.8.8): version and flags, then the number of samples.
    found = re.search(rb"trun....(....)", fragment, re.DOTALL)
    if found is None:
        raise ValueError("a fragment without a run of samples")
    return int(struct.unpack(">I", found[1])[0])
