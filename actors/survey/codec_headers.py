"""Finds new codec headers inside a film's packets, and whether the picture changes its form from there on.

A keyframe is decoded only where its header is new; all else is found by demuxing.

Most codecs say size, sampling, depth, colour and pixel shape in a header that comes with every keyframe. So a film that
changes its picture is refused as its index is read, before any chunk of it is rendered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import islice

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.constancy import Form, changed_at, form_of, frame_form, interlaced_at
from actors.media.container import PICTURES, decode_one, time_of
from actors.media.display_order import WINDOW
from actors.media.metadata.image_headers import form_in
from actors.media.random_access import nal_length_bytes, units
from actors.survey.probe import colour_of
from jobs.errors import BadMedia

_EXTENSIONS = (0x10, 0x20)
"""MPEG-2's extensions that belong to the sequence: the sequence's own, and its display's."""


def _h264(unit: bytes) -> bool:
    return unit[0] & 31 == 7


def _hevc(unit: bytes) -> bool:
    return unit[0] >> 1 & 63 == 33


def _mpeg2(unit: bytes) -> bool:
    return unit[0] == 0xB3 or (unit[0] == 0xB5 and len(unit) > 1 and unit[1] & 0xF0 in _EXTENSIONS)


def _mpeg4(unit: bytes) -> bool:
    return 0x20 <= unit[0] <= 0x2F


def _vc1(unit: bytes) -> bool:
    return unit[0] == 0x0F


_UNITS: Mapping[str, Callable[[bytes], bool]] = {
    "h264": _h264,
    "hevc": _hevc,
    "mpeg1video": _mpeg2,
    "mpeg2video": _mpeg2,
    "mpeg4": _mpeg4,
    "vc1": _vc1,
}
"""Codecs whose packets divide into units, and which of these are a sequence's parameters."""

_BYTES = {
    "vp8": (3, 10),
    "vp9": (0, 10),
    "prores": (8, 26),
    "dnxhd": (0, 0x2E),
    "jpeg2000": (0, 64),
    "png": (8, 33),
    "ffv1": (0, 4),
    "dpx": (768, 812),
}
"""Codecs whose keyframes have it at one place: where it begins and ends. Some bytes of no meaning cost a decoding, no more."""

_PICTURE_FILES = ("tiff", "exr")
"""Codecs whose header is a list of entries, in any order and at any place."""

_AV1_SEQUENCE = 1
"""Type of the OBU that says an AV1 sequence's parameters."""


def header_of(codec: str, keyframe: bytes, length_bytes: int) -> bytes:
    """What of a keyframe's bytes says its picture's form; empty where a codec is not known here, or the keyframe does not say."""
    if says := _UNITS.get(codec):
        return b"".join(unit for unit in units(keyframe, length_bytes) if unit and says(unit))
    if codec == "av1":
        return b"".join(_sequences(keyframe))
    if codec == "mjpeg":
        # SOF0 to SOF2: depth, size and sampling; ahead of them JFIF's density.
        place = max((keyframe.find(bytes((255, one))) for one in (0xC0, 0xC1, 0xC2)), default=-1)
        return keyframe[:20] + keyframe[max(0, place) : place + 19]
    if codec in _PICTURE_FILES:
        return form_in(keyframe)
    begin, end = _BYTES.get(codec, (0, 0))
    return keyframe[begin:end]


def _sequences(packet: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(packet):
        head = packet[place]
        place += 2 if head & 4 else 1
        if not head & 2:  # no size: it is the last
            return
        size = shift = 0
        while place < len(packet):
            byte, place = packet[place], place + 1
            size, shift = size | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        if head >> 3 & 15 == _AV1_SEQUENCE:
            yield packet[place : place + size]
        place += size


def same_throughout(
    packets: Iterator[Packet[VideoStream]], stream: VideoStream, what: str, place: int, *, deinterlace: bool
) -> Iterator[Packet[VideoStream]]:
    """The packets, the first of which is at `place`. `deinterlace`: frames may be interlaced or not.

    Raises BadMedia at a keyframe from which on the picture has another form.
    """
    headers = _Headers(stream, what, deinterlace)
    before: deque[int] = deque(maxlen=WINDOW)
    for packet in packets:
        if packet.is_keyframe and (change := headers.change(packet)):
            # Those shown before it may be stored after it.
            time = time_of(packet) or 0
            near = [*before, *(time_of(one) or 0 for one in islice(packets, WINDOW) if not one.is_discard)]
            number = place - len(before) + sum(one < time for one in near)
            raise BadMedia(f"{what} {interlaced_at(number) if change == _WOVEN else changed_at(number, change)}")
        if not packet.is_discard:
            before.append(time_of(packet) or 0)
            place += 1
        yield packet


_WOVEN = "from progressive to interlaced"


class _Headers:
    """The headers of one stream, as far as its keyframes have come."""

    def __init__(self, stream: VideoStream, what: str, deinterlace: bool) -> None:
        self._stream = stream
        self._what = what
        self._deinterlace = deinterlace
        self._codec = stream.codec_context.codec.canonical_name
        self._length_bytes = nal_length_bytes(stream.codec_context.extradata, self._codec)
        # From version 3 on FFV1 has its header in the container, once for all frames.
        self._is_outside = self._codec == "ffv1" and bool(stream.codec_context.extradata)
        self._seen: set[bytes] = set()
        self._form: Form | None = None
        self._stored = ""

    def change(self, keyframe: Packet[VideoStream]) -> str:
        """In words, how the picture differs from the first one's from this keyframe on; empty where it does not.

        A header that damage has spoilt, so that its own keyframe cannot be decoded, is passed over.
        """
        header = b"" if self._is_outside else header_of(self._codec, bytes(keyframe), self._length_bytes)
        if keyframe.has_sidedata("new_extradata"):
            header += bytes(keyframe.get_sidedata("new_extradata"))
        if not header or header in self._seen:
            return ""
        first = not self._seen
        self._seen.add(header)
        # libav's own TIFF files are not to the strict decoder's liking.
        decoder = self._decoder(strict=not first and self._codec != "tiff")
        frames = [*decode_one(decoder, keyframe), *decode_one(decoder, None)]
        if not frames or frames[0].is_corrupt:
            return ""
        if self._form is None:
            self._stored = frames[0].format.name
            self._form = self._whole(frames[0], decoder)
            return ""
        return self._form.change(self._told(frames[0], decoder))

    def _decoder(self, *, strict: bool) -> VideoCodecContext:
        context = self._stream.codec_context
        decoder = av.CodecContext.create(context.codec.name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.extradata, decoder.codec_tag = context.extradata, context.codec_tag
        if self._codec == "ffv1":  # its size is the container's
            decoder.width, decoder.height = context.width, context.height
        decoder.options = PICTURES | ({"err_detect": "explode"} if strict else {})
        return decoder

    def _whole(self, frame: VideoFrame, decoder: VideoCodecContext) -> Form:
        colour = colour_of(self._stream, frame, self._what)
        form = form_of(frame.width, frame.height, frame.format.name, colour, woven=self._deinterlace)
        told = self._told(frame, decoder)
        return form._replace(
            interlaced=None if self._deinterlace else told.interlaced, aspect=told.aspect, rotation=told.rotation
        )

    def _told(self, frame: VideoFrame, decoder: VideoCodecContext) -> Form:
        return frame_form(frame, self._stored)._replace(
            aspect=Fraction(decoder.sample_aspect_ratio or 1), rotation=frame.rotation % 360
        )
