"""A film as surveyed: which source it is, how its picture is stored, what else it carries. Promises no more than was read; opens nothing."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from jobs.paper import Paper


def _fraction(value: object) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(str(value))


Rational = Annotated[Fraction, BeforeValidator(_fraction), PlainSerializer(str, return_type=str)]
"""An exact ratio, on paper as "24000/1001"."""


class SourceIdentity(Paper):
    """What tells this source from any other: what the store says of it, and a hash of its head and tail."""

    bytes: int
    version: str
    """S3: ETag and version id. A local file: modification time in nanoseconds."""
    ends_sha256: str
    """SHA-256 of the first and the last MiB."""


class Colour(Paper):
    """How numbers become colours. Names follow ITU-T H.273 as ffmpeg spells the numbers; never "unspecified"."""

    matrix: Literal["bt601", "bt709", "bt2020"]
    full_range: bool
    """True: 0..2^n-1. False: 16..235 (luma), 16..240 (chroma) times 2^(n-8)."""
    primaries: int
    transfer: int
    space: int
    """H.273 code points as they will be tagged in a deliverable."""
    assumed: bool
    """The source did not say, so BT.601 was assumed below 720 lines, else BT.709."""


class Picture(Paper):
    """The video stream that is worked on."""

    stream: int
    codec: str
    width: int
    height: int
    stored: str
    """Pixel format as the source's decoder gives it."""
    pix_fmt: str
    """Pixel format as the farm works on it: the same, or what it is developed to (`developed`)."""
    depth: int
    """Bits a sample of `pix_fmt`."""
    time_base: Rational
    rate: Rational
    """Frames a second: nominal for constant rate, average for variable."""
    aspect: Rational
    """Sample aspect ratio; 1 for square pixels."""
    rotation: int
    """Degrees counter-clockwise that a player turns the picture: 0, 90, 180, 270."""
    colour: Colour
    deinterlace: bool = False
    """Interlaced in the source; its frames are made progressive as they are split."""
    grey: bool = False
    """Black-and-white, as far as a look at a few frames tells: its cuts are sought by brightness alone."""

    @property
    def developed(self) -> bool:
        """Whether frames are changed as they are split (deinterlaced, or brought to planar Y'CbCr), and so kept in FFV1."""
        return self.deinterlace or self.stored.replace("yuvj", "yuv") != self.pix_fmt.replace("yuvj", "yuv")

    def named(self) -> dict[str, object]:
        """What of this paper changes pictures, for digests."""
        return self.model_dump(
            mode="json", include={"stream", "stored", "pix_fmt", "deinterlace", "rotation", "colour"}
        )


class OtherStream(Paper):
    """A stream that is carried over untouched, or dropped by the user's word."""

    stream: int
    kind: Literal["audio", "subtitle", "data", "attachment", "video"]
    codec: str
    language: str = ""


class Film(Paper):
    """One source: its identity, its picture, its other streams, its chapters and tags."""

    source: str
    identity: SourceIdentity
    format: str
    """libavformat's name of the container, as in "mov,mp4,m4a,3gp,3g2,mj2"."""
    picture: Picture
    others: tuple[OtherStream, ...] = ()
    chapters: int = 0
    tags: dict[str, str] = Field(default_factory=dict)
    timecode: str = ""
    """SMPTE time code of the first frame, "HH:MM:SS:FF" or with ";" before drop-frame frames; empty where the source tells none."""
    captions: bool = False
    """The picture's packets carry closed captions (CEA-608 or 708), which no other picture does."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """Length by the header; 0 where it does not say. For estimates only."""
