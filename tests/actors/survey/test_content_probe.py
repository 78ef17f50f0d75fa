"""A black-and-white film is told from one in colour, and its faint cuts are found."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from actors.media.planes import planes_of
from actors.survey.content_probe import glance
from tests.actors.survey.test_cuts import found


def film(
    path: Path, lumas: list[int], *, spread: int = 40, chroma: int = 128, start: int = 0, grey: int = 0, gop: int = 12
) -> Path:
    """One frame for each level of luma: the same noise of +-spread around it, and one flat chroma; the first `grey` have none.

    `start`: seconds by which the first is shown late.
    """
    noise = np.random.default_rng(2).integers(-spread, spread + 1, (72, 96))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=24, options={"crf": "10", "g": str(gop)})
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        for number, level in enumerate(lumas):
            frame = av.VideoFrame(96, 72, "yuv420p")
            frame.pts, frame.time_base = number + 24 * start, Fraction(1, 24)
            colour = chroma if number >= grey else 128
            for plane, values in zip(planes_of(frame), (noise + level, colour, colour), strict=True):
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


@pytest.mark.parametrize("ending", ["ts", "mkv", "nut"])
def test_a_film_that_starts_late_is_looked_at_all_through(tmp_path: Path, ending: str) -> None:
    assert not glance(str(film(tmp_path / f"a.{ending}", [120] * 96, chroma=140, start=3600, grey=24)), 0).grey


def test_a_film_with_one_key_frame_is_looked_at_beyond_it(tmp_path: Path) -> None:
    assert not glance(str(film(tmp_path / "a.mp4", [120] * 192, chroma=140, grey=100, gop=240)), 0).grey


def test_a_faint_cut_of_a_grey_film_is_found(tmp_path: Path) -> None:
    # A step of 28: below a third of what the detector asks for, were hue and saturation weighed in.
    assert found(film(tmp_path / "a.mp4", [100] * 30 + [128] * 30), 10**6) == [30]
