"""Stills for the review page: both pictures side by side, in the right colours, upright, with square pixels."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch

from actors.encode.segment_writer import encoding_for
from actors.media.planes import planes_of
from actors.picture.compose import compose
from actors.picture.domain import Domain
from actors.picture.frame_batches import batches_of, turned_back
from actors.picture.stills import pair
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from tests.paper import encoding_of, film_of, picture_of


def flat(pix_fmt: str, *values: int, width: int = 160, height: int = 80) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, value in zip(planes_of(frame), values, strict=True):
        plane[:] = value
    return frame


def test_the_source_is_left_and_the_result_right() -> None:
    film = picture_of("yuv420p", 160, 80)
    grey, red = flat("yuv420p", 126, 128, 128), flat("yuv420p", 63, 102, 240)
    found = cv2.imdecode(np.frombuffer(pair(grey, red, film, encoding_of(film, "yuv420p")), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape == (80, 320, 3)
    np.testing.assert_allclose(found[40, 80], [128, 128, 128], atol=3)
    np.testing.assert_allclose(found[40, 240], [0, 0, 255], atol=6)


@pytest.mark.parametrize(
    ("aspect", "rotation", "shape"),
    [
        (Fraction(1), 0, (80, 320)),
        (Fraction(2), 0, (80, 640)),
        (Fraction(1), 90, (160, 160)),
        (Fraction(8), 0, (60, 1920)),
    ],
)
def test_pictures_are_upright_with_square_pixels(aspect: Fraction, rotation: int, shape: tuple[int, int]) -> None:
    film = picture_of("yuv420p", 160, 80).model_copy(update={"aspect": aspect, "rotation": rotation})
    grey = flat("gray", 100), flat("yuv444p", 100, 128, 128)
    found = cv2.imdecode(np.frombuffer(pair(*grey, film, encoding_of(film, "yuv444p")), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape[:2] == shape


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("codec", [Codec.PNG, Codec.EXR, Codec.H264])
@pytest.mark.parametrize("source", ["yuv420p", "gray"])
def test_a_turned_films_pictures_are_shown_as_the_film_is(rotation: int, codec: Codec, source: str) -> None:
    film = picture_of(source, 160, 80).model_copy(update={"rotation": rotation})
    paper = encoding_for(film_of(film), Deliverable(codec=codec), grey_stays_grey=source == "gray")
    frame = flat(source, 110) if source == "gray" else flat(source, 110, 140, 120)
    planes_of(frame)[0][:20, :40] = 200
    ((run, batch),) = batches_of([frame], film, 1, torch.device("cpu"))
    (finished,) = compose(run, turned_back(batch.differences(), film), Domain.CHROMA, film, paper)
    found = cv2.imdecode(np.frombuffer(pair(frame, finished, film, paper), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    ours, theirs = np.split(found.astype(int), 2, axis=1)
    assert ours.std() > 20
    assert np.abs(ours - theirs).mean() < 1


@pytest.mark.parametrize(
    "deliverable",
    [
        Deliverable(height=40),
        Deliverable(codec=Codec.PRORES, height=120),
        Deliverable(codec=Codec.PNG, depth=16),
        Deliverable(codec=Codec.DPX, height=20),
        Deliverable(codec=Codec.EXR),
    ],
    ids=lambda one: f"{one.codec}-{one.height}",
)
@pytest.mark.parametrize("full", [False, True])
def test_any_deliverable_is_shown_as_the_film_is(deliverable: Deliverable, full: bool) -> None:
    film = picture_of("yuv420p", 160, 80, full=full)
    paper = encoding_for(film_of(film), deliverable, grey_stays_grey=False)
    source = flat("yuv420p", 110, 140, 120)
    ((run, batch),) = batches_of([source], film, 1, torch.device("cpu"))
    (finished,) = compose(run, batch.differences(), Domain.CHROMA, film, paper)
    found = cv2.imdecode(np.frombuffer(pair(source, finished, film, paper), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape == (80, 320, 3)
    np.testing.assert_allclose(found[40, 80].astype(int), found[40, 240].astype(int), atol=2)
