"""The inspector: proves a finished deliverable against the paper. Promises that nothing is taken on the stitcher's word; mends nothing.

It reads the finished file, the segments and the source anew: every picture packet's time and bytes, every other
stream's packets, the tags, and the decoded pictures around every edge of a chunk.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.carried import carried_findings
from actors.media import open_media
from actors.proofs import frame_at, is_cover, plain, planes_sha256
from actors.segments import Segments
from actors.spool import spool
from jobs.deliverables import DeliverableFacts, DeliverablePlan
from jobs.errors import BadMedia, FilmFailed
from jobs.film import Film
from jobs.ledger import Ledger
from jobs.records import SegmentRecord
from jobs.report import Conform
from jobs.store import open_store
from jobs.timing import Timing


@dataclass(frozen=True)
class Expected:
    """What a deliverable ought to be."""

    film: Film
    plan: DeliverablePlan
    timing: Timing
    segments: Sequence[SegmentRecord]
    facts: DeliverableFacts


@dataclass
class _Found:
    findings: list[str]
    frames: int = 0
    edges: int = 0
    compared: int = 0
    packets: int = 0


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
    ) -> Conform:
        """Prove the deliverable `plan.file` in the output. Never raises for what is wrong with it: that is a finding.

        Raises FilmFailed where a segment of the store is damaged, BadStore or StoreFault where a store cannot be read.
        """
        paper = Expected(film, plan, timing, segments, facts)
        found = _Found([])
        if self.output.stat(plan.file) is None:
            found.findings.append(f"there is no {plan.file} in {self.output.url}")
        else:
            found.findings += self._file(paper)
            self._prove(paper, found)
        return _conform(paper, found)

    def _prove(self, paper: Expected, found: _Found) -> None:
        try:
            with self._opened(paper) as media:
                found.findings += _tags_findings(paper, media)
                found.findings += _picture_findings(paper, media, found)
            with self._opened(paper) as media:
                found.findings += self._edges(paper, media, found)
            with self._opened(paper) as media:
                found.packets, findings = carried_findings(self.source, paper.plan, paper.timing.origin, media)
                found.findings += findings
        except av.error.FFmpegError as error:
            found.findings.append(f"{paper.plan.file} cannot be read: {error.strerror}")
        except _Unreadable as error:
            found.findings.append(str(error))

    @contextmanager
    def _opened(self, paper: Expected) -> Iterator[InputContainer]:
        with self.output.open(paper.plan.file) as file:
            try:
                media = open_media(file, paper.plan.file)
            except BadMedia as error:
                # Of the deliverable a finding; of the source, opened elsewhere, an error.
                raise _Unreadable(str(error)) from None
            with media:
                yield media

    def _file(self, paper: Expected) -> Iterator[str]:
        with self.output.open(paper.plan.file) as file:
            found = hashlib.sha256()
            while block := file.read(1 << 20):
                found.update(block)
        if found.hexdigest() != paper.facts.sha256:
            yield f"{paper.plan.file} is not the file that was stitched: its SHA-256 differs"

    def _edges(self, paper: Expected, media: InputContainer, found: _Found) -> Iterator[str]:
        """The first and the last frame of every chunk, decoded from the deliverable and from the store's segment."""
        stream = media.streams.video[0]
        with spool("inspect") as folder:
            try:
                segments = Segments(self.ledger, paper.segments, paper.timing.frames, Path(folder))
            except FilmFailed as error:
                yield str(error)
                return
            for record in paper.segments:
                found.edges += 1
                with segments.opened(record) as kept:
                    for rank in sorted({0, record.frames.frames - 1}):
                        number = record.frames.start + rank
                        ours = frame_at(media, stream, _ticks(paper.timing, number, stream))
                        wanted = frame_at(kept, kept.streams.video[0], rank)
                        if finding := _differ(number, ours, wanted, paper.film.picture.rotation):
                            yield finding
                        else:
                            found.compared += 1
        found.edges += 1


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


def _ticks(timing: Timing, number: int, stream: VideoStream) -> int:
    return round(timing.at(number) / (stream.time_base or 1))


def _picture_findings(paper: Expected, media: InputContainer, found: _Found) -> Iterator[str]:
    """Every packet of the picture: how many, when, how long, which bytes, and a keyframe where each segment begins."""
    stream = media.streams.video[0]
    tick = stream.time_base
    assert tick is not None
    starts = {one.frames.start for one in paper.segments}
    times, payload = [], hashlib.sha256()
    for place, packet in enumerate(one for one in media.demux(stream) if one.size):
        if place in starts and not packet.is_keyframe:
            yield f"frame {place} begins a segment and is no keyframe"
        if packet.pts is None or packet.is_discard or packet.duration is None or packet.duration < 0:
            yield f"packet {place} of the picture has no time stamp, or is hidden"
        times.append(packet.pts if packet.pts is not None else -1)
        payload.update(packet)
    found.frames = len(set(times))
    yield from _time_findings(paper.timing, sorted(times), stream)
    if payload.hexdigest() != paper.facts.picture_sha256:
        yield "the picture's packets are not those of the segments, in their order"


def _time_findings(timing: Timing, times: list[int], stream: VideoStream) -> Iterator[str]:
    if len(times) != timing.frames:
        yield f"the picture has {len(times)} frames and the film has {timing.frames}"
    tick = stream.time_base or timing.time_base
    # In ticks of both clocks at once, in whole numbers: equal means equal.
    ours = np.array(times, object) * (tick.numerator * timing.time_base.denominator)
    wanted = timing.pts.astype(object) * (timing.time_base.numerator * tick.denominator)
    both = min(len(ours), len(wanted))
    wrong = np.flatnonzero(ours[:both] != wanted[:both])
    if len(wrong):
        number = int(wrong[0])
        yield f"frame {number} is shown at {float(times[number] * tick):.6f} s and not at {float(timing.at(number)):.6f} s"


def _tags_findings(paper: Expected, media: InputContainer) -> Iterator[str]:
    """Codec, size, pixels, colour, aspect, rate: what the file says against the paper."""
    if not media.streams.video or is_cover(media.streams.video[0]):
        raise av.error.InvalidDataError(0, "it has no picture")
    stream, encoding = media.streams.video[0], paper.plan.encoding
    context, colour = stream.codec_context, encoding.colour
    aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio or 1
    said = {
        "codec": (context.codec.canonical_name, encoding.codec.value),
        "size": ((context.width, context.height), (encoding.width, encoding.height)),
        "pixel format": (plain(context.pix_fmt or "none"), encoding.pix_fmt),
        "colour matrix": (context.colorspace, colour.space),
        "colour primaries": (context.color_primaries, colour.primaries),
        "transfer": (context.color_trc, colour.transfer),
        "range": (context.color_range, 2 if colour.full_range else 1),
        "sample aspect": (aspect, encoding.aspect),
    }
    rate, wanted = stream.average_rate, paper.timing.rate
    if wanted is not None and paper.timing.frames > 1:
        # Matroska keeps the rate as whole nanoseconds a frame.
        close = rate is not None and abs(rate - wanted) < wanted / 10**6
        said["rate"] = (wanted if close else rate, wanted)
    for name, (ours, paper_says) in said.items():
        if ours != paper_says:
            yield f"its {name} is {_shown(ours)} and not {_shown(paper_says)}"


def _shown(value: object) -> str:
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)


def _conform(paper: Expected, found: _Found) -> Conform:
    return Conform(
        file=paper.plan.file,
        conforms=not found.findings,
        findings=tuple(found.findings),
        frames=found.frames,
        seconds=float(paper.timing.seconds),
        edges=found.edges,
        compared=found.compared,
        packets=found.packets,
        bytes=paper.facts.bytes,
        sha256=paper.facts.sha256,
        timing=paper.timing.sentence,
        fates=paper.plan.fates,
    )
