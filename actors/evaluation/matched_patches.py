"""Finds patches that two frames both show, by their luma alone, and tells how far their colours are apart.

Local features (Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), 2004) of both frames that are
each other's nearest and pass Lowe's ratio test, held to one homography (Fischler and Bolles, "Random sample consensus", CACM
24(6), 1981). It has nothing in common with the network by which colour is matched.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.picture.image_metrics import ciede2000, lab
from actors.picture.resize import Size, resized

Floats = NDArray[np.float32]

LONG_SIDE = 1280
"""Of the pictures in which features are found, in pixels, at most."""
FEATURES, CONTRAST = 4000, 0.02
"""The strongest of a frame, and the contrast below which OpenCV takes none."""
RATIO = 0.75
"""Of the distances to the nearest feature and to the second nearest, above which a match is dropped."""
SIDE, WITHIN, PATCH = 448, 3.0, 9
"""Long side of the pictures in which patches are compared; pixels there within which a match agrees with the homography; a patch's side."""
LEAST = 20
"""Patches of two frames below which these are taken to show different things."""


class FrameFeatures(NamedTuple):
    """What is known of a frame while others are matched with it."""

    places: Floats
    """x and y in the picture in which patches are compared (K, 2)."""
    descriptors: Tensor
    """K, 128; bytes."""


def features_of(luma_HW: Floats) -> FrameFeatures:
    """Of a frame's luma, 0..1, at its own size: those whose patch lies in the picture."""
    size, small = _size(luma_HW, LONG_SIDE), _size(luma_HW, SIDE)
    picture = resized(torch.from_numpy(luma_HW)[None, None], size)[0, 0]
    levels = (255 * picture).round().clamp(0, 255).byte().numpy()
    found, descriptors = cv2.SIFT_create(FEATURES, contrastThreshold=CONTRAST).detectAndCompute(levels, None)  # type: ignore[attr-defined]
    if descriptors is None:
        return FrameFeatures(np.empty((0, 2), np.float32), torch.empty(0, 128, dtype=torch.uint8))
    scale = np.array([small[1] / size[1], small[0] / size[0]])
    places = (np.array([one.pt for one in found]) + 0.5) * scale - 0.5
    edge = PATCH // 2
    inside = ((places.round() >= edge) & (places.round() < np.array(small[::-1]) - edge)).all(1)
    return FrameFeatures(places[inside].astype(np.float32), torch.from_numpy(descriptors[inside].astype(np.uint8)))


@torch.inference_mode()
def shared_places(one: FrameFeatures, other: FrameFeatures) -> Floats:
    """Where both frames show the same patches: places in each (2, N, 2); none where fewer than LEAST agree on one change of view."""
    nothing = np.empty((2, 0, 2), np.float32)
    if min(len(one.places), len(other.places)) < LEAST:
        return nothing
    # Whole numbers, whose sums float32 holds exactly: the order of adding changes no bit.
    first, second = one.descriptors.float(), other.descriptors.float()
    distance = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    nearest, at = distance.topk(2, dim=1, largest=False)
    sure = nearest[:, 0] < RATIO**2 * nearest[:, 1]
    sure &= distance.argmin(0)[at[:, 0]] == torch.arange(len(at))
    matched = np.hstack([one.places[sure.numpy()], other.places[at[sure, 0].numpy()]])
    # A place has a feature for each of the directions that it may have.
    matched = matched[np.unique(matched.round(), axis=0, return_index=True)[1]]
    if len(matched) < LEAST:
        return nothing
    _, agree = cv2.findHomography(matched[:, :2], matched[:, 2:], cv2.RANSAC, WITHIN)
    if agree is None or int(agree.sum()) < LEAST:
        return nothing
    return np.stack(np.hsplit(matched[agree[:, 0] > 0], 2))


def patches_of(rgb_13HW: Tensor, places_N2: Floats) -> Tensor:
    """The mean L*a*b* of the patch at each place (3, N)."""
    picture = lab(resized(rgb_13HW, _size(rgb_13HW[0, 0], SIDE)).clamp(0, 1))[0].permute(1, 2, 0).numpy()
    means = cv2.blur(np.ascontiguousarray(picture), (PATCH, PATCH))
    x, y = places_N2.round().astype(int).T
    return torch.from_numpy(means[y, x]).T


def colour_apart(one_3N: Tensor, other_3N: Tensor) -> float:
    """Mean dE00 of the same patches in two frames, both with the mean of their lightnesses: shots may be lit differently."""
    lightness = (one_3N[:1] + other_3N[:1]) / 2
    return float(ciede2000(*(torch.cat([lightness, some[1:]]) for some in (one_3N, other_3N))).mean())


def _size(picture_HW: Floats | Tensor, most: int) -> Size:
    height, width = picture_HW.shape
    scale = min(1.0, most / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))
