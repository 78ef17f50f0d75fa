"""Stills are laid onto their own frame, whatever a tool did to them, and onto no other; what is delivered is the painter's chroma."""

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actors.media.planes import planes_of
from actors.picture.colour import Quantiser, from_differences, to_differences
from actors.picture.image_metrics import ciede2000, lab
from actors.picture.stills import of_source
from actors.stills.matching import match_still
from jobs.errors import BadMedia
from jobs.film.source import Picture
from tests.actors.stills.pictures import Photo, Redrawing, clip_shots, grey_frame, made_shot, still_of
from tests.paper import picture_of

NAME = "frame 7 (00:00:00:07)"


def film_like(photo: Photo, pix_fmt: str = "yuv420p") -> Picture:
    return picture_of(pix_fmt, photo.shape[1], photo.shape[0])


def is_taken(still: Photo, frame: Photo) -> bool:
    film = film_like(frame)
    try:
        match_still(still_of(still), grey_frame(frame, film), film, NAME)
    except BadMedia:
        return False
    return True


def judged(shots: Sequence[Sequence[Photo]], count: int) -> tuple[int, int]:
    """How many of so many true stills, redrawn, are refused, and how many of other shots are taken."""
    rng, refused, taken = np.random.default_rng(4), 0, 0
    for _ in range(count):
        one, other = rng.choice(len(shots), 2, replace=False)
        frame, strange = (shots[int(which)][int(rng.integers(len(shots[int(which)])))] for which in (one, other))
        refused += not is_taken(Redrawing.any(rng).of(frame, rng), frame)
        taken += is_taken(Redrawing.any(rng).of(strange, rng), frame)
    return refused, taken


def test_of_200_redrawn_stills_none_is_refused_and_of_200_of_other_shots_none_is_taken() -> None:
    assert judged([made_shot(seed) for seed in range(12)], 200) == (0, 0)


@pytest.mark.minutes
@pytest.mark.parametrize("clip", ["tears-of-steel.webm", "sintel-30s.mp4"])
def test_redrawn_stills_of_real_films_are_told_from_those_of_other_shots(clip: str) -> None:
    assert judged(clip_shots(clip), 25) == (0, 0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("clip", ["tears-of-steel.webm", "sintel-30s.mp4"])
def test_of_200_redrawn_stills_of_a_real_film_none_is_refused_and_of_200_others_none_is_taken(clip: str) -> None:
    assert judged(clip_shots(clip), 200) == (0, 0)


def test_a_still_that_could_only_lie_far_off_is_refused_where_its_frame_shows_much() -> None:
    """Whatever the alignment is led to: it is no excuse that nothing of the still is left in sight."""
    for seed in range(20, 32):
        frame, strange = made_shot(seed, 1)[0], made_shot(seed + 100, 1)[0]
        assert not is_taken(np.ascontiguousarray(strange[::-1, ::-1]), frame)
        assert not is_taken(np.full_like(frame, 128), frame)


# what is delivered


def shown(luma_11HW: torch.Tensor, chroma_2HW: NDArray[np.float32], film: Picture) -> torch.Tensor:
    return from_differences(luma_11HW, torch.from_numpy(chroma_2HW)[None], film.colour).clamp(0, 1)


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "gray"])
def test_the_films_luma_with_the_reference_is_the_still_within_half_a_step_of_de00(matrix: str, pix_fmt: str) -> None:
    (photo,) = made_shot(3, 1)
    film = film_like(photo, pix_fmt)
    film = film.model_copy(update={"colour": film.colour.model_copy(update={"matrix": matrix})})
    frame = grey_frame(photo, film)
    found = match_still(still_of(photo), frame, film, NAME)
    luma = Quantiser(film.colour, film.depth).luma_floats(torch.from_numpy(planes_of(frame)[0].astype(np.int32)))
    truth = torch.from_numpy(photo.astype(np.float32) / 255).permute(2, 0, 1)[None]
    made = shown(luma[None, None], found.chroma_2HW, film)
    wanted = shown(luma[None, None], to_differences(truth, film.colour)[1][0].numpy(), film)
    apart = ciede2000(lab(made)[0].flatten(1), lab(wanted)[0].flatten(1))
    assert float(apart.max()) < 0.05
    # Luma is of whole steps: that is all that the still itself differs by.
    assert float(ciede2000(lab(made)[0].flatten(1), lab(truth)[0].flatten(1)).mean()) < 0.5
    assert found.weight_HW.min() == 1
    assert found.remarks == ()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3), Fraction(8, 9)])
def test_turned_and_anamorphic_films_get_their_stills_as_they_lie(rotation: int, aspect: Fraction) -> None:
    lying = made_shot(5, 1, (180, 240))[0]
    film = film_like(lying, "yuv444p").model_copy(update={"rotation": rotation, "aspect": aspect})
    frame = grey_frame(lying, film)
    upright = np.rot90(cv2.resize(lying, (round(240 * aspect), 180), interpolation=cv2.INTER_CUBIC), rotation // 90)
    assert of_source(frame, film).shape == upright.shape
    found = match_still(still_of(np.ascontiguousarray(upright)), frame, film, NAME)
    wanted = to_differences(torch.from_numpy(lying.astype(np.float32) / 255).permute(2, 0, 1)[None], film.colour)[1][0]
    assert found.chroma_2HW.shape == (2, 180, 240)
    assert float(np.abs(found.chroma_2HW - wanted.numpy()).mean()) < 0.01
    assert not any("aligned" in remark for remark in found.remarks)


@pytest.mark.parametrize("size", [(90, 160), (270, 480), (184, 320)])
def test_another_size_of_the_same_shape_is_taken_and_another_shape_refused(size: tuple[int, int]) -> None:
    (photo,) = made_shot(6, 1)
    film = film_like(photo)
    still = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA)
    if size == (184, 320):
        with pytest.raises(BadMedia, match="320x184, which is another shape than the film's 320x180"):
            match_still(still_of(np.asarray(still, np.uint8)), grey_frame(photo, film), film, NAME)
        return
    found = match_still(still_of(np.asarray(still, np.uint8)), grey_frame(photo, film), film, NAME)
    assert found.chroma_2HW.shape == (2, 180, 320)


def test_a_redrawn_still_is_aligned_and_told() -> None:
    (photo,) = made_shot(7, 1)
    film, rng = film_like(photo, "yuv444p"), np.random.default_rng(0)
    redrawn = Redrawing(0.75, 4, 1.02, (3, -2)).of(photo, rng)
    found = match_still(still_of(redrawn), grey_frame(photo, film), film, NAME)
    assert [remark.partition(":")[0].partition(" (")[0] for remark in found.remarks] == [
        "aligned",
        "its luma is lighter than its frame's",
    ]
    assert "scaled by +2.0 %" in found.remarks[0]
    # Where colours meet, the chroma meets there too: nearer than unaligned by far.
    only_paint = Redrawing(0.75).of(photo, rng)

    def chroma(picture: Photo) -> NDArray[np.float32]:
        rgb = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        return np.asarray(to_differences(rgb, film.colour)[1][0].numpy(), np.float32)

    inside = found.weight_HW > 0.99
    errors = [
        float(np.abs(cv2.blur((one - chroma(only_paint)).transpose(1, 2, 0), (5, 5)))[inside].mean())
        for one in (found.chroma_2HW, chroma(redrawn))
    ]
    assert errors[0] < 0.4 * errors[1]


def test_another_frame_is_refused_with_both_names() -> None:
    photo, other = made_shot(8, 1)[0], made_shot(9, 1)[0]
    film = film_like(photo)
    still = still_of(other, name="shot0003.f000007.00-00-05-03.png")
    with pytest.raises(
        BadMedia,
        match=r"shot0003\.f000007\.00-00-05-03\.png \(00:00:05:03 by its own name\) does not show frame 7 \(00:00:00:07\)",
    ):
        match_still(still, grey_frame(photo, film), film, NAME)


# alpha


def test_where_alpha_is_nothing_the_farm_decides_whatever_colour_lies_below() -> None:
    (photo,) = made_shot(10, 1)
    film, alpha = film_like(photo, "yuv444p"), np.zeros(photo.shape[:2], np.uint8)
    alpha[40:140, 60:250] = 255
    alpha[40:140, 200:250] = 128
    hidden = np.where(alpha[:, :, None] > 0, photo, np.array([255, 0, 255], np.uint8))
    whole, found = (
        match_still(still_of(one, a), grey_frame(photo, film), film, NAME)
        for one, a in ((photo, None), (hidden, alpha))
    )
    np.testing.assert_allclose(found.weight_HW, alpha / 255, atol=1e-4)
    painted = alpha > 0
    np.testing.assert_allclose(found.chroma_2HW[:, painted], whole.chroma_2HW[:, painted], atol=1e-5)


def test_hidden_colour_does_not_bleed_when_a_still_is_made_smaller() -> None:
    (photo,) = made_shot(11, 1)
    film = film_like(photo, "yuv444p")
    large = cv2.resize(photo, (640, 360), interpolation=cv2.INTER_NEAREST)
    alpha = np.zeros((360, 640), np.uint8)
    alpha[81:281, 101:501] = 255
    hidden = np.where(alpha[:, :, None] > 0, large, np.array([255, 0, 255], np.uint8))
    found = match_still(still_of(hidden, alpha), grey_frame(photo, film), film, NAME)
    whole = match_still(still_of(photo), grey_frame(photo, film), film, NAME)
    painted = found.weight_HW > 0
    assert 0 < found.weight_HW[40, 100] < 1
    np.testing.assert_allclose(found.chroma_2HW[:, painted], whole.chroma_2HW[:, painted], atol=0.01)


def test_a_small_patch_of_paint_is_taken_as_it_is_and_told() -> None:
    (photo,) = made_shot(12, 1)
    film, alpha = film_like(photo), np.zeros(photo.shape[:2], np.uint8)
    alpha[50:56, 50:56] = 255
    patch = np.full_like(photo, 200)
    found = match_still(still_of(patch, alpha), grey_frame(photo, film), film, NAME)
    assert found.remarks == ("too little of it is painted to tell whether it is of this frame",)


def test_a_plain_frame_takes_a_plain_still_and_no_other() -> None:
    black, white = np.full((180, 320, 3), 8, np.uint8), np.full((180, 320, 3), 230, np.uint8)
    film = film_like(black)
    found = match_still(still_of(black), grey_frame(black, film), film, NAME)
    assert found.remarks == ("its frame shows too little to tell whether it is of this one",)
    for other in (white, made_shot(13, 1)[0]):
        with pytest.raises(BadMedia, match="does not show frame 7"):
            match_still(still_of(other), grey_frame(black, film), film, NAME)
