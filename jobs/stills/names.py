"""Names of stills: written for people, and read back to the frame whatever a painting program made of the name."""

import re

ENDINGS = ("png", "jpg", "jpeg", "tif", "tiff")

_FRAME = re.compile(r"\.f(\d{1,15})(?!\d)", re.IGNORECASE)
_TIMECODE = re.compile(r"\.(\d{2,})-(\d\d)-(\d\d)(?:-(\d\d)|\.(\d{3}))(?!\d)")


def still_name(shot: int, frame: int, timecode: str) -> str:
    """The name of an exported still, `shot0003.f000123.00-00-05-03.png`.

    `timecode`: as `FrameTimecodes.name` tells it, by time code or by the clock.
    """
    return f"shot{shot:04d}.f{frame:06d}.{timecode.replace(':', '-').replace(';', '-')}.png"


def grey_name(layer: str) -> str:
    """The name of the grey frame beneath a layer of strokes, by the layer's own: it is no still's, and passed over."""
    return f"{layer.removesuffix('.png').replace('.f', '.grey-', 1)}.png"


def frame_of(name: str) -> int | None:
    """The frame that a file's name says it is of: the number behind the first `.f`; None where the file is no still."""
    ending = name.rpartition(".")[2].lower()
    if name.startswith(".") or ending not in ENDINGS:
        return None
    found = _FRAME.search(name)
    return int(found[1]) if found else None


def timecode_of(name: str) -> str:
    """The time code, or the time on the clock, that a still's name tells; empty where it tells none.

    Drop-frame time codes are told with ":" too: a name has "-" for both.
    """
    found = _TIMECODE.search(name)
    if found is None:
        return ""
    clock = ":".join(found.group(1, 2, 3))
    return f"{clock}:{found[4]}" if found[4] else f"{clock}.{found[5]}"
