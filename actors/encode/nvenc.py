"""NVENC, a GPU's own video encoder: what it is given, and whether the GPU of this machine has it. Promises one sentence before any work; knows no film.

Options by libavcodec/nvenc.c. NVIDIA's "Video Encode and Decode GPU Support Matrix" tells which GPUs have it: A100, H100 and H200 do not.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

import av
import av.error
import torch
from av.video.codeccontext import VideoCodecContext

from jobs.errors import NodeFault
from jobs.spec.formats import DEPTHS, Codec, Deliverable

SIDE = 256
"""Width and height, in pixels, of the frame that is encoded to try an encoder: above the least that NVENC takes."""

_PRESETS = {"ultrafast": 1, "veryfast": 2, "faster": 3, "fast": 4, "medium": 5, "slow": 6, "slower": 7}


class TrialEncoder(NamedTuple):
    """An encoder as one deliverable of a job needs it."""

    name: str
    """libav's."""
    pix_fmt: str
    options: tuple[tuple[str, str], ...] = ()


def encoder_name(codec: Codec) -> str:
    """libav's name of NVENC's encoder for h264 or hevc."""
    return f"{codec}_nvenc"


def options_of(deliverable: Deliverable) -> dict[str, str]:
    """One quantiser and no B-frames or look-ahead, so that no segment's end or beginning shows."""
    return {
        "preset": f"p{_PRESETS[deliverable.preset]}",
        "rc": "constqp",
        "qp": str(deliverable.crf),
        "bf": "0",
        "rc-lookahead": "0",
        "no-scenecut": "1",
        "forced-idr": "1",
        "strict_gop": "1",
    }


def encoders_wanted(deliverables: Iterable[Deliverable]) -> tuple[TrialEncoder, ...]:
    """Those of NVENC that these deliverables need, each once."""
    wanted = []
    for one in deliverables:
        if one.encoder == "nvenc":
            depth = one.depth or DEPTHS[one.codec][0]
            options = tuple(options_of(one).items())
            wanted.append(TrialEncoder(encoder_name(one.codec), "yuv420p" if depth == 8 else "p010le", options))
    return tuple(dict.fromkeys(wanted))


def check_encoders(wanted: Iterable[TrialEncoder]) -> None:
    """Encode one frame with each. Raises NodeFault, charged to this machine, for the first that gives no packet."""
    for one in wanted:
        if why := _refusal(one):
            raise NodeFault(cannot_encode(one.name, why), lasting=True)


def cannot_encode(encoder: str, why: str) -> str:
    """In a sentence without its stop, that the GPU here does not encode, and what to do. `why`: in libav's words."""
    there = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU that torch can use"
    return (
        f"{encoder} cannot be opened ({why}; there is {there}, libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}): "
        "A100, H100 and H200 have no NVENC, and others want a driver that libavcodec knows; use nodes whose GPUs have it "
        "(docs/deploy.md), or set the deliverable's encoder to software"
    )


def _refusal(wanted: TrialEncoder) -> str:
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
