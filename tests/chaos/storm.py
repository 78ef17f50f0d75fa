"""One film rendered through a storm: processes killed, a store that fails, drivers begun again. Promises the same storm for the same seed, as far as the machine's own timing allows; judges by the delivered bytes."""

import json
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.farm.shell import Running
from tests.proxy import PASSING, Chance, Fault, FaultyProxy, Rule
from tests.s3 import MotoServer

Blow = Literal["worker", "raylet", "driver", "stop"]
BLOWS: tuple[Blow, ...] = ("worker", "worker", "worker", "driver", "raylet", "stop")
"""What is struck, as often as it stands here."""
WORKER = re.compile(r"^ray::(Renderer|Splitter|Surveyor|Stitcher|Finisher|Dissolver)")
STARTS = 8
"""Drivers that one film may take: more means that it does not come to an end."""
GUSTS = 4
"""Blows of one storm, at most."""
WITHIN = 12.0
"""Seconds in which a blow falls after the one before."""
FAILING = 0.01
"""Share of requests to the store that fail."""


@dataclass
class Told:
    """What a storm did and what it cost."""

    seed: int
    blows: Counter[str] = field(default_factory=Counter)
    faults: Mapping[str, int] = field(default_factory=dict)
    starts: int = 0
    seconds: float = 0.0
    segments: int = 0
    """Of the film."""
    uploads: int = 0
    """Of segments: those beyond `segments` are work done twice."""
    worst: str = ""
    """What a driver said that ended in no way it may."""


class Uploads(Rule):
    """No fault: counts the media that are written."""

    def __init__(self) -> None:
        super().__init__("delay", times=0)
        self.count = 0

    def draw(self, method: str, path: str) -> Fault | None:
        """Never a fault."""
        self.count += method == "PUT" and "/media/" in path and "uploadId" not in path
        return None


def weather(film: Path, folder: Path, moto: MotoServer, seed: int) -> Told:
    """Render a film through the storm of that seed: its store in a bucket behind a failing proxy, its output in `folder`."""
    draw, told, uploads = random.Random(seed), Told(seed), Uploads()
    folder.mkdir()
    with FaultyProxy(moto, uploads, Chance(FAILING, seed, PASSING)) as proxy:
        spec = job_of(film, folder, f"s3://{moto.make_bucket()}/store")
        gusts, began = draw.randint(1, GUSTS), time.monotonic()
        while told.starts < STARTS:
            told.starts += 1
            with _surroundings(proxy.env), Running(folder, "render", spec) as render:
                while gusts and _still_working(render, draw.uniform(0.5, WITHIN)):
                    told.blows[_strike(render, draw.choice(BLOWS), draw)] += 1
                    gusts -= 1
                said = render.said()
            if said.code == 0:
                break
            if "Traceback" in said.err or said.code not in (1, 130, -signal.SIGKILL):
                told.worst = said.err
                break
        told.seconds = time.monotonic() - began
        told.faults = {str(fault): count for fault, count in proxy.tally.items()}
        told.uploads = uploads.count
    report = json.loads((folder / "out/report.json").read_text()) if (folder / "out/report.json").exists() else {}
    told.segments = int(report.get("chunks", 0))
    return told


def job_of(film: Path, folder: Path, store: str) -> Path:
    """A job spec of many small chunks, in `folder`."""
    spec: dict[str, Any] = {
        "name": "film",
        "source": str(film),
        "store": store,
        "output": str(folder / "out"),
        "look": {"name": "test-window", "settings": {"radius": 12, "declared": 12}},
        "chunk_seconds": 0.5,
        "workers": {"count": 2, "losses": 50, "attempts": 10},
        "deliverables": [{"codec": "ffv1"}],
    }
    (folder / "job.json").write_text(json.dumps(spec))
    return folder / "job.json"


@contextmanager
def _surroundings(env: Mapping[str, str]) -> Iterator[None]:
    """Processes begun meanwhile have these settings in their environment."""
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _still_working(render: Running, seconds: float) -> bool:
    stop = time.monotonic() + seconds
    while time.monotonic() < stop and render.process.poll() is None:
        threading.Event().wait(0.02)
    return render.process.poll() is None


def _strike(render: Running, blow: Blow, draw: random.Random) -> str:
    living = render.living()
    workers = [pid for pid, name in living if WORKER.match(name)]
    raylets = [pid for pid, name in living if "raylet/raylet" in name.split(" ")[0]]
    if blow == "stop":
        render.interrupt()
        return blow
    struck = {"worker": workers, "raylet": raylets, "driver": [render.process.pid]}[blow]
    if not struck:
        return f"{blow} (none there)"
    with suppress(ProcessLookupError):
        os.kill(draw.choice(sorted(struck)), signal.SIGKILL)
    return blow
