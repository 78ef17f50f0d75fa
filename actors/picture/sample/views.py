"""Paints the views of the sample film, in colour, so that sky, leaves and water have the greys that a camera would give them.

Canvases are HW3 floats, display-coded R'G'B', 0..1; lengths are in picture heights, those of land in map pixels.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

Plane = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
Size = tuple[int, int]
Colour = tuple[float, ...]
Shape = tuple[npt.ArrayLike, Colour]

TREES = ((0.52, 0.585, 0.25), (0.13, 0.60, 0.36), (1.52, 0.66, 0.60))
FOREST = ((0.2, 0.57, 0.36), (0.38, 0.585, 0.42), (1.5, 0.57, 0.4), (0.02, 0.59, 0.5), (1.65, 0.61, 0.56))
"""Trees, far to near: across, foot, height."""


def _noise(rng: Generator, shape: Size, slope: float, stretch: float = 1.0) -> Plane:
    # 1/f noise, mean 0 and deviation 1, that wraps at its edges; `stretch` draws it out sideways.
    wave = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]) * stretch).astype(np.float32)
    wave[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape, np.float32)) * wave**-slope, s=shape)
    return np.asarray(field / field.std(), np.float32)


def smooth_step(low: float, high: float, value: npt.NDArray[np.floating]) -> Plane:
    """0 up to `low`, 1 from `high` on, and smoothly between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _mix(base: npt.ArrayLike, other: npt.ArrayLike, amount: npt.ArrayLike) -> Plane:
    first, second, share = (np.asarray(one, np.float32) for one in (base, other, amount))
    return first + (second - first) * share[..., None]


def _look_up(texture: Plane, x: Plane, y: Plane) -> Plane:
    # Bilinear, in pixels of a texture that repeats for ever.
    at = np.mod(x, texture.shape[1]), np.mod(y, texture.shape[0])
    return np.asarray(cv2.remap(texture, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


def _floor(shape: Size, horizon: float) -> tuple[Plane, Plane, Plane, Plane]:
    # Rows and columns, and where each pixel's ray meets a plane one unit below the eye (above it, over the horizon).
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / shape[0]
    far = 1 / np.maximum(np.abs(rows - horizon), np.float32(0.5 / shape[0]))
    return rows, columns, (columns - columns.mean()) * far, far


def _sky(rng: Generator, shape: Size, horizon: float, top: Colour, low: Colour) -> Plane:
    _, _, x, far = _floor(shape, horizon)
    clouds = _noise(rng, (512, 512), 1.5)
    here, sunward = _look_up(clouds, x * 28, far * 28), _look_up(clouds, x * 28 + 9, far * 28 + 5)
    cloud = _mix((0.97, 0.96, 0.94), (0.60, 0.63, 0.70), smooth_step(-0.25, 0.75, 0.8 * sunward - 0.5 * here))
    return _mix(
        _mix(low, top, smooth_step(0, 0.62, 1 / far)), cloud, smooth_step(0, 1.4, here) * smooth_step(26, 7, far)
    )


def _terrain(sky: Plane, height: Plane, tint: Plane, eye: float, horizon: float) -> Plane:
    # Casts one ray through every pixel on to a height map, the camera `eye` above its near edge, looking along y.
    rows, columns = sky.shape[:2]
    far = np.geomspace(18, height.shape[0] - 8, 800, dtype=np.float32)[:, None]
    x = far * ((np.arange(columns, dtype=np.float32) - columns / 2) / rows) + height.shape[1] / 2
    y = far + 0 * x
    top = np.minimum.accumulate(horizon * rows - (_look_up(height, x, y) - eye) / far * rows, axis=0)
    seen = np.stack([np.searchsorted(-top[:, c], -np.arange(rows, dtype=np.float32)) for c in range(columns)], 1)
    colours = _mix(_look_up(tint, x, y), (0.73, 0.80, 0.87), 1 - np.exp(-0.0008 * y))
    return _mix(sky, colours[np.minimum(seen, len(far) - 1), np.arange(columns)[None]], seen < len(far))


def _sunlight(height: Plane) -> Plane:
    # Light from the left: by the ground's tilt, and none where higher ground to the left casts its shadow.
    across, along = np.gradient(height, axis=1), np.gradient(height, axis=0)
    tilt = np.clip((0.75 + 0.7 * across + 0.35 * along) / np.sqrt(1 + across**2 + along**2), 0, 1.2)
    line = height + np.arange(height.shape[1]) * 0.75
    lit = 0.2 + 0.8 * smooth_step(3.0, 0.5, np.maximum.accumulate(line, axis=1) - line)
    return np.asarray(0.38 + 1.1 * tilt * lit, np.float32)[..., None]


def _mirrored(rng: Generator, view: Plane) -> Plane:
    # Negative colours are water: it shows what stands above its farthest row, upside down, rippled and darker.
    rows, columns = np.mgrid[: view.shape[0], : view.shape[1]].astype(np.float32)
    water = view[..., 2] < 0
    shore = np.float32(np.argmax(water.sum(1) > 0.08 * view.shape[1]))
    ripple = _noise(rng, water.shape, 1.1, 14.0) * (rows - shore) * 0.035
    dry = _mix(view, (0.55, 0.62, 0.68), water)
    glass = cv2.remap(dry, columns, np.clip(2 * shore - rows + ripple, 0, shore), cv2.INTER_LINEAR)
    deep = 0.18 + 0.5 * (rows - shore) / len(rows) + 0.05 * _noise(rng, water.shape, 0.7, 9.0)
    return _mix(view, _mix(glass, (0.10, 0.20, 0.26), deep), water)


def _drawn(view: Plane, shapes: Iterable[Shape]) -> Plane:
    # Filled polygons in order, corners (x, y), with smooth edges.
    canvas = np.asarray(np.clip(view, 0, 1) * 255, np.uint8)
    for corners, colour in shapes:
        outline = np.rint(np.asarray(corners) * (view.shape[0] * 16)).astype(np.int32)
        cv2.fillPoly(canvas, [outline], [255 * part for part in colour], cv2.LINE_AA, 4)
    return np.asarray(canvas, np.float32) / np.float32(255)


def _tree(rng: Generator, x: float, foot: float, tall: float, leaf: Colour) -> Iterator[Shape]:
    # A broad-leaved tree: trunk and boughs, then clumps of leaves from the far side of the crown to the near one.
    bark, thick, crotch = (0.25, 0.20, 0.15), 0.03 * tall, foot - 0.6 * tall
    yield ((x - thick, foot), (x - thick / 2, crotch), (x + thick / 2, crotch), (x + thick, foot)), bark
    clumps = rng.standard_normal((54, 3))
    clumps *= rng.random((54, 1)) ** 0.33 / np.linalg.norm(clumps, axis=1, keepdims=True)
    for clump in clumps[np.argsort(clumps[:, 2])]:
        middle = (x + 0.42 * tall * clump[0], foot - tall * (0.58 - 0.33 * clump[1] * (1 - 0.4 * clump[0] ** 2)))
        if clump[2] < 0:
            yield ((x - thick / 4, foot - 0.3 * tall), middle, (x + thick / 4, foot - 0.33 * tall)), bark
        sides = rng.standard_normal((int(70 + 160 * tall), 3))
        sides *= rng.uniform(0.7, 1.15, (len(sides), 1)) / np.linalg.norm(sides, axis=1, keepdims=True)
        sides = sides[np.argsort(sides[:, 2])]
        light = 0.85 + sides @ (-0.28, -0.36, 0.10) + clump @ (-0.25, -0.40, 0.15) + rng.uniform(-0.2, 0.2, len(sides))
        a, b = rng.uniform(-0.013, 0.013, (2, len(sides)))
        turned = np.stack([[-a, -b], [b / 2, -a / 2], [a, b], [-b / 2, a / 2]]).transpose(2, 0, 1)
        corners = middle + tall * (turned + sides[:, None, :2] * (0.10, 0.075))
        yield from zip(corners, (np.clip(light, 0.2, 1.7)[:, None] * leaf).tolist(), strict=True)


def _blades(rng: Generator, meadow: Plane, path: Plane) -> Iterator[Shape]:
    # Grass and flowers from far to near, each in the colour of the ground that it grows on.
    high, wide = path.shape
    turn = np.linspace(0, 2 * np.pi, 9)
    for near in np.sort(rng.random(9000) ** 0.7):
        x, y, tall = rng.uniform(0, wide / high), 0.575 + 0.5 * near, 0.012 + 0.085 * near**1.5
        at = min(int(y * high), high - 1), min(int(x * high), wide - 1)
        if path[at] < 0.3:
            tip, thin = x + rng.uniform(-0.4, 0.4) * tall, 0.045 * tall + 0.0006
            yield ((x - thin, y), (tip, y - tall), (x + thin, y)), (rng.uniform(0.7, 1.35) * meadow[at]).tolist()
            if rng.random() < 0.05:
                petal = ((0.95, 0.94, 0.90), (0.93, 0.79, 0.16), (0.80, 0.14, 0.12))[rng.integers(3)]
                yield np.stack([tip + 0.11 * tall * np.cos(turn), y - tall + 0.07 * tall * np.sin(turn)], 1), petal


def _mountains(rng: Generator, shape: Size, snow: float, top: Colour) -> Plane:
    # A lake below mountains, forest on their lower slopes, snow above the height `snow`.
    land = (800, 1280)
    rise = smooth_step(
        0.28, 0.95, np.linspace(0, 1, land[0], dtype=np.float32)[:, None] + 0.06 * _noise(rng, land, 1.9)
    )
    ridges = 1 - 0.9 * np.abs(_noise(rng, land, 2.15)) + 0.25 * _noise(rng, land, 1.9)
    height, rough = rise * (40 + 190 * ridges) - 5 + 5 * _noise(rng, land, 2.2), _noise(rng, land, 0.6)
    wood = smooth_step(0.2, 0.5, _noise(rng, land, 1.2) + 1.4 - height / 62) * (height > 1)
    height = np.maximum(height + 2.2 * wood * np.abs(rough), 0)
    steep = np.hypot(*np.gradient(cv2.GaussianBlur(height, (0, 0), 2)))
    tint = _mix((0.47, 0.44, 0.41), (0.40, 0.45, 0.24), smooth_step(95, 50, height + 12 * rough))
    tint = _mix(
        tint, (0.97, 0.98, 1.0), smooth_step(snow - 12, snow + 12, height + 9 * rough) * smooth_step(2.2, 1.2, steep)
    )
    tint = _mix(tint, (0.13, 0.22, 0.11), wood) * (1 + 0.10 * rough[..., None]) * _sunlight(height)
    tint = _mix(tint, -1, height <= 0)
    return _mirrored(rng, _terrain(_sky(rng, shape, 0.52, top, (0.74, 0.83, 0.92)), height, tint, 26, 0.42))


def _sea(rng: Generator, shape: Size, horizon: float, shore: float, sun: float, low: Colour) -> Plane:
    # The sea with the sun's glitter, a boat, a beach from row `shore` down; the sky is `low` at the horizon.
    rows, columns, x, far = _floor(shape, horizon)
    sky = _sky(rng, shape, horizon, (0.30, 0.52, 0.80), low)
    sky = _mix(sky, (1.0, 0.97, 0.88), 0.5 * np.exp(-(np.hypot(columns - sun, rows + 0.05) ** 2) / 0.07))
    swell, chop = _noise(rng, (512, 512), 1.5, 1.5), _noise(rng, (512, 512), 0.9, 1.5)
    waves = 0.5 * _look_up(swell, x * 60, far * 100) + 0.7 * _look_up(chop, x * 45, far * 90)
    depth = rows - shore - 0.035 * (columns - 0.9) - 0.022 * _noise(rng, (1, shape[1]), 1.5)
    water = _mix(
        (0.05, 0.25, 0.33), _mix(low, (0.30, 0.52, 0.80), 0.6), smooth_step(-2.2, 2.6, waves + 0.045 * far - 0.9)
    )
    glitter = np.exp(-(((columns - sun) / (0.10 + 0.18 * (rows - horizon))) ** 2)) * (
        smooth_step(0.2, 1.1, waves) + 0.15
    )
    water = _mix(water, (1.0, 0.98, 0.90), np.minimum(glitter * smooth_step(0.95, 0.5, rows), 1))
    view = _mix(sky, _mix(water, (0.35, 0.58, 0.56), smooth_step(-0.16, 0.0, depth) * 0.7), rows > horizon)
    sand = _mix((0.50, 0.42, 0.32), (0.86, 0.77, 0.60), smooth_step(0.02, 0.11, depth))
    view = _mix(view, sand * (1 + 0.05 * _noise(rng, shape, 0.7, 3.0)[..., None]), depth > 0)
    lace = smooth_step(-0.4, 0.7, _noise(rng, shape, 1.0, 3.0))
    surf = np.exp(-((depth / 0.016) ** 2)) * (0.35 + 0.65 * lace) + lace * np.exp(-(((depth + 0.06) / 0.011) ** 2))
    boat = np.array((1.45 - sun, horizon))
    hull = boat + np.array([(-0.07, 0.025), (0.07, 0.025), (0.05, 0.041), (-0.05, 0.041)])
    sail = boat + np.array([(-0.06, 0.017), (-0.005, -0.135), (0.0, -0.135), (0.045, 0.018)])
    return _drawn(_mix(view, 0.97, np.minimum(surf, 1)), ((hull, (0.32, 0.16, 0.12)), (sail, (0.74, 0.48, 0.34))))


def _meadow(rng: Generator, shape: Size, trees: tuple[tuple[float, float, float], ...], leaf: Colour) -> Plane:
    # A flowering meadow with a sandy path and `trees`, fields and woods on the hills behind.
    land = (700, 1280)
    rise = smooth_step(120, 700, np.arange(700.0)[:, None])
    wood = smooth_step(0.25, 0.45, _noise(rng, land, 1.6) + 0.5 * rise)
    height = 14 * _noise(rng, land, 2.4) + 48 * rise + wood * (2.4 + 1.6 * abs(_noise(rng, land, 0.4)))
    tint = _mix((0.42, 0.55, 0.20), (0.72, 0.66, 0.33), smooth_step(0.1, 0.5, _noise(rng, land, 1.9)))
    tint = _mix(tint, (0.16, 0.27, 0.10), wood) * (0.75 * _sunlight(height) + 0.25)
    view = _terrain(_sky(rng, shape, 0.47, (0.28, 0.50, 0.82), (0.80, 0.88, 0.95)), height, tint, 42, 0.38)
    rows, columns, _, _ = _floor(shape, 0.0)
    edge = 0.55 + 0.012 * _noise(rng, (1, shape[1]), 1.6)
    grass = _mix(
        (0.40, 0.54, 0.18), (0.22, 0.36, 0.10), smooth_step(-1.5, 2, _noise(rng, shape, 1.1, 3.0) + 2 * rows - 1.4)
    )
    aside = np.abs(columns - 0.95 - 0.16 * np.sin(7 * rows) - 0.6 * (rows - edge)) / (0.015 + 0.24 * (rows - edge))
    path = smooth_step(1.1, 0.7, aside + 0.08 * _noise(rng, shape, 0.8))
    grass = _mix(grass, (0.74, 0.65, 0.49), path) * (1 + 0.04 * _noise(rng, shape, 0.4))[..., None]
    for x, foot, tall in trees:
        away = ((columns - x - 0.16 * tall) / (0.42 * tall)) ** 2 + ((rows - foot) / (0.07 * tall)) ** 2
        grass = _mix(grass, 0 * grass, 0.55 * np.exp(-(away**2)))
    view = _drawn(_mix(view, grass, rows > edge), (part for tree in trees for part in _tree(rng, *tree, leaf)))
    return _drawn(view, _blades(rng, view, path))


SHOTS = (
    (partial(_mountains, snow=88, top=(0.23, 0.43, 0.74)), (1.38, 0, 0), (1.1, 0.6, -0.5), (48, 55, 64, 71)),
    (partial(_sea, horizon=0.4, shore=0.84, sun=0.3, low=(0.9,) * 3), (1.1, -0.8, 0), (1.1, 0.8, 0), (45, 52, 60, 67)),
    (partial(_meadow, trees=TREES, leaf=(0.25, 0.36, 0.11)), (1.15, 0.6, 0.7), (1.38, 0, 0), (41, 53, 57, 64)),
    (partial(_sea, horizon=0.6, shore=2, sun=1, low=(1.0, 0.7, 0.5)), (1.38, 0, 0), (1, -0.2, 0.2), (50, 57, 65, 72)),
    (partial(_mountains, snow=14, top=(0.38, 0.56, 0.80)), (1.05, -0.9, -0.9), (1.15, 0.4, -0.7), (43, 55, 59, 65)),
    (partial(_meadow, trees=FOREST, leaf=(0.22, 0.31, 0.12)), (1.1, -0.9, 0.2), (1.1, 0.9, -0.4), (48, 55, 64, 72)),
)
"""Painter; camera at start and end (picture pixels for one of the frame, place -1..1 across and down); MIDI notes."""


def sample_pictures(size: Size, seed: int) -> list[Picture]:
    """The six views in colour, in the film's order, each HW3 uint8 R'G'B' of `size` (width, height) pixels."""
    views = (paint(np.random.default_rng([seed, n]), size[::-1]) for n, (paint, *_) in enumerate(SHOTS))
    return [np.asarray(np.rint(np.clip(view, 0, 1) * 255), np.uint8) for view in views]
