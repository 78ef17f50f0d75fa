"""Limits on what media from outside may ask for: pixels, streams, length, memory.

Each is far beyond any film, and far below what would do harm.

A few bytes of a header can claim a picture of gigabytes, thousands of streams, or a table of a billion frames.
"""

import os
import resource
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jobs.document import LONGEST_VALUE
from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import ONE_RATE

LARGEST_SIDE = 8192
"""Pixels of a picture's longer side: 8K."""

MOST_PIXELS = LARGEST_SIDE**2
"""Of a picture, before a decoder asks memory for it: at most 400 MB, in 4:4:4 of 16 bit."""

MOST_STREAMS = 512
"""An MXF has some dozens of mono tracks, and a Matroska some hundreds of fonts; each costs libav a context."""

MOST_CHAPTERS = 10_000
"""Each is asked for, shifted, written and compared again; no film has a tenth of them."""

LONGEST_SECONDS = 100 * 3600
"""From a film's first frame to its last: nothing shown lasts so long, and time stamps beyond it are damaged."""

MOST_FRAMES = 20_000_000
"""Packets of a film's picture: 92 hours at 60 frames a second. The index holds 42 bytes of each."""

READING_BYTES = 8 << 30
"""By how much a process may grow while it has a source open: the index of 100 hours and a decoder's 8K pictures are less."""

LONGEST_TAG = LONGEST_VALUE
"""Characters of a tag of a film: more could be written into a job's folder, and not read from there."""

JPEGS = ("mjpeg", "mjpegb", "jpegls", "amv", "thp", "sp5x", "smvjpeg", "media100", "avrn")
"""libav's decoders of JPEG, which pass over what stands before a picture."""

UNPROBED = ("png", "apng", "exr")
"""libav's decoders of such files. It is not to try them as it opens a film, for then nobody has seen what they are given."""

OPENING_SECONDS = 60.0
"""Of a processor, to open a source: an index of 100 hours takes a few. libav compares each tag with all before it: a million, 15 MB, take
hours, in whichever container."""

_DATA_PAGES = 5
"""Where /proc/self/statm tells the pages that RLIMIT_DATA bounds."""

_lock = threading.Lock()
_open = 0
"""Sources that this process has open."""


@contextmanager
def bounded_memory(more: int = READING_BYTES) -> Iterator[None]:
    """Within the block so many bytes beside what the process has, no more: libav and Python are refused them, and say so.

    Of blocks that overlap the first one counts. An operator's own limit (ulimit -d) holds where it is lower.
    """
    global _open
    with _lock:
        _open += 1
        if _open == 1:
            _bound(_data_bytes() + more)
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open:
                _bound(resource.RLIM_INFINITY)


@contextmanager
def bounded_time(seconds: float = OPENING_SECONDS) -> Iterator[None]:
    """Within the block this thread may use so many seconds of a processor; then the process ends, for nothing else ends libav.

    Whoever has asked it for the work counts how many of its workers died of the same thing.
    """
    over, clock = threading.Event(), time.pthread_getcpuclockid(threading.get_ident())
    end = time.clock_gettime(clock) + seconds

    def watch() -> None:
        while not over.wait(seconds / 30):
            if time.clock_gettime(clock) > end:
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _bound(wished: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    both = [one for one in (wished, hard) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(both, default=resource.RLIM_INFINITY), hard))


def _data_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[_DATA_PAGES]) * os.sysconf("SC_PAGE_SIZE")


def refuse_size(width: int, height: int, what: str) -> None:
    """Raises BadMedia for a picture that is larger than the farm carries."""
    if max(width, height) > LARGEST_SIDE:
        raise BadMedia(
            f"{what} is {width}x{height}; up to {LARGEST_SIDE:,} pixels in width and height are carried: make it smaller first."
        )


def refuse_parts(streams: int, chapters: int, what: str) -> None:
    """Raises BadMedia for a film of more streams or chapters than are carried."""
    if streams > MOST_STREAMS:
        raise BadMedia(f"{what} has more than {MOST_STREAMS:,} streams; take out those that are not of the film.")
    if chapters > MOST_CHAPTERS:
        raise BadMedia(
            f"{what} has {chapters:,} chapters; up to {MOST_CHAPTERS:,} are carried: leave them out, for example with "
            "ffmpeg -i FILM -map 0:v -map 0:a? -c copy -map_chapters -1 NEW.mkv."
        )


def refuse_length(seconds: float, what: str) -> None:
    """Raises BadMedia for a film that lasts, or says that it lasts, longer than any."""
    if seconds > LONGEST_SECONDS:
        raise BadMedia(
            f"{what} lasts {seconds / 3600:.4g} hours by its time stamps; up to {LONGEST_SECONDS // 3600} are carried: "
            f"split it, or where they are damaged set them again, for example with {ONE_RATE}."
        )


def refuse_tags(tags: Mapping[str, str], what: str) -> None:
    """Raises BadMedia for a film with a tag that is longer than any paper of it may hold."""
    for name, text in tags.items():
        if max(len(name), len(text)) > LONGEST_TAG:
            raise BadMedia(
                f"{what} has a tag {name[:40]!r} of {len(text):,} characters; up to {LONGEST_TAG:,} are carried: leave tags out, for "
                "example with ffmpeg -i FILM -map 0 -c copy -map_metadata:g -1 NEW.mkv."
            )
