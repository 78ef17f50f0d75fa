"""A second Ray node on this machine with mounts of its own, as a machine has that lacks a shared folder. Promises that nothing of it is left; hides nothing from this process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from farm.cluster.local_ray import PATIENCE, TRIES
from tests.farm.head import BIN, DEADLINE, RayHead, free_ports
from tests.farm.shell import living
from tests.waiting import poll_until


def need_mounts() -> None:
    """Skip the test where this machine does not let us make mounts of our own."""
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("unshare -m is not permitted here, so that no node can have mounts of its own")


class RayNode:
    """`with RayNode(head, gpus=1) as node`: a node of a head's cluster, in a mount name space of its own."""

    def __init__(self, head: RayHead, *, gpus: int, hides: Path | None = None) -> None:
        """`hides`: a folder over which an empty one is mounted there before the node starts."""
        self._head = head
        self._gpus = gpus
        self._hides = hides

    def __enter__(self) -> Self:
        for _ in range(TRIES):  # Ray gives it half a minute, a constant
            if not (said := self._begun()):
                return self
            self.__exit__()
        raise RuntimeError(f"the second node did not start: {said}")

    def _begun(self) -> str:
        """Start it, until the head counts with it. Gives what it said where it did not come to that."""
        agent, grpc, metrics, environments = free_ports(4)
        ray = [str(BIN / "ray"), "start", f"--address={self._head.address}", "--block", "--node-ip-address=127.0.0.1"]
        ray += ["--num-cpus=32", f"--num-gpus={self._gpus}", "--object-store-memory=80000000"]
        ray += [f"--dashboard-agent-listen-port={agent}", f"--dashboard-agent-grpc-port={grpc}"]
        ray += [f"--metrics-export-port={metrics}", f"--runtime-env-agent-port={environments}"]
        mounts = 'if [ -n "$0" ]; then mount -t tmpfs none "$0" || exit 1; fi; exec "$@"'
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", mounts, str(self._hides or ""), *ray],
                env={**PATIENCE, **{name: value for name, value in self._head.env.items() if name != "RAY_ADDRESS"}},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

            def said() -> str:
                return os.pread(log.fileno(), 1 << 20, 0).decode() or "not a word"

            def begun() -> bool:  # from then on the head counts with it
                return "Ray runtime started" in said()

            with suppress(AssertionError):
                poll_until(lambda: begun() or self._process.poll() is not None, 2 * DEADLINE)
            return "" if begun() else said()

    def __exit__(self, *error: object) -> None:
        while left := self.living():
            for pid, _ in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait(DEADLINE)

    def living(self) -> list[tuple[int, str]]:
        """Its processes: numbers and command lines."""
        return [(pid, words) for pid, words in living(self._process.pid) if words]

    def hide(self, folder: Path) -> None:
        """Mount an empty folder over one, in the midst of its work."""
        self._within("mount", "-t", "tmpfs", "none", str(folder))

    def files(self, folder: Path) -> list[str]:
        """The files of a folder as they are seen there."""
        return self._within("find", str(folder), "-type", "f").splitlines()

    def _within(self, *words: str) -> str:
        command = ["nsenter", "-m", "-t", str(self._process.pid), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout
