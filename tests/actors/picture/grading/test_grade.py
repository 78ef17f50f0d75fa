"""CDLs and LUTs on pictures: within a code value of ffmpeg, nothing where they change nothing, luma kept for looks of chroma."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actors.media.planes import planes_of
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of
from actors.picture.grading.cube import Table, read_cube
from actors.picture.grading.grade import PictureGrade
from actors.picture.grading.grader import Grader
from jobs.plan.grading import Grading
from jobs.spec.grade import Cdl
from tests.actors.picture.grading.luts import bent, cube, line
from tests.actors.picture.test_compose import CPU, random_frames, same
from tests.paper import encoding_of, picture_of


def by_ffmpeg(frame: av.VideoFrame, name: str, file: Path) -> list[NDArray[Any]]:
    """The frame through one of ffmpeg's filters."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1))
    lut = graph.add(name, f"file={file}")
    sink = graph.add("buffersink")
    source.link_to(lut)
    lut.link_to(sink)
    graph.configure()
    source.push(frame)
    found = sink.pull()
    assert isinstance(found, av.VideoFrame)
    assert found.format.name == frame.format.name
    return [plane.astype(np.int64) for plane in planes_of(found)]


@pytest.mark.parametrize(
    ("name", "data"),
    [("lut3d", cube(bent, 9)), ("lut3d", cube(bent, 33)), ("lut1d", line(lambda x: x**0.6, 65))],
    ids=["9", "33", "1D"],
)
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_lut_is_within_a_code_value_of_ffmpegs(name: str, data: bytes, bits: int, tmp_path: Path) -> None:
    file = tmp_path / "a.cube"
    file.write_bytes(data)
    form = "gbrp" if bits == 8 else f"gbrp{bits}le"
    (frame,) = random_frames(form, 1, 96, 64)
    most = 2**bits - 1
    rgb = torch.from_numpy(np.stack(planes_of(frame)).astype(np.float32))[None] / most
    ours = (PictureGrade(None, read_cube(data, "a.cube")).on(rgb)[0].clamp(0, 1) * most).round().numpy()
    theirs = np.stack(by_ffmpeg(frame, name, file))
    assert np.abs(ours - theirs).max() <= 1
    assert np.abs(ours - rgb[0].numpy() * most).mean() > 2


def test_a_cdl_is_the_ascs_formula() -> None:
    cdl = Cdl(slope=(1.2, 1, 0.8), offset=(0.1, 0, -0.1), power=(1, 2, 1), saturation=0.5)
    found = PictureGrade(cdl, ()).on(torch.tensor([0.5, 0.5, 0.5])[None, :, None, None]).flatten().tolist()
    out = [0.5 * 1.2 + 0.1, 0.5**2, 0.5 * 0.8 - 0.1]
    luma = 0.2126 * out[0] + 0.7152 * out[1] + 0.0722 * out[2]
    assert found == pytest.approx([luma + 0.5 * (value - luma) for value in out], abs=1e-6)


def test_beyond_its_domain_a_lut_goes_on_as_it_ends() -> None:
    table = Table(np.array([[0.0] * 3, [0.5] * 3], np.float32), ((0, 0, 0), (1, 1, 1)))
    beyond = torch.tensor([-0.25, 0.5, 1.5])[None, :, None, None]
    assert PictureGrade(None, [table]).on(beyond).flatten().tolist() == [-0.25, 0.25, 1.0]


@pytest.mark.parametrize("wanted", ["yuv420p", "gbrp10le"])
def test_of_a_look_of_chroma_luma_stays_and_of_others_the_whole_is_graded(wanted: str) -> None:
    film, frames = picture_of("yuv420p"), random_frames("yuv420p", 2)
    ((run, batch),) = batches_of(frames, film, 8, CPU)
    grade = PictureGrade(Cdl(slope=(1.2, 0.9, 0.7)), read_cube(cube(bent), "a.cube"))
    grading, encoding = Grading(lut="a"), encoding_of(film, wanted)
    plain = compose(run, batch.differences(), Domain.CHROMA, film, encoding)
    kept = compose(run, batch.differences(), Domain.CHROMA, film, encoding, grader=Grader(grading, film.colour, grade))
    whole = Grader(grading, film.colour, grade, whole=True)
    by_chroma = compose(run, batch.differences(), Domain.CHROMA, film, encoding, grader=whole)
    assert not same(kept, plain)
    assert not same(by_chroma, kept)
    if wanted == "yuv420p":
        assert all(np.array_equal(planes_of(a)[0], planes_of(b)[0]) for a, b in zip(kept, plain, strict=True))
        assert not np.array_equal(planes_of(by_chroma[0])[0], planes_of(plain[0])[0])
    as_rgb = compose(run, batch.rgb(), Domain.RGB, film, encoding_of(film, "gbrp10le"), grader=whole)
    graded = grade.on(batch.rgb()).clamp(0, 1)
    painted = np.stack([np.stack(planes_of(one)) for one in as_rgb]).astype(np.float32)
    assert np.abs(((painted - 64) / 876).clip(0, 1) - graded.numpy()).max() < 1e-3
