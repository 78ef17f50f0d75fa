"""Checks whether this machine's GPU can encode video (NVENC), by encoding one frame before any work.

NVIDIA's "Video Encode and Decode GPU Support Matrix" tells which GPUs have it: A100, H100 and H200 do not.
"""

from collections.abc import Iterable
from fractions import Fraction

import av
import av.error
from av.video.codeccontext import VideoCodecContext

from actors.encode.nvenc_settings import TrialEncoder
from jobs.errors import NodeFault

SIDE = 256
"""Width and height, in pixels, of the frame that is encoded to try an encoder: above the least that NVENC takes."""


def check_encoders(wanted: Iterable[TrialEncoder]) -> None:
    """Encode one frame with each. Raises NodeFault, charged to this machine, for the first that gives no packet."""
    for one in wanted:
        if why := refusal_of(one):
            raise NodeFault(cannot_encode(one.name, why), lasting=True)


def cannot_encode(encoder: str, why: str) -> str:
    """In a sentence without its stop, that the GPU here does not encode, and what to do. `why`: in libav's words."""
    import torch  # only where an encoder failed: surveyors and finishers start without it

    there = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU that torch can use"
    return (
        f"{encoder} cannot be opened ({why}; there is {there}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}): "
        "A100, H100 and H200 have no NVENC, and others want a driver that libavcodec knows; use nodes whose GPUs have it "
        "(docs/deploy.md), or set the deliverable's encoder to software"
    )


def refusal_of(wanted: TrialEncoder) -> str:
    """Why one frame cannot be encoded, in libav's words; empty where it can."""
    try:
        context = av.CodecContext.create(wanted.name, "w")
        assert isinstance(context, VideoCodecContext)
        context.width = context.height = SIDE
        context.pix_fmt, context.time_base, context.framerate = wanted.pix_fmt, Fraction(1, 24), Fraction(24)
        context.options = dict(wanted.options)
        frame = av.VideoFrame(SIDE, SIDE, wanted.pix_fmt)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = 0, context.time_base
        packets = [*context.encode(frame), *context.encode(None)]
    except (av.error.FFmpegError, ValueError) as error:  # the latter where this libavcodec was built without it
        return str(getattr(error, "strerror", None) or error)
    return "" if any(packet.size for packet in packets) else "it gave no packet"
