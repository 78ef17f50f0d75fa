"""The stitcher: joins finished segments into one film with its own sound. Promises every frame once, at its own time, bit for bit; decodes nothing.

Packets are moved, never re-encoded. Times are integers of one grid for the whole film, so nothing adds up to a drift.
"""

import hashlib
import heapq
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from operator import itemgetter
from pathlib import Path

import av
import av.error
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from actors.carry import Carrier
from actors.containers import FORMATS, add_picture, container_options
from actors.segments import Segments
from actors.spool import spool
from jobs.deliverables import DeliverableFacts, DeliverablePlan
from jobs.errors import FilmFailed
from jobs.film import Film
from jobs.ledger import Ledger
from jobs.records import SegmentRecord
from jobs.store import open_store
from jobs.timing import Timing

WORD_EVERY = 250
"""Frames after which the stitcher says how far it is."""

SPARE = 64 << 20
"""Bytes of temporary disk kept free beyond what the deliverable and one segment need."""


class Stitcher:
    """Makes deliverables of one job. Holds one segment at a time, on disk; the deliverable grows beside it."""

    def __init__(self, source: str, store: str, job: str, output: str) -> None:
        """`source`, `store` and `output` are paths or URLs."""
        self.source = source
        self.ledger = Ledger.at(store, job)
        self.output = open_store(output)

    def stitch(
        self, film: Film, plan: DeliverablePlan, timing: Timing, segments: Sequence[SegmentRecord]
    ) -> Iterator[int | DeliverableFacts]:
        """Make one deliverable. Yields frames joined so far, now and then, and at last what was made.

        `segments` are in the film's order and tile it. The output gets the whole file or nothing. Raises FilmFailed
        where the segments do not join, where one is not what its record says, or for lack of disk.
        """
        with spool("stitch") as name:
            folder = Path(name)
            _refuse_small_disk(folder, segments)
            path = folder / f"film.{plan.container}"
            joined = Segments(self.ledger, segments, timing.frames, folder)
            yield from self._write(film, plan, timing, joined, path)
            facts = _facts(plan, timing, path, joined.picture_sha256)
            self.output.write_file(plan.file, path)
        yield facts

    def _write(self, film: Film, plan: DeliverablePlan, timing: Timing, joined: Segments, path: Path) -> Iterator[int]:
        try:
            with ExitStack() as stack:
                carrier = stack.enter_context(Carrier(self.source, plan))
                sounds = [one for one in carrier.media.streams.audio if one.index in carrier.fates]
                options = container_options(plan.container, timing, sounds)
                out = stack.enter_context(
                    av.open(str(path), "w", format=FORMATS[plan.container], container_options=options)
                )
                with joined.template() as template:
                    source = carrier.media.streams[film.picture.stream]
                    picture = add_picture(out, template, plan, film, timing, source)
                carrier.add_streams(out)
                carrier.add_chapters_and_tags(out, timing.origin)
                rest = carrier.packets(timing.origin)
                for count, packet in _muxed(_pictures(joined, timing, picture), rest, picture.index):
                    out.mux_one(packet)
                    if count and count % WORD_EVERY == 0:
                        yield count
        except av.error.FFmpegError as error:
            raise FilmFailed(
                f"{plan.file} could not be written: {error.strerror}; the segments are kept, try again."
            ) from None
        yield timing.frames


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
    decode_times = timing.decode_times(joined.delay)
    for place, (rank, packet) in enumerate(joined.packets()):
        packet.stream = stream
        packet.time_base = timing.time_base
        packet.pts, packet.dts = int(timing.pts[rank]), int(decode_times[place])
        packet.duration = int(timing.durations[rank])
        yield packet.dts * timing.time_base, packet


def _refuse_small_disk(folder: Path, segments: Sequence[SegmentRecord]) -> None:
    sizes = [one.media.bytes for one in segments]
    needed = sum(sizes) + max(sizes, default=0) + SPARE
    if (free := shutil.disk_usage(folder).free) < needed:
        raise FilmFailed(
            f"the temporary folder {folder.parent} has {free >> 20} MiB free and the deliverable needs {needed >> 20}: "
            "set TMPDIR to a larger disk; finished work is kept."
        )


def _facts(plan: DeliverablePlan, timing: Timing, path: Path, picture_sha256: str) -> DeliverableFacts:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return DeliverableFacts(
        file=plan.file,
        sha256=sha256,
        bytes=path.stat().st_size,
        frames=timing.frames,
        seconds=float(timing.seconds),
        picture_sha256=picture_sha256,
        timing=timing.sentence,
    )
