"""A Ray cluster on this machine that grows and shrinks: Ray's own autoscaler over nodes that are processes here. Promises that all of them end with it; knows no film.

It keeps to ports of its own and ends its processes by number: `ray stop` would end every Ray of this machine.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests.waiting import poll_until, take_time

RAY = str(Path(sys.executable).with_name("ray"))
CREWS = ("surveyor", "splitter", "renderer", "dissolver", "printer", "finisher")
HEAD_ID = "f" * 51 + "00000"
"""What the fake provider calls the head; its nodes count up from it."""
DEADLINE = 300.0
"""Seconds after which something has gone wrong, on the busiest machine."""
TUNED = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
"""A node's death is seen within about 2 s, not 15."""


class Autoscaling:
    """A head, and nodes that Ray's autoscaler (the second version) brings up for pending actors and ends when they idle."""

    def __init__(
        self,
        folder: Path,
        kinds: Mapping[str, tuple[Mapping[str, float], int]],
        *,
        head_cpus: int = 0,
        idle_seconds: float = 4.0,
    ) -> None:
        """`kinds`: by name, what a node of a kind has, by Ray's names, and how many there may be: four in all on a small machine."""
        self.folder = folder
        self.kinds = kinds
        port, self._client_port = _free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self._head_cpus = head_cpus
        self._idle_seconds = idle_seconds
        self._head: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """What a driver needs in its environment to be let in."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self._token, "RAY_ADDRESS": self.address}

    def __enter__(self) -> Autoscaling:
        self._token = os.environ.get("RAY_AUTH_TOKEN") or secrets.token_hex(32)
        config = self.folder / "autoscaling.json"
        config.write_text(json.dumps(self._config()))
        command = [RAY, "start", "--head", "--block", f"--port={self.address.rpartition(':')[2]}"]
        command += ["--node-ip-address=127.0.0.1", f"--num-cpus={self._head_cpus}", "--num-gpus=0"]
        command += [
            "--include-dashboard=false",
            "--disable-usage-stats",
            f"--ray-client-server-port={self._client_port}",
        ]
        command += ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
        command += [f"--autoscaling-config={config}", f"--system-config={json.dumps(TUNED)}"]
        env = {
            **os.environ,
            "FARM_REHEARSE_GPUS": "1",  # its nodes' GPUs are numbers that Ray is told
            **self.env,
            "RAY_FAKE_CLUSTER": "1",
            "RAY_enable_autoscaler_v2": "1",
            "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
            "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD_ID,
            "AUTOSCALER_UPDATE_INTERVAL_S": "1",
        }
        del env["RAY_ADDRESS"]
        with (self.folder / "head.log").open("wb") as log:
            self._head = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)
        try:
            self.until(lambda: self._answers())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        # The autoscaler brings up nodes until it is gone, so look again.
        while living := self._living():
            for pid, _ in living:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self._head:
                self._head.wait(DEADLINE)

    def nodes(self) -> dict[str, int]:
        """Nodes that live now, but for the head: the number of each one's raylet, by Ray's id for the node."""
        return {node: pid for node, pid in self._raylets().items() if node != HEAD_ID}

    def workers(self) -> list[tuple[str, str]]:
        """Workers that have been placed: of which pool, and on which node."""
        nodes = {pid: node for node, pid in self._raylets().items()}
        actors = [(pid, name[1]) for pid, words in self._living() if (name := re.match(r"ray::(\w+)", words))]
        parents = [(name.lower(), _parent(pid)) for pid, name in actors]  # of the class; of the pool while at a call
        return [(name, nodes[parent]) for name, parent in parents if parent in nodes and name in CREWS]

    def _raylets(self) -> dict[str, int]:
        found = {}
        for pid, words in self._living():
            if "raylet/raylet" in words and (node := re.search(r"--node_id=(\w+)", words)):
                found[node[1]] = pid
        return found

    def kill(self, node: str) -> None:
        """The hard death of a node: SIGKILL of its raylet. Its workers live on for a while."""
        os.kill(self.nodes()[node], signal.SIGKILL)

    def preempt(self, node: str, notice: float) -> None:
        """What a cloud does to a spot node: it tells that the node will go, and ends it after so many seconds of notice."""
        words = ["drain-node", "--address", self.address, "--node-id", node]
        words += ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "spot"]
        told = [RAY, *words, "--deadline-remaining-seconds", str(round(notice))]
        subprocess.run(told, env={**os.environ, **self.env}, capture_output=True, timeout=DEADLINE, check=True)
        take_time(notice)
        if node in (living := self.nodes()):
            os.kill(living[node], signal.SIGKILL)

    def until(self, what: Callable[[], bool]) -> None:
        """Wait for something of the cluster's."""
        poll_until(what, DEADLINE, (self.folder / "head.log").read_text)

    def _answers(self) -> bool:
        assert self._head
        assert self._head.poll() is None, (self.folder / "head.log").read_text()
        return (
            any("autoscaler" in words or "monitor" in words for _, words in self._living())
            and b"Ray runtime started" in (self.folder / "head.log").read_bytes()
        )

    def _config(self) -> dict[str, Any]:
        head = {"resources": {"CPU": self._head_cpus, "GPU": 0}, "node_config": {}, "max_workers": 0}
        return {
            "cluster_name": "film-farm",
            "max_workers": sum(most for _, most in self.kinds.values()),
            "upscaling_speed": 10.0,
            "idle_timeout_minutes": self._idle_seconds / 60,
            "provider": {
                "type": "external",
                "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
                "gcs_address": self.address,
                "head_node_id": HEAD_ID,
                "launch_multiple": True,
            },
            "available_node_types": {
                "ray.head.default": head,
                **{
                    kind: {"resources": dict(has), "node_config": {}, "min_workers": 0, "max_workers": most}
                    for kind, (has, most) in self.kinds.items()
                },
            },
            "head_node_type": "ray.head.default",
            "auth": {},
            "docker": {},
            "initialization_commands": [],
            "setup_commands": [],
            "head_setup_commands": [],
            "worker_setup_commands": [],
            "head_start_ray_commands": [],
            "worker_start_ray_commands": [],
            "file_mounts": {},
            "cluster_synced_files": [],
            "file_mounts_sync_continuously": False,
            "rsync_exclude": [],
            "rsync_filter": [],
        }

    def _living(self) -> list[tuple[int, str]]:
        """Process numbers and command lines of all that came of the head and is alive: its session."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                state, _, _, session = (place / "stat").read_text().rpartition(") ")[2].split()[:4]
                if self._head and int(session) == self._head.pid and state != "Z":
                    words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found.append((int(place.name), words))
        return found


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2].split()[1])
    return 0


def _free_ports(count: int) -> list[int]:
    with ExitStack() as open_ones:
        found = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]
