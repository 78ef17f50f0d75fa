"""Damaged films: small ones of every codec at hand, cut, flipped and spliced by a seed. Promises an outcome in words for each; a process of its own meets libav's crashes."""

import random
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av

from farm.calls import Budget
from jobs.errors import FarmError
from jobs.spec import JobSpec
from tests.farm.inline import InlineFleet, rendered
from tests.films import Recipe

SECONDS = 120
"""That one damaged film may take, on the busiest machine."""
PLAIN = Recipe(frames=24, size=(96, 64), gop=8)
FILMS = {
    "h264.mp4": replace(PLAIN, sound="aac"),
    "h264-open.mkv": replace(PLAIN, open_gop=True, sound="flac"),
    "hevc.mp4": replace(PLAIN, codec="libx265"),
    "mpeg2.mpg": replace(PLAIN, codec="mpeg2video", b_frames=2),
    "mpeg2.ts": replace(PLAIN, codec="mpeg2video"),
    "prores.mov": replace(PLAIN, codec="prores_ks", pix_fmt="yuv422p10le", gop=1, b_frames=0),
    "ffv1.mkv": replace(PLAIN, codec="ffv1", gop=1, b_frames=0),
    "vp8.webm": replace(PLAIN, codec="libvpx", b_frames=0),
    "vp9.webm": replace(PLAIN, codec="libvpx-vp9", b_frames=0),
    "av1.mkv": replace(PLAIN, codec="libsvtav1", b_frames=0),
    "dnxhr.mov": replace(PLAIN, codec="dnxhd", pix_fmt="yuv422p", size=(256, 128), options={"profile": "dnxhr_lb"}),
    "mjpeg.avi": replace(PLAIN, codec="mjpeg", pix_fmt="yuvj420p", gop=1, b_frames=0),
}


def damaged(whole: bytes, draw: random.Random) -> tuple[str, bytes]:
    """What was done, and what is left of the file."""
    kind, size = draw.choice(["cut", "flipped", "header", "tail", "gone", "twice", "blank"]), len(whole)
    at = draw.randrange(size)
    span = draw.randrange(1, max(2, size // 4))
    data = bytearray(whole)
    if kind == "cut":
        data = data[:at]
    elif kind in ("flipped", "header", "tail"):
        low, high = {"flipped": (0, size), "header": (0, min(size, 2048)), "tail": (max(0, size - 2048), size)}[kind]
        for _ in range(draw.randint(1, 40)):
            data[draw.randrange(low, high)] ^= 1 << draw.randrange(8)
    elif kind == "gone":
        del data[at : at + span]
    elif kind == "twice":
        data[at:at] = data[at : at + span]
    else:
        data[at : at + span] = bytes(len(data[at : at + span]))
    return kind, bytes(data)


def outcome(film: Path, folder: Path) -> str:
    """`refused: ...`, `delivered` or `delivered with N set aside`; anything else is a fault of the farm."""
    fields: dict[str, Any] = {
        "name": "film",
        "source": str(film),
        "store": str(folder / "store"),
        "output": str(folder / "out"),
        "look": {"name": "none"},
        "on_error": "passthrough",
        "deliverables": [{"codec": "ffv1"}],
        "drop": "unsupported",
    }
    return carried(JobSpec.model_validate(fields))


def carried(spec: JobSpec) -> str:
    """What becomes of a film, as `outcome` says it."""
    try:
        report = rendered(spec, InlineFleet(budget=Budget(attempts=2))).report()
    except FarmError as error:
        return f"refused: {error}" if str(error).isprintable() else f"two sentences: {error!r}"
    if not report.conforms:
        return f"does not conform: {report.model_dump_json()}"
    for one in report.deliverables:
        if (frames := _frames(Path(spec.output, one.file))) != report.frames:
            return f"{frames} of {report.frames} frames in {one.file}"
    return f"delivered with {len(report.quarantined)} set aside" if report.quarantined else "delivered"


def _frames(place: Path) -> int:
    if place.is_dir():
        return sum(1 for _ in place.iterdir())
    with av.open(str(place)) as delivered:
        return sum(1 for _ in delivered.decode(video=0))


class Patient:
    """Tries damaged films in another process, one at a time; a new one where libav has crashed the last."""

    def __init__(self) -> None:
        self._pool = self._new()

    def tries(self, film: Path, folder: Path) -> str:
        """See `outcome`; `crashed` where the process died, `hung` where it took longer than `SECONDS`."""
        try:
            return self._pool.submit(outcome, film, folder).result(SECONDS)
        except TooLong:
            said = "hung"
        except BrokenExecutor:
            said = "crashed"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        self.end()
        self._pool = self._new()
        return said

    def end(self) -> None:
        """Leave no process."""
        for process in list(self._pool._processes.values()):
            process.kill()
        self._pool.shutdown(cancel_futures=True)

    @staticmethod
    def _new() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
