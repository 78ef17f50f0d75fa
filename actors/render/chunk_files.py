"""Writes one Matroska file for each chunk order from a single reading of the source's packets; equal orders give equal bytes.

Each file's time stamps are read back before it counts as made. A packet's time is its stamp: its rank in display order among the packets of its chunk, in ticks of 1 ms, which Matroska
keeps exactly. A frame of an FFV1 chunk has its place in the chunk's read for a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import av.error
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from actors.media.constancy import Constancy, OddFrame
from actors.media.container import (
    MATROSKA,
    decode_one,
    decoder_of,
    open_media,
    packets_of,
    picture_stream,
    time_of,
)
from actors.media.display_order import Concealer, Sorter, grey
from actors.media.normalise import Normaliser
from jobs.errors import BadMedia, ChunkFailed
from jobs.records.orders import SplitOrder

TICK = Fraction(1, 1000)
"""Matroska's time base; a stamp is so many of it."""

FFV1 = {"level": "3", "slices": "4", "slicecrc": "1"}
"""Slices fix the bytes; left to libav, the number of threads would."""

_BEFORE_ALL = -(1 << 40)
_FFV1_THREADS = 4
_FULL = 2


class ChunkCutter:
    """Cuts one run of orders (same form, ascending, spans adjoining) out of one reading of the source."""

    def __init__(
        self, what: str, run: Sequence[SplitOrder], stream: VideoStream, folder: Path, threads: int = 0
    ) -> None:
        """`what` names the source in errors; `stream` is its picture, for as long as its container is open."""
        self._what = what
        self._stream = stream
        self._folder = folder
        self._waiting = deque(run)
        self._begun: deque[_Writer] = deque()
        self._places = range(run[0].first, max(order.first + len(order.stamps) for order in run))
        self._decoder = decoder_of(stream, threads) if run[0].form == "ffv1" else None
        self._developer = Normaliser(run[0].development) if run[0].development else None
        self._constancy = Constancy(what, run[0].picture, mend=run[0].mending is not None)
        self._numbers = {place: number for order in run for place, number in _places_of(order).items()}

    def cut(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[tuple[SplitOrder, Path]]:
        """Each order's chunk, in order, as soon as its file is whole; `packets` begins with the run's first.

        Raises ChunkFailed where a frame is missing, BadMedia where the source holds other packets, changes its picture (see
        `actors.media.constancy`), or cannot be kept in Matroska.
        """
        try:
            for place, packet in zip(self._places, packets, strict=False):
                self._begin(place)
                self._take(place, packet)
                yield from self._finished()
            if self._decoder is not None:
                self._decode(None)
                self._constancy.end()
                for writer in self._begun:
                    writer.end()
                yield from self._finished()
        except av.error.FFmpegError as error:
            raise BadMedia(f"{self._what} cannot be kept in Matroska ({error.strerror}); re-encode it first.") from None
        except OddFrame as odd:
            raise ChunkFailed(
                f"{self._what} is damaged: frame {odd.args[0]} has another form than the others; copy it again."
            ) from None
        for late in (*(writer.order for writer in self._begun), *self._waiting):
            raise ChunkFailed(
                f"{self._what} is damaged: not all frames from {late.read.start} to {late.read.stop - 1} can be read; copy it again."
            )

    def _begin(self, place: int) -> None:
        while self._waiting and self._waiting[0].first <= place:
            order = self._waiting.popleft()
            path = self._folder / f"{order.digest}.mkv"
            if self._decoder is None:
                self._begun.append(_Packets(order, path, self._stream))
            else:
                self._begun.append(ConcealedFrames(order, path) if order.mending else _Frames(order, path))

    def _take(self, place: int, packet: Packet[VideoStream]) -> None:
        time = time_of(packet)
        for writer in self._begun:
            writer.packet(place, time, packet)
        if self._decoder is not None:
            # The place names the frame from here on, to every chunk that wants it.
            packet.pts = packet.dts = place
            self._decode(packet)

    def _decode(self, packet: Packet[VideoStream] | None) -> None:
        if self._decoder is not None:
            frames: Iterable[VideoFrame] = filter(self._has_its_form, decode_one(self._decoder, packet))
            for frame in frames if self._developer is None else self._developed(frames, last=packet is None):
                for writer in self._begun:
                    writer.frame(frame)

    def _has_its_form(self, frame: VideoFrame) -> bool:
        """Whether a frame may be kept; of what no chunk wants, it is not asked."""
        number = self._numbers.get(frame.pts) if frame.pts is not None else None
        return number is None or self._constancy.push(frame, number)

    def _developed(self, frames: Iterable[VideoFrame], last: bool) -> Iterator[VideoFrame]:
        # One developer for the whole run: a deinterlacer must see every frame's neighbours, whoever wants them.
        assert self._developer is not None
        for frame in frames:
            yield from self._developer.push(frame)
        if last:
            yield from self._developer.flush()

    def _finished(self) -> Iterator[tuple[SplitOrder, Path]]:
        while self._begun and self._begun[0].complete:
            writer = self._begun.popleft()
            writer.close()
            if reason := writer.fault():
                raise BadMedia(f"{self._what} {reason}")
            yield writer.order, writer.path


def _places_of(order: SplitOrder) -> dict[int, int]:
    """The frames of an order's read: their numbers, by their packets' places."""
    place_of = {stamp: place for place, stamp in enumerate(order.stamps, order.first)}
    return {place_of[stamp]: number for number, stamp in enumerate(order.wanted, order.read.start)}


class _Writer(Protocol):
    """One chunk's file in the making."""

    order: SplitOrder
    path: Path

    @property
    def complete(self) -> bool: ...

    def packet(self, place: int, time: int | None, packet: Packet[VideoStream]) -> None: ...

    def frame(self, frame: VideoFrame) -> None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...

    def fault(self) -> str: ...


class _Packets:
    """Packets copied as they are, their times rewritten to their stamps."""

    def __init__(self, order: SplitOrder, path: Path, template: VideoStream) -> None:
        self.order = order
        self.path = path
        self._times: list[int] = []
        # Decode times rise by one and never pass a display time.
        self._delay = max(place - stamp for place, stamp in enumerate(order.stamps))
        self._out = _matroska(path)
        self._stream = self._out.add_stream_from_template(template, opaque=True)
        if template.codec_context.codec.canonical_name == "prores":
            # The template forgets it, and without it 4444 is decoded as another profile: of 10 bit and not 12.
            self._stream.codec_tag = template.codec_tag

    @property
    def complete(self) -> bool:
        return len(self._times) == len(self.order.stamps)

    def packet(self, place: int, time: int | None, packet: Packet[VideoStream]) -> None:
        if self.complete:
            return
        count = place - self.order.first
        # Without a time are only those before all others, in their own order.
        self._times.append(_BEFORE_ALL if time is None else time)
        packet.pts = self.order.stamps[count]
        packet.dts = count - self._delay
        packet.duration = 1
        packet.time_base = TICK
        packet.stream = self._stream
        self._out.mux_one(packet)

    def frame(self, frame: VideoFrame) -> None:
        """Copies packets, has no use for frames."""

    def end(self) -> None:
        """Nothing is made up for a packet that is missing."""

    def close(self) -> None:
        self._out.close()

    def fault(self) -> str:
        by_time = sorted(range(len(self._times)), key=lambda place: self._times[place])
        by_stamp = sorted(range(len(self._times)), key=lambda place: self.order.stamps[place])
        if by_time != by_stamp:
            return "does not hold the packets that were surveyed; begin a new job for it."
        if _stamps_of(self.path) != list(self.order.stamps):
            return "has a codec that loses its times in Matroska; re-encode it first."
        return ""


class _Frames:
    """The frames of the read, decoded and kept in FFV1: every frame alone, bit-identical."""

    def __init__(self, order: SplitOrder, path: Path) -> None:
        self.order = order
        self.path = path
        self._sorter = Sorter(list(_places_of(order)))
        self._reformatter = VideoReformatter()
        self._out = _matroska(path)
        self._stream: VideoStream | None = None

    @property
    def complete(self) -> bool:
        return self._sorter.complete

    def packet(self, place: int, time: int | None, packet: Packet[VideoStream]) -> None:
        """Keeps frames, has no use for packets."""

    def frame(self, frame: VideoFrame) -> None:
        for number, due in enumerate(self._sorter.push(frame), self._sorter.given):
            self._encode(number, due)

    def _encode(self, number: int, frame: VideoFrame) -> None:
        kept = self._without_j(frame)
        stream = self._stream or self._begin(kept)
        # A neighbour may want this very frame under another number.
        named, kept.time_base = kept.pts, TICK
        kept.pts = number
        self._out.mux(stream.encode(kept))
        kept.pts = named

    def _without_j(self, frame: VideoFrame) -> VideoFrame:
        name = frame.format.name
        if not name.startswith("yuvj"):
            return frame
        # FFV1 does not know yuvj420p, which is full-range yuv420p: the planes are copied as they are.
        plain = f"yuv{name[4:]}"
        return self._reformatter.reformat(frame, format=plain, src_color_range=_FULL, dst_color_range=_FULL, threads=1)

    def _begin(self, frame: VideoFrame) -> VideoStream:
        stream = self._stream = self._out.add_stream("ffv1", rate=1000, options=FFV1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
        context = stream.codec_context
        context.time_base = TICK
        context.color_range = int(frame.color_range)
        context.gop_size = 1
        context.flags |= Flags.bitexact
        context.thread_count = _FFV1_THREADS
        return stream

    def end(self) -> None:
        """Nothing is made up for a frame that is missing."""

    def close(self) -> None:
        if self._stream is not None:
            self._out.mux(self._stream.encode(None))
        self._out.close()

    def fault(self) -> str:
        if _stamps_of(self.path) == list(range(self.order.read.frames)):
            return ""
        return "has frames that FFV1 did not keep; this is a bug of the farm, report it."


class ConcealedFrames(_Frames):
    """The frames of the read for a stand-in: for one that did not come, the last good one before it, else grey."""

    def __init__(self, order: SplitOrder, path: Path) -> None:
        assert order.mending
        super().__init__(order, path)
        self._last = grey(order.mending)
        self._filler = Concealer(list(_places_of(order)))
        self._put = 0

    @property
    def complete(self) -> bool:
        return self._put == self.order.read.frames

    def frame(self, frame: VideoFrame) -> None:
        self._keep(self._filler.push(frame))

    def end(self) -> None:
        self._keep(self._filler.flush())

    def _keep(self, due: Iterable[VideoFrame | None]) -> None:
        for found in due:
            self._last = found or self._last
            self._encode(self._put, self._last)
            self._put += 1


def _matroska(path: Path) -> OutputContainer:
    return av.open(str(path), "w", format="matroska", container_options=MATROSKA)


def _stamps_of(path: Path) -> list[int | None]:
    """What a reader will find: some codecs (VC-1 and other guests in Matroska) lose their display times."""
    with open_media(str(path), path.name) as container:
        stream = picture_stream(container, path.name)
        return [packet.pts for packet in packets_of(container, stream, path.name)]
