"""One film rendered through a storm: processes killed or frozen, a store that fails, drivers begun again. Promises the same storm for the same seed, as far as the machine's own timing allows; judges by the delivered bytes."""

import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from farm.ops.status import statuses
from tests.farm.shell import DEADLINE, Running, Said
from tests.proxy import PASSING, Chance, Fault, FaultyProxy, Rule
from tests.s3 import MotoServer
from tests.waiting import poll_until

Blow = Literal[
    "worker",  # SIGKILL of one
    "raylet",  # SIGKILL: its workers live on for a while, and what they deliver is stale
    "driver",  # SIGKILL
    "stop",  # Ctrl-C
    "freeze",  # SIGSTOP of a worker, which is never woken
    "take-over",  # a second driver goes on beside the first, which lives
]
BLOWS: tuple[Blow, ...] = get_args(Blow)
THEMES: tuple[Blow | Literal["calm", "mixed"], ...] = ("mixed", *BLOWS, "calm")
"""What strikes in a storm: one kind of blow, so that its cost is known, or any, or only the store fails. By seed, in turn."""
STRUCK: Mapping[str, re.Pattern[str]] = {
    "worker": re.compile(r"ray::(renderer|splitter|surveyor|finisher|dissolver)\b", re.IGNORECASE),
    "freeze": re.compile(r"ray::renderer\b", re.IGNORECASE),
    "raylet": re.compile(r"\S*raylet/raylet"),
}
"""Command lines of the processes among which a blow finds its own."""
STARTS = 10
"""Drivers that one film may take: more means that it does not come to an end."""
GUSTS = 4
"""Blows of one storm, at most."""
WITHIN = 3.0
"""Seconds in which a blow falls after the one before."""
AT_WORK = 0.85
"""Share of the blows that wait until chunks are rendered: of a short film most of the time goes into starting Ray."""
FAILING = 0.02
"""Share of requests to the store that fail."""


@dataclass
class Told:
    """What a storm did and what it cost."""

    seed: int
    theme: str
    blows: Counter[str] = field(default_factory=Counter)
    faults: Mapping[str, int] = field(default_factory=dict)
    starts: int = 0
    seconds: float = 0.0
    segments: int = 0
    """Of the film."""
    uploads: int = 0
    """Of segments: those beyond `segments` are work done twice."""
    in_flight: int = 0
    """Chunks that renderers were at when a driver was killed or stopped, all drivers together."""
    again: int = 0
    """Of these, the ones that the next driver found unfinished."""
    finished_again: int = 0
    """Chunks that were finished when a driver was killed or stopped, and were not to be had for the next one: none may be."""
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


class Storm:
    """One film on its way through the storm of a seed: its store in a bucket behind a failing proxy, its output in `folder`."""

    def __init__(self, film: Path, folder: Path, moto: MotoServer, seed: int) -> None:
        folder.mkdir()
        self.folder, self.moto, self.draw = folder, moto, random.Random(seed)
        self.told = Told(seed, THEMES[seed % len(THEMES)])
        self.store = f"s3://{moto.make_bucket()}/store"
        self.spec = job_of(film, folder, self.store)
        self.gusts = 0 if self.told.theme == "calm" else self.draw.randint(1, GUSTS)

    def weather(self) -> Told:
        """Drivers, one after the other, until the film is there, or one says what it may not."""
        told, uploads, began = self.told, Uploads(), time.monotonic()
        with FaultyProxy(self.moto, uploads, Chance(FAILING, told.seed, PASSING)) as proxy:
            while told.starts < STARTS and not self._driver(proxy.env):
                pass
            told.faults = {str(fault): count for fault, count in proxy.tally.items()}
        told.seconds, told.uploads = time.monotonic() - began, uploads.count
        with suppress(FileNotFoundError):
            told.segments = json.loads((self.folder / "out/film.report.json").read_text())["chunks"]
        return told

    def _driver(self, env: Mapping[str, str]) -> bool:
        """One driver, and what strikes it. Whether nothing is to come after it."""
        self.told.starts += 1
        with _surroundings(env), Running(self.folder, "render", self.spec) as render:
            while self.gusts and self._comes(render):
                self.gusts -= 1
                theme = self.told.theme
                self.told.blows[self._strike(render, theme if theme in BLOWS else self.draw.choice(BLOWS))] += 1
            return self._ended(render.said()) == 0 or bool(self.told.worst)

    def _comes(self, render: Running) -> bool:
        """Wait for the moment of the next blow. Whether the driver is still at work then."""
        waits = self.draw.random() < AT_WORK
        if waits:
            poll_until(lambda: render.process.poll() is not None or any(_chunks(render)), DEADLINE, render.so_far)
        with suppress(subprocess.TimeoutExpired):
            render.process.wait(self.draw.uniform(0.0, WITHIN))
        return render.process.poll() is None

    def _ended(self, said: Said) -> int:
        """How a driver ended: delivered, failed and can go on, stopped, killed. Anything else is put down as the worst.

        Before any work expired credentials are refused, not waited for.
        """
        refused = said.code == 2 and "ExpiredToken" in said.err
        if "Traceback" in said.err or not (refused or said.code in (0, 1, 130, -signal.SIGKILL)):
            self.told.worst = said.err
        return said.code

    def _strike(self, render: Running, blow: str) -> str:
        if blow in ("driver", "stop"):
            self._strike_driver(render, blow)
            return blow
        if blow == "take-over":
            self.told.starts += 1
            with Running(self.folder, "render", self.spec, "--take-over") as second:
                self._ended(render.said())  # it sees that the lease is another's, and ends
                self._ended(second.said())
            return blow
        struck = sorted(pid for pid, name in render.living() if STRUCK[blow].match(name))
        if not struck:
            return f"{blow} (none there)"
        with suppress(ProcessLookupError):
            os.kill(self.draw.choice(struck), signal.SIGSTOP if blow == "freeze" else signal.SIGKILL)
        return blow

    def _strike_driver(self, render: Running, blow: str) -> None:
        """Kill or stop a driver, and reckon how many chunks were begun, and are to be begun again."""
        rendering, done = _chunks(render)
        render.kill() if blow == "driver" else render.interrupt()
        render.said()
        # They may finish what they are at.
        poll_until(lambda: not any(STRUCK["worker"].match(name) for _, name in render.living()), DEADLINE)
        with _surroundings(self.moto.env):
            kept = statuses(self.store, "film")[0].chunks_done if rendering or done else 0
        self.told.in_flight += rendering
        self.told.again += max(0, done + rendering - kept)
        self.told.finished_again += max(0, done - kept)


def _chunks(render: Running) -> tuple[int, int]:
    """Chunks that renderers are at, and chunks that are done, as the driver tells; none before it serves its metrics."""
    try:
        metrics = render.metrics()
    except (AssertionError, OSError):
        return 0, 0
    found = {
        state: float(number) for state, number in re.findall(r'film_farm_chunks\{.*state="(\w+)"\} (\S+)', metrics)
    }
    return int(found.get("rendering", 0)), int(found.get("done", 0))


def job_of(film: Path, folder: Path, store: str) -> Path:
    """A job spec of many small chunks, in `folder`."""
    spec: dict[str, Any] = {
        "name": "film",
        "source": str(film),
        "store": store,
        "output": str(folder / "out"),
        "look": {"name": "test-window", "settings": {"radius": 40, "declared": 40}},
        "chunk_seconds": 0.5,
        "workers": {"count": 2, "losses": 50, "attempts": 10, "hung_seconds": 5, "boot_seconds": 60},
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
