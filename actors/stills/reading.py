"""Reads stills (PNG, JPEG, TIFF, as painting programs save them) as 16-bit sRGB, upright, with straight alpha."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from actors.media.metadata.pictures import refuse_large_metadata
from actors.stills.colour_profiles import NoProfileFor, Samples, by_littlecms, deepened, shaper_in
from actors.stills.headers import FORMATS, quiet, refusals_of, refuse_by_header
from actors.stills.metadata import tool_of
from jobs.errors import BadMedia

_ORIENTATION, _BITS, _EXTRA = 0x0112, 258, 338
_UNSPECIFIED, _ASSOCIATED = 0, 1
"""What TIFF says of a sample beside the colours: no alpha, or one with which they were multiplied."""
_DEEP = {"RGB", "RGBA", "RGBX", "LA"}
"""Modes in which Pillow gives 8 bits of 16."""


@dataclass(frozen=True, eq=False)
class StillImage:
    """A still's picture."""

    name: str
    rgb_HW3: Samples
    """sRGB."""
    alpha_HW: Samples | None
    """How far the painter's colour counts: 0, the farm decides; 65535, the painter; between, a weight. None: the painter throughout."""
    tool: str
    """The program that saved it, as its metadata says; may be empty."""
    remarks: tuple[str, ...]
    """What was done to it, in words."""


def read_still(data: bytes, name: str) -> StillImage:
    """The picture in a still's file. Raises BadMedia, in one sentence, for what is none, is damaged, or is of an unknown kind."""
    refuse_large_metadata(data, f"The still {name}")
    with refusals_of(name), quiet():
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        refuse_by_header(image, name)
        bits, profile = _bits(image, data), image.info.get("icc_profile")
        turn = image.getexif().get(_ORIENTATION, 1) if image.format != "TIFF" else 1
        image.load()
        tool = tool_of(image)
        samples, alpha = _samples(image, data, bits, turn)
        rgb, remarks = _as_srgb(samples, profile if isinstance(profile, bytes) else b"", name)
    if alpha is not None and bool((alpha == 65535).all()):
        alpha = None
    return StillImage(name, rgb, alpha, tool, remarks)


def _bits(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return data[24]
    if image.format == "TIFF":
        found = getattr(image, "tag_v2", {}).get(_BITS, (8,))
        return int(max(found)) if isinstance(found, tuple) else int(found)
    return 8


def _extra(image: Image.Image) -> int | None:
    """What the first sample beside the colours is; None where it is not told."""
    found = getattr(image, "tag_v2", {}).get(_EXTRA)
    return found[0] if isinstance(found, tuple) and found else found if isinstance(found, int) else None


Parts = tuple[Image.Image | Samples, Samples | None]
"""Colour, an image of 8 bits or samples of 16 (H W C), and alpha."""


def _samples(image: Image.Image, data: bytes, bits: int, turn: int) -> Parts:
    if image.mode.startswith("I;16"):
        grey = _turned(np.asarray(image, np.uint16), turn)
        key = image.info.get("transparency")
        return grey[:, :, None], None if key is None else np.asarray((grey != key) * 65535, np.uint16)
    extra = _extra(image)
    if bits == 16 and image.mode in _DEEP and (deep := _deep(data, image, extra != _UNSPECIFIED)) is not None:
        colour, alpha = deep
        colour, alpha = _turned(colour, turn), None if alpha is None else _turned(alpha, turn)
        return (_straight(colour, alpha), alpha) if extra == _ASSOCIATED and alpha is not None else (colour, alpha)
    upright = ImageOps.exif_transpose(image) if turn != 1 else image
    if upright.has_transparency_data:  # straight: Pillow divides by associated alpha as it reads
        both = upright.convert("RGBA")
        # What was grey stays grey, for its profile is one of grey.
        shown = both.getchannel("R") if upright.mode in ("1", "L", "LA") else both.convert("RGB")
        return shown, deepened(np.asarray(both.getchannel("A")))
    if upright.mode in ("L", "1"):
        return upright.convert("L"), None
    return upright if upright.mode in ("RGB", "CMYK") else upright.convert("RGB"), None


def _deep(data: bytes, image: Image.Image, has_alpha: bool) -> tuple[Samples, Samples | None] | None:
    """Colour (H W 3) and alpha of 16 bits, which Pillow has not; None where OpenCV does not read the file either."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or found.shape[:2] != image.size[::-1] or found.shape[2:] < (3,):
        return None
    colour = np.asarray(found[:, :, :1] if _is_grey(image, data) else found[:, :, 2::-1], np.uint16)
    if found.shape[2] == 4 and has_alpha:
        return colour, np.asarray(found[:, :, 3], np.uint16)
    if isinstance(key := image.info.get("transparency"), tuple):
        return colour, np.asarray(~(colour == np.array(key)).all(2) * 65535, np.uint16)
    return colour, None


def _is_grey(image: Image.Image, data: bytes) -> bool:
    """Whether one channel and alpha is all there is: Pillow tells a PNG of 16 bits as RGBA."""
    return image.mode == "LA" or (image.format == "PNG" and data[25] == 4)


def _straight(colour_HWC: Samples, alpha_HW: Samples) -> Samples:
    """Colour that was multiplied with alpha, as it was before; black where alpha left nothing of it."""
    shares = np.maximum(alpha_HW, 1)[:, :, None].astype(np.float32) / np.float32(65535)
    return np.asarray(np.rint((colour_HWC / shares).clip(0, 65535)), np.uint16)


def _turned(samples: NDArray[np.uint16], turn: int) -> Samples:
    """As EXIF says that a picture is to be shown (1 to 8)."""
    mirrored = samples[:, ::-1] if turn in (2, 4, 5, 7) else samples
    quarters = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(turn, 0)
    return np.ascontiguousarray(np.rot90(mirrored, quarters))


def _as_srgb(colour: Image.Image | Samples, profile: bytes, name: str) -> tuple[Samples, tuple[str, ...]]:
    if isinstance(colour, Image.Image) and colour.mode == "CMYK":
        try:
            return by_littlecms(colour, profile), ("CMYK, brought to sRGB by its ICC profile",)
        except NoProfileFor:
            raise BadMedia(f"The still {name} is CMYK and its ICC profile cannot be used; save it as RGB.") from None
    samples = deepened(np.asarray(colour)) if isinstance(colour, Image.Image) else colour
    samples = samples[:, :, None] if samples.ndim == 2 else samples
    if not profile:
        return _three(samples), ()
    try:
        if shaper := shaper_in(profile, samples.shape[2]):
            made = shaper.converted(samples)
        else:
            eight = ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
            made = by_littlecms(Image.fromarray(eight[:, :, 0] if eight.shape[2] == 1 else eight), profile)
    except NoProfileFor:
        return _three(samples), ("its ICC profile cannot be used: taken as sRGB",)
    return made, () if made is samples else ("brought to sRGB by its ICC profile",)


def _three(samples_HWC: Samples) -> Samples:
    return np.repeat(samples_HWC, 3, 2) if samples_HWC.shape[2] == 1 else samples_HWC
