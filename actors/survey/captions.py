"""Tells whether a frame carries closed captions (CEA-608, CEA-708) inside the picture.

They lie in the packets of MPEG-2, H.264 and HEVC as user data (ATSC A/53 part 4), and a decoder hands them out with a frame.
"""

from typing import Any

from av.video.frame import VideoFrame

_SIDE_DATA = "A53_CC"
"""libavutil's name of them."""


def has_captions(frame: VideoFrame) -> bool:
    """Whether a decoded frame carries closed captions. In a film that has them every frame does, be it empty ones."""
    try:
        # PyAV's own types call this container a dictionary of strings.
        found: Any = frame.side_data
        return any(one.type.name == _SIDE_DATA for one in found)
    except ValueError:  # PyAV 18.1 has no name for the Exif of picture files, which have no captions
        return False
