"""Reels for tests: a source with all that a film may carry, rendered by no look into segments, ready to be stitched. Tests nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from actors.deliver.stitcher import Stitcher
from actors.encode.segment_writer import SegmentWriter
from actors.mux.hls.playlist import whole_key
from actors.mux.stream_plan import plan_deliverables
from actors.mux.subtitles import HEADER, payload_of
from actors.survey.surveyor import Surveyor
from actors.verify.inspector import Inspector
from actors.verify.source_comparison import SourceComparison
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Film
from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing, timing_for
from jobs.plan.plan import Keeps, Range
from jobs.plan.sampling import SampledCore, SourceFrames
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.media import Media
from jobs.records.orders import Encoding, SegmentRecord
from jobs.records.report import Conform
from jobs.spec.codecs import Drop
from jobs.spec.formats import Deliverable
from jobs.spec.job import JobSpec, Reading
from jobs.spec.streams import Droppable
from tests.films import read_number

SUBTITLES = ((0.1, 0.3, "first"), (0.6, 0.4, "second, with a comma\nand a line"))


@dataclass
class Reel:
    """One film with its segments in a store, and one deliverable of it."""

    source: Path
    store: str
    output: Path
    film: Film
    plan: DeliverablePlan
    timing: Timing
    records: list[SegmentRecord]
    spec: JobSpec
    frames: SourceFrames
    keeps: Keeps = "all"
    """What is said of the look that made the segments."""

    @property
    def cores(self) -> list[SampledCore]:
        """The chunks that the segments are of."""
        return [SampledCore(start=one.frames.start, stop=one.frames.stop, keeps=self.keeps) for one in self.records]

    @property
    def path(self) -> Path:
        """Where the deliverable lies; of a review stream, its playlist."""
        return self.output / whole_key(self.plan)

    def stitch(self) -> DeliverableFacts:
        """Make the deliverable."""
        stitcher = Stitcher(str(self.source), self.store, self.spec.name, str(self.output))
        *counts, facts = stitcher.stitch(self.film, self.plan, self.timing, self.records)
        assert isinstance(facts, DeliverableFacts)
        assert counts[-1] == self.timing.frames
        return facts

    def inspect(self, facts: DeliverableFacts) -> Conform:
        """Prove the deliverable."""
        inspector = Inspector(str(self.source), self.store, self.spec.name, str(self.output))
        return inspector.inspect(self.film, self.plan, self.timing, self.records, facts, self.against())

    def against(self, source: str = "") -> SourceComparison:
        """The deliverable's comparison with its source, or with the same film at another place."""
        return SourceComparison(source or str(self.source), self.film, self.plan.encoding, self.frames, self.cores)


def index_of(surveyor: Surveyor) -> FrameIndex:
    """The whole frame index of a source."""
    return FrameIndex(list(surveyor.pages()), complete=True)


def spec_for(
    source: Path, store: str, output: Path, deliverable: Deliverable, drop: Drop | tuple[Droppable, ...]
) -> JobSpec:
    """A job with one deliverable."""
    return JobSpec(
        name="job", source=str(source), store=store, output=str(output), deliverables=(deliverable,), drop=drop
    )


def reel(
    source: Path,
    folder: Path,
    deliverable: Deliverable | None = None,
    edges: Sequence[int] = (),
    drop: Drop | tuple[Droppable, ...] = Drop.NOTHING,
    reading: Reading | None = None,
) -> Reel:
    """Survey a source, plan one deliverable, and encode its own frames as segments parted at `edges`."""
    store, output = str(folder / "store"), folder / "output"
    deliverable = deliverable or Deliverable(preset="ultrafast", crf=20)
    spec = spec_for(source, store, output, deliverable, drop)
    surveyor = Surveyor(str(source), reading=reading)
    film, index = surveyor.film(), index_of(surveyor)
    (plan,) = plan_deliverables(film, spec, str(source))
    timing = timing_for(index, film.picture, plan.container, plan.origin)
    bounds = [0, *edges, index.frames]
    ledger = Ledger.at(store, spec.name)
    frames = frames_of(source, film.picture.stream, plan.encoding)
    records = [
        keep_segment(ledger, plan.encoding, Range(start, stop), islice(frames, stop - start), folder)
        for start, stop in pairwise(bounds)
    ]
    frames_known = SourceFrames(index.pts, index.entries())
    return Reel(source, store, output, film, plan, timing, records, spec, frames_known)


def frames_of(source: Path, stream: int, encoding: Encoding) -> Iterator[av.VideoFrame]:
    """The film's frames in the encoding's pixel format."""
    with av.open(str(source)) as media:
        picture = media.streams[stream]
        assert isinstance(picture, VideoStream)
        for frame in media.decode(picture):
            yield frame.reformat(format=encoding.pix_fmt)


def keep_segment(
    ledger: Ledger, encoding: Encoding, core: Range, frames: Iterable[av.VideoFrame], folder: Path
) -> SegmentRecord:
    """Encode one segment and put it into the store, as a renderer does."""
    path = folder / f"{core.start}.mkv"
    with SegmentWriter(encoding, path) as writer:
        for frame in frames:
            writer.write(frame)
    facts = writer.facts
    media = Media(key=f"media/{facts.sha256}", sha256=facts.sha256, bytes=facts.bytes)
    ledger.store.write_file(ledger.key(media.key), path)
    return SegmentRecord(
        digest=f"{core.start:040d}",
        frames=core,
        media=media,
        delay=facts.delay,
        extradata_sha256=facts.extradata_sha256,
        made_on="test",
        seconds=0.0,
    )


def dressed(
    picture: Path, path: Path, *, subtitles: str | None = None, chapters: bool = False, timecode: str = ""
) -> Path:
    """`picture` remuxed into `path` with subtitles ("mov_text", "subrip", "ass"), two chapters and a time code."""
    with av.open(str(picture)) as media, av.open(str(path), "w") as out:
        copies = {one.index: out.add_stream_from_template(one, opaque=True) for one in media.streams}
        for one in media.streams:
            copies[one.index].time_base = one.time_base
            copy = copies[one.index]
            if isinstance(copy, VideoStream) and one.average_rate:
                copy.codec_context.framerate = one.average_rate
                if timecode:
                    copy.metadata["timecode"] = timecode
        copies[media.streams.video[0].index].metadata["title"] = "the picture"
        words = _subtitle_packets(out, subtitles) if subtitles else []
        if chapters:
            spans = ((0, 500, "one"), (500, 1000, "two"))
            tick = Fraction(1, 1000)
            out.set_chapters(
                [
                    {"id": n, "start": a, "end": b, "time_base": tick, "metadata": {"title": title}}
                    for n, (a, b, title) in enumerate(spans, 1)
                ]
            )
        out.metadata["title"] = "a film"
        for packet in media.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                out.mux_one(packet)
        for packet in words:
            out.mux_one(packet)
    return path


def _subtitle_packets(out: OutputContainer, codec: str) -> "list[Packet[Stream]]":
    stream = out.add_stream(codec)
    assert isinstance(stream, SubtitleStream)
    stream.codec_context.subtitle_header = HEADER
    stream.metadata["language"] = "deu"
    packets = []
    for place, (start, length, text) in enumerate(SUBTITLES):
        escaped = text.replace("\n", "\\N")
        payload = f"{place},0,Default,,0,0,0,,{escaped}".encode() if codec == "ass" else payload_of(text, codec)
        packet: Packet[Stream] = Packet(payload)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = int(start * 1000)
        packet.duration = int(length * 1000)
        packets.append(packet)
    return packets


def numbers_and_times(path: Path) -> list[tuple[int, Fraction]]:
    """The number that each frame carries, and when it is shown."""
    with av.open(str(path)) as media:
        picture = media.streams.video[0]
        return [(read_number(one), (one.pts or 0) * (one.time_base or Fraction(0))) for one in media.decode(picture)]


def sound_of(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """For each sound stream, when its first sample is heard, and all samples."""
    with av.open(str(path)) as media:
        streams = [one.index for one in media.streams.audio]
    found = []
    for stream in streams:
        with av.open(str(path)) as media:
            frames = [one for one in media.decode(media.streams[stream]) if isinstance(one, AudioFrame)]
        start = (frames[0].pts or 0) * (frames[0].time_base or Fraction(0))
        found.append((start, np.concatenate([one.to_ndarray().reshape(-1) for one in frames])))
    return found


def same_sound(made: Path, source: Path, origin: Fraction = Fraction(0)) -> None:
    """Asserts the same samples at the same times, to Matroska's millisecond."""
    ours, theirs = sound_of(made), sound_of(source)
    assert len(ours) == len(theirs)
    for (start, samples), (wanted_start, wanted) in zip(ours, theirs, strict=True):
        assert abs(start - (wanted_start - origin)) <= Fraction(1, 1000)
        assert np.array_equal(samples, wanted)
