"""Films of six patches of known colour, and the patches read back by arithmetic of its own. Tests nothing."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.films import plane_of

PATCHES = np.array(
    [[0.5, 0.5, 0.5], [0.75, 0.2, 0.2], [0.2, 0.7, 0.3], [0.2, 0.3, 0.8], [0.85, 0.65, 0.5], [0.55, 0.7, 0.9]]
)
"""R'G'B' of the patches, three in the upper row and three in the lower, left to right."""
SIZE = (384, 256)
FRAMES = 12

KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Weights of red and blue by H.273 code point of the matrix."""


@dataclass(frozen=True)
class Paint:
    """How the patches are written down."""

    matrix: int = 1
    full: bool = False
    depth: int = 8

    @property
    def scales(self) -> tuple[float, float, float, float]:
        """Offset and span of luma, neutral and span of chroma."""
        top, step = 2**self.depth - 1, 2 ** (self.depth - 8)
        luma = (0.0, float(top)) if self.full else (16.0 * step, 219.0 * step)
        return *luma, float(2 ** (self.depth - 1)), float(top) if self.full else 224.0 * step


def patch_film(path: Path, paint: Paint) -> Path:
    """A lossless film of the patches, 4:2:0, tagged."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=24, options={"level": "3"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p" if paint.depth == 8 else f"yuv420p{paint.depth}le"
        context = stream.codec_context
        context.colorspace, context.color_range = paint.matrix, 2 if paint.full else 1
        context.color_primaries = context.color_trc = 9 if paint.matrix == 9 else paint.matrix
        if paint.matrix == 9:
            context.color_trc = 14
        for number in range(FRAMES):
            frame = _painted(stream.pix_fmt, paint)
            frame.pts, frame.time_base = number, Fraction(1, 24)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _painted(pix_fmt: str, paint: Paint) -> VideoFrame:
    width, height = SIZE
    rgb = np.kron(PATCHES.reshape(2, 3, 3), np.ones((height // 2, width // 3, 1)))
    kr, kb = KR_KB[paint.matrix]
    luma = rgb @ [kr, 1 - kr - kb, kb]
    blue, red = (rgb[..., 2] - luma) / (2 * (1 - kb)), (rgb[..., 0] - luma) / (2 * (1 - kr))
    offset, span, neutral, reach = paint.scales
    frame = VideoFrame(width, height, pix_fmt)
    for plane, values in zip(
        frame.planes,
        (offset + span * luma, neutral + reach * blue[::2, ::2], neutral + reach * red[::2, ::2]),
        strict=True,
    ):
        samples = np.zeros((plane.height, plane.line_size // (1 if paint.depth == 8 else 2)))
        samples[:, : plane.width] = values.round()
        plane.update(samples.astype(np.uint8 if paint.depth == 8 else np.uint16).tobytes())
    return frame


def patches_of(path: Path, number: int = 5) -> NDArray[np.float64]:
    """R'G'B' of the patches' centres in one frame, by what the file itself says of its colours."""
    with av.open(str(path)) as media:
        stream = media.streams.video[0]
        frame = next(one for place, one in enumerate(media.decode(stream)) if place == number)
        return _read(frame, stream)


def _read(frame: VideoFrame, stream: VideoStream) -> NDArray[np.float64]:
    bits = frame.format.components[0].bits
    if frame.format.is_rgb:
        # Only where samples lie is libav asked, not what they mean.
        whole = frame.to_ndarray(format="gbrpf32le" if bits == 32 else "rgb48le").astype(np.float64)
        return _centres([whole[..., part] / (1 if bits == 32 else 65535) for part in range(3)])
    tags = stream.codec_context
    paint = Paint(tags.colorspace, tags.color_range == 2, bits)
    y, cb, cr = _centres([plane_of(plane, bits).astype(np.float64) for plane in frame.planes]).T
    offset, span, neutral, reach = paint.scales
    kr, kb = KR_KB[paint.matrix]
    luma = (y - offset) / span
    red, blue = luma + 2 * (1 - kr) * (cr - neutral) / reach, luma + 2 * (1 - kb) * (cb - neutral) / reach
    return np.stack([red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue], 1)


def _centres(planes: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The middle sample of each patch in each plane, shape (6, planes)."""
    return np.array(
        [
            [plane[plane.shape[0] * (1 + 2 * row) // 4, plane.shape[1] * (1 + 2 * column) // 6] for plane in planes]
            for row in range(2)
            for column in range(3)
        ]
    )
