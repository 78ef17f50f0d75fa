"""Delivers an image sequence: puts its pictures into a folder, one file for each frame, and verifies them.

No picture has its name before all are verified, and the manifest gets its name last.

Pictures grow in the staging folder of the output, where nobody who watches for finished ones looks, and are proven there; then
each gets its name. Not all at once, as a file does: the proof of a folder is the manifest beside it, <title>.sha256, which `sha256sum -c`
reads. It is taken away before the first picture is written and comes back when all of them have their names. A folder without one
is not finished. Pictures are called <title>/<title>.0000000.png and so on, by the film's frame numbers, from 0 or from the deliverable's
start number: plans, overrides and reports count frames from 0; time code is in the conform report.

A bucket has no names to change: there each picture is copied inside the bucket and the first one deleted, two requests a picture,
`MOVERS` at a time.
"""

import hashlib
import re
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from actors.encode.segment_writer import picture_name
from actors.media.metadata.image_headers import with_timecode
from actors.media.temp_dirs import spool
from actors.mux.segments import Segments, tiled
from actors.verify.source_comparison import SourceComparison
from actors.verify.timed_frames import Numbered
from jobs.errors import FilmFailed, number_of
from jobs.film.timecode import timecode_at
from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing
from jobs.plan.plan import Range
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.orders import Encoding, SegmentRecord
from jobs.records.report import Conform
from jobs.store import Stat, Store

WORD_EVERY = 25
"""Pictures after which the placer says how far it is."""


HandOver = Callable[[str, Stat, str], None]

MOVERS = 16
"""Pictures that get their names at once."""


@dataclass
class _Placed:
    """What has been written."""

    staged: set[int] = field(default_factory=set)
    """The frames whose pictures lie in the staging folder; all others lay where they belong already, byte for byte."""

    found: dict[str, Stat | None] = field(default_factory=dict)
    """What was proven of these, by the names that they shall have: nothing else gets them."""

    cores: list[Range] = field(default_factory=list)
    """The frames of each segment."""
    manifest: Any = field(default_factory=hashlib.sha256)
    """SHA-256 of the manifest's lines."""


class SequenceWriter:
    """Places deliverables of one job. Holds one segment on disk and one picture in memory."""

    def __init__(
        self, ledger: Ledger, output: Store, staging: str, timecode: str = "", give: HandOver | None = None
    ) -> None:
        """`staging`: the folder of the output where pictures and manifest grow until they are proven; `timecode`: that of the film's first frame.

        `give` gives what was found at a key of the output, and proven, another key, and looks at whose that is; by default
        nobody else has a claim.
        """
        self.ledger = ledger
        self.output = output
        self.staging = staging
        self.timecode = timecode
        self._hand_over = give or self._rename

    def finish(
        self, plan: DeliverablePlan, timing: Timing, segments: Iterable[SegmentRecord], source: SourceComparison
    ) -> Iterator[int | DeliverableFacts | Conform]:
        """Place one deliverable. Yields pictures placed so far, now and then; what was placed; at last what was proven of it.

        `segments` are in the film's order and tile it; they may come while the film is still rendered. A picture that lies
        there already, byte for byte, is not written again. Raises FilmFailed where a segment is not what its record says,
        or the folder holds what is not of this film; BadStore or StoreFault where a store fails.
        """
        if stranger := next(self._strangers(plan, timing.frames), ""):
            raise FilmFailed(
                f"{self.output.url}/{stranger} is not a picture of {plan.file}, which has {number_of(timing.frames, 'frame')}: move what is in "
                "that folder elsewhere, or give the deliverable another name, and run the job again; finished work is kept."
            )
        # What an earlier try left there, of another codec perhaps, never had a name.
        for left in [*self._strangers(plan, timing.frames, f"{self.staging}/")]:
            self.output.delete(left)
        placed, facts = _Placed(), None
        for word in self._place(plan, timing, tiled(segments, timing.frames), placed):
            facts = word if isinstance(word, DeliverableFacts) else None
            yield word
        assert facts is not None
        manifest = self.output.stat(self._unproven(plan))
        proof = self._prove(plan, timing, facts, placed, source)
        if proof.conforms:
            with ThreadPoolExecutor(MOVERS) as pool:
                deque(pool.map(lambda key: self._give(*key), sorted(placed.found.items())), maxlen=0)
            self._give(_manifest(plan), manifest)
        self._sweep(plan)
        yield proof

    def _rename(self, unproven: str, found: Stat, name: str) -> None:
        if not self.output.rename(unproven, name, found, self.output.stat(name)):
            raise FilmFailed(f"{self.output.url}/{unproven} was changed after it was proven: run the job again.")

    def _unproven(self, plan: DeliverablePlan) -> str:
        return f"{self.staging}/{_manifest(plan)}"

    def _lies(self, plan: DeliverablePlan, number: int, placed: _Placed) -> str:
        key = picture_key(plan, number)
        return self._staged(key) if number in placed.staged else key

    def _staged(self, key: str) -> str:
        return f"{self.staging}/{key}"

    def _give(self, key: str, found: Stat | None) -> None:
        """Give what was proven as it was `found` in the staging folder its name."""
        assert found is not None  # it was read
        self._hand_over(self._staged(key), found, key)

    def _sweep(self, plan: DeliverablePlan) -> None:
        """Take away what is left in the staging folder: all of it where the pictures were not proven."""
        for key in [self._unproven(plan), *self.output.list(self._staged(f"{plan.file}/"))]:
            self.output.delete(key)

    def _place(
        self, plan: DeliverablePlan, timing: Timing, records: Iterator[SegmentRecord], placed: _Placed
    ) -> Iterator[int | DeliverableFacts]:
        """Notes in `placed` what is done."""
        pictures, length = hashlib.sha256(), 0
        there = {*self.output.list(f"{plan.file}/"), *self.output.list(self._staged(f"{plan.file}/"))}
        with spool("place") as name, self.output.create(self._unproven(plan)) as manifest:
            segments = Segments(self.ledger, (), 0, Path(name))
            for record in records:
                if record.frames.start == 0:
                    self.output.delete(_manifest(plan))  # lest it stand beside pictures that it is not of
                placed.cores.append(record.frames)
                for number, bare in _pictures(segments, record, plan.encoding):
                    data = with_timecode(bare, timecode_at(self.timecode, plan.encoding.rate, number))
                    key = picture_key(plan, number)
                    if not self._holds(key, data, there):
                        placed.staged.add(number)
                        if not self._holds(self._staged(key), data, there):
                            self.output.write(self._staged(key), data)
                    line = f"{hashlib.sha256(data).hexdigest()}  {key}\n".encode()
                    placed.manifest.update(line)
                    pictures.update(data)
                    length += len(data)
                    manifest.write(line)
                    if (number + 1) % WORD_EVERY == 0:
                        yield number + 1
        yield timing.frames
        yield DeliverableFacts(
            file=plan.file,
            bytes=length,
            frames=timing.frames,
            seconds=float(timing.seconds),
            picture_sha256=pictures.hexdigest(),
            timing=timing.sentence,
        )

    def _holds(self, key: str, data: bytes, there: set[str]) -> bool:
        """Whether this picture lies there, byte for byte; `there` are the keys of an earlier try."""
        # Reading is what tells exactly, and is asked of a picture of this very length only.
        found = self.output.stat(key) if key in there else None
        return found is not None and found.bytes == len(data) and self.output.read(key) == data

    def _prove(
        self, plan: DeliverablePlan, timing: Timing, facts: DeliverableFacts, placed: _Placed, source: SourceComparison
    ) -> Conform:
        """Every picture read back where it lies: its bytes against the manifest, beside each edge its size, decoded, and some against the source."""
        findings, listed, frames, compared = self._read_back(plan, placed)
        if listed != placed.manifest.digest():
            findings.append("the manifest is not the one that was written")
        if frames != timing.frames:
            findings.append(f"there are {frames:,} pictures and the film has {number_of(timing.frames, 'frame')}")
        for folder in ("", f"{self.staging}/"):
            strangers = islice(self._strangers(plan, timing.frames, folder), 1)
            findings += [f"{one} is not a picture of this film" for one in strangers]
        if not findings:
            pictures = _Pictures(self.output, plan.encoding, lambda number: self._lies(plan, number, placed))
            findings += source.findings(pictures.runs(source.wanted), pictures)
        return Conform(
            file=plan.file,
            conforms=not findings,
            findings=_some(findings),
            frames=frames,
            seconds=facts.seconds,
            edges=len(placed.cores) + 1,
            compared=compared,
            source=source.proof,
            packets=0,
            bytes=facts.bytes,
            sha256=listed.hex(),
            timing=facts.timing,
            fates=plan.fates,
        )

    def _read_back(self, plan: DeliverablePlan, placed: _Placed) -> tuple[list[str], bytes, int, int]:
        """What is wrong, the manifest's SHA-256, how many pictures are there, and how many were decoded beside edges."""
        findings: list[str] = []
        edges = {number for core in placed.cores for number in (core.start, core.stop - 1)}
        listed, frames, compared = hashlib.sha256(), 0, 0
        with self.output.open(self._unproven(plan)) as manifest:
            for number, line in enumerate(manifest):
                listed.update(line)
                sha256, _, key = line.decode().rstrip("\n").partition("  ")
                lies = self._staged(key) if number in placed.staged else key
                if number in placed.staged:
                    placed.found[key] = self.output.stat(lies)
                data = self.output.read(lies) if self.output.stat(lies) else b""
                frames += bool(data)
                if hashlib.sha256(data).hexdigest() != sha256:
                    findings.append(f"{key} is not the picture of the segment" if data else f"{key} is missing")
                elif number in edges:
                    wrong = _undecodable(data, plan.encoding)
                    findings += [f"{key} {wrong}"] if wrong else []
                    compared += not wrong
        return findings, listed.digest(), frames, compared

    def _strangers(self, plan: DeliverablePlan, frames: int, folder: str = "") -> Iterator[str]:
        """Objects in the pictures' folder, or in that where they grow, that are none of the film's pictures."""
        named = re.compile(r".*\.(\d{7,})\.[a-z]+", re.DOTALL)
        for key in self.output.list(f"{folder}{plan.file}/"):
            found = named.fullmatch(key)
            number = int(found[1]) - plan.start_number if found else frames
            if not 0 <= number < frames or key != folder + picture_key(plan, number):
                yield key


def picture_key(plan: DeliverablePlan, number: int) -> str:
    """Where in the output the picture of one frame lies."""
    return f"{plan.file}/{plan.file}.{picture_name(plan.start_number + number, plan.encoding)}"


def _manifest(plan: DeliverablePlan) -> str:
    return f"{plan.file}.sha256"


def _pictures(segments: Segments, record: SegmentRecord, encoding: Encoding) -> Iterator[tuple[int, bytes]]:
    """Each frame's number and its file. Raises FilmFailed where the segment holds others than its record says."""
    count = 0
    with segments.fetched(record) as path:
        try:
            with tarfile.open(path, "r:") as pictures:
                for entry in pictures:
                    file = pictures.extractfile(entry) if entry.isfile() else None
                    if file is None or count >= record.frames.frames or entry.name != picture_name(count, encoding):
                        raise segments.refused(record, f"it holds {entry.name} as picture {count}")
                    yield record.frames.start + count, file.read()
                    count += 1
        except tarfile.TarError as error:
            raise segments.refused(record, str(error)) from None
    if count != record.frames.frames:
        raise segments.refused(
            record, f"it holds {number_of(count, 'picture')} for {number_of(record.frames.frames, 'frame')}"
        )


class _Pictures:
    """The pictures in a deliverable's folder, decoded."""

    def __init__(self, output: Store, encoding: Encoding, lies: Callable[[int], str]) -> None:
        """`lies`: the key of one frame's picture."""
        self._output, self._encoding, self._lies = output, encoding, lies

    def runs(self, wanted: Iterable[Range]) -> Numbered:
        """The frames of each run, in order; None for a picture that is missing or cannot be decoded."""
        for number in chain.from_iterable(range(*run) for run in wanted):
            key = self._lies(number)
            data = self._output.read(key) if self._output.stat(key) else b""
            yield number, next(iter(_decoded(data, self._encoding)), None)


def _decoded(data: bytes, encoding: Encoding) -> list[VideoFrame]:
    """What is in a picture's file; nothing where it cannot be decoded."""
    context = av.CodecContext.create(encoding.codec.value, "r")
    assert isinstance(context, VideoCodecContext)
    try:
        return [*context.decode(Packet(data)), *context.decode(None)]
    except av.error.FFmpegError:
        return []


def _undecodable(data: bytes, encoding: Encoding) -> str:
    """What is wrong with a picture's file once it is decoded, in words; empty where nothing is."""
    sizes = [(frame.width, frame.height) for frame in _decoded(data, encoding)]
    if not sizes:
        return "cannot be decoded"
    if sizes != [(encoding.width, encoding.height)]:
        shown = " and ".join(f"{width}x{height}" for width, height in sizes)
        return f"holds {shown} and not {encoding.width}x{encoding.height}"
    return ""


def _some(findings: list[str]) -> tuple[str, ...]:
    # One lost disk would fill the report: a few say it.
    few = 20
    return (*findings[:few], *([f"and {len(findings) - few} more"] if len(findings) > few else []))
