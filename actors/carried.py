"""Whether a deliverable carries what the plan says it carries: sound, subtitles, other streams, chapters. Promises packet by packet; judges no picture of the film."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Discard, Stream
from av.video.stream import VideoStream

from actors.carry import chapters_of, has_chapters, runs_of
from actors.pcm import SAMPLE, Run
from actors.proofs import StreamSum, bare, differences, is_cover, sum_of, sums
from actors.subtitles import convert, converted_to, text_of
from jobs.deliverables import DeliverablePlan, StreamFate, StreamHash
from jobs.timing import Timing

Sums = dict[int, StreamSum]
"""One for each stream, by index."""

_EMPTY = b"\0\0"
"""A mov_text packet that shows nothing: muxers fill gaps with it, each in its own way."""


class Carried:
    """What one deliverable carries, proven while its packets go by. `film` is the source, `media` the deliverable, both open."""

    def __init__(self, film: InputContainer, media: InputContainer, plan: DeliverablePlan, timing: Timing) -> None:
        self.film, self.media, self.plan, self.origin = film, media, plan, timing.origin
        self._runs = runs_of(film, plan, timing.seconds)
        fates = [one for one in plan.fates if one.fate in ("copied", "converted")]
        self._pairs, self._findings = _paired(film, media, fates)
        self.streams = list(self._pairs.values())
        """The deliverable's streams whose packets are awaited."""
        self._sums = {one.index: sum_of(one) for one in self.streams}
        # Bytes of such a stream cannot be compared, in the deliverable neither.
        self._marked = {twin.index for one, twin in self._pairs.items() if _annex_b(film.streams[one.stream])}

    def add(self, packet: "Packet[Any]") -> None:
        """One more packet of one of `streams`, in the file's order."""
        payload = b"" if packet.stream_index in self._marked else _payload(packet)
        if payload is not None:
            self._sums[packet.stream_index].add(packet, payload)

    @property
    def hashes(self) -> tuple[StreamHash, ...]:
        """What each stream holds, by now. Attachments have no packets, and marked streams no bytes to be compared."""
        return tuple(
            StreamHash(stream=fate.stream, packets=len(found.times), sha256=found.payload.hexdigest())
            for fate, stream in self._pairs.items()
            if (found := self._sums[stream.index]).times and stream.index not in self._marked
        )

    def findings(self) -> tuple[int, list[str]]:
        """How many packets are equal to the source's, and in sentences what is not. Reads the source; to be called once."""
        findings = [*self._findings, *_chapter_findings(self)]
        for stream in self.film.streams:
            if stream.index not in {one.stream for one in self._pairs}:
                stream.discard = Discard.all
        theirs = sums(
            self.film,
            [self.film.streams[one.stream] for one in self._pairs],
            _source_payload(self._runs, self.plan, self.origin),
        )
        for index, run in self._runs.items():
            for silence in run.rest():
                theirs[index].payload.update(silence)
        packets = 0
        for fate, stream in self._pairs.items():
            source = self.film.streams[fate.stream]
            differ = list(_stream_findings(source, stream, fate, theirs, self._sums, self.origin))
            findings += differ
            packets += 0 if differ else len(self._sums[stream.index].times)
        return packets, findings


def _stream_findings(
    film: Stream, stream: Stream, fate: StreamFate, theirs: Sums, ours: Sums, origin: Fraction
) -> Iterator[str]:
    name = f"{fate.kind} stream {fate.stream} ({fate.codec})"
    if isinstance(film, AttachmentStream) and isinstance(stream, AttachmentStream):
        if film.data != stream.data:
            yield f"{name} does not hold the source's bytes"
        return
    yield from differences(name, ours[stream.index], theirs[film.index], origin)


def _paired(
    film: InputContainer, media: InputContainer, fates: list[StreamFate]
) -> tuple[dict[StreamFate, Stream], list[str]]:
    """The deliverable's stream for each fate. Within a kind order is kept; attachments and covers come where they like."""
    picture = media.streams.video[0].index
    rest = [one for one in media.streams if one.index != picture]
    pairs: dict[StreamFate, Stream] = {}
    findings = []
    for fate in fates:
        kind = _kind(film.streams[fate.stream])
        twin = next((one for one in rest if _kind(one) == kind), None)
        if twin is None:
            findings.append(f"stream {fate.stream} ({fate.kind}, {fate.codec}) of the source is missing")
            continue
        pairs[fate] = twin
        rest.remove(twin)
    findings += [
        f"there is a {one.type} stream that the plan does not know" for one in rest if one.type in ("audio", "video")
    ]
    return pairs, findings


def _kind(stream: Stream) -> tuple[str, bool]:
    return stream.type, isinstance(stream, VideoStream) and is_cover(stream)


def _source_payload(
    runs: dict[int, Run], plan: DeliverablePlan, origin: Fraction
) -> "Callable[[Packet[Any]], bytes | None]":
    """What each packet of the source is in the deliverable."""
    converted = {one.stream: one.codec for one in plan.fates if one.fate == "converted"}

    def payload_of(packet: "Packet[Any]") -> bytes | None:
        if run := runs.get(packet.stream_index):
            return _run_on(run, packet, origin)
        codec = converted.get(packet.stream_index)
        if codec is None:
            return _payload(packet)
        return _subtitle(convert(bytes(packet), codec, converted_to(codec, plan.container) or ""))

    return payload_of


def _run_on(run: Run, packet: "Packet[Any]", origin: Fraction) -> bytes | None:
    place = run.place
    payload = run.add((packet.pts or 0) * packet.time_base - origin, bytes(packet))
    # Its time is that of the run's first sample that it holds.
    packet.pts = round((origin + place * SAMPLE) / packet.time_base)
    return payload or None


def _payload(packet: "Packet[Any]") -> bytes | None:
    if packet.stream.type == "subtitle":
        return _subtitle(bytes(packet))
    # The same NAL units with other marks between them: time and number are compared, bytes cannot be.
    return b"" if _annex_b(packet.stream) else bare(packet)


def _subtitle(payload: bytes | None) -> bytes | None:
    return None if payload is None or (payload[:2] == _EMPTY and not text_of(payload, "mov_text")) else payload


def _annex_b(stream: Stream) -> bool:
    """Whether NAL units are parted by start codes, which mp4 and mkv replace by lengths (avcC and hvcC begin with 1)."""
    context = stream.codec_context
    nal = isinstance(stream, VideoStream) and context.codec.canonical_name in ("h264", "hevc")
    return nal and (context.extradata or b"\0")[:1] == b"\0"


def _chapter_findings(carried: Carried) -> Iterator[str]:
    theirs = chapters_of(carried.film, carried.origin) if has_chapters(carried.plan) else []
    ours = carried.media.chapters()
    if len(ours) != len(theirs):
        yield f"there are {len(ours)} chapters and there should be {len(theirs)}"
    for number, (one, wanted) in enumerate(zip(ours, theirs, strict=False), 1):
        off = one["start"] * (one["time_base"] or 0) - wanted["start"] * wanted["time_base"]
        if abs(off) > Fraction(1, 1000) or one["metadata"].get("title") != wanted["metadata"].get("title"):
            yield f"chapter {number} is not the source's"
