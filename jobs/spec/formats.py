"""How each deliverable is encoded and wrapped; a codec and container that do not fit together are refused with the reason."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from jobs.document import Document
from jobs.spec.codecs import CONTAINERS, DEPTHS, PROFILES, Codec, Container, Wrapping


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
