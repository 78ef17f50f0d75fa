"""The contenders: ways to colourise one film on one machine. Promises one generator and one encoding for all; measures nothing.

bare    one process, one loop: what a good engineer writes with PyAV and torch
jpeg    what is done today: every frame a JPEG file, before and after
ray     Ray Data: frames through its object store, a pool of actors with the generator
farm    the farm: tests/bench/farming.py

All begin with their modules imported and, where they need it, Ray started; loading weights and starting workers is on the
clock. Each gives the frames of the film that it made.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import ray.data
import torch
from av.video.frame import VideoFrame

from actors.encode.segment_writer import encoding_for
from actors.survey.surveyor import Surveyor
from farm.fleet.fleet import Fleet
from jobs.film.source import Picture
from jobs.records.orders import Encoding
from jobs.spec.formats import Deliverable
from tests.bench.apart import Clock, Found
from tests.bench.colouring import add_sound, coloured, encode, generator
from tests.bench.films import frames_of
from tests.bench.ray_data import finished

QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]
CORES = len(os.sched_getaffinity(0))


def bare(clock: Clock, clip: str, folder: str) -> Found:
    """Decode, generate, compose, encode, frame after frame; then the sound. As many threads as torch likes (OMP_NUM_THREADS)."""
    picture, encoding = facts_of(clip)
    silent, out = Path(folder, "silent.mp4"), Path(folder, "film.mp4")
    with clock():
        with av.open(clip) as media:
            media.streams.video[0].thread_type = "AUTO"
            encode(silent, coloured(media.decode(video=0), picture, encoding, generator()), encoding)
        add_sound(silent, clip, out)
    return {"frames": frames_of(out), "torch_threads": torch.get_num_threads()}


def jpeg(clock: Clock, clip: str, folder: str) -> Found:
    """Dump the frames, colour each file, encode the files, add the sound."""
    picture, encoding = facts_of(clip)
    silent, out = Path(folder, "silent.mp4"), Path(folder, "film.mp4")
    before, after = Path(folder, "before"), Path(folder, "after")
    before.mkdir()
    after.mkdir()
    with clock():
        with av.open(clip) as media:
            media.streams.video[0].thread_type = "AUTO"
            for number, frame in enumerate(media.decode(video=0)):
                _write_jpeg(before, number, frame)
        for number, frame in enumerate(coloured(_read_jpegs(before, encoding), picture, encoding, generator())):
            _write_jpeg(after, number, frame)
        encode(silent, _read_jpegs(after, encoding), encoding)
        add_sound(silent, clip, out)
    return {"frames": frames_of(out)}


def ray_data(clock: Clock, clip: str, folder: str) -> Found:
    """Decode, generate and compose in Ray Data's stages; encode what comes back, in order."""
    picture, encoding = facts_of(clip)
    silent, out = Path(folder, "silent.mp4"), Path(folder, "film.mp4")
    with Fleet("local", workers=CORES):
        settings = ray.data.DataContext.get_current()
        settings.enable_progress_bars = False
        settings.execution_options.preserve_order = True
        with clock():
            rows = finished(clip, picture, encoding, workers=torch.cuda.device_count() or CORES).iter_rows()
            frames = (VideoFrame.from_ndarray(planes, format="yuv420p") for row in rows for planes in row["planes"])
            encode(silent, frames, encoding)
            add_sound(silent, clip, out)
    return {"frames": frames_of(out)}


def facts_of(clip: str) -> tuple[Picture, Encoding]:
    """The picture, and the encoding that the farm would choose for it."""
    film = Surveyor(clip).film()
    return film.picture, encoding_for(film, Deliverable(), grey_stays_grey=False)


def _write_jpeg(folder: Path, number: int, frame: VideoFrame) -> None:
    cv2.imwrite(f"{folder}/{number:06d}.jpg", frame.to_ndarray(format="bgr24"), QUALITY)


def _read_jpegs(folder: Path, encoding: Encoding) -> Iterator[VideoFrame]:
    for path in sorted(folder.iterdir()):
        read: Any = cv2.imread(str(path))
        assert read is not None, path
        yield VideoFrame.from_ndarray(read, format="bgr24").reformat(format=encoding.pix_fmt)
