"""The command `farm` in processes of its own, as a user's shell runs it. Promises that what it starts can be found and is ended; reads no code of the farm."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from tests.farm import preloaded
from tests.waiting import poll_until

FARM = str(Path(sys.executable).with_name("farm"))
DEADLINE = 300
"""Seconds after which something has gone wrong, on the busiest machine."""
GRACE = 60
"""Seconds that processes may take to end, on the busiest machine."""
RAYS_OWN = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Ray's agents notice the death of a driver that was killed after a minute only."""


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one sentence of a command that did not deliver."""
        assert "Traceback" not in self.err, self.err
        assert self.out == ""
        (sentence,) = [line for line in self.err.splitlines() if line.startswith("farm: ")]
        assert self.err.endswith(f"{sentence}\n"), self.err
        return sentence.removeprefix("farm: ")

    @property
    def json(self) -> Any:
        """What it printed for programs, when all went well."""
        assert self.code == 0, self.err
        return json.loads(self.out)


def farm(*arguments: object, cwd: Path | None = None) -> Said:
    """Run the command to its end."""
    return Said(*preloaded.run([FARM, *map(str, arguments)], _env(), cwd, DEADLINE))


def _env() -> dict[str, str]:
    # Tests are the operators of their clusters, unless they say otherwise.
    env = {"FARM_ALLOWED_FOLDERS": tempfile.gettempdir(), **os.environ}
    return {name: value for name, value in env.items() if name != "RAY_ADDRESS"}


def _hears_ctrl_c() -> None:
    # A shell lets what it runs in the background ignore SIGINT, and everything begun there inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Running:
    """A command at work, and all processes that come of it."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._err = folder / f"stderr-{uuid4().hex}"
        with self._err.open("wb") as err:
            # A session of its own is what a terminal gives: Ctrl-C reaches everybody in it.
            self.process = subprocess.Popen(
                [FARM, *map(str, arguments)],
                stdout=subprocess.DEVNULL,
                stderr=err,
                env=_env(),
                start_new_session=True,
                preexec_fn=_hears_ctrl_c,
            )

    def said(self) -> Said:
        """What it said, once it has ended."""
        return Said(self.process.wait(DEADLINE), "", self._err.read_text())

    def so_far(self) -> str:
        """What it has said on stderr until now."""
        return self._err.read_text()

    def until(self, what: Callable[[], bool]) -> None:
        """Wait for something that the work brings about; fails where it ends before."""

        def happened() -> bool:
            found = what()
            assert found or self.process.poll() is None, f"ended too early: {self._err.read_text()}"
            return found

        poll_until(happened, DEADLINE, self._err.read_text)

    def metrics(self) -> str:
        """What Prometheus would see now."""
        port = re.search(r"metrics on port (\d+)", self._err.read_text())
        assert port
        with urlopen(f"http://127.0.0.1:{port[1]}/metrics", timeout=DEADLINE) as answer:
            return str(answer.read(), "utf-8")

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal gives it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL for the driver, and for nobody else."""
        self.process.kill()

    @contextmanager
    def held(self) -> Iterator[None]:
        """The driver stands still meanwhile, so that the film cannot be finished."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def left_running(self, but: tuple[str, ...] = ()) -> list[str]:
        """Processes that it has left behind, `but` those so named, after a grace for those on their way out."""

        def left() -> list[str]:
            return [name for _, name in self.living() if not name.startswith(but)]

        with suppress(AssertionError):
            poll_until(lambda: not left(), GRACE)
        return left()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *error: object) -> None:
        for pid, _ in self.living():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(DEADLINE)

    def living(self) -> list[tuple[int, str]]:
        """Process numbers and command lines of all that came of it and is alive."""
        return living(self.process.pid)


def living(session: int) -> list[tuple[int, str]]:
    """Process numbers and command lines of all processes of a session that are alive."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, _, own = (place / "stat").read_text().rpartition(") ")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append((int(place.name), (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()))
    return found


def segments(store: Path, job: str = "film") -> int:
    """Segments whose record lies in a store."""
    records = (store / job / "records").glob("*.json")
    return sum(b'"kind":"segment"' in path.read_bytes() for path in records)
