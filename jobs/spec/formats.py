"""Formats: what a deliverable may be, and which codec goes into which container. Promises to refuse a pair with its reason; knows no encoder's options."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from jobs.document import Document


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


class Deliverable(Document):
    """One finished file, or one folder of pictures."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ ()-]{0,150}$")] | None = None
    """File name without its ending; by default the source's stem."""
    codec: Codec = Codec.H264
    container: Container = Container.AUTO
    crf: Annotated[int, Field(ge=0, le=51)] = 16
    """Constant quality of h264 and hevc, 0 (best) to 51; 16 is visually transparent. Not used by others."""
    preset: Literal["ultrafast", "veryfast", "faster", "fast", "medium", "slow", "slower"] = "medium"
    """Effort of h264 and hevc. Not used by others."""
    profile: str | None = None
    """prores: proxy, lt, standard, hq, 4444, 4444xq. dnxhr: lb, sq, hq, hqx, 444. By default hq."""
    depth: Literal[8, 10, 12, 16] | None = None
    """Bits a sample: h264 and hevc 8 or 10, png and tiff 8 or 16, dpx 8, 10, 12 or 16. By default the first of these (dpx: 10)."""
    height: Annotated[int, Field(ge=16, le=8192)] | None = None
    """Lines of the picture as stored (of single pictures: as shown, upright); the width follows, even. By default the source's own size."""
    encoder: Literal["software", "nvenc"] = "software"
    """nvenc: h264 and hevc by the GPU's own encoder, where the renderers' GPUs have one."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        holds = CONTAINERS[self.codec]
        if self.container is not Container.AUTO and self.container.value not in holds:
            raise ValueError(f"{self.codec} does not go into {self.container}; it goes into {' or '.join(holds)}")
        if self.profile is not None and self.profile not in (known := PROFILES.get(self.codec, ())):
            says = f"its profiles are {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{self.codec} has no profile '{self.profile}'; {says}")
        if self.depth is not None and self.depth not in (depths := DEPTHS.get(self.codec, ())):
            says = f"of {' or '.join(map(str, depths))} bits" if depths else "of the depth its profile or source says"
            raise ValueError(f"{self.codec} of {self.depth} bits is not made; it is {says}")
        if self.encoder == "nvenc" and self.codec not in (Codec.H264, Codec.HEVC):
            raise ValueError("nvenc encodes h264 and hevc only; leave encoder out")
        if self.container is Container.HLS and self.codec is Codec.H264 and self.depth == 10:
            raise ValueError(
                "browsers play h264 of 8 bits only: a review stream (hls) has that depth, or another codec"
            )
        return self

    @property
    def wrappings(self) -> tuple[Wrapping, ...]:
        """Containers that it may get: one, unless "auto" leaves the choice to the source's streams."""
        holds = CONTAINERS[self.codec]
        chosen = tuple(one for one in holds if one == self.container.value)
        return chosen or (holds[:2] if self.codec in (Codec.H264, Codec.HEVC) else holds[:1])
