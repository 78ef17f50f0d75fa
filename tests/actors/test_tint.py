"""A black-and-white film is told from one in colour, and its faint cuts are found."""

from pathlib import Path

import av
import numpy as np
import pytest

from actors.planes import planes_of
from actors.tint import glance
from tests.actors.test_cuts import found


def film(path: Path, lumas: list[int], *, spread: int = 40, chroma: int = 128) -> Path:
    """One frame for each level of luma: the same noise of +-spread around it, and one flat chroma."""
    noise = np.random.default_rng(2).integers(-spread, spread + 1, (72, 96))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=24, options={"crf": "10", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        for level in lumas:
            frame = av.VideoFrame(96, 72, "yuv420p")
            for plane, values in zip(planes_of(frame), (noise + level, chroma, chroma), strict=True):
                plane[:] = np.asarray(values)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("spread", "level", "chroma", "grey"),
    [(40, 120, 128, True), (40, 120, 140, False), (0, 16, 128, False)],
    ids=["grey", "colour", "black"],
)
def test_what_is_grey(tmp_path: Path, spread: int, level: int, chroma: int, grey: bool) -> None:
    seen = glance(str(film(tmp_path / "a.mp4", [level] * 30, spread=spread, chroma=chroma)), 0)
    assert (seen.grey, seen.interlaced) == (grey, False)


def test_a_faint_cut_of_a_grey_film_is_found(tmp_path: Path) -> None:
    # A step of 28: below a third of what the detector asks for, were hue and saturation weighed in.
    assert found(film(tmp_path / "a.mp4", [100] * 30 + [128] * 30), 10**6) == [30]
