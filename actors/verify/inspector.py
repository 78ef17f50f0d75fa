"""The inspector: verifies a finished deliverable against its plan, segments and source, taking nothing on the stitcher's word.

It reads the finished file, the segments and the source anew: every picture packet's time and bytes, every other
stream's packets, the tags, and decoded pictures: around every edge of a chunk against the segments in the store, and of the
source itself against the deliverable (actors/verify/source_comparison.py).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av.error
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.encode.segment_writer import RANK
from actors.media.container import BUFFER, open_media, opened
from actors.media.temp_dirs import spool
from actors.mux.frame_access import frame_at, planes_sha256
from actors.mux.hls.playlist import manifest, opened_stream, playlist_findings, whole_key
from actors.mux.segments import Segments, tiled
from actors.verify.picture_tags import tags_findings
from actors.verify.source_comparison import SourceComparison
from actors.verify.streams import StreamChecks
from actors.verify.timed_frames import Numbered, TimedFrames
from jobs.errors import BadMedia, BadStore, FilmFailed, number_of
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing
from jobs.plan.plan import Range
from jobs.plan.sampling import joined, mask
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan, StreamHash
from jobs.records.orders import SegmentRecord
from jobs.records.report import Conform, SourceProof
from jobs.store import open_store


@dataclass(frozen=True)
class Expected:
    """What a deliverable ought to be."""

    film: Film
    plan: DeliverablePlan
    timing: Timing
    segments: Sequence[SegmentRecord]
    facts: DeliverableFacts
    source: SourceComparison


@dataclass
class _Found:
    findings: list[str]
    frames: int = 0
    edges: int = 0
    compared: int = 0
    source: SourceProof | None = None
    packets: int = 0
    streams: tuple[StreamHash, ...] = ()
    bytes: int = 0
    sha256: str = ""


class _Unreadable(Exception):
    """The deliverable is no container that can be opened."""


class Inspector:
    """Inspects deliverables of one job."""

    def __init__(self, source: str, store: str, job: str, output: str) -> None:
        """`source`, `store` and `output` are paths or URLs."""
        self.source = source
        self.ledger = Ledger.at(store, job)
        self.output = open_store(output)

    def inspect(
        self,
        film: Film,
        plan: DeliverablePlan,
        timing: Timing,
        segments: Sequence[SegmentRecord],
        facts: DeliverableFacts,
        source: SourceComparison,
    ) -> Conform:
        """Prove the deliverable `plan.file` in the output. Never raises for what is wrong with it: that is a finding.

        Raises BadMedia where the source cannot be opened, FilmFailed where a segment of the store is damaged, BadStore or StoreFault where a store cannot be read.
        """
        paper = Expected(film, plan, timing, segments, facts, source)
        found = _Found([])
        if self.output.stat(whole_key(plan)) is None:
            found.findings.append(f"there is no {whole_key(plan)} in {self.output.url}")
        else:
            self._sum(paper, found)
            self._prove(paper, found)
        return _conform(paper, found)

    def _prove(self, paper: Expected, found: _Found) -> None:
        try:
            with self._opened(paper) as media:
                found.findings += tags_findings(paper.film, paper.plan, paper.timing, media)
                with opened(self.source) as film:
                    picture = _packets(paper, media, StreamChecks(film, media, paper.plan, paper.timing), found)
            found.findings += self._pictures(paper, picture.frames(lambda: self._opened(paper)), found)
        except av.error.FFmpegError as error:
            found.findings.append(f"{paper.plan.file} cannot be read: {error.strerror}")
        except _Unreadable as error:
            found.findings.append(str(error))

    @contextmanager
    def _opened(self, paper: Expected) -> Iterator[InputContainer]:
        with self._file(paper) as file:
            try:
                media = open_media(file, paper.plan.file)
            except BadMedia as error:
                # Of the deliverable a finding; of the source, opened elsewhere, an error.
                raise _Unreadable(str(error)) from None
            with media:
                yield media

    def _file(self, paper: Expected) -> BinaryIO:
        if paper.plan.container != "hls":
            return self.output.open(paper.plan.file)
        try:
            return opened_stream(self.output, paper.plan.file)
        except ValueError as error:
            raise _Unreadable(str(error)) from None

    def _sum(self, paper: Expected, found: _Found) -> None:
        if paper.plan.container == "hls":
            self._sum_stream(paper, found)
            return
        whole = hashlib.sha256()
        with self.output.open(paper.plan.file) as file:
            while block := file.read(BUFFER):
                whole.update(block)
                found.bytes += len(block)
        found.sha256 = whole.hexdigest()

    def _sum_stream(self, paper: Expected, found: _Found) -> None:
        folder = paper.plan.file
        try:
            found.findings += playlist_findings(self.output, folder, paper.timing.seconds)
            lines, found.bytes = manifest(self.output, folder)
        except (ValueError, BadStore) as error:
            found.findings.append(f"{folder} is not whole: {error}")
        else:
            found.sha256 = hashlib.sha256(lines).hexdigest()

    def _pictures(self, paper: Expected, ours: TimedFrames, found: _Found) -> Iterator[str]:
        """Decoded pictures, in one reading of the deliverable: against the segments at every edge, and against the source."""
        frames = paper.timing.frames
        with spool("inspect") as folder:
            try:
                records = list(tiled(paper.segments, frames))
            except FilmFailed as error:
                yield str(error)
                return
            found.edges = len(records) + 1
            segments = Segments(self.ledger, records, paper.plan.encoding.reorder, Path(folder))
            ends = {one for record in records for one in (record.frames.start, record.frames.stop - 1)}
            wanted = paper.source.wanted
            for_source = mask(wanted, frames)
            runs = joined([*wanted, *(Range(one, one + 1) for one in ends)], frames)
            findings: list[str] = []
            read = _against_segments(paper, segments, ours.runs(runs), ends, found, findings)
            others = list(paper.source.findings((one for one in read if for_source[one[0]]), ours))
            for _ in read:
                pass
            yield from findings
            yield from others
        found.source = paper.source.proof


def _against_segments(
    paper: Expected, segments: Segments, ours: Numbered, ends: Set[int], found: _Found, findings: list[str]
) -> Numbered:
    """Hands on the deliverable's frames; the first and the last frame of every segment are held against it."""
    for record in segments.records:
        with segments.opened(record) as kept:
            for number, frame in ours:
                if number in ends:
                    wanted = _of_rank(kept, number - record.frames.start)
                    finding = _differ(number, frame, wanted, paper.film.picture.rotation)
                    findings += [finding] if finding else []
                    found.compared += not finding
                yield number, frame
                if number == record.frames.stop - 1:
                    break


def _differ(number: int, ours: VideoFrame | None, wanted: VideoFrame | None, rotation: int) -> str:
    if wanted is None:
        return f"frame {number} cannot be decoded from its segment in the store"
    if ours is None:
        return f"frame {number} cannot be decoded from the deliverable at its time"
    if ours.rotation % 360 != rotation:
        return f"frame {number} is turned by {ours.rotation % 360} degrees and the film by {rotation}"
    if planes_sha256(ours) != planes_sha256(wanted):
        return f"frame {number} is another picture than in its segment"
    return ""


def _of_rank(segment: InputContainer, rank: int) -> VideoFrame | None:
    stream = segment.streams.video[0]
    return frame_at(segment, stream, round(rank * RANK / (stream.time_base or RANK)))


def _packets(paper: Expected, media: InputContainer, carried: StreamChecks, found: _Found) -> "_PicturePackets":
    """Every packet of the deliverable, in one reading: the picture's, and what goes beside it."""
    picture = _PicturePackets(paper, media.streams.video[0])
    for packet in media.demux([picture.stream, *carried.streams]):
        if packet.size and packet.stream_index == picture.stream.index:
            picture.add(packet)
        elif packet.size:
            carried.add(packet)
    found.frames = len(set(picture.times))
    found.findings += picture.findings()
    found.packets, findings = carried.findings()
    found.streams = carried.hashes
    found.findings += findings
    return picture


class _PicturePackets:
    """The picture's packets as they go by: how many, when, how long, which bytes, and a keyframe where each segment begins."""

    def __init__(self, paper: Expected, stream: VideoStream) -> None:
        self.paper = paper
        self.stream = stream
        self.times: list[int] = []
        self._tick = stream.time_base or paper.timing.time_base
        self._index = stream.index
        self._keyframes: list[int] = []
        self._starts = {one.frames.start for one in paper.segments}
        self._payload = hashlib.sha256()
        self._odd: list[str] = []

    def add(self, packet: "Packet[Any]") -> None:
        place = len(self.times)
        if place in self._starts and not packet.is_keyframe:
            self._odd.append(f"frame {place} begins a segment and is no keyframe")
        if packet.pts is None or packet.is_discard or packet.duration is None or packet.duration < 0:
            self._odd.append(f"packet {place} of the picture has no time stamp, or is hidden")
        self.times.append(packet.pts if packet.pts is not None else -1)
        self._keyframes += [self.times[-1]] if packet.is_keyframe else []
        self._payload.update(packet)

    def frames(self, opened: Callable[[], AbstractContextManager[InputContainer]]) -> TimedFrames:
        """The deliverable's frames, numbered by the times that the paper gives them."""
        timing = self.paper.timing
        scale = timing.time_base / self._tick
        times = np.array([round(int(one) * scale) for one in timing.pts], np.int64)
        return TimedFrames(opened, self._index, times, np.flatnonzero(np.isin(times, self._keyframes)))

    def findings(self) -> Iterator[str]:
        yield from self._odd
        yield from _time_findings(self.paper.timing, sorted(self.times), self.stream)
        if self._payload.hexdigest() != self.paper.facts.picture_sha256:
            yield "the picture's packets are not those of the segments, in their order"


def _time_findings(timing: Timing, times: list[int], stream: VideoStream) -> Iterator[str]:
    if len(times) != timing.frames:
        yield f"the picture has {number_of(len(times), 'frame')} and the film has {timing.frames:,}"
    tick = stream.time_base or timing.time_base
    # In ticks of both clocks at once, in whole numbers: equal means equal.
    ours = np.array(times, object) * (tick.numerator * timing.time_base.denominator)
    wanted = timing.pts.astype(object) * (timing.time_base.numerator * tick.denominator)
    both = min(len(ours), len(wanted))
    wrong = np.flatnonzero(ours[:both] != wanted[:both])
    if len(wrong):
        number = int(wrong[0])
        yield f"frame {number} is shown at {float(times[number] * tick):.6f} s and not at {float(timing.at(number)):.6f} s"


def _conform(paper: Expected, found: _Found) -> Conform:
    return Conform(
        file=paper.plan.file,
        conforms=not found.findings,
        findings=tuple(found.findings),
        frames=found.frames,
        seconds=float(paper.timing.seconds),
        edges=found.edges,
        compared=found.compared,
        source=found.source,
        packets=found.packets,
        streams=found.streams,
        bytes=found.bytes,
        sha256=found.sha256,
        timing=paper.timing.sentence,
        fates=paper.plan.fates,
    )
