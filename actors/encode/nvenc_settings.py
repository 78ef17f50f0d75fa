"""The encoder options for NVENC, the GPU's own video encoder (by libavcodec/nvenc.c), and which deliverables need it."""

from collections.abc import Iterable
from typing import NamedTuple

from jobs.spec.codecs import DEPTHS, Codec
from jobs.spec.formats import Deliverable

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
