"""A film of two hours from the first packet to the report, stopped in the middle and gone on with. Promises a made film that is as long as it says and figures of whole commands; knows no code of the farm.

Memory and descriptors are looked at as the film goes, by pool: a leak shows between the first quarter of a run and its last.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.bench.figures import Figures
from tests.bench.films import kept, tone
from tests.bench.measuring import Meter, name_of, pool_of
from tests.waiting import poll_until

FRAMES = 172_800
RATE = Fraction(24)
SHOTS = 100
SIZE = (64, 48)
SHORTEST = 2
MINUTE = 60.0
FARM = str(Path(sys.executable).with_name("farm"))
LOOK_SECONDS = 2.0
LONGEST_SECONDS = 24 * 3600.0
STOP_AT = 0.4
"""Share of the film's chunks after which the first run is stopped."""


def shot_lengths(frames: int = FRAMES, shots: int = SHOTS) -> list[int]:
    """Frames of each shot, in the film's order. By size they grow by one and the same share, from 2 frames to ten minutes, and they are mixed."""
    low, high = 1.0, 2.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        total = sum(SHORTEST * middle**one for one in range(shots))
        low, high = (middle, high) if total < frames else (low, middle)
    found = [round(SHORTEST * low**one) for one in range(shots)]
    found[-1] += frames - sum(found)
    np.random.default_rng(7).shuffle(found)
    return found


def long_film(frames: int = FRAMES, shots: int = SHOTS) -> Path:
    """H.264 and AAC in mp4: every shot a picture of its own that moves by one pixel a frame."""
    path = kept(f"long-{frames}-{shots}.mp4")
    if path.is_file():
        return path
    whole = path.with_suffix(".part")
    random = np.random.default_rng(11)
    with av.open(str(whole), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "26", "preset": "ultrafast", "g": "48"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        sound = out.add_stream("aac", rate=48_000, layout="mono")
        for number, planes in enumerate(_pictures(shot_lengths(frames, shots), random)):
            frame = VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = number, 1 / RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        # Encoding two hours of sound would take longer than all the rest: a minute of it is carried again and again.
        minute = [packet for piece in tone(MINUTE) for packet in sound.encode(piece)]
        for packets in range(int(frames / RATE * 48_000 / 1024)):
            one = av.Packet(bytes(minute[packets % len(minute)]))
            one.stream, one.time_base = sound, Fraction(1, 48_000)
            one.pts = one.dts = packets * 1024
            one.duration = 1024
            out.mux_one(one)
    whole.rename(path)
    return path


def _pictures(lengths: list[int], random: np.random.Generator) -> Iterator[np.ndarray]:
    width, height = SIZE
    for length in lengths:
        luma = np.kron(random.integers(16, 235, (height // 8, width // 8)), np.ones((8, 8))).astype(np.uint8)
        chroma = np.repeat(random.integers(64, 192, (2, 1), np.uint8), height * width // 4, 0).reshape(-1, width)
        for number in range(length):
            yield np.concatenate([np.roll(luma, number // 2, axis=1), chroma])


class Looked(NamedTuple):
    """One look at a running command: by pool, the most that one process of it had."""

    at: float
    resident: dict[str, int]
    """Bytes."""
    descriptors: dict[str, int]


class _Watched(Meter):
    """Also notes what each pool's largest process holds, and how many files it has open."""

    def __init__(self, root: int) -> None:
        super().__init__(root)
        self.looks: list[Looked] = []
        self._process = root
        self._ended = threading.Event()
        self._looker = threading.Thread(target=self._note, daemon=True)
        self._looker.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._looker.join()

    def _note(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(LOOK_SECONDS):
            resident: defaultdict[str, int] = defaultdict(int)
            opened: defaultdict[str, int] = defaultdict(int)
            for (pid, _), _seen in self._tree():
                pool = "driver" if pid == self._process else pool_of(name_of(pid))
                resident[pool] = max(resident[pool], _resident(pid))
                opened[pool] = max(opened[pool], _descriptors(pid))
            self.looks.append(Looked(time.monotonic() - began, dict(resident), dict(opened)))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


CREWS = ("driver", "surveyor", "splitter", "renderer", "finisher")


def _trend(looks: list[Looked], of: str) -> Figures:
    """By pool: the highest of the first quarter of its looks, of the last, and of all."""
    found: Figures = {}
    for pool in CREWS:
        seen = [size for one in looks if (size := getattr(one, of).get(pool))]
        if seen:
            quarter = max(1, len(seen) // 4)
            found[pool] = {
                "first_quarter": max(seen[:quarter]),
                "last_quarter": max(seen[-quarter:]),
                "most": max(seen),
            }
    return found


def _records(store: Path) -> int:
    return len(os.listdir(store / "long/records")) if (store / "long/records").is_dir() else 0


def render_long(folder: Path, film: Path, *, stop_at: int | None, env: Mapping[str, str] | None = None) -> Figures:
    """One `farm render` of the film in `folder`; interrupted as Ctrl-C does it once there are `stop_at` records."""
    spec = folder / "long.json"
    spec.write_text(
        json.dumps(
            {
                "version": 1, "name": "long", "source": str(film), "store": str(folder / "store"),
                "output": str(folder / "out"), "look": {"name": "none"},
                "deliverables": [{"codec": "ffv1"}], "workers": {"count": 2},
            }
        )
    )  # fmt: skip
    # Begun in the background by a shell, this process ignores interrupts, and would hand that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(folder / "said.log", "ab") as said:
        process = subprocess.Popen(
            [FARM, "render", str(spec)],
            stdout=said,
            stderr=said,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        watched = _Watched(process.pid)
        with watched:
            if stop_at is not None:
                most = stop_at
                poll_until(lambda: process.poll() is not None or _records(folder / "store") >= most, LONGEST_SECONDS)
                process.send_signal(signal.SIGINT)  # to one that has ended it does nothing
            process.wait()
        watched.end()
    return {
        "exit_code": process.returncode,
        "wall_seconds": round(watched.reading.wall, 1),
        "cpu_seconds": round(watched.reading.cpu, 1),
        "peak_mib": round(watched.reading.peak / 2**20),
        "resident_mib": _in_mib(_trend(watched.looks, "resident")),
        "descriptors": _trend(watched.looks, "descriptors"),
        "records": _records(folder / "store"),
    }


def _in_mib(trend: Figures) -> Figures:
    return {pool: {name: round(size / 2**20) for name, size in one.items()} for pool, one in trend.items()}


def _kept(store: Path) -> Figures:
    files = [path for path in store.rglob("*") if path.is_file()]
    by: defaultdict[str, int] = defaultdict(int)
    for path in files:
        by[path.relative_to(store / "long").parts[0]] += 1
    return {"objects": len(files), "mib": round(sum(path.stat().st_size for path in files) / 2**20), "objects_by": by}


def pictures_md5(path: Path) -> str:
    """MD5 over all decoded pictures, by the program ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", "-f", "md5", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def two_hours(folder: Path, frames: int = FRAMES, shots: int = SHOTS) -> Figures:
    """The film, stopped and gone on with, in a folder of one's own. Raises AssertionError where what arrives is not the film."""
    film = long_film(frames, shots)
    chunks = sum(-(-length // (8 * 24)) for length in shot_lengths(frames, shots))
    stopped = render_long(folder, film, stop_at=round(2 * STOP_AT * chunks))
    assert stopped["exit_code"] == 130, (folder / "said.log").read_text()[-4000:]
    ended = render_long(folder, film, stop_at=None)
    assert ended["exit_code"] == 0, (folder / "said.log").read_text()[-4000:]
    made = folder / "out" / f"{film.stem}.mkv"
    assert pictures_md5(made) == pictures_md5(film), "other pictures than the film's"
    report: dict[str, Any] = json.loads((folder / "out/long.report.json").read_text())
    return {
        "frames": frames,
        "stopped": stopped,
        "gone_on": ended,
        "store": _kept(folder / "store"),
        "made_mib": round(made.stat().st_size / 2**20),
        "report": {name: report[name] for name in ("frames", "shots", "chunks", "seams")},
        "traffic": json.loads((folder / "store/long/tally.json").read_text())["traffic"],
    }
