"""Says which pixel formats the farm works on and what each other one becomes, and reads the samples of any as planes, unchanged.

A form is libav's name of a pixel format. The farm works on planar Y'CbCr and grey, little-endian, of 8 to 16 bits, without
alpha. What only lies otherwise in memory (packed, half-planar, big-endian) is rearranged, sample by sample.
"""

import re
from typing import Any

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Samples = NDArray[Any]
"""One plane, HW: uint8, uint16, or float16 and float32 of linear light."""

_PACKED_RGB = re.compile(r"([rgba0]{3,4}?)(24|32|48|64)?(le|be)?")
_PLANAR_RGB = re.compile(r"gbra?p(f?)(\d*)(le|be)?")
_HALF_PLANAR = re.compile(r"nv(12|21|16|24|42)|p([024])(10|12|16)(le|be)")
_PACKED_YUV = re.compile(r"(yuyv|uyvy|yvyu)422|y2(10|12|16)(le|be)")
_GREY_ALPHA = re.compile(r"ya(8|16)(le|be)?")

_RGB_DEPTHS = {8: 10, 9: 12, 10: 12, 12: 14, 14: 16, 16: 16, 32: 16}
"""Bits of Y'CbCr by bits of R'G'B': two more bring every value of 8 to 14 bits back; floats get as many as there are."""

_CHROMA = {"0": "420", "2": "422", "4": "444", "12": "420", "21": "420", "16": "422", "24": "444", "42": "444"}
_ORDERS = {"yuyv": (0, 1, 2, 3), "uyvy": (1, 0, 3, 2), "yvyu": (0, 3, 2, 1)}
"""Where in four bytes lie Y', Cb, the next Y' and Cr."""


def plain(name: str) -> str:
    """A form's name without the range: yuvj420p is yuv420p, and the range is told apart."""
    return name.replace("yuvj", "yuv")


def carried(name: str) -> bool:
    """Whether the farm works on a form as it is: planar Y'CbCr or grey, little-endian, 8 to 16 bits, without alpha."""
    form = VideoFormat(name)
    parts = form.components
    return (
        name.startswith(("yuv", "gray"))
        and not name.startswith("grayf")
        and not (form.is_rgb or form.has_palette or form.is_big_endian)
        and len(parts) in (1, 3)
        and [part.plane for part in parts] == list(range(len(parts)))
        and all(8 <= part.bits <= 16 and not part.is_alpha for part in parts)
    )


def developed(name: str) -> str:
    """The form as which the farm works on `name`: itself where it is carried, "" where nothing is known of it."""
    if carried(name):
        return name
    twin = _twin(name)
    try:
        return twin if carried(twin) else ""
    except ValueError:  # libav has no such form
        return ""


def is_rgb(name: str) -> bool:
    """Whether samples are R'G'B', packed, planar or by a palette."""
    return name == "pal8" or any(one.fullmatch(name) for one in (_PACKED_RGB, _PLANAR_RGB))


def is_linear(name: str) -> bool:
    """Whether samples are floats: linear light, 1 for white."""
    return re.search(r"f(16|32)(le|be)$", name) is not None


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a picture has an alpha channel; a palette has one only where one of its colours is not opaque."""
    if frame.format.name == "pal8":
        return bool((_palette(frame)[3] < 255).any())
    return any(part.is_alpha for part in frame.format.components)


def _twin(name: str) -> str:
    if is_rgb(name):
        return "yuv444p" + f"{_RGB_DEPTHS[VideoFormat(name).components[0].bits]}le"
    if half := _HALF_PLANAR.fullmatch(name):
        return f"yuv{_CHROMA[half[1] or half[2]]}p{half[3] + 'le' if half[3] else ''}"
    if packed := _PACKED_YUV.fullmatch(name):
        return f"yuv422p{packed[2] + 'le' if packed[2] else ''}"
    if grey := _GREY_ALPHA.fullmatch(name):
        return "gray" if grey[1] == "8" else "gray16le"
    if name.startswith("grayf"):
        return "gray16le"
    return re.sub(r"be$", "le", name.replace("yuva", "yuv"))


def samples_of(frame: VideoFrame) -> list[Samples]:
    """The picture's planes without alpha: Y', Cb, Cr, or R', G', B', or Y' alone, in the machine's own byte order.

    Only for forms that `developed` knows. Planar ones come as views where they can, all others as copies.
    """
    name = frame.format.name
    if name == "pal8":
        return _palette(frame)[:3]
    if half := _HALF_PLANAR.fullmatch(name):
        return _half_planar(frame, swapped=name in ("nv21", "nv42"), depth=int(half[3] or 8))
    if packed := _PACKED_YUV.fullmatch(name):
        return _packed_yuv(frame, _ORDERS[packed[1] or "yuyv"], depth=int(packed[2] or 8))
    if (rgb := _PACKED_RGB.fullmatch(name)) and not name.startswith("gbr"):
        pixels = _rows(frame, 0)[:, : frame.width * len(rgb[1])].reshape(frame.height, frame.width, -1)
        return [pixels[:, :, rgb[1].index(letter)] for letter in "rgb"]
    if _GREY_ALPHA.fullmatch(name):
        return [_rows(frame, 0)[:, : 2 * frame.width : 2]]
    planes = [part.plane for part in frame.format.components if not part.is_alpha]
    return [_rows(frame, plane)[:, : frame.planes[plane].width] for plane in planes]


def _rows(frame: VideoFrame, plane: int) -> Samples:
    """A plane's memory as rows of samples, padding included."""
    name, one = frame.format.name, frame.planes[plane]
    kind = "f" if is_linear(name) else "u"
    bits = frame.format.components[0].bits
    order = ">" if name.endswith("be") else "<"
    dtype = np.dtype(f"{order}{kind}{1 if bits == 8 else 4 if bits == 32 else 2}")
    rows = np.frombuffer(memoryview(one), np.uint8).reshape(-1, one.line_size)[: one.height]
    rows = rows[:, : one.line_size // dtype.itemsize * dtype.itemsize].view(dtype)
    return rows if dtype.isnative else rows.astype(dtype.newbyteorder("="))


def _palette(frame: VideoFrame) -> list[Samples]:
    """R', G', B' and alpha of every pixel: libav keeps the palette as 256 words of 0xAARRGGBB."""
    indices = _rows(frame, 0)[:, : frame.width]
    words = np.frombuffer(memoryview(frame.planes[1]), np.uint32)[:256]
    return [(words >> shift & 255).astype(np.uint8)[indices] for shift in (16, 8, 0, 24)]


def _half_planar(frame: VideoFrame, swapped: bool, depth: int) -> list[Samples]:
    # Deep samples lie in the high bits of 16.
    shift = 16 - depth if depth > 8 else 0
    luma, pairs = (_rows(frame, plane) >> shift for plane in (0, 1))
    width = frame.planes[1].width
    chroma = [pairs[:, first : 2 * width : 2] for first in (0, 1)]
    return [luma[:, : frame.width], *(chroma[::-1] if swapped else chroma)]


def _packed_yuv(frame: VideoFrame, order: tuple[int, int, int, int], depth: int) -> list[Samples]:
    first, blue, second, red = order
    half = -(-frame.width // 2)
    fours = (_rows(frame, 0)[:, : 4 * half] >> (16 - depth if depth > 8 else 0)).reshape(frame.height, half, 4)
    luma = fours[:, :, [first, second]].reshape(frame.height, 2 * half)
    return [luma[:, : frame.width], fours[:, :, blue], fours[:, :, red]]
