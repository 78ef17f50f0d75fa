"""Interlaced films for tests: what moves is at another place in each field. Tests nothing."""

from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.media.planes import planes_of


def interlaced(path: Path, codec: str = "libx264", frames: int = 24, hidden: int = 0) -> Path:
    """A bright bar that moves 4 pixels a field over a ramp, woven bottom field first: PyAV gives encoders no other frame.

    The first `hidden` frames lie before time 0, where mp4 hides them by an edit list.
    """
    kept = {"avoid_negative_ts": "disabled"} if hidden else {}
    with av.open(str(path), "w", container_options=kept) as out:
        own = {"top": "0"} if codec == "mpeg2video" else {"crf": "4"}
        stream = out.add_stream(codec, rate=25, options={"flags": "+ilme+ildct", "g": "6", "bf": "2", **own})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "mpeg2video":
            stream.bit_rate = 4_000_000
        for number in range(frames):
            frame = woven(number)
            frame.pts, frame.time_base = number - hidden, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def woven(number: int) -> VideoFrame:
    """Frame `number` of such a film, before encoding."""
    frame = VideoFrame(96, 64, "yuv420p")
    luma, *chroma = planes_of(frame)
    luma[:] = [range(40, 136)]
    for field in (0, 1):
        place = (8 * number + 4 * (1 - field)) % 84
        luma[field::2, place : place + 12] = 220
    for plane in chroma:
        plane[:] = 120 + number % 8
    return frame
