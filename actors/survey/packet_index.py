"""Reads the frame index by demuxing, one page of packets after another. After an interruption the pages are the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from actors.media.container import named, opened, opened_at, packets_of, picture_stream
from actors.media.limits import LONGEST_SECONDS, MOST_FRAMES, refuse_length
from actors.media.random_access import is_way_in, nal_length_bytes
from actors.survey.codec_headers import same_throughout
from actors.survey.completeness import PacketCensus
from jobs.errors import BadMedia
from jobs.film.ffmpeg_commands import ONE_RATE
from jobs.film.frame_index import JUMPS_BACK, REORDER, UNKNOWN, Page
from jobs.spec.job import Reading

if TYPE_CHECKING:
    from actors.media.container import Packets

FIRST_PAGE = 512
"""Packets on the first page: few, so that planning begins early."""

PAGE = 4096
"""Packets on every later page."""

_EXACT = ("mov", "matroska")
"""Containers with an index, read after a seek as they are read without one. Of others all is read anew."""

_DECODE_TIMES = ("mpeg", "mpegts")
"""Containers whose decode times are the file's own, and never go back but where films are joined; of others libav guesses them."""

_VP8_SHOW_FRAME = 0x10
"""Bit of a VP8 packet's first byte; an invisible frame is only there to be referred to."""


_BEFORE_ALL = -(1 << 40)
"""Ticks before anything that is shown, for packets that can only be left out."""


class PacketRow(NamedTuple):
    """One packet of the index."""

    pts: int
    dts: int
    duration: int
    size: int
    key: bool
    hidden: bool


def pages(url: str, kept: int, resume: Page | None, reading: Reading | None = None) -> Iterator[Page]:
    """Pages from the packet after the first `kept` ones; `resume` is the last page kept, None at the beginning.

    An empty page comes last: it says, on paper too, that the index is whole; after it nothing comes.
    Raises BadMedia where times are missing, the file is cut short, the picture changes its form at a keyframe (see
    `actors.survey.codec_headers`), or it is no longer the file that was begun.
    """
    if resume is not None and not len(resume):
        return
    read = reading or Reading()
    rows = _resumed(url, kept, _rows_of(resume), read) if kept and resume is not None else _from_start(url, read)
    size = PAGE if kept else FIRST_PAGE
    while some := list(islice(rows, size)):
        yield _page(some)
        size = PAGE
    yield _page([])


def _from_start(url: str, reading: Reading) -> Iterator[PacketRow]:
    with opened(url) as container:
        stream = picture_stream(container, named(url), reading.video)
        packets = _watched(packets_of(container, stream, named(url)), stream, url, 0, reading)
        yield from _read(container.format.name, stream, packets, url, 0)


def _watched(packets: Packets, stream: VideoStream, url: str, place: int, reading: Reading) -> Packets:
    return same_throughout(packets, stream, named(url), place, deinterlace=reading.deinterlace)


def _resumed(url: str, kept: int, page: list[PacketRow], reading: Reading) -> Iterator[PacketRow]:
    overlap = page[max((place for place, row in enumerate(page) if row.key), default=0) :]
    with opened(url) as container:
        stream = picture_stream(container, named(url), reading.video).index
        form = container.format.name
    if form.startswith(_EXACT) and overlap[0].key:
        place = kept - len(overlap)
        with opened_at(url, stream, place, overlap[0].pts) as (picture, packets):
            rows = _read(form, picture, _watched(packets, picture, url, place, reading), url, place)
            # What was kept must come again, packet by packet, before anything new is believed.
            if list(islice(rows, len(overlap))) == overlap:
                yield from rows
                return
    rows = _from_start(url, reading)
    if next(islice(rows, kept - 1, None), None) != page[-1]:
        raise BadMedia(f"{named(url)} was changed since its survey began; begin a new job for it.")
    yield from rows


def _read(
    form: str, stream: VideoStream, packets: Iterator[Packet[VideoStream]], url: str, place: int
) -> Iterator[PacketRow]:
    """Rows of `packets`, the first of which is at `place` in the file; `form` is libavformat's name of the container."""
    census = PacketCensus(url, stream, place)
    # AVI counts ticks: its empty chunks have no packet, and the last frame may have no length.
    by_time = form == "avi"
    begin: int | None = None
    decoded_at, end = _BEFORE_ALL, 0
    longest = int(LONGEST_SECONDS / (stream.time_base or 1))
    codec, extradata = stream.codec_context.codec.canonical_name, stream.codec_context.extradata
    timed: bool | None = None
    for packet in packets:
        if timed is None:
            timed = packet.pts is not None
            if not timed and stream.codec_context.reorder_depth:
                raise _untimed(url)  # without reordering, frames are shown as they are decoded
        time = packet.pts if timed else packet.dts
        if time is None and packet.dts is None and timed and 0 < place <= REORDER and end <= (packet.duration or end):
            # Matroska has no time below 0: what is shown before a first keyframe at 0, in an open group, has none.
            time = _BEFORE_ALL + place
            yield PacketRow(time, UNKNOWN, packet.duration or 0, packet.size, False, False)
            place += 1
            continue
        if time is None or timed != (packet.pts is not None):
            raise _untimed(url)
        if form in _DECODE_TIMES and packet.dts is not None and packet.dts < decoded_at:
            raise BadMedia(JUMPS_BACK)
        decoded_at = decoded_at if packet.dts is None else packet.dts
        end = max(end, time + (packet.duration or by_time))
        begin = time if begin is None else min(begin, time)
        if end - begin > longest or place >= MOST_FRAMES:
            _refuse_long(url, stream, end - begin, place)
        hidden = packet.is_discard or (codec == "vp8" and not memoryview(packet)[0] & _VP8_SHOW_FRAME)
        census.see(packet, time, hidden)
        key = packet.is_keyframe and (codec != "h264" or is_way_in(bytes(packet), nal_length_bytes(extradata)))
        decode_time = UNKNOWN if packet.dts is None else packet.dts
        yield PacketRow(time, decode_time, packet.duration or 0, packet.size, key, hidden)
        place += 1
    census.judge()


def _refuse_long(url: str, stream: VideoStream, ticks: int, frames: int) -> None:
    refuse_length(float(ticks * (stream.time_base or 0)), named(url))
    if frames >= MOST_FRAMES:
        raise BadMedia(f"{named(url)} has more than {MOST_FRAMES:,} frames; split it.")


def _untimed(url: str) -> BadMedia:
    return BadMedia(
        f"{named(url)} has frames without a time stamp; give it time stamps first, for example with {ONE_RATE}."
    )


def _page(rows: list[PacketRow]) -> Page:
    pts, dts, duration, size, key, hidden = zip(*rows, strict=True) if rows else ((),) * len(PacketRow._fields)
    return Page(
        pts=np.array(pts, np.int64),
        dts=np.array(dts, np.int64),
        duration=np.array(duration, np.int64),
        size=np.array(size, np.int64),
        key=np.array(key, np.bool_),
        hidden=np.array(hidden, np.bool_),
    )


def _rows_of(page: Page) -> list[PacketRow]:
    columns = (page.pts, page.dts, page.duration, page.size, page.key, page.hidden)
    return [PacketRow(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
