"""Makes a black-and-white sample film, to colourise where none is at hand, and painted stills of it. A seed always gives the same bytes."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.random import Generator

from actors.picture.png_sheet import png
from actors.picture.sample.views import SHOTS, Picture, Plane, Size, sample_pictures, smooth_step
from jobs.stills.names import still_name

SOUND_RATE = 48_000
"""Samples a second of the sound."""
PAINTED = (3, 5)
"""Shots, from 0, of which there are painted stills: a sunset and a forest, of whose colours grey tells least."""


def sample_cuts(count: int) -> list[int]:
    """The frame numbers, ascending, at which a new shot begins in a sample of `count` frames; without 0."""
    return [count * shot // len(SHOTS) for shot in range(1, len(SHOTS))]


def make_sample(
    path: Path,
    *,
    seconds: float = 16.0,
    size: Size = (640, 360),
    rate: Fraction = Fraction(24),
    seed: int = 7,
    stills: Path | None = None,
    each_frame: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the sample as mp4: H.264 8 bit 4:2:0, BT.709 limited range, neutral chroma; AAC stereo of its length.

    `stills`: a folder for two painted stills of it. `each_frame` is told how many frames are made. `size` is (width, height) in pixels; `rate` is frames a second. The film has round(seconds * rate) frames, stamped
    0, 1, 2, ... over `rate`. Raises ValueError below two frames a shot, for an odd size and for one below 64 pixels.
    """
    count = round(Fraction(seconds) * rate)
    if count < 2 * len(SHOTS) or size[0] % 2 or size[1] % 2 or min(size) < 64:
        raise ValueError(f"{count} frames of {size}: give 12 frames or more, even sides of 64 or more.")
    sound, neutral, exact = _sound(count, rate), np.full((size[1] // 2, size[0]), 128, np.uint8), {"flags": "+bitexact"}
    camera = _Camera(count, size, rate, seed)
    if stills is not None:
        _paint_stills(stills, camera, rate)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as film:
        picture = film.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"} | exact)
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        tags = picture.codec_context
        tags.color_range, tags.colorspace, tags.color_primaries, tags.color_trc = 1, 1, 1, 1
        # x264 gives other bytes for another number of threads.
        tags.thread_count = 2
        voice = film.add_stream("aac", rate=SOUND_RATE, layout="stereo", options=exact)
        for n, luma in enumerate(_frames(camera, size, rate, np.random.default_rng([seed, len(SHOTS)]))):
            shown = av.VideoFrame.from_ndarray(np.concatenate([luma, neutral]), format="yuv420p")
            shown.pts, shown.time_base = n, 1 / rate
            film.mux(picture.encode(shown))
            film.mux(voice.encode(_heard(sound, round(n * SOUND_RATE / rate), round((n + 1) * SOUND_RATE / rate))))
            each_frame(n + 1)
        film.mux(picture.encode())
        film.mux(voice.encode())


def _heard(sound: Plane, start: int, stop: int) -> av.AudioFrame:
    heard = av.AudioFrame.from_ndarray(sound[:, start:stop].copy(), format="fltp", layout="stereo")
    heard.sample_rate, heard.pts, heard.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
    return heard


class _Camera:
    """Looks at the views: it moves, so that they are larger than its picture, and shakes a little, as in a gate."""

    def __init__(self, count: int, size: Size, rate: Fraction, seed: int) -> None:
        self.edges = [0, *sample_cuts(count), count]
        self.views = sample_pictures((round(size[0] * 1.4), round(size[1] * 1.4)), seed)
        self._size, self._rate = size, rate
        across, down = (np.linspace(-1, 1, side, dtype=np.float32) for side in size)
        self.vignette = 0.96 - 0.10 * np.hypot(across, down[:, None]) ** 3

    def shot_at(self, n: int) -> int:
        """The shot, from 0, of frame n."""
        return int(np.searchsorted(self.edges, n, "right")) - 1

    def sees(self, n: int, canvases: Sequence[Plane]) -> Plane:
        """What it sees in frame n of the canvases, one for each shot."""
        shot = self.shot_at(n)
        start, stop = self.edges[shot : shot + 2]
        # A short shot goes less far, so that no camera ever hurries.
        t = 0.5 + ((n - start) / (stop - start - 1) - 0.5) * min(1.0, float((stop - start) / self._rate) / 2.5)
        scale, *place = (a + (b - a) * t * t * (3 - 2 * t) for a, b in zip(*SHOTS[shot][1:3], strict=True))
        room = (np.array(canvases[shot].shape[1::-1]) - scale * np.array(self._size)) / 2
        weave = 0.25 * np.sin((n * 0.9, n * 0.61)) + 0.4 * np.sin((n * 0.37, n * 0.23))
        lens = np.column_stack([scale * np.eye(2), room * (1 + np.array(place)) + weave])
        how = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
        seen = cv2.warpAffine(canvases[shot], lens, self._size, None, how, cv2.BORDER_REFLECT)
        return np.asarray(seen, np.float32)


def _frames(camera: _Camera, size: Size, rate: Fraction, rng: Generator) -> Iterator[Picture]:
    # Luma HW, limited range: vignette, the film's curve, grain, fades.
    greys = [smooth_step(-0.04, 1.0, view @ np.array([0.2126, 0.7152, 0.0722]) / 255) for view in camera.views]
    grain = cv2.GaussianBlur(rng.standard_normal((size[1] + 256, size[0] + 256), np.float32), (0, 0), 0.6) * 0.018
    count = camera.edges[-1]
    fade = max(1, min(int(rate * 3 / 4), camera.edges[1] // 2))
    for n in range(count):
        seen = camera.sees(n, greys)
        x, y = rng.integers(0, 256, 2)
        shown = 0.02 + seen * camera.vignette + grain[y : y + size[1], x : x + size[0]]
        yield np.rint(16 + 219 * min(1, n / fade, (count - 1 - n) / fade) * np.clip(shown, 0, 1)).astype(np.uint8)


def _paint_stills(folder: Path, camera: _Camera, rate: Fraction) -> None:
    """PNG of the middle frames of PAINTED as their maker sees them, named as the farm's exports are."""
    folder.mkdir(parents=True, exist_ok=True)
    views = [np.asarray(view / np.float32(255), np.float32) for view in camera.views]
    for shot in PAINTED:
        n = sum(camera.edges[shot : shot + 2]) // 2
        rgb = np.clip(camera.sees(n, views) * camera.vignette[..., None], 0, 1)
        whole, frames = divmod(n, round(rate))
        name = still_name(shot + 1, n, f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}:{frames:02}")
        (folder / name).write_bytes(png(np.asarray(np.rint(rgb * 255), np.uint8)))


def _sound(count: int, rate: Fraction) -> Plane:
    # Stereo, 2N, -1..1: a soft chord for each shot, and its notes plucked one after the other.
    edges = [round(edge * SOUND_RATE / rate) for edge in [0, *sample_cuts(count), count]]
    blocks = []
    for (*_, chord), start, stop in zip(SHOTS, edges, edges[1:], strict=False):
        t = np.arange(stop - start) / SOUND_RATE
        block, end = np.zeros((2, len(t))), len(t) / SOUND_RATE
        for voice, note in enumerate(chord):
            turns, side = 880 * np.pi * 2 ** ((note - 69) / 12) * t, np.pi / 8 * (voice + 0.5)
            since = np.maximum(t - end * voice / len(chord), 0)
            bell = np.minimum(since * 200, 1) * np.exp(-3 * since) * (np.sin(2 * turns) + 0.3 * np.sin(4 * turns))
            pad = np.sum([np.sin(k * turns + voice) / k**2 for k in (1, 2, 3, 4)], axis=0)
            block += np.outer((np.cos(side), np.sin(side)), 0.03 * pad + 0.05 * bell)
        blocks.append(block * np.minimum(np.minimum(t / 0.15, (end - t) / 0.25), 1))
    return np.asarray(np.concatenate(blocks, 1), np.float32)
