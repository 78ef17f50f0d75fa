"""Measures whether two pictures are equal and how far apart they are, whatever their forms.

Pictures of one form are equal bit for bit, or not. Of whatever forms, they are brought to one: R'G'B' from 0 (black) to 1
(white), cut there, by each film's own matrix and range (ITU-T H.273), upright, and at the smaller of both sizes, each sample the
mean of what it covers. Chroma is brought to luma's size as the farm does. Luma is each film's own
Y', or reckoned from that R'G'B' by the first film's matrix where one has none, or another matrix.
"""

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from actors.media.normalise import curved
from actors.media.pixel_formats import Samples, developed, is_linear, is_rgb, plain, samples_of
from actors.media.planes import aside
from actors.picture.resize import resized
from jobs.film.source import KR_KB, Colour

Floats = NDArray[np.float32]

THUMBNAIL = (32, 18)
"""Width and height of the pictures by which a lost or doubled frame is told."""


@dataclass(frozen=True)
class ComparedFrame:
    """One frame, ready to be held against another."""

    form: str
    """What pictures must share to be equal bit for bit, size included: packed or planar, of either byte order, is one."""
    luma_form: str
    """The same of luma alone; empty for R'G'B', which has none of its own."""
    size: tuple[int, int]
    """Width and height, upright."""
    samples: list[Samples]
    frame_name: str
    depth: int
    colour: Colour
    turns: int
    """Quarter turns counter-clockwise that bring it upright."""


def shown(frame: VideoFrame, colour: Colour) -> ComparedFrame:
    """A decoded frame of any form. What only libav knows is brought to R'G'B' of 16 bits by libav."""
    if not developed(frame.format.name):
        frame = frame.reformat(format="rgb48le")
    name, depth = frame.format.name, frame.format.components[0].bits
    twin = f"R'G'B' of {depth} bit" if is_rgb(name) else re.sub("(le|be)$", "", plain(developed(name)))
    turns = round(frame.rotation / 90) % 4
    across = (frame.width, frame.height)
    return ComparedFrame(
        form=f"{twin} {across[0]}x{across[1]}",
        luma_form="" if is_rgb(name) else f"{depth} bit {across[0]}x{across[1]}",
        size=across[::-1] if turns % 2 else across,
        samples=samples_of(frame),
        frame_name=name,
        depth=depth,
        colour=colour,
        turns=turns,
    )


def luma_equal(one: ComparedFrame, other: ComparedFrame) -> bool:
    """Whether luma is equal bit for bit."""
    alike = one.luma_form == other.luma_form != ""
    return alike and np.array_equal(one.samples[0], other.samples[0])


def picture_equal(one: ComparedFrame, other: ComparedFrame) -> bool:
    """Whether all planes are equal bit for bit."""
    return one.form == other.form and all(map(np.array_equal, one.samples, other.samples))


def smaller(one: ComparedFrame, other: ComparedFrame) -> tuple[int, int]:
    """Width and height at which two frames are measured: those of the frame with fewer pixels."""
    return min(one.size, other.size, key=lambda size: size[0] * size[1])


def errors(one: ComparedFrame, other: ComparedFrame) -> tuple[float, float]:
    """Mean squared errors of luma and of R'G'B', white less black being 1, once both are brought to one form."""
    size = smaller(one, other)
    (luma, rgb), (other_luma, other_rgb) = _signals(one, size), _signals(other, size)
    if not (one.luma_form and other.luma_form and one.colour.matrix == other.colour.matrix):
        # Y' of what R'G'B' cuts off would be held against nothing.
        luma, other_luma = (_luma_of(picture, one.colour) for picture in (rgb, other_rgb))
    return _mean_square(luma, other_luma), _mean_square(rgb, other_rgb)


def thumbnail(one: ComparedFrame) -> Floats:
    """A very small picture of luma (of green, for R'G'B'), by which frames are told apart, whatever they are encoded in."""
    plane = one.samples[1 if is_rgb(one.frame_name) else 0]
    offset, span = _scale(one)
    small = cv2.resize(_floats(plane), THUMBNAIL, interpolation=cv2.INTER_AREA)
    return _upright((small - np.float32(offset)) / np.float32(span), one.turns)


def _mean_square(one: Floats, other: Floats) -> float:
    return float(cv2.norm(one, other, cv2.NORM_L2SQR)) / one.size


def _signals(one: ComparedFrame, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Y' as HW and R'G'B' as HW3, from 0 to 1, cut there, upright and of `size`."""
    name, planes = one.frame_name, one.samples
    offset, span = _scale(one)
    if is_linear(name):
        parts = [curved(plane).astype(np.float32) for plane in planes]
    else:
        parts = [_floats(plane) for plane in planes]
        parts[0] = (parts[0] - np.float32(offset)) / np.float32(span)
    if is_rgb(name):
        signals = [parts[0], *(parts[1:] if is_linear(name) else (part / np.float32(span) for part in parts[1:]))]
        rgb = cv2.merge(signals)
        luma = _luma_of(np.asarray(rgb, np.float32), one.colour)
    elif len(parts) == 1:
        luma = parts[0]
        rgb = cv2.merge([luma] * 3)
    else:
        luma = parts[0]
        stack = torch.from_numpy(np.stack(parts[1:]))[None]
        chroma = resized(stack, (luma.shape[0], luma.shape[1]), aside(name))[0].numpy()
        rgb = cv2.transform(cv2.merge([luma, *chroma]), _to_rgb(one))
    return _sized(luma, one.turns, size), _sized(rgb, one.turns, size)


def _luma_of(rgb: Floats, colour: Colour) -> Floats:
    kr, kb = KR_KB[colour.matrix]
    return np.asarray(cv2.transform(rgb, np.array([[kr, 1 - kr - kb, kb]], np.float32)), np.float32)


def _to_rgb(one: ComparedFrame) -> Floats:
    """R', G', B' of Y' (0 to 1) and Cb, Cr in steps, as a 3x4 matrix whose last column is added."""
    kr, kb = KR_KB[one.colour.matrix]
    full, depth = one.colour.full_range, one.depth
    span = float(2**depth - 1) if full else 224.0 * 2 ** (depth - 8)
    blue, red = 2 * (1 - kb) / span, 2 * (1 - kr) / span
    green = 1 - kr - kb
    rows = np.array([[1, 0, red], [1, -kb * blue / green, -kr * red / green], [1, blue, 0]])
    neutral = 2.0 ** (depth - 1)
    return np.hstack([rows, -neutral * rows[:, 1:].sum(axis=1, keepdims=True)]).astype(np.float32)


def _scale(one: ComparedFrame) -> tuple[float, float]:
    """Black, and white less black, in the film's own steps."""
    if is_linear(one.frame_name):
        return 0.0, 1.0
    if is_rgb(one.frame_name) or one.colour.full_range:
        return 0.0, float(2**one.depth - 1)
    return 16.0 * 2 ** (one.depth - 8), 219.0 * 2 ** (one.depth - 8)


def _floats(plane: Samples) -> Floats:
    return np.ascontiguousarray(plane, np.float32)


def _sized(picture: Any, turns: int, size: tuple[int, int]) -> Floats:
    upright = _upright(np.clip(picture, 0, 1), turns)
    if upright.shape[1::-1] == size:
        return upright
    shrinks = upright.shape[1] >= size[0] and upright.shape[0] >= size[1]
    # Of two sizes one may be the wider and the other the higher.
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(upright, size, interpolation=way), np.float32)


def _upright(picture: Any, turns: int) -> Floats:
    return np.ascontiguousarray(np.rot90(picture, turns), np.float32)
