"""Brings a still to the film's geometry, checks it against its frame's luma, and keeps it as chroma and weight."""

from dataclasses import dataclass

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.media.planes import planes_of
from actors.picture.colour import Quantiser, to_differences
from actors.picture.resize import resized
from actors.stills.alignment import Alignment, Plane, aligned, moved, warped
from actors.stills.reading import StillImage
from jobs.errors import BadMedia
from jobs.film.source import Picture
from jobs.stills.listing import another_shape, wrong_shape
from jobs.stills.names import timecode_of

LIKE, SHARE = 0.82, 0.9
"""Least likeness, and least share alike, of a still that shows its frame. Frames with gamma, grain, scale and shift come to 0.89
and 1.0, frames of other shots to 0.76 and 0.79 (tests/actors/stills/test_matching.py)."""
STILL = 0.35
"""Pixels: what a corner seems to be moved by less than this, is where it was."""
SHOWN = 0.003
"""Of the picture: a frame that shows less than this is judged by its brightness alone."""
DRAWN = 0.02
GAMMAS, BRIGHTNESS = (0.6, 1.6), 0.08
"""How far brightness may be from a dark or plain frame's: by gamma, and by so much of white beside."""
TOLD_GAMMA = 0.04
DARK, BRIGHTER = 0.05, 1.5
"""Luma, 0..1, added to both where a stroke's chroma is brought to its frame's, and most that chroma is multiplied by."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A still as the farm keeps it, at the film's stored size and as the film lies in its file."""

    chroma_2HW: NDArray[np.float32]
    """B'-Y' and R'-Y' by the film's own matrix, -1..1."""
    weight_HW: NDArray[np.float32]
    """0: the farm decides; 1: the painter."""
    tool: str
    remarks: tuple[str, ...]
    """What was done to the still, in words."""


def match_still(still: StillImage, frame: av.VideoFrame, film: Picture, frame_name: str) -> Reference:
    """A still as reference of one frame, which comes in the film's working form (`film.pix_fmt`).

    `frame_name`: the frame for people, "frame 123 (00:00:05:03)". Raises BadMedia where the still has another shape than the
    film, or shows something else than this frame.
    """
    _refuse_shape(still, film)
    frame_HW = _luma(frame, film)
    rgb_3HW, weight = _lying(still, film)
    still_luma, differences = to_differences(rgb_3HW[None], film.colour)
    still_HW = np.asarray(still_luma[0, 0].numpy(), np.float32)
    if weight is not None:
        still_HW = weight * still_HW + (1 - weight) * frame_HW
    found = aligned(frame_HW, still_HW, weight)
    remarks = still.remarks + _checked(still, found, (frame_HW, still_HW, weight), frame_name)
    chroma = differences[0].numpy()
    inside = np.ones_like(frame_HW) if weight is None else weight
    if _is_moved(found, frame_HW):
        size = (film.height, film.width)
        chroma = np.stack([warped(plane, found.matrix, size) for plane in chroma])
        inside = warped(inside, found.matrix, size, 0.0)
    return Reference(np.ascontiguousarray(chroma.clip(-1, 1)), inside, still.tool, remarks)


def lay_strokes(still: StillImage, frame: av.VideoFrame, film: Picture) -> Reference:
    """A layer of strokes as reference: it shows nothing by which it could be aligned. Raises BadMedia where it has another shape than the film.

    A stroke is lighter or darker than what it is drawn on: its chroma is brought to the frame's luma in proportion.
    """
    _refuse_shape(still, film)
    rgb_3HW, weight = _lying(still, film)
    own, differences = to_differences(rgb_3HW[None], film.colour)
    light = (_luma(frame, film) + DARK) / (own[0].numpy() + DARK)
    inside = np.ones((film.height, film.width), np.float32) if weight is None else weight
    said = "a layer of strokes: their colour spreads to what is alike around them"
    chroma = differences[0].numpy() * np.minimum(light, BRIGHTER)
    return Reference(np.ascontiguousarray(chroma.clip(-1, 1), np.float32), inside, still.tool, (*still.remarks, said))


def _luma(frame: av.VideoFrame, film: Picture) -> Plane:
    luma = Quantiser(film.colour, film.depth).luma_floats(torch.from_numpy(planes_of(frame)[0].astype(np.int32)))
    return np.asarray(luma.clamp(0, 1).numpy(), np.float32)


def _refuse_shape(still: StillImage, film: Picture) -> None:
    height, width = still.rgb_HW3.shape[:2]
    if another_shape(width, height, film):
        raise BadMedia(wrong_shape(still.name, width, height, film))


def _lying(still: StillImage, film: Picture) -> tuple[Tensor, Plane | None]:
    """R'G'B' (3HW) and weight, as the film lies in its file, at its size. Colour that does not count bleeds nowhere."""
    size, turns = (film.height, film.width), -(film.rotation // 90)

    def laid(plane: NDArray[np.uint16]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.rot90(plane, turns)))[None, None]

    planes = [laid(still.rgb_HW3[:, :, channel]) for channel in range(3)]
    if still.alpha_HW is None:
        whole = [resized(plane, size) for plane in planes]
        return (torch.cat(whole, 1)[0] / 65535).clamp(0, 1), None
    alpha = laid(still.alpha_HW).to(torch.float32) / 65535
    weight = resized(alpha, size).clamp(0, 1)
    parts = [resized(plane.to(torch.float32) / 65535 * alpha, size) for plane in planes]
    rgb = torch.where(weight > 0, torch.cat(parts, 1) / weight.clamp(min=1e-6), 0)
    if planes[0].shape[-2:] == size:  # nothing was mixed, and nothing need be divided again
        rgb = torch.cat(planes, 1).to(torch.float32) / 65535
    return rgb[0].clamp(0, 1), np.asarray(weight[0, 0].numpy(), np.float32)


def _is_moved(found: Alignment, frame_HW: Plane) -> bool:
    return found.shown >= SHOWN and moved(found.matrix, frame_HW.shape) >= STILL


def _checked(
    still: StillImage, found: Alignment, planes: tuple[Plane, Plane, Plane | None], frame_name: str
) -> tuple[str, ...]:
    """What is to be told of how the still lies. Raises BadMedia where it is of another frame."""
    frame_HW, still_HW, weight = planes
    if found.shown < SHOWN:
        if weight is not None and float(weight.mean()) < 0.5:
            return ("too little of it is painted to tell whether it is of this frame",)
        if found.drawn > DRAWN or not _as_bright(frame_HW, still_HW):
            raise _another(still, frame_name)
        return ("its frame shows too little to tell whether it is of this one",)
    if found.likeness < LIKE or found.share < SHARE:
        raise _another(still, frame_name)
    told = []
    if _is_moved(found, frame_HW):
        scale = float(np.sqrt(abs(np.linalg.det(found.matrix[:, :2].astype(np.float64)))))
        corners = moved(found.matrix, frame_HW.shape)
        told.append(f"aligned: it was scaled by {100 * (scale - 1):+.1f} %, its corners by up to {corners:.1f} pixels")
    gamma = _gamma(
        frame_HW, still_HW if not _is_moved(found, frame_HW) else warped(still_HW, found.matrix, frame_HW.shape)
    )
    if abs(gamma - 1) > TOLD_GAMMA:
        told.append(
            f"its luma is {'darker' if gamma > 1 else 'lighter'} than its frame's (gamma {gamma:.2f}); the film's stays"
        )
    return tuple(told)


def _gamma(frame_HW: Plane, lying_HW: Plane) -> float:
    middle = (frame_HW > 0.1) & (frame_HW < 0.9) & (lying_HW > 0.02) & (lying_HW < 0.98)
    if middle.sum() < 64:
        return 1.0
    return float(np.median(np.log(lying_HW[middle]) / np.log(frame_HW[middle])))


def _as_bright(frame_HW: Plane, still_HW: Plane) -> bool:
    mean = float(frame_HW.mean())
    darkest, lightest = mean ** GAMMAS[1] - BRIGHTNESS, mean ** GAMMAS[0] + BRIGHTNESS
    return bool(darkest <= float(still_HW.mean()) <= lightest)


def _another(still: StillImage, frame_name: str) -> BadMedia:
    own = f" ({own} by its own name)" if (own := timecode_of(still.name)) else ""
    return BadMedia(
        f"The still {still.name}{own} does not show {frame_name}: its luma is another picture's. Give it the number of the "
        "frame that it shows, behind .f in its name, or take it out."
    )
