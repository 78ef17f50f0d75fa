"""Whether a deliverable carries what the plan says it carries: sound, subtitles, other streams, chapters. Promises packet by packet; judges no picture of the film."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Discard, Stream
from av.video.stream import VideoStream

from actors.carry import chapters_of
from actors.media import opened
from actors.proofs import StreamSum, bare, differences, is_cover, sums
from actors.subtitles import convert, converted_to, text_of
from jobs.deliverables import DeliverablePlan, StreamFate

Sums = dict[int, StreamSum]
"""One for each stream, by index."""

_EMPTY = b"\0\0"
"""A mov_text packet that shows nothing: muxers fill gaps with it, each in its own way."""


def carried_findings(
    source: str, plan: DeliverablePlan, origin: Fraction, media: InputContainer
) -> tuple[int, list[str]]:
    """How many packets are equal to the source's, and in sentences what is not. `media` is the deliverable."""
    fates = [one for one in plan.fates if one.fate in ("copied", "converted")]
    media.streams.video[0].discard = Discard.all
    with opened(source) as film:
        for stream in film.streams:
            if stream.index not in {one.stream for one in fates}:
                stream.discard = Discard.all
        pairs, findings = _paired(film, media, fates)
        findings += _chapter_findings(film, media, origin)
        theirs = sums(film, [film.streams[one.stream] for one in pairs], _source_payload(list(pairs), plan.container))
        marked = {pairs[one].index for one in pairs if _annex_b(film.streams[one.stream])}
        ours = sums(media, pairs.values(), lambda one: b"" if one.stream_index in marked else _payload(one))
        packets = 0
        for fate, stream in pairs.items():
            differ = list(_stream_findings(film.streams[fate.stream], stream, fate, theirs, ours, origin))
            findings += differ
            packets += 0 if differ else len(ours[stream.index].times)
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


def _source_payload(fates: list[StreamFate], container: str) -> "Callable[[Packet[Any]], bytes | None]":
    converted = {one.stream: one.codec for one in fates if one.fate == "converted"}

    def payload_of(packet: "Packet[Any]") -> bytes | None:
        codec = converted.get(packet.stream_index)
        if codec is None:
            return _payload(packet)
        return _subtitle(convert(bytes(packet), codec, converted_to(codec, container) or ""))

    return payload_of


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


def _chapter_findings(film: InputContainer, media: InputContainer, origin: Fraction) -> Iterator[str]:
    ours, theirs = media.chapters(), chapters_of(film, origin)
    if len(ours) != len(theirs):
        yield f"there are {len(ours)} chapters and the source has {len(theirs)}"
    for number, (one, wanted) in enumerate(zip(ours, theirs, strict=False), 1):
        off = one["start"] * (one["time_base"] or 0) - wanted["start"] * wanted["time_base"]
        if abs(off) > Fraction(1, 1000) or one["metadata"].get("title") != wanted["metadata"].get("title"):
            yield f"chapter {number} is not the source's"
