"""Starting Ray on this machine: what does not start is cleared up, tried again and told; what is started gets ports, and no input."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
import ray._private.parameter

from farm.cluster.local_ray import TRIES, start
from jobs.errors import FilmFailed
from jobs.processes import descendants


class Init:
    """Stands for ray.init: leaves a process behind and fails, so many times."""

    def __init__(self, fails: int) -> None:
        self.fails, self.tries = fails, 0
        self.left: list[int] = []
        self.ports: list[tuple[int, ...]] = []
        self.input = ""

    def __call__(self, address: str, **told: Any) -> None:
        self.tries += 1
        self.input = os.readlink("/proc/self/fd/0")
        given: Any = ray._private.parameter.RayParams(num_cpus=1)
        self.ports.append((given.runtime_env_agent_port, given.metrics_agent_port, given.dashboard_agent_listen_port))
        self.left.append(subprocess.Popen(["sleep", "600"]).pid)
        if self.tries <= self.fails:
            raise Exception(
                "The current node timed out during startup. This could happen because the GCS is overloaded."
            )


def living(pids: list[int]) -> list[int]:
    return [pid for pid in pids if pid in descendants(os.getpid())]


def test_what_does_not_start_is_tried_again_and_told_in_one_sentence() -> None:
    before = os.readlink("/proc/self/fd/0")
    init = Init(TRIES)
    with pytest.raises(FilmFailed) as told:
        start(1, init)
    sentence = str(told.value)
    assert sentence.startswith(
        f"Ray could not be started on this machine (The current node timed out during startup), tried {TRIES} times. The load is "
    )
    assert sentence.endswith("Finished work is kept; the same command resumes from here.")
    assert told.value.exit_code == 1
    assert (init.tries, living(init.left)) == (TRIES, [])
    assert (init.input, os.readlink("/proc/self/fd/0")) == (os.devnull, before)
    assert all(port for ports in init.ports for port in ports)
    assert len({port for ports in init.ports for port in ports}) > TRIES, "others each time"


def test_the_second_try_may_succeed() -> None:
    init = Init(1)
    start(1, init)
    assert init.tries == 2
    (last,) = living(init.left)
    os.kill(last, 9)
    os.waitpid(last, 0)
