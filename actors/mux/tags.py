"""Chooses which of a film's tags go into a deliverable, and says which its container has no place for.

Tags that describe the old file are left out.
"""

import io
from fractions import Fraction
from functools import cache

import av
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from actors.mux.subtitles import HEADER, MOV_TEXT
from jobs.spec.codecs import Wrapping

BOXES: tuple[Wrapping, ...] = ("mp4", "mov", "hls")
"""Containers made of ISO boxes."""

_MXF_TAGS = frozenset(
    [
        *(
            "operational_pattern_ul",
            "uid",
            "generation_uid",
            "modification_date",
            "company_name",
            "application_platform",
        ),
        *(
            "product_name",
            "product_version",
            "product_version_num",
            "product_uid",
            "toolkit_version",
            "toolkit_version_num",
        ),
        *("material_package_umid", "file_package_umid", "source_package_umid", "source_track_id", "data_type"),
    ]
)
"""What an MXF says of its own making."""

FILE_TAGS = _MXF_TAGS | {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "timecode"}
_STREAM_TAGS = _MXF_TAGS | {
    "encoder",
    "duration",
    "vendor_id",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "timecode",
}
PICTURE_TAGS = _STREAM_TAGS | {"alpha_mode", "rotate"}
"""What a picture made anew says of itself, or does not have."""
_STATISTICS = ("_statistics", "bps-", "number_of_frames-", "number_of_bytes-", "duration-")
_HANDLERS = frozenset({"VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler"})


def tags_of(metadata: dict[str, str], leave: frozenset[str] = _STREAM_TAGS) -> dict[str, str]:
    """Tags worth carrying: not those that describe the old file, and that the new one says of itself."""
    return {
        # A track's title is written as "title" and read from an mp4 as "name".
        "title" if name == "name" else name: value
        for name, value in metadata.items()
        if name.lower() not in leave and not name.lower().startswith(_STATISTICS) and value not in _HANDLERS
    }


_TRACK_WORDS = frozenset({"title", "language", "handler_name", "creation_time"})
"""What libav writes of a track's tags into ISO boxes."""

_TWINS = (
    "sqi/alb hye/arm eus/baq mya/bur zho/chi ces/cze nld/dut fra/fre kat/geo deu/ger ell/gre isl/ice mkd/mac mri/mao \
msa/may fas/per ron/rum slk/slo bod/tib cym/wel"
)
_TWIN = {one: other for pair in _TWINS.split() for one, other in (pair.split("/"), pair.split("/")[::-1])}
"""Languages with two codes in ISO 639-2, for terminology and for bibliography: each code's other."""


def same_language(one: str, other: str) -> bool:
    """Whether two codes of ISO 639-2 name one language; none, and "und", name none."""
    return _plain(one) == _plain(other) or _TWIN.get(_plain(one)) == _plain(other)


def _plain(language: str) -> str:
    return "" if language == "und" else language


def language_in(container: Wrapping, language: str) -> str:
    """The code that the container has for a language: the same, its twin in ISO 639-2, or none (empty)."""
    if container not in BOXES or not _plain(language):
        return language
    # QuickTime's list has one code for most languages, now of the one kind, now of the other.
    known = (one for one in (language, _TWIN.get(language, "")) if one and _read_back(container, (), one)[1] == one)
    return next(known, "")


def wants_keys(container: Wrapping, tags: dict[str, str]) -> bool:
    """Whether some of a film's tags have no box of their own in the container, so that all are written as named keys."""
    if container not in BOXES or not tags:
        return False
    found, _ = _read_back(container, tuple(tags.items()), "")
    return not {one.lower() for one in tags} <= {one.lower() for one in found}


@cache
def _read_back(container: Wrapping, tags: tuple[tuple[str, str], ...], language: str) -> tuple[dict[str, str], str]:
    """What a reader finds of a film's tags and of a track's language, in a file made in memory."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4" if container == "hls" else container) as out:
        out.metadata.update(tags)
        stream = out.add_stream(MOV_TEXT)
        assert isinstance(stream, SubtitleStream)
        stream.codec_context.subtitle_header = HEADER
        stream.metadata["language"] = language
        # Without a packet there would be no track, and nothing to open.
        packet: Packet[Stream] = Packet(b"\0\1a")
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts, packet.dts, packet.duration = 0, 0, 1
        out.mux_one(packet)
    with av.open(io.BytesIO(file.getvalue())) as media:
        return media.metadata, media.streams[0].metadata.get("language", "")


def unsaid_of_track(container: Wrapping, metadata: dict[str, str], leave: frozenset[str] = _STREAM_TAGS) -> str:
    """In words, which tags of a stream the container has no place for; empty where it keeps them all."""
    if container not in BOXES:
        return ""
    tags = tags_of(metadata, leave)
    lost = sorted(name for name in tags if name.lower() not in _TRACK_WORDS)
    language = tags.get("language", "")
    said = [f"{container} has no place for a track's {', '.join(lost)}"] if lost else []
    if _plain(language) and not language_in(container, language):
        said.append(f"{container} has no word for the language {language}")
    return "; ".join(said)
