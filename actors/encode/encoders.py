"""Chooses how each codec is encoded and in which pixel format, and says what a film loses by it.

What a codec cannot carry is refused in one sentence, before any work.

Constant quality throughout, closed groups of pictures, and threads by number: segments that are encoded apart have one
and the same codec header, and equal pictures give equal bytes.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import av

from actors.encode import nvenc_settings
from actors.media.pixel_formats import plain
from actors.picture.transfer import CURVES
from jobs.film.source import Colour, Film, Picture
from jobs.records.orders import Encoding
from jobs.spec.advice import SuggestedChange, UnfitDeliverable
from jobs.spec.codecs import DEPTHS, PICTURES, PROFILES, Codec, Container
from jobs.spec.formats import Deliverable

KEYFRAME_SECONDS = 2
"""Longest distance of two keyframes in h264 and hevc: what a player seeks by, and an inspector decodes to see one frame."""

FFV1_OPTIONS = {"level": "3", "slices": "4", "slicecrc": "1", "coder": "1", "context": "0", "g": "1"}
"""Every frame alone, in slices that are checked; the number of slices fixes the bytes."""

LINEAR = 8
"""H.273's transfer characteristics of linear light."""


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder, and what it is given."""

    encoder: str
    """libav's name."""
    pix_fmt: str
    options: dict[str, str]
    colour: Colour
    """As it is tagged."""
    reorder: int = 0
    """Frames by which decode order may run ahead of display order."""
    even: bool = field(default=False, kw_only=True)
    """Sizes must be even where chroma is halved."""


def way_for(film: Film, deliverable: Deliverable, grey_stays_grey: bool) -> EncoderChoice:
    """How a deliverable is encoded. Raises Unfit where the codec cannot carry the film's pixels."""
    colour = film.picture.colour
    limited = colour.model_copy(update={"full_range": False})
    profile = deliverable.profile or next(iter(PROFILES.get(deliverable.codec, ())), "")
    match deliverable.codec:
        case Codec.H264 | Codec.HEVC:
            return _interframe(film, deliverable)
        case Codec.PRORES:
            # Every profile of prores_ks is of 10 bit, though decoders open 4444 as 12 bit. Its header has no word for full range.
            pix_fmt = "yuv444p10le" if profile.startswith("4444") else "yuv422p10le"
            return EncoderChoice("prores_ks", pix_fmt, {"profile": profile, "vendor": "apl0"}, limited, even=True)
        case Codec.DNXHR:
            pix_fmt = {"hqx": "yuv422p10le", "444": "yuv444p10le"}.get(profile, "yuv422p")
            return EncoderChoice("dnxhd", pix_fmt, {"profile": f"dnxhr_{profile}"}, limited, even=True)
        case Codec.FFV1:
            return EncoderChoice(
                "ffv1", _ffv1_pix_fmt(film.picture, deliverable, grey_stays_grey), FFV1_OPTIONS, colour
            )
        case Codec.PNG | Codec.TIFF | Codec.DPX | Codec.EXR:
            return _picture(film, deliverable, grey_stays_grey)


_X264 = "open-gop=0:vbv-maxrate=0:vbv-bufsize=0:nal-hrd=none:mbtree=0"
"""No VBV: a rate buffer would begin afresh, and starve, at every segment. No mbtree: with AVX-512 it gives other bytes for
the same pictures now and then, even in one thread (docs/log.md)."""

_X265 = "open-gop=0:info=0:pools=4:frame-threads=2:wpp=1:lookahead-slices=0:log-level=error"
"""No info: its text, with every option in it, would be part of the codec header. What could follow from the number of cores
is said: so one core gives the bytes that many give."""


def _hdr10(picture: Picture) -> str:
    """x265's words for what the film was graded for; it writes them into the codec header."""
    if picture.light is None:
        return ""
    said = {"master-display": picture.light.display, "max-cll": picture.light.level}
    return "".join([":hdr10=1", *(f":{name}={value}" for name, value in said.items() if value)])


def _interframe(film: Film, deliverable: Deliverable) -> EncoderChoice:
    colour, codec = film.picture.colour, deliverable.codec
    depth = deliverable.depth or DEPTHS[codec][0]
    pix_fmt = "yuv420p" if depth == 8 else f"yuv420p{depth}le"
    quality = {"crf": str(deliverable.crf), "preset": deliverable.preset}
    group = {"g": str(max(1, round(KEYFRAME_SECONDS * film.picture.rate))), "flags": "+cgop"}
    # Without B-frames a fragment's decode times are its display times: no edit list, which players read in their own ways.
    streamed = deliverable.container is Container.HLS
    group |= {"bf": "0"} if streamed else {}
    if deliverable.encoder == "nvenc":
        if codec is Codec.H264 and depth == 10:
            raise UnfitDeliverable(
                "nvenc encodes h264 of 8 bits only",
                SuggestedChange.to_codec(deliverable, Codec.HEVC),
                SuggestedChange.of(encoder="software"),
            )
        return EncoderChoice(
            nvenc_settings.encoder_name(codec),
            pix_fmt,
            group | nvenc_settings.options_of(deliverable),
            colour,
            even=True,
        )
    # Both keep two pictures back for B-frames of which others are made; x264 makes none at "ultrafast".
    if codec is Codec.HEVC:
        return EncoderChoice(
            "libx265",
            pix_fmt,
            quality | group | {"x265-params": _X265 + _hdr10(film.picture)},
            colour,
            0 if streamed else 2,
            even=True,
        )
    reorder = 0 if streamed or deliverable.preset == "ultrafast" else 2
    return EncoderChoice("libx264", pix_fmt, quality | group | {"x264-params": _X264}, colour, reorder, even=True)


def _ffv1_pix_fmt(picture: Picture, deliverable: Deliverable, grey_stays_grey: bool) -> str:
    pix_fmt = plain(picture.pix_fmt)
    if pix_fmt.startswith("gray") and not grey_stays_grey:
        pix_fmt = pix_fmt.replace("gray", "yuv444p")
    known = {one.name for one in av.Codec("ffv1", "w").video_formats or ()}
    if pix_fmt not in known:
        raise UnfitDeliverable(
            f"ffv1 cannot carry {picture.pix_fmt}, the film's pixel format",
            SuggestedChange.to_codec(deliverable, Codec.H264),
        )
    return pix_fmt


_RGB = {
    Codec.PNG: {8: "rgb24", 16: "rgb48be"},
    Codec.TIFF: {8: "rgb24", 16: "rgb48le"},
    Codec.DPX: {8: "rgb24", 10: "gbrp10le", 12: "gbrp12le", 16: "rgb48le"},
}
_PICTURE_OPTIONS = {
    Codec.PNG: {"pred": "up"},
    Codec.TIFF: {"compression_algo": "deflate"},
    Codec.DPX: {},
    Codec.EXR: {"format": "half", "compression": "zip16"},
}


def _picture(film: Film, deliverable: Deliverable, grey_stays_grey: bool) -> EncoderChoice:
    codec, picture = deliverable.codec, film.picture
    options = _PICTURE_OPTIONS[codec]
    # 0: the matrix of R'G'B'. PNG writes it into its colour chunk.
    rgb = picture.colour.model_copy(update={"full_range": True, "space": 0})
    if codec is Codec.EXR:
        if picture.colour.transfer not in CURVES:
            raise UnfitDeliverable(
                f"exr is linear light, and {film.source} has the transfer curve {picture.colour.transfer} (ITU-T H.273), which "
                "is not brought to it",
                *(SuggestedChange.to_codec(deliverable, one) for one in (Codec.DPX, Codec.TIFF)),
            )
        return EncoderChoice("exr", "gbrpf32le", options, rgb.model_copy(update={"transfer": LINEAR}))
    depth = deliverable.depth or DEPTHS[codec][0]
    if codec is Codec.PNG and grey_stays_grey and picture.pix_fmt.startswith("gray"):
        grey = picture.colour.model_copy(update={"full_range": True})
        return EncoderChoice("png", "gray" if depth == 8 else "gray16be", options, grey)
    return EncoderChoice(codec.value, _RGB[codec][depth], options, rgb)


def turned_by(picture: Picture, codec: Codec) -> int:
    """Degrees counter-clockwise that a picture is turned before it is encoded: files of single pictures tell no player to."""
    return picture.rotation if codec in PICTURES else 0


def _turned(picture: Picture, degrees: int) -> tuple[int, int]:
    """Width and height of the picture once turned."""
    return (picture.height, picture.width) if degrees % 180 else (picture.width, picture.height)


def size_for(film: Film, deliverable: Deliverable, way: EncoderChoice) -> tuple[int, int]:
    """Width and height of a deliverable: the film's, or `height` lines and the width that follows.

    Raises Unfit where the encoder does not take it.
    """
    codec = deliverable.codec
    width, height = _turned(film.picture, turned_by(film.picture, codec))
    parts = av.VideoFormat(way.pix_fmt, 2, 2).components
    halved = [way.even and side == 1 for side in (parts[-1].width, parts[-1].height)]
    if deliverable.height is not None and deliverable.height != height:
        step = 1 + halved[0]
        width, height = step * round(width * deliverable.height / height / step), deliverable.height
    if (halved[0] and width % 2) or (halved[1] and height % 2):
        even = height - height % 2
        raise UnfitDeliverable(
            f"{codec} takes even sizes only and {film.source} would be {width}x{height}",
            SuggestedChange.to_codec(deliverable, Codec.FFV1),
            *(SuggestedChange.of(height=max(16, one)) for one in (even - 2 * (width % 2), even, even + 2)),
        )
    least, most = _LEAST.get(way.encoder, (1, 1)), _MOST.get(way.encoder, _SIDE)
    if width < least[0] or height < least[1] or width > most or height > most:
        up = max(Fraction(least[0], width), Fraction(least[1], height), Fraction(1))
        down = min(Fraction(most, width), Fraction(most, height), Fraction(1))
        nearest = ceil(height * up / 2) * 2 if up > 1 else int(height * down / 2) * 2
        raise UnfitDeliverable(
            f"{codec} takes pictures of {least[0]}x{least[1]} to {most}x{most} and {film.source} would be {width}x{height}",
            *(SuggestedChange.of(height=max(16, one)) for one in (nearest, nearest + 2, nearest - 2)),
            *(SuggestedChange.to_codec(deliverable, one) for one in (Codec.FFV1, Codec.PRORES)),
        )
    return width, height


_LEAST = {
    "libx264": (2, 2),
    "libx265": (16, 16),
    "dnxhd": (256, 120),
    "ffv1": (4, 4),
    "h264_nvenc": (146, 50),
    "hevc_nvenc": (130, 34),
}
_MOST = {"h264_nvenc": 4096, "hevc_nvenc": 8192}
_SIDE = 16384
"""Longest side that any encoder is given."""


def conversions(picture: Picture, encoding: Encoding) -> str:
    """In words, what of the film's picture is brought to another form, joined by ";". Empty where nothing is."""
    said = []
    ours, theirs = form_of(encoding.pix_fmt), form_of(plain(picture.pix_fmt))
    grows = theirs.startswith("grey") and not ours.startswith(("grey", "R'", "linear"))
    if grows:
        said.append("grey is given colour planes, neutral where no look colours it")
        theirs, ours = (one.split(" of ")[1] for one in (theirs, ours))
        theirs, ours = (f"{one} a sample" for one in (theirs, ours))
    if ours != theirs:
        said.append(f"{theirs} is brought to {ours}")
    if picture.colour.full_range and not encoding.colour.full_range:
        said.append(f"full range is brought to limited range, which is all that {encoding.codec} carries")
    if encoding.codec in PICTURES and encoding.codec is not Codec.EXR and not picture.colour.full_range:
        said.append("what lies below black or above white is cut off")
    if picture.light and encoding.encoder != "libx265":
        said.append("the mastering display and light level (HDR10) are not told: hevc by software tells them")
    if encoding.rotation:
        said.append(
            f"the picture is turned upright, by {encoding.rotation} degrees, for no file of {encoding.codec} says so"
        )
    width, height = _turned(picture, encoding.rotation)
    if (encoding.width, encoding.height) != (width, height):
        said.append(f"{width}x{height} is brought to {encoding.width}x{encoding.height}")
    return "; ".join(said)


def form_of(pix_fmt: str) -> str:
    """A pixel format in words, as in "4:2:2 of 10 bit"."""
    bits = av.VideoFormat(pix_fmt).components[0].bits
    if bits == 32:
        return "linear RGB of 16-bit floats"
    if av.VideoFormat(pix_fmt).is_rgb:
        return f"R'G'B' of {bits} bit"
    found = re.match(r"yuv(\d)(\d)(\d)p", pix_fmt)
    return f"{':'.join(found.groups()) if found else 'grey'} of {bits} bit"
