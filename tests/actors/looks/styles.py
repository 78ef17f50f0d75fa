"""Style networks made for tests, and a slow, plain reference that runs them from the published facts alone. Shares no code with the product."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

Array = NDArray[np.float64]
Tensors = dict[str, NDArray[np.float32]]


def name(number: int) -> str:
    return f"Variable_{number}" if number else "Variable"


def tensors(widths: tuple[int, int, int] = (4, 6, 8), blocks: int = 2, seed: int = 5) -> Tensors:
    """A random network of the family, with the published names, order and shapes."""
    a, b, c = widths
    shapes = [(9, 9, 3, a), (3, 3, a, b), (3, 3, b, c)]
    shapes += [(3, 3, c, c)] * (2 * blocks)
    shapes += [(3, 3, b, c), (3, 3, a, b), (9, 9, a, 3)]
    outs = [a, b, c, *[c] * (2 * blocks), b, a, 3]
    maker = np.random.default_rng(seed)
    found: Tensors = {}
    for place, (shape, out) in enumerate(zip(shapes, outs, strict=True)):
        found[name(3 * place)] = maker.normal(0, 0.1, shape).astype(np.float32)
        found[name(3 * place + 1)] = maker.normal(0, 0.3, out).astype(np.float32)
        found[name(3 * place + 2)] = maker.normal(0.8, 0.3, out).astype(np.float32)
    return found


def write(path: Path, found: Tensors) -> Path:
    save_file(found, path)
    return path


def reference(found: Tensors, picture_HW3: Array) -> Array:
    """The network's R'G'B' 0..255 for R'G'B' 0..255, at the size TensorFlow gives it: a multiple of 4."""
    layers = len(found) // 3
    x = np.maximum(_normed(found, 0, _same(picture_HW3, found[name(0)], 1)), 0)
    for place in (1, 2):
        x = np.maximum(_normed(found, place, _same(x, found[name(3 * place)], 2)), 0)
    for place in range(3, layers - 3, 2):
        y = np.maximum(_normed(found, place, _same(x, found[name(3 * place)], 1)), 0)
        x = x + _normed(found, place + 1, _same(y, found[name(3 * place + 3)], 1))
    for place in (layers - 3, layers - 2):
        x = np.maximum(_normed(found, place, _doubled(x, found[name(3 * place)])), 0)
    x = _normed(found, layers - 1, _same(x, found[name(3 * layers - 3)], 1))
    made: Array = np.clip(150 * np.tanh(x) + 127.5, 0, 255)
    return made


def _same(x_HWC: Array, kernel: NDArray[np.float32], stride: int) -> Array:
    side = kernel.shape[0]
    out = [-(-length // stride) for length in x_HWC.shape[:2]]
    short = [max(0, (o - 1) * stride + side - n) for o, n in zip(out, x_HWC.shape[:2], strict=True)]
    padded = np.pad(x_HWC, [(n // 2, n - n // 2) for n in short] + [(0, 0)])
    made = np.zeros((*out, kernel.shape[3]))
    for y in range(side):
        for x in range(side):
            seen = padded[y : y + out[0] * stride : stride, x : x + out[1] * stride : stride]
            made += seen[: out[0], : out[1]] @ kernel[y, x].astype(np.float64)
    return made


def _doubled(x_HWC: Array, kernel: NDArray[np.float32]) -> Array:
    height, width, _ = x_HWC.shape
    made = np.zeros((2 * height + 1, 2 * width + 1, kernel.shape[2]))
    for y in range(3):
        for x in range(3):
            made[y : y + 2 * height : 2, x : x + 2 * width : 2] += x_HWC @ kernel[y, x].T.astype(np.float64)
    return made[: 2 * height, : 2 * width]


def _normed(found: Tensors, place: int, x_HWC: Array) -> Array:
    mean, variance = x_HWC.mean((0, 1)), x_HWC.var((0, 1))
    made: Array = (x_HWC - mean) / np.sqrt(variance + 1e-3) * found[name(3 * place + 2)] + found[name(3 * place + 1)]
    return made


def faithful() -> Tensors:
    """A network that gives its picture back, a little blurred and with another contrast: to see where things come to lie."""
    centre = np.zeros((9, 9, 3, 3), np.float32)
    centre[4, 4] = np.eye(3)
    line = np.array([0.5, 1, 0.5], np.float32)
    tent = np.outer(line, line)[:, :, None, None] * np.eye(3, dtype=np.float32)
    found: Tensors = {}
    for place, kernel in enumerate((centre, tent / 4, tent / 4, tent, tent, centre)):
        found[name(3 * place)] = np.ascontiguousarray(kernel, np.float32)
        # Far above 0, so that no ReLU cuts; the last norm brings it back.
        found[name(3 * place + 1)] = np.full(3, 0 if place == 5 else 50, np.float32)
        found[name(3 * place + 2)] = np.full(3, 0.1 if place == 5 else 1, np.float32)
    return found
