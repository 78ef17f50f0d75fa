"""Joins finished segments, and the streams carried over from the source, into one file.

Every encoded frame is in it once, at its own time, bit for bit.

Packets are moved, never re-encoded. Times are integers of one grid for the whole film, so nothing adds up to a drift.
Segments are taken from the store one at a time, as they come, and what is muxed of them goes to the output at once:
memory and disk do not grow with the film, but for its time stamps and the container's own index (about 100 bytes a frame).
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from actors.media.container import BUFFER
from actors.media.temp_dirs import spool
from actors.mux.containers import FORMATS, add_picture, container_options, rewritten, shapes_of
from actors.mux.hls.playlist import whole_key
from actors.mux.hls.stream import StreamWriter
from actors.mux.pixel_aspect import ShapedWriter
from actors.mux.segments import Segments, tiled
from actors.mux.stream_copy import StreamCopy
from jobs.errors import FilmFailed
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan, expected_bytes
from jobs.records.orders import SegmentRecord
from jobs.store import Writer, open_store

WORD_EVERY = 250
"""Frames after which the stitcher says how far it is."""


class Stitcher:
    """Makes deliverables of one job. Holds one segment at a time, on disk; the deliverable grows where it shall lie."""

    def __init__(self, source: str, store: str, job: str, output: str) -> None:
        """`source`, `store` and `output` are paths or URLs."""
        self.source = source
        self.ledger = Ledger.at(store, job)
        self.output = open_store(output)

    def stitch(
        self, film: Film, plan: DeliverablePlan, timing: Timing, segments: Iterable[SegmentRecord]
    ) -> Iterator[int | DeliverableFacts]:
        """Make one deliverable. Yields frames joined so far, now and then, and at last what was made.

        `segments` are in the film's order and tile it; they may come while the film is still rendered. The output gets the
        whole file or nothing. Raises FilmFailed where the segments do not join or one is not what its record says,
        BadStore or StoreFault where a store fails.
        """
        with spool("stitch") as name:
            joined = Segments(self.ledger, tiled(segments, timing.frames), plan.encoding.reorder, Path(name))
            yield from self._write(film, plan, timing, joined)
        yield self._facts(plan, timing, joined.picture_sha256)

    def _write(self, film: Film, plan: DeliverablePlan, timing: Timing, joined: Segments) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                carrier = stack.enter_context(StreamCopy(self.source, plan))
                sounds = [one for one in carrier.media.streams.audio if one.index in carrier.fates]
                options = container_options(plan.container, timing, sounds, carrier.tags)
                streams = [carrier.media.streams[one] for one in sorted(carrier.fates)]
                # The first segment comes before anything is created in the output.
                with joined.template() as template:
                    file = stack.enter_context(self._file(film, plan, timing, streams))
                    out = stack.enter_context(_muxer(file, plan, options))
                    source = carrier.media.streams[film.picture.stream]
                    picture = add_picture(out, template, plan, film, timing, source)
                carrier.add_streams(out)
                carrier.add_chapters_and_tags(out, timing.origin)
                rest = carrier.packets(timing.origin, timing.seconds)
                for count, packet in _muxed(_pictures(joined, timing, picture), rest, picture.index):
                    out.mux_one(packet)
                    if count and count % WORD_EVERY == 0:
                        yield count
                yield timing.frames
        except av.error.FFmpegError as error:
            raise FilmFailed(
                f"{plan.file} could not be written: {error.strerror}; the segments are kept, and the same command resumes; if it fails "
                "again, leave its streams out with drop, one after the other, or choose another container."
            ) from None

    def _file(self, film: Film, plan: DeliverablePlan, timing: Timing, carried: Sequence[Stream]) -> Writer:
        if plan.container == "hls":
            return StreamWriter(self.output, plan.file, timing, int(plan.encoding.options["g"]))
        anywhere = rewritten(plan.encoding, plan.container, carried)
        file = self.output.create(plan.file, anywhere=anywhere, expected=expected_bytes(film, plan, timing.frames))
        shapes = shapes_of(plan, carried)
        size = (plan.encoding.width, plan.encoding.height)
        return ShapedWriter(file, shapes, size, mxf=plan.container == "mxf") if shapes else file

    def _facts(self, plan: DeliverablePlan, timing: Timing, picture_sha256: str) -> DeliverableFacts:
        # Its SHA-256 is the inspector's to tell: the head is written last, so the file would have to be read back.
        there = self.output.stat(whole_key(plan))
        return DeliverableFacts(
            file=plan.file,
            bytes=there.bytes if there else 0,
            frames=timing.frames,
            seconds=float(timing.seconds),
            picture_sha256=picture_sha256,
            timing=timing.sentence,
        )


def _muxer(file: Writer, plan: DeliverablePlan, options: dict[str, str]) -> OutputContainer:
    stream: Any = file  # PyAV wants write, seek and tell, and says so of whole files only
    return av.open(stream, "w", format=FORMATS[plan.container], container_options=options, buffer_size=BUFFER)


def _muxed(
    pictures: "Iterator[tuple[Fraction, Packet[Stream]]]",
    rest: "Iterator[tuple[Fraction, Packet[Stream]]]",
    picture: int,
) -> "Iterator[tuple[int, Packet[Stream]]]":
    """All packets by time; beside each picture packet how many there have been, beside others 0."""
    count = 0
    for _, packet in heapq.merge(pictures, rest, key=itemgetter(0)):
        shown = packet.stream_index == picture
        count += shown
        yield (count if shown else 0), packet


def _pictures(joined: Segments, timing: Timing, stream: VideoStream) -> "Iterator[tuple[Fraction, Packet[Stream]]]":
    """The film's picture packets in decode order, with the times they have in the deliverable."""
    decode_times = timing.decode_times(joined.reorder)
    for place, (rank, packet) in enumerate(joined.packets()):
        packet.stream = stream
        packet.time_base = timing.time_base
        packet.pts, packet.dts = int(timing.pts[rank]), int(decode_times[place])
        packet.duration = int(timing.durations[rank])
        yield packet.dts * timing.time_base, packet
