"""Plates and compose: what a look is shown, and how its picture becomes a frame. Luma is locked bit for bit."""

from collections.abc import Sequence

import av
import numpy as np
import pytest
import torch

from actors.media.planes import planes_of
from actors.picture.compose import Composer, compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of, turned_back
from jobs.errors import FilmFailed
from jobs.film.source import Colour, Picture
from tests.paper import encoding_of, picture_of

FORMATS = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p12le", "yuv444p16le", "gray", "gray10le"]
CPU = torch.device("cpu")


def random_frames(pix_fmt: str, frames: int = 3, width: int = 50, height: int = 38) -> list[av.VideoFrame]:
    dice = np.random.default_rng(5)
    made = []
    for _ in range(frames):
        frame = av.VideoFrame(width, height, pix_fmt)
        for view in planes_of(frame):
            view[:] = dice.integers(0, 2 ** frame.format.components[0].bits, view.shape)
        made.append(frame)
    return made


def same(a: Sequence[av.VideoFrame], b: Sequence[av.VideoFrame]) -> bool:
    return all(
        np.array_equal(x, y)
        for one, other in zip(a, b, strict=True)
        for x, y in zip(planes_of(one), planes_of(other), strict=True)
    )


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("full", [False, True])
def test_the_films_own_chroma_gives_the_film_back_bit_for_bit(pix_fmt: str, full: bool) -> None:
    film = picture_of(pix_fmt, full=full)
    frames = random_frames(pix_fmt)
    ((run, frame_batch),) = batches_of(frames, film, 8, CPU)
    assert same(compose(run, frame_batch.differences(), Domain.CHROMA, film, encoding_of(film, pix_fmt)), frames)


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_luma_is_locked_whatever_the_look_says(pix_fmt: str) -> None:
    film = picture_of(pix_fmt)
    frames = random_frames(pix_fmt)
    wild = torch.rand(3, 2, 11, 13, generator=torch.Generator().manual_seed(1)) * 4 - 2
    wanted = pix_fmt.replace("gray", "yuv444p") if "gray" in pix_fmt else pix_fmt
    made = compose(frames, wild, Domain.CHROMA, film, encoding_of(film, wanted))
    assert all(np.array_equal(planes_of(a)[0], planes_of(b)[0]) for a, b in zip(made, frames, strict=True))
    assert not np.array_equal(planes_of(made[0])[1], planes_of(made[1])[1])


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("full", [False, True])
def test_a_look_of_luma_leaves_the_films_own_chroma(pix_fmt: str, full: bool) -> None:
    film = picture_of(pix_fmt, full=full)
    frames = random_frames(pix_fmt)
    ((run, frame_batch),) = batches_of(frames, film, 8, CPU)
    assert same(compose(run, frame_batch.luma(), Domain.LUMA, film, encoding_of(film, pix_fmt)), frames)
    made = compose(run, 1 - frame_batch.luma(), Domain.LUMA, film, encoding_of(film, pix_fmt))
    assert not np.array_equal(planes_of(made[0])[0], planes_of(frames[0])[0])
    for one, other in zip(made, frames, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(planes_of(one)[1:], planes_of(other)[1:], strict=True))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [("yuv420p10le", "yuv420p"), ("yuv420p", "yuv420p10le"), ("yuv422p", "yuv420p"), ("gray", "yuv420p")],
)
def test_a_look_of_luma_brings_chroma_to_the_deliverables_form_as_others_do(source: str, wanted: str) -> None:
    film = picture_of(source)
    frames = random_frames(source)
    ((run, frame_batch),) = batches_of(frames, film, 8, CPU)
    made = compose(run, frame_batch.luma(), Domain.LUMA, film, encoding_of(film, wanted))
    own = compose(run, frame_batch.differences(), Domain.CHROMA, film, encoding_of(film, wanted))
    assert [one.format.name for one in made] == [wanted] * 3
    for one, other in zip(made, own, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(planes_of(one)[1:], planes_of(other)[1:], strict=True))


@pytest.mark.parametrize("domain", list(Domain))
def test_a_frame_is_the_same_in_any_batch(domain: Domain) -> None:
    film = picture_of("yuv420p")
    frames = random_frames("yuv420p")
    size = (22, 30) if domain is Domain.CHROMA else (38, 50)
    pictures = torch.rand(3, domain.channels, *size, generator=torch.Generator().manual_seed(2))
    alone = [
        compose([frame], one[None], domain, film, encoding_of(film, "yuv420p"))[0]
        for frame, one in zip(frames, pictures, strict=True)
    ]
    assert same(compose(frames, pictures, domain, film, encoding_of(film, "yuv420p")), alone)


def test_no_difference_is_neutral() -> None:
    film = picture_of("gray")
    (made,) = compose(
        random_frames("gray", 1), torch.zeros(1, 2, 8, 8), Domain.CHROMA, film, encoding_of(film, "yuv420p")
    )
    assert {int(value) for plane in planes_of(made)[1:] for value in np.unique(plane)} == {128}


def test_ten_bits_become_eight_by_rounding() -> None:
    film = picture_of("yuv420p10le")
    frame = random_frames("yuv420p10le", 1)[0]
    planes_of(frame)[0][0, :5] = [64, 65, 66, 940, 1023]
    (made,) = compose([frame], torch.zeros(1, 2, 19, 25), Domain.CHROMA, film, encoding_of(film, "yuv420p"))
    assert planes_of(made)[0][0, :5].tolist() == [16, 16, 17, 235, 255]


def test_an_rgb_look_comes_out_in_its_own_colours() -> None:
    film = picture_of("yuv444p", width=4, height=4)
    red = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, 4, 4)
    (made,) = compose(random_frames("yuv444p", 1, 4, 4), red, Domain.RGB, film, encoding_of(film, "yuv444p"))
    assert [int(plane[0, 0]) for plane in planes_of(made)] == [63, 102, 240]


def test_plates_show_the_film_as_colours() -> None:
    film = picture_of("yuv420p", width=4, height=4)
    frame = av.VideoFrame(4, 4, "yuv420p")
    for plane, value in zip(planes_of(frame), (63, 102, 240), strict=True):
        plane[:] = value
    ((_, frame_batch),) = batches_of([frame], film, 8, CPU)
    assert frame_batch.rgb().round(decimals=1)[0, :, 0, 0].tolist() == [1, 0, 0]
    assert tuple(frame_batch.luma((2, 2)).shape) == (1, 1, 2, 2)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_picture_that_is_no_number_is_refused(bad: float) -> None:
    film, picture = picture_of("yuv420p"), torch.zeros(1, 2, 4, 4)
    picture[0, 1, 2, 3] = bad
    with pytest.raises(FilmFailed, match="no numbers"):
        compose(random_frames("yuv420p", 1), picture, Domain.CHROMA, film, encoding_of(film, "yuv420p"))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gray"])
def test_looks_see_the_film_upright_and_it_is_stored_as_it_was(rotation: int, pix_fmt: str) -> None:
    film = picture_of(pix_fmt).model_copy(update={"rotation": rotation})
    frames = random_frames(pix_fmt)
    ((run, frame_batch),) = batches_of(frames, film, 8, CPU)
    # Degrees are counter-clockwise: turned by 90, what was the right edge is the top.
    corner = {0: (0, 0), 90: (0, -1), 180: (-1, -1), 270: (-1, 0)}[rotation]
    assert int(frame_batch.luma_NHW[0, 0, 0]) == int(planes_of(frames[0])[0][corner])
    assert same(
        compose(run, turned_back(frame_batch.differences(), film), Domain.CHROMA, film, encoding_of(film, pix_fmt)),
        frames,
    )


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_batches_hold_all_frames_in_order(batch: int) -> None:
    frames = random_frames("yuv420p", 5)
    runs = list(batches_of(frames, picture_of("yuv420p"), batch, CPU))
    assert [frame for run, _ in runs for frame in run] == frames
    assert [len(frame_batch) for _, frame_batch in runs] == [min(batch, 5 - start) for start in range(0, 5, batch)]


def test_every_matrix_is_known() -> None:
    for matrix in ("bt601", "bt709", "bt2020"):
        colour = Colour(matrix=matrix, full_range=False, primaries=1, transfer=1, space=1, assumed=False)
        film: Picture = picture_of("yuv420p").model_copy(update={"colour": colour})
        frames = random_frames("yuv420p")
        ((run, frame_batch),) = batches_of(frames, film, 8, CPU)
        assert same(compose(run, frame_batch.differences(), Domain.CHROMA, film, encoding_of(film, "yuv420p")), frames)


class Waits:
    """Brings the tensors of a device that has no numbers, and counts how often it was waited for."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        self.count += 1
        return [torch.ones(one.shape, dtype=one.dtype) for one in tensors]


@pytest.mark.parametrize("wanted", ["yuv420p", "yuv422p10le", "gray", "gbrp"])
@pytest.mark.parametrize("domain", Domain)
def test_a_device_is_waited_for_once_a_batch(domain: Domain, wanted: str) -> None:
    """On torch's meta device whatever asks for a number raises: a wait that is hidden anywhere would be seen."""
    film = picture_of("yuv420p")
    picture = torch.empty(8, domain.channels, 38, 50, device="meta")
    waits = Waits()
    made = compose(random_frames("yuv420p", 8), picture, domain, film, encoding_of(film, wanted), waits)
    assert (len(made), waits.count) == (8, 1)


@pytest.mark.parametrize("wanted", ["yuv420p", "yuv444p10le", "gray"])
@pytest.mark.parametrize("domain", Domain)
def test_a_batch_is_composed_as_its_frames_are_alone(domain: Domain, wanted: str) -> None:
    """As a GPU does it, all at once: on the processor, told that it is one."""
    film, frames = picture_of("yuv420p"), random_frames("yuv420p", 5)
    pictures = torch.rand(5, domain.channels, 38, 50, generator=torch.Generator().manual_seed(3))
    encoding = encoding_of(film, wanted)
    alone = compose(frames, pictures, domain, film, encoding)
    together = Composer(domain, film, encoding, list).finished(frames, pictures)
    assert same(alone, together)
