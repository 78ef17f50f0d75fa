"""Carries over what a deliverable has beside its picture: sound, subtitles, other streams, chapters and tags.

Every stream keeps its distance from the picture: one and the same number of seconds, `origin`, is taken from all times.
"""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import repeat
from typing import Any

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from actors.media.container import opened
from actors.media.missing_dts import completed
from actors.mux.audio_priming import primed_template, priming_of, undo_rounding
from actors.mux.chapters import chapters_of
from actors.mux.cues import Cue, Screen
from actors.mux.pcm import SAMPLE, Piece, SampleRun
from actors.mux.subtitles import HEADER, MOV_TEXT, convert, converted_to, payload_of, text_of
from actors.mux.tags import BOXES, FILE_TAGS, language_in, tags_of
from jobs.plan.output_timing import MILLISECOND
from jobs.records.deliverables import DeliverablePlan, StreamFate
from jobs.spec.codecs import Wrapping

_LAYOUTS = {"1 channels": "mono", "2 channels": "stereo"}
"""What is meant where nothing is said. mp4 asks for it, of PCM only as the file is closed."""


def add_carried(
    out: OutputContainer, stream: Stream, fate: StreamFate, container: Wrapping, template: Stream | None = None
) -> Stream:
    """The stream of `out` that carries `stream`, copied or converted as `fate` says; `template` stands in for a copied one."""
    added: Stream
    target = converted_to(fate.codec, container) if fate.fate == "converted" else None
    if target:
        added = out.add_stream(target)
        assert isinstance(added, SubtitleStream)
        added.codec_context.subtitle_header = HEADER
        added.time_base = stream.time_base
    else:
        added = out.add_stream_from_template(template or stream, opaque=True)
        added.time_base = stream.time_base
        if isinstance(stream, VideoStream) and isinstance(added, VideoStream):
            _tag(added, stream, container)
        if isinstance(stream, AudioStream) and isinstance(added, AudioStream) and container in ("mp4", "hls"):
            added.codec_context.layout = _LAYOUTS.get(stream.layout.name, stream.layout)
    added.metadata.update(tags_of(stream.metadata))
    if stream.language:
        added.metadata["language"] = language_in(container, stream.language)
    added.disposition = stream.disposition
    if isinstance(stream, VideoStream):
        # Players show the default first: that is the picture.
        added.disposition &= ~Disposition.default
    return added


def _tag(added: VideoStream, stream: VideoStream, container: str) -> None:
    # Templates forget the tag. Without it another ProRes profile is decoded, and players of Apple take no other HEVC.
    codec, tag = stream.codec_context.codec.canonical_name, stream.codec_context.codec_tag
    if codec == "prores" or (codec == "hevc" and tag == "hvc1" and container in BOXES):
        added.codec_context.codec_tag = tag


class StreamCopy:
    """The source, open for the streams that one deliverable carries over. Used as a context."""

    def __init__(self, source: str, plan: DeliverablePlan) -> None:
        self.source = source
        self.plan = plan
        self.fates = {one.stream: one for one in plan.fates if one.fate in ("copied", "converted")}
        self._stack = ExitStack()
        self._added: dict[int, Stream] = {}
        self._runs: dict[int, SampleRun] = {}
        self._screens: dict[int, Screen] = {}

    def __enter__(self) -> "StreamCopy":
        self.media = self._stack.enter_context(opened(self.source))
        for stream in self.media.streams:
            # A stream nobody wants need not be read: an mp4's picture is skipped, not transferred.
            if stream.index not in self.fates:
                stream.discard = Discard.all
        return self

    def __exit__(self, *error: object) -> None:
        self._added.clear()
        self._stack.close()

    @property
    def tags(self) -> dict[str, str]:
        """The film's tags that go into the deliverable."""
        return tags_of(self.media.metadata, FILE_TAGS)

    def add_streams(self, out: OutputContainer) -> None:
        """Add every carried stream to `out`, in the source's order. To be called once, after the picture was added."""
        priming = self._priming()
        for index, fate in sorted(self.fates.items()):
            stream, template = self.media.streams[index], None
            if isinstance(stream, AudioStream) and priming.get(index):
                template = self._stack.enter_context(primed_template(stream, priming[index])).streams[0]
            self._added[index] = add_carried(out, stream, fate, self.plan.container, template)

    def _priming(self) -> dict[int, int]:
        # Other containers' demuxers say the priming in the stream itself, and the template passes it on.
        if self.plan.container != "mkv" or not self.media.format.name.startswith("mov"):
            return {}
        with opened(self.source) as media:
            sounds = [stream for stream in media.streams.audio if stream.index in self.fates]
            return priming_of(media, sounds) if sounds else {}

    def add_chapters_and_tags(self, out: OutputContainer, origin: Fraction) -> None:
        """Chapters at their own times, and the film's tags."""
        out.metadata.update(self.tags)
        if has_chapters(self.plan):
            out.set_chapters(chapters_of(self.media, origin, self.plan.container))

    def packets(self, origin: Fraction, seconds: Fraction) -> Iterator[tuple[Fraction, "Packet[Stream]"]]:
        """Packets ready for the muxer, each with the time in seconds to sort it by, ascending.

        `seconds` is the length of the picture. In the source's own order: a packet that comes late among its neighbours takes the time of the one before.
        """
        latest = Fraction(0)
        self._runs = runs_of(self.media, self.plan, seconds)
        self._screens = screens_of(self.plan)
        wanted = [self.media.streams[index] for index in self.fates]
        demuxed = self.media.demux(wanted) if wanted else ()
        for packet in completed(one for one in demuxed if one.size and not is_unstreamed(one, self.plan, origin)):
            for ready in self._ready(packet, origin):
                if ready.pts is None:  # A cover picture has no time, and the muxer wants one.
                    ready.pts = round(latest / ready.time_base)
                if ready.dts is None:
                    ready.dts = ready.pts
                latest = max(latest, ready.dts * ready.time_base)
                yield latest, ready
            for index, run in self._runs.items():
                yield from ((latest, self._of_run(index, piece)) for piece in run.keep_up(latest))
        for index, screen in self._screens.items():
            for ready in self._of_cues(index, screen.rest(), origin):
                latest = max(latest, (ready.dts or 0) * ready.time_base)
                yield latest, ready
        rests = (zip(repeat(index), run.rest(), strict=False) for index, run in self._runs.items())
        for index, piece in heapq.merge(*rests, key=lambda one: one[1][0]):
            yield max(latest, piece[0] * SAMPLE), self._of_run(index, piece)

    def _ready(self, packet: "Packet[Stream]", origin: Fraction) -> "Iterator[Packet[Stream]]":
        index, fate = packet.stream_index, self.fates[packet.stream_index]
        if screen := self._screens.get(index):
            yield from self._of_cues(index, screen.add(cue_of(packet, fate.codec)), origin)
            return
        if fate.fate == "converted":
            payload = convert(bytes(packet), fate.codec, converted_to(fate.codec, self.plan.container) or "")
            if payload is None:
                return
            packet = _like(packet, payload)
        if run := self._runs.get(index):
            pieces = run.add((packet.pts or 0) * packet.time_base - origin, bytes(packet))
            yield from (self._of_run(index, piece) for piece in pieces)
            return
        stream = self.media.streams[index]
        if self.plan.container in BOXES and isinstance(stream, AudioStream) and stream.time_base == MILLISECOND:
            undo_rounding(packet, stream.rate)
        retime(packet, origin)
        packet.stream = self._added[index]
        if self.plan.container == "hls" and packet.dts is not None:
            packet.pts = packet.dts = max(packet.dts, 0)
        yield packet

    def _of_cues(self, index: int, cues: Iterator[Cue], origin: Fraction) -> "Iterator[Packet[Stream]]":
        for cue in cues:
            packet: Packet[Stream] = Packet(payload_of(cue.text, MOV_TEXT))
            packet.pts = packet.dts = cue.start
            packet.duration = cue.length
            packet.time_base = self.media.streams[index].time_base or MILLISECOND
            packet.is_keyframe = True
            retime(packet, origin)
            packet.stream = self._added[index]
            yield packet

    def _of_run(self, index: int, piece: Piece) -> "Packet[Stream]":
        packet: Packet[Stream] = Packet(piece[1])
        packet.pts, packet.time_base = piece[0], SAMPLE
        packet.dts = packet.pts
        packet.stream = self._added[index]
        return packet


def runs_of(media: InputContainer, plan: DeliverablePlan, seconds: Fraction) -> dict[int, SampleRun]:
    """By index, the sounds of the source that become one run beside a picture of so many seconds."""
    copied = {one.stream for one in plan.fates if one.fate == "copied"} if plan.container == "mxf" else ()
    return {one.index: SampleRun(one, seconds) for one in media.streams.audio if one.index in copied}


def screens_of(plan: DeliverablePlan) -> dict[int, Screen]:
    """By index, the subtitles of the source whose cues are parted so that one is shown at a time."""
    converted = (one for one in plan.fates if one.fate == "converted")
    return {one.stream: Screen() for one in converted if converted_to(one.codec, plan.container) == MOV_TEXT}


def cue_of(packet: "Packet[Any]", codec: str) -> Cue:
    """The words of a text subtitle's packet, in its stream's ticks."""
    start = packet.pts if packet.pts is not None else packet.dts or 0
    return Cue(start, start + packet.duration if packet.duration else None, text_of(bytes(packet), codec))


def has_chapters(plan: DeliverablePlan) -> bool:
    """Whether chapters are written into the deliverable."""
    return any(one.kind == "chapters" and one.fate == "rewritten" for one in plan.fates)


def is_unstreamed(packet: "Packet[Any]", plan: DeliverablePlan, origin: Fraction) -> bool:
    """Whether a packet of sound begins before a review stream, whose fragments have no times below 0: it is left out."""
    time = packet.pts if packet.pts is not None else packet.dts
    return plan.container == "hls" and time is not None and time * packet.time_base - origin <= -MILLISECOND


def retime(packet: "Packet[Any]", origin: Fraction) -> None:
    """Take `origin` seconds from a packet's times. Where it has one time only, that is both."""
    ticks = round(origin / packet.time_base)
    pts = packet.pts if packet.pts is not None else packet.dts
    dts = packet.dts if packet.dts is not None else pts
    packet.pts = None if pts is None else pts - ticks
    packet.dts = None if dts is None else dts - ticks


def _like(packet: "Packet[Stream]", payload: bytes) -> "Packet[Stream]":
    new: Packet[Stream] = Packet(payload)
    new.pts, new.dts, new.duration, new.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    new.is_keyframe = True
    return new
