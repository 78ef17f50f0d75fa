"""Checks, packet by packet, that a deliverable carries what the plan says: sound, subtitles, other streams, chapters."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Discard, Disposition, Stream
from av.video.stream import VideoStream

from actors.mux.chapters import chapters_of
from actors.mux.cues import Cue
from actors.mux.frame_access import StreamSum, bare, differences, is_cover, sum_of, sums
from actors.mux.pcm import SAMPLE, SampleRun
from actors.mux.stream_copy import cue_of, has_chapters, is_unstreamed, runs_of, screens_of
from actors.mux.subtitles import MOV_TEXT, convert, converted_to, payload_of, text_of
from actors.mux.tags import language_in, same_language
from jobs.plan.output_timing import Timing
from jobs.records.deliverables import DeliverablePlan, StreamFate, StreamHash

Sums = dict[int, StreamSum]
"""One for each stream, by index."""

_EMPTY = b"\0\0"
"""A mov_text packet that shows nothing: muxers fill gaps with it, each in its own way."""


class StreamChecks:
    """What one deliverable carries, proven while its packets go by. `film` is the source, `media` the deliverable, both open."""

    def __init__(self, film: InputContainer, media: InputContainer, plan: DeliverablePlan, timing: Timing) -> None:
        self.film, self.media, self.plan, self.origin = film, media, plan, timing.origin
        self._runs = runs_of(film, plan, timing.seconds)
        self._screens = screens_of(plan)
        self._cues: dict[int, list[Cue]] = {index: [] for index in self._screens}
        self._converted = {one.stream: one.codec for one in plan.fates if one.fate == "converted"}
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
        findings = [*self._findings, *_chapter_findings(self), *self._said()]
        for stream in self.film.streams:
            if stream.index not in {one.stream for one in self._pairs}:
                stream.discard = Discard.all
        theirs = sums(
            self.film,
            [self.film.streams[one.stream] for one in self._pairs],
            self._source_payload,
        )
        for index, screen in self._screens.items():
            for cue in (*self._cues[index], *screen.rest()):
                theirs[index].count(cue.start, cue.length, payload_of(cue.text, MOV_TEXT))
        for index, run in self._runs.items():
            for silence in run.rest():
                theirs[index].payload.update(silence[1])
        packets = 0
        for fate, stream in self._pairs.items():
            source = self.film.streams[fate.stream]
            differ = list(_stream_findings(source, stream, fate, theirs, self._sums, self.origin))
            findings += differ
            packets += 0 if differ else len(self._sums[stream.index].times)
        return packets, findings

    def _source_payload(self, packet: "Packet[Any]") -> Iterable[bytes] | None:
        """What a packet of the source is in the deliverable; None where it does not count as it is."""
        index = packet.stream_index
        if is_unstreamed(packet, self.plan, self.origin):
            return None
        codec = self._converted.get(index)
        if run := self._runs.get(index):
            return _run_on(run, packet, self.origin)
        if codec and (screen := self._screens.get(index)):
            self._cues[index] += screen.add(cue_of(packet, codec))
            return None
        converts = convert(bytes(packet), codec, converted_to(codec, self.plan.container) or "") if codec else None
        payload = _subtitle(converts) if codec else _payload(packet)
        return None if payload is None else (payload,)

    def _said(self) -> Iterator[str]:
        """In sentences, where a stream's language is another than the source's, or a carried video is shown first."""
        container = self.plan.container
        if container == "mxf":
            return
        picture = {one: self.media.streams.video[0] for one in self.plan.fates if one.fate == "picture"}
        for fate, stream in {**picture, **self._pairs}.items():
            spoken, told = language_in(container, self.film.streams[fate.stream].language or ""), stream.language or ""
            if not same_language(spoken, told):
                yield f"stream {fate.stream} ({fate.kind}) is tagged with the language {told or 'none'} and not {spoken or 'none'}"
            first = (
                isinstance(stream, VideoStream) and not is_cover(stream) and stream.disposition & Disposition.default
            )
            if first and fate not in picture:
                yield f"stream {fate.stream} (video) is shown first, in place of the picture"


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


def _run_on(run: SampleRun, packet: "Packet[Any]", origin: Fraction) -> list[bytes] | None:
    place = run.place
    pieces = [payload for _, payload in run.add((packet.pts or 0) * packet.time_base - origin, bytes(packet))]
    # Its time is that of the run's first sample that it holds.
    packet.pts = round((origin + place * SAMPLE) / packet.time_base)
    return pieces or None


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


def _chapter_findings(carried: StreamChecks) -> Iterator[str]:
    theirs = chapters_of(carried.film, carried.origin, carried.plan.container) if has_chapters(carried.plan) else []
    ours = carried.media.chapters()
    if len(ours) != len(theirs):
        yield f"there are {len(ours):,} chapters and there should be {len(theirs):,}"
    for number, (one, wanted) in enumerate(zip(ours, theirs, strict=False), 1):
        off = one["start"] * (one["time_base"] or 0) - wanted["start"] * wanted["time_base"]
        if abs(off) > Fraction(1, 1000) or one["metadata"].get("title") != wanted["metadata"].get("title"):
            yield f"chapter {number} is not the source's"
