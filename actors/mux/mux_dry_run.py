"""Finds out in a dry run which streams a container takes beside a picture, and libav's reason where it refuses one.

A header is written in memory with the picture and the streams in it, as they will be, and the muxer accepts it or says why not.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Literal

import av
import av.error
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Stream

from actors.encode.segment_writer import add_encoder
from actors.mux.containers import FORMATS, dress
from actors.mux.hls.stream import unstreamed
from actors.mux.pcm import refuses_sound
from actors.mux.stream_copy import add_carried
from actors.mux.subtitles import MOV_TEXT, converted_to, what_is_lost
from actors.mux.tags import BOXES, unsaid_of_track
from jobs.film.source import Film
from jobs.film.timecode import timecode_at
from jobs.records.deliverables import StreamFate
from jobs.records.orders import Encoding
from jobs.spec.advice import UnfitDeliverable
from jobs.spec.codecs import Codec, Wrapping
from jobs.spec.streams import DropRule

BY_THE_SPEC = "left out by the spec's word"

ALONE = "a folder of pictures holds no sound, no subtitles and no other stream"

_CARRIED = ("copied", "converted")


def listed(drop: DropRule, stream: int | None, kind: str) -> bool:
    """Whether the spec's list of what may be left out names this stream, or its kind."""
    return isinstance(drop, tuple) and (stream in drop or kind in drop)


class MuxDryRun:
    """What becomes of each stream of a film beside one picture, in any container. Holds no file open of its own."""

    def __init__(self, film: Film, media: InputContainer, encoding: Encoding, drop: DropRule) -> None:
        self.film = film
        self.media = media
        self.encoding = _openable(encoding)
        self.drop = drop
        self._fates: dict[Wrapping, tuple[StreamFate, ...]] = {}

    def fates(self, container: Wrapping) -> tuple[StreamFate, ...]:
        """The fate of each stream in this container, by index. Raises Unfit where not even the picture goes into it."""
        if container not in self._fates:
            if container != "folder" and (reason := self._refusal(container, [])):
                raise UnfitDeliverable(
                    f"{self.film.source}: the picture as {self.encoding.codec} cannot be written into {container} ({reason})"
                )
            self._fates[container] = self._decided(container)
        return self._fates[container]

    def _decided(self, container: Wrapping) -> tuple[StreamFate, ...]:
        fates: list[StreamFate] = []
        for stream in self.media.streams:
            fate = self._fate(stream, container)
            # Beside those already in: some refuse each other's company.
            if fate.fate in _CARRIED and (reason := self._refusal(container, [*fates, fate])):
                fate = fate.model_copy(update={"fate": "dropped", "detail": reason})
            fates.append(fate)
        return tuple(fates)

    def _fate(self, stream: Stream, container: Wrapping) -> StreamFate:
        codec = codec_of(stream)
        fate: Literal["picture", "copied", "converted", "rewritten", "dropped"] = "copied"
        detail = ""
        if stream.index == self.film.picture.stream:
            fate = "picture"
        elif said := self._rewritten(stream, container):
            fate, detail = "rewritten", said
        elif listed(self.drop, stream.index, stream.type):
            fate, detail = "dropped", BY_THE_SPEC
        elif container == "folder":
            fate, detail = "dropped", ALONE
        elif reason := self._unfit(stream, container):
            fate, detail = "dropped", reason
        elif stream.type == "subtitle" and (target := converted_to(codec, container)):
            fate, detail = "converted", f"to {target}, the container's own; {what_is_lost(codec)} are lost"
            if target == MOV_TEXT:
                detail += "; words that are shown at one time become one cue"
            detail = "; ".join(one for one in (detail, unsaid_of_track(container, stream.metadata)) if one)
        else:
            detail = "; ".join(_changed(stream, codec, container))
        return StreamFate(stream=stream.index, kind=stream.type, codec=codec, fate=fate, detail=detail)

    def _unfit(self, stream: Stream, container: Wrapping) -> str:
        """What a trial header does not bring to light: why the container does not hold a stream; else empty."""
        if container == "hls":
            return unstreamed(stream, self.media)
        return _unheard(stream, container) if isinstance(stream, AudioStream) else ""

    def _rewritten(self, stream: Stream, container: Wrapping) -> str:
        # Tracks that mp4 and mov make of a tag or of the chapters; copied, they would be there twice, or kill the header.
        if stream.type == "data" and (code := stream.metadata.get("timecode")) and stream.frames <= 1:
            if container == "folder":
                dpx = self.encoding.codec is Codec.DPX
                return f"time code {code}: " + ("in every picture's header" if dpx else "told by the report alone")
            if container == "hls":
                return ""
            where = {"mkv": "a tag", "mxf": "the container's own"}.get(container, "a time code track")
            differs = timecode_said(code, self.encoding.rate)
            return differs or f"time code {code}: written anew as {where}"
        lists = stream.discard is Discard.all or (stream.codec_context is not None and stream.codec_tag == "text")
        if container in (*BOXES, "mkv") and stream.type in ("data", "subtitle") and lists and self.media.chapters():
            return "a list of chapters: written anew with the chapters"
        return ""

    def _refusal(self, container: Wrapping, fates: list[StreamFate]) -> str:
        """Why a header with the picture and these streams cannot be written; empty where it can."""
        with _listening() as heard:
            out = av.open(io.BytesIO(), "w", format=FORMATS[container])
            try:
                picture = add_encoder(out, self.encoding)
                dress(picture, container, self.film, self.encoding)
                if code := timecode_at(self.film.timecode, self.encoding.rate):
                    picture.metadata["timecode"] = code
                for fate in fates:
                    if fate.fate in _CARRIED:
                        add_carried(out, self.media.streams[fate.stream], fate, container)
                out.start_encoding()
            except (av.error.FFmpegError, ValueError) as error:
                return _reason(error, heard)
            finally:
                with suppress(av.error.FFmpegError):
                    out.close()
        return ""


@contextmanager
def _listening() -> "Iterator[list[tuple[int, str, str]]]":
    """What libav says of errors while the block lasts: the numbers that it raises say little."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as heard:
            yield heard
    finally:
        av.logging.set_level(level)


def codec_of(stream: Stream) -> str:
    """libav's name of a stream's codec; for data and attachments, what is known instead."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    if stream.type == "data":
        return stream.name or ("tmcd" if stream.metadata.get("timecode") else "unknown")
    return stream.metadata.get("mimetype") or "unknown"


def _openable(encoding: Encoding) -> Encoding:
    # The container sees no difference, and the machine that plans need not have the renderers' GPU.
    software = {"h264_nvenc": "libx264", "hevc_nvenc": "libx265"}.get(encoding.encoder)
    return encoding.model_copy(update={"encoder": software, "options": {}}) if software else encoding


def _unheard(stream: AudioStream, container: Wrapping) -> str:
    """Why the container does not hold a sound, of which its header would say nothing; else empty."""
    if container == "mxf":
        return refuses_sound(stream)
    unplaced = stream.codec_context.codec.canonical_name.startswith("pcm_") and stream.layout.name.endswith(" channels")
    if container == "mp4" and unplaced and stream.channels > 2:
        return f"mp4 wants to know where each of {stream.channels} channels is heard, and the source does not say"
    return ""


def _changed(stream: Stream, codec: str, container: Wrapping) -> Iterator[str]:
    """What a copy loses or gains, in words."""
    if codec == "opus" and container == "mp4":
        yield "up to one packet longer at its end, which mp4 cannot trim by samples"
    if container == "mxf" and stream.type == "audio":
        yield "exactly as long as the picture: what sounds before or after it is cut, and where sound lacks there is silence"
    if unsaid := unsaid_of_track(container, stream.metadata):
        yield unsaid


def timecode_said(code: str, rate: Fraction) -> str:
    """In words, how a time code of the source differs from what is written of it; empty where it is written as it is."""
    meant = timecode_at(code, rate)
    if not code or meant == code:
        return ""
    left_out = f"is left out, for at {rate} frames a second no frame has it"
    return f"time code {code} is written as {meant}" if meant else f"time code {code} {left_out}"


def _reason(error: Exception, heard: "list[tuple[int, str, str]]") -> str:
    words = [words.strip().rstrip(".") for _, _, words in heard if words.strip()]
    text = words[-1] if words else str(error).strip().rstrip(".")
    return text.splitlines()[-1] if text else type(error).__name__
