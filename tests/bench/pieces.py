"""Pieces of a film for Ray Data: some frames with the neighbours that the look must see. Promises that no frame before a keyframe is decoded in vain; knows no torch.

A run begins at a keyframe. Its first frames are only context: its pieces begin a little later, and end a little later
than the run, so that nothing before the keyframe is needed.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

PIECE = 48
"""Frames of a piece at most: 66 MB at 1280x720."""
CONTEXT = 8
"""Frames on either side that `colorize` looks at by default."""
Row = dict[str, Any]


def decoded(row: Row) -> Iterator[Row]:
    """Pieces of a run of frames that begins at a keyframe. The first few are only context, so that nothing before must be decoded."""
    start, stop, film = int(row["start"]), int(row["stop"]), int(row["frames"])
    held: deque[NDArray[Any]] = deque()
    number = start  # of the first frame held
    frames = decoded_from(row)
    for first, last in pieces_of(start + CONTEXT * (start > 0), stop + CONTEXT * (stop < film)):
        while held and number < first - CONTEXT:
            held.popleft()
            number += 1
        wanted = min(film, last + CONTEXT) - number
        held.extend(frame.to_ndarray() for frame in islice(frames, wanted - len(held)))
        yield {"planes": np.stack(held), "first": first - number, "stop": last - number}


def decoded_from(row: Row) -> Iterator[VideoFrame]:
    """All frames from a run's keyframe on."""
    with av.open(row["clip"]) as media:
        stream, pts = media.streams.video[0], int(row["pts"])
        stream.thread_type = "AUTO"
        media.seek(pts, stream=stream)
        yield from (frame for frame in media.decode(stream) if frame.pts is not None and frame.pts >= pts)


def runs_in(clip: str) -> list[Row]:
    """The runs of a film: where each begins, where the next does, and how many frames the film has."""
    with av.open(clip) as media:
        packets = [(packet.pts, packet.is_keyframe) for packet in media.demux(video=0) if packet.pts is not None]
    packets.sort()
    runs = runs_of([number for number, (_, key) in enumerate(packets) if key], len(packets))
    return [
        {"clip": clip, "start": start, "stop": stop, "pts": packets[start][0], "frames": len(packets)}
        for start, stop in runs
    ]


def runs_of(keys: list[int], frames: int, least: int = PIECE) -> list[tuple[int, int]]:
    """Ranges that begin at keyframes and tile the film, each of at least `least` frames (or the whole film)."""
    edges = [0]
    for key in keys:
        if key - edges[-1] >= least <= frames - key:
            edges.append(key)
    return list(pairwise([*edges, frames]))


def pieces_of(start: int, stop: int, longest: int = PIECE) -> list[tuple[int, int]]:
    """A range in nearly equal parts of at most `longest` frames."""
    parts = max(1, -(-(stop - start) // longest))
    return list(pairwise(start + (stop - start) * part // parts for part in range(parts + 1)))
