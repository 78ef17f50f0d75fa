"""Codecs and containers, and which fit together. Standard library only: the command line imports it at once."""

from enum import StrEnum
from typing import Literal


class Codec(StrEnum):
    """How a deliverable's picture is encoded."""

    H264 = "h264"
    """H.264, 4:2:0, 8 or 10 bit, constant quality `crf`."""
    HEVC = "hevc"
    """H.265, 4:2:0, 8 or 10 bit, constant quality `crf`."""
    PRORES = "prores"
    """Apple ProRes, 10 bit, 4:2:2 or (4444, 4444xq) 4:4:4; `profile` says which."""
    DNXHR = "dnxhr"
    """Avid DNxHR, 8 or 10 bit, 4:2:2 or (444) 4:4:4; `profile` says which."""
    FFV1 = "ffv1"
    """FFV1 version 3, lossless, at the source's own depth and subsampling."""
    PNG = "png"
    """One PNG for each frame, R'G'B' of 8 or 16 bit."""
    TIFF = "tiff"
    """One TIFF for each frame, R'G'B' of 8 or 16 bit."""
    DPX = "dpx"
    """One DPX (SMPTE ST 268) for each frame, R'G'B' of 8, 10, 12 or 16 bit."""
    EXR = "exr"
    """One OpenEXR for each frame, linear RGB as 16-bit floats, 1 for white."""


class Drop(StrEnum):
    """What may be left out of a deliverable."""

    NOTHING = "nothing"
    """A stream that does not fit the container is refused before any work."""
    UNSUPPORTED = "unsupported"
    """Streams that do not fit are left out, and the report names them."""


class Container(StrEnum):
    """What a deliverable's streams are wrapped in."""

    AUTO = "auto"
    """The first that fits: mp4, then mkv, for h264 and hevc; mov for prores and dnxhr; mkv for ffv1; a folder for pictures."""
    MP4 = "mp4"
    MOV = "mov"
    MKV = "mkv"
    MXF = "mxf"
    """MXF OP1a: sound must be PCM of 48 kHz, and the rate constant."""
    FOLDER = "folder"
    """One file for each frame, in a folder of the deliverable's name; picture only."""
    HLS = "hls"
    """A review stream (RFC 8216) in a folder of the deliverable's name, to be watched while the film is rendered: the picture
    and one sound; what else there is, is left out."""


Wrapping = Literal["mp4", "mov", "mkv", "mxf", "folder", "hls"]
"""A container that has been decided."""

FOLDERS: tuple[Wrapping, ...] = ("folder", "hls")
"""Those that are a folder and not a file."""

PICTURES = (Codec.PNG, Codec.TIFF, Codec.DPX, Codec.EXR)
"""Codecs of which each frame is a file."""

LOOKED_AT = (Codec.H264, Codec.HEVC, Codec.PRORES, Codec.DNXHR)
"""Codecs of copies to look at, over which something may be drawn."""

CONTAINERS: dict[Codec, tuple[Wrapping, ...]] = {
    Codec.H264: ("mp4", "mkv", "mov", "hls"),
    Codec.HEVC: ("mp4", "mkv", "mov", "hls"),
    Codec.PRORES: ("mov", "mkv", "mxf"),
    Codec.DNXHR: ("mov", "mxf"),
    Codec.FFV1: ("mkv", "mp4"),
    **dict.fromkeys(PICTURES, ("folder",)),
}
"""Which containers hold a codec; the first is the one that "auto" tries first."""

PROFILES: dict[Codec, tuple[str, ...]] = {
    Codec.PRORES: ("hq", "proxy", "lt", "standard", "4444", "4444xq"),
    Codec.DNXHR: ("hq", "lb", "sq", "hqx", "444"),
}
"""Profiles of a codec; the first is the default."""

DEPTHS: dict[Codec, tuple[int, ...]] = {
    Codec.H264: (8, 10),
    Codec.HEVC: (8, 10),
    Codec.PNG: (8, 16),
    Codec.TIFF: (8, 16),
    Codec.DPX: (10, 8, 12, 16),
}
"""Bits a sample that may be asked for, where the profile does not say them; the first is the default."""
