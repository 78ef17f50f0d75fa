"""Which frame near an anchor the look is shown: never a black, faded or blurred one where a good one is near, and the anchor itself among equals."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from actors.picture.colour import Quantiser
from actors.picture.frame_batches import FrameBatch
from actors.render.propagation.anchor_frames import AnchorFrames
from jobs.film.source import Colour
from jobs.plan.ranges import Range
from jobs.plan.spans import AROUND, Anchor, Propagation

Floats = NDArray[np.float32]
SCALE = Quantiser(Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False), 8)
SHARP, OTHER = (np.random.default_rng(seed).random((64, 96), np.float32) for seed in (7, 8))


def shown(lumas: list[Floats], *anchors: Anchor) -> dict[int, int]:
    """By anchor: the frame that is chosen."""
    choice, found = AnchorFrames(anchors), dict[int, int]()
    for number, luma in enumerate(lumas):
        batch = FrameBatch(torch.full((1, 2, 2), number, dtype=torch.uint8), None, SCALE)
        for anchor, frame in choice.passed(number, luma, batch):
            assert frame.batch.luma_NHW[0, 0, 0] == frame.number <= number
            found[anchor] = frame.number
    return found


def test_among_equals_it_is_the_anchor_itself() -> None:
    assert shown([SHARP] * 60, own(24)) == {24: 24}


@pytest.mark.parametrize("worse", [SHARP * 0, SHARP * np.float32(0.3), cv2.GaussianBlur(SHARP, (0, 0), 2.0)])
def test_what_shows_little_is_passed_over_for_the_nearest_that_shows_more(worse: Floats) -> None:
    lumas = [worse if 18 <= number < 30 else SHARP for number in range(60)]
    assert shown(lumas, own(24)) == {24: 30}
    assert shown(lumas, own(22)) == {22: 17}


@pytest.mark.parametrize("first", [20, 10])
def test_the_frames_of_a_dissolve_are_passed_over(first: int) -> None:
    mixed = [SHARP * (1 - share) + OTHER * share for share in np.linspace(0, 1, 12, dtype=np.float32)[1:-1]]
    lumas = [SHARP] * first + mixed + [OTHER] * (50 - first)
    middle = first + 5
    # Of what is nearly whole again at the ends of it, a tenth of the other picture is left at most.
    assert shown(lumas, own(middle))[middle] not in range(first + 1, first + 9)


def test_where_nothing_shows_anything_it_is_the_anchor() -> None:
    assert shown([SHARP * 0] * 60, own(24)) == {24: 24}


def test_a_still_belongs_to_its_frame_alone() -> None:
    lumas = [SHARP * 0 if number == 24 else SHARP for number in range(60)]
    assert shown(lumas, Anchor(frame=24, still="0" * 64)) == {24: 24}


def test_of_a_plan_each_anchor_has_one_and_none_is_of_another_shot() -> None:
    spans = Propagation().through(Range(5, 160))
    anchors = {anchor.frame: anchor for span in spans for anchor in span.anchors}
    found = shown([SHARP * 0] * 160, *anchors.values())
    assert found.keys() == anchors.keys()
    assert all(5 <= frame < 160 for frame in found.values())
    assert all(span.read.start <= found[anchor.frame] < span.read.stop for span in spans for anchor in span.anchors)


def own(frame: int) -> Anchor:
    return Anchor(frame=frame, around=Range(frame - AROUND, frame + AROUND + 1))
