"""A film as surveyed: which source it is, how its picture is stored, and what other streams it carries."""

import re
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from jobs.document import Amount, Document

_RATIO = re.compile(r"-?\d{1,19}([/.]\d{1,19})?")


def _fraction(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    # "1e999999999" would be worked out to its last digit.
    if not _RATIO.fullmatch(text := str(value)):
        raise ValueError(f"{text[:40]!r} is no ratio of whole numbers")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"{text!r} divides by nought") from None


def _positive(value: Fraction) -> Fraction:
    if value <= 0:
        raise ValueError("it is above nought")
    return value


Rational = Annotated[Fraction, BeforeValidator(_fraction), PlainSerializer(str, return_type=str)]
"""An exact ratio, on paper as "24000/1001"."""
PositiveRational = Annotated[Rational, AfterValidator(_positive)]
"""Likewise, above 0."""


class SourceIdentity(Document):
    """What tells this source from any other: what the store says of it, and a hash of its head and tail."""

    bytes: int
    version: str
    """S3: ETag and version id. A local file: modification time in nanoseconds. An image sequence: how many files at which
    rate, and a hash of every file's name, size and time."""
    ends_sha256: str
    """SHA-256 of the first and the last MiB."""


KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
"""Weights of red and blue in luma: ITU-R BT.601, BT.709, BT.2020 (non-constant luminance)."""


class Colour(Document):
    """How numbers become colours. Names follow ITU-T H.273 as ffmpeg spells the numbers; never "unspecified"."""

    matrix: Literal["bt601", "bt709", "bt2020"]
    full_range: bool
    """True: 0..2^n-1. False: 16..235 (luma), 16..240 (chroma) times 2^(n-8)."""
    primaries: int
    transfer: int
    space: int
    """H.273 code points as they will be tagged in a deliverable."""
    assumed: bool
    """The source did not say its matrix: BT.601 was assumed below 720 lines, else BT.709. Of R'G'B', which has none, always:
    `matrix` is the one by which it is developed."""


_RGB = ("rgb", "bgr", "gbr", "0rgb", "0bgr", "argb", "abgr", "pal8")
"""How libav's names of R'G'B' pixel formats begin."""
_RGB_16 = re.compile(r"(rgb|bgr)48..|(rgba|bgra)64..|gbra?p16..")
"""libav's names of R'G'B' of 16-bit integers."""
WITHIN_16_BIT = 2
"""How far 16-bit R'G'B' may come back from 16-bit Y'CbCr; less deep R'G'B' comes back exactly."""


FieldOrder = Literal["marked", "top", "bottom"]
"""marked: each frame says whether it is interlaced and which field is first. top, bottom: only the header says, for all."""


class Development(Document):
    """What becomes of decoded frames before they are kept as a chunk: everything that changes their samples."""

    version: int = 1
    """Raised when the arithmetic changes."""
    stored: str
    """Pixel format as decoded."""
    pix_fmt: str
    """Pixel format as kept: planar, little-endian, without alpha."""
    matrix: Literal["bt601", "bt709", "bt2020"]
    """By which R'G'B' becomes Y'CbCr, of limited range."""
    deinterlace: bool
    fields: FieldOrder = "marked"


StandIn = Literal["", "source", "grey"]
"""What stands in for a look's pictures where there are none: nothing, the source's own frames, or grey where not even they
can be decoded without harm."""


class Mending(Document):
    """How a chunk is put into the store where a frame that cannot be decoded shall not stop it: by the last one before it that can."""

    version: int = 1
    pix_fmt: str
    """Pixel format as kept."""
    width: int
    height: int
    decode: bool
    """False: nothing is decoded, and every frame is grey."""


Siting = Literal["", "left", "center", "topleft", "top"]
"""Where a chroma sample lies among the pixels that it covers, in libav's words; empty where it is not told."""


class Light(Document):
    """HDR10's static metadata, as x265 and others spell it; empty where it is not told."""

    display: str
    """The mastering display (SMPTE ST 2086): G(x,y)B(x,y)R(x,y)WP(x,y)L(most,least) in steps of 0.00002, and of 0.0001 cd/m2."""
    level: str
    """MaxCLL,MaxFALL (CTA-861.3) in cd/m2."""


LARGEST_SIDE = 65536
"""Pixels: no decoder gives more."""


class Picture(Document):
    """The video stream that is worked on."""

    stream: Annotated[int, Field(ge=0, le=65535)]
    codec: str
    width: Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
    height: Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
    stored: str
    """Pixel format as the source's decoder gives it."""
    pix_fmt: str
    """Pixel format as the farm works on it: the same, or what it is developed to (`developed`)."""
    depth: int
    """Bits a sample of `pix_fmt`."""
    time_base: PositiveRational
    rate: PositiveRational
    """Frames a second: nominal for constant rate, average for variable."""
    aspect: Rational
    """Sample aspect ratio; 1 for square pixels."""
    rotation: int
    """Degrees counter-clockwise that a player turns the picture: 0, 90, 180, 270."""
    colour: Colour
    deinterlace: bool = False
    """Interlaced in the source; its frames are made progressive as they are split."""
    alpha_dropped: bool = False
    """The source's pictures have an alpha channel; by the spec's word it is left out."""
    fields: FieldOrder = "marked"
    """Of interlaced pictures, where it is told which field comes first."""
    light: Light | None = None
    """What an HDR10 film was graded for."""
    lost: tuple[str, ...] = ()
    """In words, what the source says of its picture that no deliverable does (`actors.survey.properties`)."""
    siting: Siting = ""
    """Where chroma lies beside luma; where it is not told, on the left."""
    grey: bool = False
    """Black-and-white, as far as a look at a few frames tells: its cuts are sought by brightness alone."""

    @property
    def developed(self) -> bool:
        """Whether frames are changed as they are split (deinterlaced, or brought to planar Y'CbCr), and so kept in FFV1."""
        return self.deinterlace or self.stored.replace("yuvj", "yuv") != self.pix_fmt.replace("yuvj", "yuv")

    @property
    def clip_rate(self) -> Fraction:
        """Frames a second of the film's clips for review, as exact as their container tells it."""
        return self.rate.limit_denominator(100_000)

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as a player shows it: upright, with square pixels."""
        size = max(1, round(self.width * self.aspect)), self.height
        return (size[1], size[0]) if self.rotation % 180 else size

    @property
    def development(self) -> Development | None:
        """What becomes of the frames as they are split; None where they are kept as they are."""
        if not self.developed:
            return None
        return Development(
            stored=self.stored,
            pix_fmt=self.pix_fmt,
            matrix=self.colour.matrix,
            deinterlace=self.deinterlace,
            fields=self.fields,
        )

    def mending(self, stand_in: StandIn) -> Mending | None:
        """How frames are kept for a stand-in; None where nothing stands in."""
        form, decode = self.pix_fmt.replace("yuvj", "yuv"), stand_in == "source"
        return Mending(pix_fmt=form, width=self.width, height=self.height, decode=decode) if stand_in else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """In words, what is done to the source's pictures as they are split, and what is lost by it; empty where nothing is."""
        linear, of_rgb = "f16" in self.stored or "f32" in self.stored, self.stored.startswith(_RGB)
        said = {
            "interlaced pictures are made progressive (bwdif), one for each frame": self.deinterlace,
            f"R'G'B' ({self.stored}) is worked on as {self.pix_fmt}": of_rgb,
            f"R'G'B' of 16 bits is kept within {WITHIN_16_BIT} steps of 65535": _RGB_16.fullmatch(self.stored),
            "linear light is given BT.709's curve; what is brighter than white, or negative, is cut": linear,
            "the alpha channel is left out": self.alpha_dropped,
            f"{', '.join(self.lost)}: no deliverable says so": self.lost,
        }
        return tuple(words for words, so in said.items() if so)

    def named(self) -> dict[str, object]:
        """What of this paper changes pictures, for digests."""
        elsewhere = {"siting"} if self.siting not in ("", "left") else set()
        own = self.model_dump(mode="json", include={"stream", "stored", "pix_fmt", "rotation", "colour"} | elsewhere)
        return own | ({"development": self.development.model_dump(mode="json")} if self.development else {})


class OtherStream(Document):
    """A stream that is carried over untouched, or dropped by the user's word."""

    stream: int
    kind: Literal["audio", "subtitle", "data", "attachment", "video"]
    codec: str
    language: str = ""


class Film(Document):
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
    seconds: Amount = 0.0
    """Length by the header; 0 where it does not say. For estimates only."""
