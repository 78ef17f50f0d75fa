"""Made shots, and what painting programs do to stills of them. Tests nothing."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from actors.media.planes import planes_of
from actors.stills.reading import StillImage
from jobs.film.source import Picture

Photo = NDArray[np.uint8]
CLIPS = Path(__file__).parents[4] / "shared/media"


def noise(rng: np.random.Generator, height: int, width: int, coarse: int) -> NDArray[np.float32]:
    """Smooth random hills, 0..1."""
    grid = rng.random((height // coarse + 3, width // coarse + 3)).astype(np.float32)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def made_shot(seed: int, frames: int = 4, size: tuple[int, int] = (180, 320)) -> list[Photo]:
    """Frames in colour of a shot of its own: a wall with hills and lines, and shapes that move."""
    rng, (height, width) = np.random.default_rng(seed), size
    base = 0.2 + 0.5 * noise(rng, height, width, 40) + 0.15 * noise(rng, height, width, 6)
    tint = np.stack([noise(rng, height, width, 60) for _ in range(3)], -1)
    wall = base[:, :, None] * (0.7 + 0.6 * tint)
    shapes = [(rng.random(2), rng.random(3), rng.integers(8, 40), rng.normal(0, 4, 2)) for _ in range(8)]
    made = []
    for number in range(frames):
        photo = (wall.clip(0, 1) * 255).astype(np.uint8)
        for place, colour, radius, way in shapes:
            middle = (place * (width, height) + number * way).astype(int)
            cv2.circle(
                photo, [int(one) for one in middle], int(radius), [int(255 * one) for one in colour], -1, cv2.LINE_AA
            )
        made.append(photo)
    return made


def clip_shots(name: str) -> list[list[Photo]]:
    """The shots of a real clip, every third frame that shows something; skips where it is not on this machine."""
    if not (CLIPS / name).exists():
        pytest.skip(f"{CLIPS / name} is not on this machine")
    frames, small = list[Photo](), list[NDArray[np.float32]]()
    with av.open(str(CLIPS / name)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            small.append(np.asarray(frame.reformat(64, 36, "gray").to_ndarray(), np.float32))
            if number % 3 == 0:
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    steps = np.array([0.0, *(float(np.abs(one - other).mean()) for one, other in pairwise(small))])
    usual = [float(np.median(steps[max(0, number - 8) : number + 9])) for number in range(len(steps))]
    cuts = [number for number, step in enumerate(steps) if step > max(10.0, 4 * usual[number])]
    shots = [frames[-(-begin // 3) : -(-end // 3)] for begin, end in pairwise([0, *cuts, len(small)])]
    # Of two black frames nobody can tell whose they are.
    shown = [[photo for photo in shot if float(photo.std()) > 8] for shot in shots]
    return [shot for shot in shown if shot]


@dataclass(frozen=True)
class Redrawing:
    """What a tool does to a still that it draws anew."""

    gamma: float = 1.0
    grain: float = 0.0
    """Standard deviation, of 255."""
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def any(cls, rng: np.random.Generator) -> "Redrawing":
        """Gamma +-30 %, grain, scale +-2 %, shift +-3 pixels."""
        across, down = rng.uniform(-3, 3, 2)
        return cls(rng.uniform(0.7, 1.3), rng.uniform(0, 10), rng.uniform(0.98, 1.02), (float(across), float(down)))

    def of(self, photo: Photo, rng: np.random.Generator) -> Photo:
        height, width = photo.shape[:2]
        across, down = ((1 - self.scale) * side / 2 + by for side, by in zip((width, height), self.shift, strict=True))
        map_23 = np.array([[self.scale, 0, across], [0, self.scale, down]], np.float32)
        lying = np.asarray(photo / np.float32(255), np.float32)
        if map_23.tolist() != np.eye(2, 3).tolist():
            lying = np.asarray(
                cv2.warpAffine(lying, map_23, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
                np.float32,
            )
        changed = lying.clip(0, 1) ** self.gamma + rng.normal(0, self.grain / 255, lying.shape)
        return np.asarray(np.rint(changed.clip(0, 1) * 255), np.uint8)


def still_of(photo: Photo, alpha: NDArray[np.uint8] | None = None, name: str = "a.f7.png") -> StillImage:
    """A photo as it is read from a file."""
    deep = None if alpha is None else alpha.astype(np.uint16) * np.uint16(257)
    return StillImage(name, photo.astype(np.uint16) * np.uint16(257), deep, "", ())


def grey_frame(photo: Photo, film: Picture) -> av.VideoFrame:
    """The film's own frame of a photo that lies as the film does: its luma alone, in the film's form."""
    kr, kb = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}[film.colour.matrix]
    luma = photo.astype(np.float64) @ [kr, 1 - kr - kb, kb] / 255
    frame = av.VideoFrame(film.width, film.height, film.pix_fmt)
    steps = luma * (2**film.depth - 1) if film.colour.full_range else (16 + 219 * luma) * 2 ** (film.depth - 8)
    first, *others = planes_of(frame)
    first[:] = np.rint(steps)
    for plane in others:
        plane[:] = 2 ** (film.depth - 1)
    return frame
