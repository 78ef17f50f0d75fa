"""Finds out where a film's chroma samples lie beside its luma, and decides where those of a deliverable do.

PyAV does not tell it. libav writes it into the head of a Matroska file (ChromaSitingHorz, ChromaSitingVert; RFC 9559), so
it is read there, from a head made in memory.
"""

import io
from collections.abc import Mapping

import av
import av.error
from av.video.stream import VideoStream

from actors.media.container import MATROSKA
from actors.media.planes import aside, covered
from jobs.film.source import Picture, Siting
from jobs.records.orders import Encoding
from jobs.spec.codecs import Codec, Wrapping

_HORIZONTAL, _VERTICAL = b"\x55\xb7\x81", b"\x55\xb8\x81"
"""Matroska's elements, with their length of one byte."""

_SITINGS: Mapping[tuple[int, int], Siting] = {(1, 1): "topleft", (1, 2): "left", (2, 1): "top", (2, 2): "center"}
"""By Matroska: 1 is on the first of the pixels that a sample covers, 2 in their middle."""

OPTION = "chroma_sample_location"
"""libav's option of every encoder."""


def siting_of(stream: VideoStream) -> Siting:
    """Where an opened film's chroma lies, as its header or its first packets say; empty where they do not."""
    head = io.BytesIO()
    try:
        with av.open(head, "w", format="matroska", container_options=MATROSKA) as out:
            out.add_stream_from_template(stream, opaque=True)
            out.start_encoding()
            written = head.getvalue()
    except (av.error.FFmpegError, ValueError):
        # Matroska has no name for a few codecs (DNxHR, CineForm), which have no word for it either.
        return ""
    found = [written[place + 3] for one in (_HORIZONTAL, _VERTICAL) if (place := written.find(one)) > 0]
    return _SITINGS.get((found[0], found[1]), "") if len(found) == 2 else ""


_IN_THE_MIDDLE = ("mjpeg", "mpeg1video")
"""Codecs that site chroma in the middle of the pixels it covers, whether they are asked or not."""


def siting_in(picture: Picture) -> Siting:
    """Where the film's chroma lies."""
    return picture.siting or ("center" if picture.codec in _IN_THE_MIDDLE else "left")


def sited(picture: Picture, pix_fmt: str) -> Siting:
    """Where chroma lies in a deliverable of this form: where the film's does, which is copied; on the left, the default, where it is resampled."""
    return siting_in(picture) if covered(picture.pix_fmt) == covered(pix_fmt) else ""


def matters(siting: Siting, pix_fmt: str) -> bool:
    """Whether chroma of this form, so sited, lies elsewhere than where it is taken for when nothing is said."""
    return aside(pix_fmt, siting) != aside(pix_fmt)


def options_for(picture: Picture, pix_fmt: str, encoder: str) -> dict[str, str]:
    """What an encoder is told of it; nothing where it is where everyone takes it to be."""
    siting = sited(picture, pix_fmt)
    says = encoder in ("libx264", "libx265", "ffv1", "prores_ks")
    return {OPTION: siting} if says and matters(siting, pix_fmt) else {}


def siting_said(encoding: Encoding, container: Wrapping) -> Siting | None:
    """What a deliverable's file must say of it; None where nothing is asked of it, or it cannot."""
    siting = encoding.options.get(OPTION)
    says = encoding.codec in (Codec.H264, Codec.HEVC) or container == "mkv"
    return next((one for one in _SITINGS.values() if one == siting), None) if says else None


def untold(picture: Picture, encoding: Encoding, container: Wrapping) -> str:
    """In words, that a deliverable does not say where its chroma lies; empty where it does, or need not."""
    siting = sited(picture, encoding.pix_fmt)
    if not matters(siting, encoding.pix_fmt) or siting_said(encoding, container):
        return ""
    return (
        f"{encoding.codec} in {container} does not say where chroma lies ({siting}): players take it to be on the left"
    )
