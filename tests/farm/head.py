"""A Ray head with its dashboard, for tests: a token, ports and a folder of its own. Promises that nothing of it is left; runs no `ray stop`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from secrets import token_hex
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from tests.farm.shell import living
from tests.waiting import poll_until

DEADLINE = 120
"""Seconds that it may take to begin on a busy machine; five are usual."""
BIN = Path(sys.executable).parent


class RayHead:
    """`with RayHead(env) as head`: `env` is what its jobs and workers know beside this process's own environment."""

    def __init__(self, env: Mapping[str, str], *, cpus: int = 6, gpus: int = 0) -> None:
        """`cpus`, `gpus`: how many its own node is told that it has; they are numbers alone."""
        self.token = token_hex(32)
        self._cpus, self._gpus = cpus, gpus
        self._gcs, dashboard, agent, client, grpc, metrics, environments = free_ports(7)
        self.url = f"http://127.0.0.1:{dashboard}"
        # Sockets lie in it, whose names may have a hundred letters.
        self._folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
        self._ports = (
            f"--port={self._gcs}",
            f"--dashboard-port={dashboard}",
            f"--dashboard-agent-listen-port={agent}",
            f"--ray-client-server-port={client}",
            # On a busy machine its raylet would abort without them (farm/cluster/local_ray.py).
            f"--dashboard-agent-grpc-port={grpc}",
            f"--metrics-export-port={metrics}",
            f"--runtime-env-agent-port={environments}",
        )
        own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token, "RAY_USAGE_STATS_ENABLED": "0"}
        if gpus:
            own["FARM_REHEARSE_GPUS"] = "1"
        # Its jobs find the commands of this environment.
        self.env = {**os.environ, **env, **own, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

    @property
    def address(self) -> str:
        """Where drivers join it."""
        return f"127.0.0.1:{self._gcs}"

    def living(self) -> list[tuple[int, str]]:
        """Its processes: numbers and command lines."""
        return living(self._process.pid)

    def kill_gcs(self) -> None:
        """The head's death; its raylet and workers live on for a while."""
        (gcs,) = [pid for pid, name in self.living() if "gcs_server" in name.split()[0]]
        os.kill(gcs, signal.SIGKILL)

    def __enter__(self) -> Self:
        command = [str(BIN / "ray"), "start", "--head", "--block", *self._ports, "--node-ip-address=127.0.0.1"]
        more = [
            f"--num-cpus={self._cpus}",
            f"--num-gpus={self._gpus}",
            "--object-store-memory=80000000",
            f"--temp-dir={self._folder}",
        ]
        self._process = subprocess.Popen(
            [*command, *more],
            env={name: value for name, value in self.env.items() if name != "RAY_ADDRESS"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            poll_until(self._answers, DEADLINE, lambda: f"Ray did not answer at {self.url}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        while left := living(self._process.pid):  # killed ones may have begun others
            for pid, _ in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait(DEADLINE)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "Ray has ended"
        try:
            urlopen(f"{self.url}/api/version", timeout=10).close()
        except HTTPError as refused:  # as it must, without a token
            return refused.code == 401
        except (URLError, OSError):
            return False
        return True


def free_ports(many: int) -> list[int]:
    with ExitStack() as open_ones:
        found = [open_ones.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(many)]
        return [int(one.getsockname()[1]) for one in found]
