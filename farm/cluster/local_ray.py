"""Starts Ray on this machine for one command, and waits longer for it than Ray would where the machine is busy.

A start that failed leaves no process behind, and no process of Ray's uses the terminal.

What of Ray's own waiting can be lengthened is: its environment for its servers, and ports for its agents. Without ports its
raylet waits 15 seconds, a constant, for the agents to tell theirs, and then aborts: on two cores under a load of 20 they take a minute.
"""

import logging
import os
import random
import secrets
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
import ray._private.parameter

from farm.cluster.terminal import no_input
from jobs.errors import FilmFailed
from jobs.processes import descendants

QUIETLY: Any = {"namespace": "film-farm", "log_to_driver": False, "logging_level": logging.ERROR}
SIDE_CPUS = 4
"""CPUs that a local Ray is told of beyond its renderers', at least, so that side workers always find a place."""
TRIES = 3
"""Times that Ray is started, each of half a minute or more, before it is given up."""
PATIENCE = {
    "RAY_gcs_server_port_wait_time_s": "120",
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_agent_register_timeout_ms": "120000",
}
"""How long Ray's processes wait for one another as they start; 30 s each is Ray's own choice."""
_AGENTS = ("runtime_env_agent_port", "metrics_agent_port", "dashboard_agent_listen_port", "metrics_export_port")
_PORTS = range(20_000, 32_768)
"""Below those that Linux gives to whoever asks for any (from 32768), so that none of them is taken between its draw and its use."""


def start(workers: int, init: Callable[..., object] = ray.init) -> None:
    """Start Ray with room for `workers` renderers and the side workers. Raises FilmFailed where it does not come up.

    `init`: what starts it once, called as ray.init.
    """
    cores = len(os.sched_getaffinity(0))
    cpus = max(workers, cores) + max(SIDE_CPUS, cores)
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    for tries in range(1, TRIES + 1):
        before = set(descendants(os.getpid()))
        try:
            with no_input(), _ray_parameters():
                init("local", num_cpus=cpus, include_dashboard=False, **QUIETLY)
            return
        except Exception as error:  # Ray raises plain ones
            _clear_up(before)
            if tries == TRIES:
                raise FilmFailed(_did_not_start(error)) from error
        except BaseException:  # Ctrl-C, or what Ray makes of SIGTERM
            _clear_up(before)
            raise


def _did_not_start(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0].rstrip(".")[:200]
    return (
        f"Ray could not be started on this machine ({first}), tried {TRIES} times. The load is {os.getloadavg()[0]:.1f} on "
        f"{len(os.sched_getaffinity(0))} cores: where other work keeps them busy, wait for it or end it; else see whether memory and "
        "/tmp have room. Finished work is kept; the same command resumes from here."
    )


def _clear_up(before: set[int]) -> None:
    """End what a start that failed has left: Ray itself forgets processes of a start that it has not finished."""
    begun = set(descendants(os.getpid()))  # an agent whose parent ends first is nobody's descendant afterwards
    ray.shutdown()
    end((begun | set(descendants(os.getpid()))) - before)


def end(processes: Iterable[int]) -> None:
    """Kill processes, and forget those that are children of this one."""
    for pid in list(processes):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)


def use_token_of_its_own() -> None:
    """A token for a Ray that nobody else joins; else Ray writes one into the home folder."""
    token_file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if not token_file.is_file():
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


@contextmanager
def _ray_parameters() -> Iterator[None]:
    """Ray is started meanwhile with what `ray.init` has no options for.

    Its agents get ports, as by the options of `ray start`. It has no autoscaler, as nobody else brings up nodes for it, and no
    log monitor, as no log comes to the driver: each is a process that takes more than a second of CPU to begin.
    """
    given = ray._private.parameter.RayParams
    ports = dict(zip(_AGENTS, _free_ports(len(_AGENTS)), strict=True))

    def with_more(**parameters: Any) -> Any:
        return given(**{**parameters, **ports, "no_monitor": True, "include_log_monitor": False})

    ray._private.parameter.RayParams = with_more  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        ray._private.parameter.RayParams = given  # type: ignore[misc]


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.socket() as tried:
            tried.bind(("", port))
            found.append(port)
        if len(found) == count:
            break
    return found
