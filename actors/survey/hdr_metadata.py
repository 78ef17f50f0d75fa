"""Reads HDR10's static metadata: for what display a picture was graded, and how bright it gets. The numbers are the source's own.

SMPTE ST 2086 names the mastering display, CTA-861.3 the brightest pixel and frame. A decoder hands both out with a frame.
"""

import struct
from typing import Any

from av.video.frame import VideoFrame

from jobs.film.source import Light

_CHROMATICITY = 50_000
"""Steps of H.265's mastering display message in 1 of a chromaticity coordinate."""
_LUMINANCE = 10_000
"""Its steps in 1 cd/m2."""


def light_of(frame: VideoFrame) -> Light | None:
    """The static metadata of a decoded frame; None where it carries none."""
    try:
        # PyAV's own types call this container a dictionary of strings.
        found: Any = frame.side_data
        said = {one.type.name: bytes(one) for one in found}
    except ValueError:  # PyAV 18.1 has no name for the Exif of picture files, which are not of this kind
        return None
    display, level = said.get("MASTERING_DISPLAY_METADATA", b""), said.get("CONTENT_LIGHT_LEVEL", b"")
    light = Light(display=_display(display) if display else "", level=_level(level) if level else "")
    return light if light.display or light.level else None


def _display(data: bytes) -> str:
    """libav's AVMasteringDisplayMetadata: R, G, B and white as (x, y), least and greatest luminance, all as fractions."""
    *numbers, has_primaries, has_luminance = struct.unpack_from("=22i", data)
    values = [over / under if under else 0.0 for over, under in zip(numbers[::2], numbers[1::2], strict=True)]
    if not (has_primaries and has_luminance):
        return ""
    red, green, blue, white = (
        ",".join(str(round(values[place + axis] * _CHROMATICITY)) for axis in (0, 1)) for place in (0, 2, 4, 6)
    )
    least, most = (round(values[place] * _LUMINANCE) for place in (8, 9))
    return f"G({green})B({blue})R({red})WP({white})L({most},{least})"


def _level(data: bytes) -> str:
    """libav's AVContentLightMetadata: MaxCLL and MaxFALL; both 0 where they are unknown."""
    levels = struct.unpack_from("=2I", data)
    return ",".join(map(str, levels)) if any(levels) else ""
