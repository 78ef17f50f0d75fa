"""Which stream goes into which deliverable, decided before any work. Promises that no stream is dropped without the user's word; renders nothing.

The judge is the muxer itself: a header is written in memory with the stream in it, and libav accepts it or says why not.
"""

import io
from contextlib import suppress
from fractions import Fraction
from typing import Literal

import av
import av.error
from av.container import InputContainer
from av.stream import Discard, Stream

from actors.carry import add_carried
from actors.containers import FORMATS
from actors.encode import add_encoder, encoding_for
from actors.media import opened
from actors.subtitles import converted_to, what_is_lost
from jobs.deliverables import DeliverablePlan, StreamFate
from jobs.errors import BadSpec
from jobs.film import Film
from jobs.formats import Codec, Container, Deliverable, Wrapping
from jobs.records import Encoding
from jobs.spec import Drop, JobSpec

_ANY_CLOCK = ("mpegts", "mpeg")
"""Formats whose clock begins anywhere: a broadcast recording may start at 26 hours."""

ROUNDED = Fraction(1, 100)
"""How far from square pixels may be to be written as square where no other can be: a display size rounded to whole pixels."""

_TIME_OF_DAY = 3600
"""Seconds from which such a clock's beginning is taken for the time of day and not for the film's own late start."""


def plan_deliverables(
    film: Film, spec: JobSpec, source: str, grey_stays_grey: bool = False
) -> tuple[DeliverablePlan, ...]:
    """Every deliverable of the spec, decided: container, encoder, and the fate of each stream of the source.

    `source` is the film's path or URL. Raises BadSpec where a stream does not fit and may not be dropped, or where the
    picture does not fit; BadMedia where the source cannot be read.
    """
    with opened(source) as media:
        return tuple(_plan(film, spec, media, one, grey_stays_grey) for one in spec.deliverables)


def _plan(
    film: Film, spec: JobSpec, media: InputContainer, deliverable: Deliverable, grey_stays_grey: bool
) -> DeliverablePlan:
    encoding = encoding_for(film, deliverable, grey_stays_grey)
    trial = _Trial(film, media, encoding)
    container = _container(deliverable, trial)
    squared = container == "mkv" and encoding.codec is Codec.FFV1 and encoding.aspect != 1
    if squared and abs(encoding.aspect - 1) > ROUNDED:
        raise BadSpec(
            f"{film.source} has pixels of {encoding.aspect}, and ffv1 in mkv cannot be written with that shape: "
            "set the deliverable's codec to h264."
        )
    fates = trial.fates(container)
    if spec.drop is Drop.NOTHING:
        _refuse_dropped(film, container, fates)
    if squared:
        fates = tuple(_said_square(one, encoding.aspect) if one.fate == "picture" else one for one in fates)
        encoding = encoding.model_copy(update={"aspect": Fraction(1)})
    return DeliverablePlan(
        deliverable=deliverable,
        file=f"{spec.title(deliverable)}.{container}",
        container=container,
        encoding=encoding,
        fates=fates,
        origin=_origin(media),
    )


def _said_square(fate: StreamFate, aspect: Fraction) -> StreamFate:
    return fate.model_copy(
        update={"detail": f"pixels of {aspect} are written as square, which ffv1 in mkv cannot but be"}
    )


def _container(deliverable: Deliverable, trial: "_Trial") -> Wrapping:
    if deliverable.container is not Container.AUTO:
        return "mp4" if deliverable.container is Container.MP4 else "mkv"
    if deliverable.codec is Codec.FFV1:
        return "mkv"
    return "mkv" if any(one.fate == "dropped" for one in trial.fates("mp4")) else "mp4"


def _refuse_dropped(film: Film, container: Wrapping, fates: tuple[StreamFate, ...]) -> None:
    for fate in fates:
        if fate.fate == "dropped":
            instead = " or set the deliverable's container to mkv" if container == "mp4" else ""
            raise BadSpec(
                f"{film.source}: stream {fate.stream} ({fate.kind}, {fate.codec}) does not fit into {container} "
                f"({fate.detail}); allow such streams to be left out with --drop unsupported{instead}."
            )


def _origin(media: InputContainer) -> Fraction:
    if media.format.name not in _ANY_CLOCK:
        return Fraction(0)
    starts = [one.start_time * one.time_base for one in media.streams if one.start_time is not None and one.time_base]
    first = min(starts, default=Fraction(0))
    return first if first >= _TIME_OF_DAY else Fraction(0)


class _Trial:
    """Headers in memory: what a container takes beside this picture."""

    def __init__(self, film: Film, media: InputContainer, encoding: Encoding) -> None:
        self.film = film
        self.media = media
        self.encoding = encoding
        self._fates: dict[Wrapping, tuple[StreamFate, ...]] = {}

    def fates(self, container: Wrapping) -> tuple[StreamFate, ...]:
        """The fate of each stream in this container, by index."""
        if container not in self._fates:
            self._fates[container] = self._decided(container)
        return self._fates[container]

    def _decided(self, container: Wrapping) -> tuple[StreamFate, ...]:
        fates: list[StreamFate] = []
        for stream in self.media.streams:
            fate = self._fate(stream, container)
            # Beside those already in: some refuse each other's company.
            if fate.fate in ("copied", "converted") and (reason := self._refusal(container, [*fates, fate])):
                fate = fate.model_copy(update={"fate": "dropped", "detail": reason})
            fates.append(fate)
        return tuple(fates)

    def _fate(self, stream: Stream, container: Wrapping) -> StreamFate:
        codec = codec_of(stream)
        if stream.index == self.film.picture.stream:
            return StreamFate(stream=stream.index, kind="video", codec=codec, fate="picture")
        fate: Literal["copied", "converted", "rewritten"] = "copied"
        detail = ""
        if said := _rewritten(stream, self.media, container):
            fate, detail = "rewritten", said
        elif stream.type == "subtitle" and (target := converted_to(codec, container)):
            fate, detail = "converted", f"to {target}, the container's own; {what_is_lost(codec)} are lost"
        elif codec == "opus" and container == "mp4":
            detail = "up to one packet longer at its end, which mp4 cannot trim by samples"
        return StreamFate(stream=stream.index, kind=stream.type, codec=codec, fate=fate, detail=detail)

    def _refusal(self, container: Wrapping, fates: list[StreamFate]) -> str:
        """Why a header with the picture and these streams cannot be written; empty where it can."""
        out = av.open(io.BytesIO(), "w", format=FORMATS[container])
        try:
            add_encoder(out, self.encoding)
            for fate in fates:
                if fate.fate in ("copied", "converted"):
                    add_carried(out, self.media.streams[fate.stream], fate, container)
            out.start_encoding()
        except (av.error.FFmpegError, ValueError) as error:
            return _reason(error)
        finally:
            with suppress(av.error.FFmpegError):
                out.close()
        return ""


def codec_of(stream: Stream) -> str:
    """libav's name of a stream's codec; for data and attachments, what is known instead."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    return (stream.name if stream.type == "data" else stream.metadata.get("mimetype")) or "unknown"


def _rewritten(stream: Stream, media: InputContainer, container: Wrapping) -> str:
    # Tracks that mp4 and mov make of a tag or of the chapters; copied, they would be there twice, or kill the header.
    if stream.type == "data" and (code := stream.metadata.get("timecode")) and stream.frames <= 1:
        return f"time code {code}: written anew as a " + ("time code track" if container == "mp4" else "tag")
    lists_chapters = stream.discard is Discard.all or (stream.codec_context is not None and stream.codec_tag == "text")
    if stream.type in ("data", "subtitle") and lists_chapters and media.chapters():
        return "a list of chapters: written anew with the chapters"
    return ""


def _reason(error: Exception) -> str:
    log = getattr(error, "log", None)
    text = str(log[2]) if log else str(error)
    return text.strip().rstrip(".").splitlines()[-1] if text.strip() else type(error).__name__
