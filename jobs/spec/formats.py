"""How each deliverable is encoded and wrapped; a codec and container that do not fit together are refused with the reason."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from jobs.document import Document
from jobs.spec.burn_in import BurnInTexts
from jobs.spec.codecs import CONTAINERS, DEPTHS, LOOKED_AT, PICTURES, PROFILES, Codec, Container, Wrapping
from jobs.spec.names import FileTitle
from jobs.spec.streams import DropRule


def _start_number(value: object) -> object:
    # A union would complain once for each of its members.
    number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9_000_000
    if not number and value not in (None, "timecode"):
        raise ValueError("the first picture's number is 0 to 9,000,000, as in 1001, or timecode")
    return value


StartNumber = Annotated[Annotated[int, Field(ge=0, le=9_000_000)] | Literal["timecode"], BeforeValidator(_start_number)]


def _is_none(value: object) -> bool:
    # What is not said is in no dump, so digests of specs from before these fields stay as they were.
    return value is None


class Deliverable(Document):
    """One finished file, or one folder of pictures."""

    name: FileTitle | None = None
    """File name without its ending, as in the-kid-master or Die Bäume: any printable text that can be a file's name. By default the
    source's own, so a second deliverable needs a name."""
    codec: Codec = Codec.H264
    """How the picture is encoded: h264 or hevc for viewing, prores or dnxhr for editing, ffv1 for an archive (lossless), png,
    tiff, dpx or exr as one file for each frame. By default h264, which plays everywhere."""
    container: Container = Container.AUTO
    """What picture, sound and subtitles are wrapped in: mp4, mov, mkv, mxf, folder (of single pictures) or hls (a review stream to
    be watched during rendering). By default auto: the usual one of the codec that holds most of the source's streams."""
    crf: Annotated[int, Field(ge=0, le=51)] = 16
    """Quality of h264 and hevc, from 0 (best) to 51, as in 18; not used by other codecs. By default 16, which the eye cannot tell from the
    source; for review 28 is enough."""
    preset: Literal["ultrafast", "veryfast", "faster", "fast", "medium", "slow", "slower"] = "medium"
    """Effort of the h264 or hevc encoder: slower makes smaller files of the same quality. By default medium, the encoders' own."""
    profile: str | None = None
    """Profile, as in hq: of prores (proxy, lt, standard, hq, 4444, 4444xq) or dnxhr (lb, sq, hq, hqx, 444). By default hq, the usual one for
    finished material."""
    depth: Literal[8, 10, 12, 16] | None = None
    """Bits per sample: h264 and hevc 8 or 10, png and tiff 8 or 16, dpx 8, 10, 12 or 16. By default 8, and 10 for dpx, as most
    programs expect; other codecs have the depth of their profile or source."""
    height: Annotated[int, Field(ge=16, le=8192)] | None = None
    """Height of the picture in lines, as in 1080; the width follows, rounded to an even number. By default the source's own size."""
    encoder: Literal["software", "nvenc"] = "software"
    """nvenc: h264 and hevc are encoded by the GPU, where the renderers' GPUs can. By default software, which is the same on every machine."""
    drop: Annotated[DropRule | None, Field(exclude_if=_is_none)] = None
    """Streams that may be left out of this deliverable, as in [subtitle]; it replaces the job's `drop`, which is the default."""
    start_number: Annotated[StartNumber | None, Field(exclude_if=_is_none)] = None
    """Number of the first picture's file, for png, tiff, dpx and exr: a number, as in 1001, or timecode, which counts frames from
    00:00:00:00 to the film's own time code, as conform tools expect. By default 0, as plans and reports count frames."""

    burn_in: Annotated[BurnInTexts | None, Field(exclude_if=_is_none)] = None
    """Time code, frame number, name, version and a watermark, drawn over the picture, as in {version: v3, text: NOT FOR RELEASE}; {} for the first three. For
    h264, hevc, prores and dnxhr. By default nothing is drawn."""

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
        if self.burn_in is not None and self.codec not in LOOKED_AT:
            raise ValueError(
                f"burn_in is for {', '.join(LOOKED_AT[:-1])} and {LOOKED_AT[-1]}, which are looked at; {self.codec} keeps its picture, leave it out"
            )
        if self.start_number is not None and self.codec not in PICTURES:
            raise ValueError(
                f"start_number is for {', '.join(PICTURES[:-1])} and {PICTURES[-1]}, which are files with numbers; leave it out"
            )
        return self

    @property
    def wrappings(self) -> tuple[Wrapping, ...]:
        """Containers that it may get: one, unless "auto" leaves the choice to the source's streams."""
        holds = CONTAINERS[self.codec]
        chosen = tuple(one for one in holds if one == self.container.value)
        return chosen or (holds[:2] if self.codec in (Codec.H264, Codec.HEVC) else holds[:1])
