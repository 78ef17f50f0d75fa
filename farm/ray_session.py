"""This process's tie to Ray: one started here, or a cluster joined. Promises that SIGTERM stops as Ctrl-C does while it lasts, and that nothing it started stays; knows no workers."""

import logging
import os
import secrets
import signal
import socket
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import ray
import ray._private.state
from ray._private.authentication.authentication_utils import get_authentication_mode_name
from ray._raylet import get_authentication_mode  # type: ignore[attr-defined]  # compiled
from ray.exceptions import RayError

from farm import store_settings
from farm.calls import Cluster
from farm.growth import VARIABLE, kind_of, told_kinds, with_standing
from jobs.errors import BadSpec, FilmFailed

QUIETLY: Any = {"namespace": "film-farm", "log_to_driver": False, "logging_level": logging.ERROR}
LOCAL = "local"
"""Ray's own word for one that is started here."""
SIDE_CPUS = 4
"""CPUs that a local Ray is told of beyond its renderers', at least, so that the side crew always finds a place."""
REACH_SECONDS = 10.0
"""How long a cluster's address may take to answer: Ray itself tries a wrong one for minutes, deaf to signals."""


class RaySession:
    """Ray for as long as it is wanted; may be entered again. Where Ray runs in this process already, it is left as it is."""

    def __init__(self, address: str | None, workers: int) -> None:
        """`address`: host:port or "auto" of a cluster; by default RAY_ADDRESS, else Ray is started here for `workers` renderers."""
        self.address = _meant(address)
        self.workers = workers
        self.local = False
        """Whether Ray was started here, by this session."""
        self._began = False
        self._sigterm: Any = None

    def enter(self) -> None:
        """Start or join Ray. Raises BadSpec where there is no cluster at the address, or it does not let us in."""
        self._sigterm = signal.getsignal(signal.SIGTERM)
        self._began = not ray.is_initialized()
        self.local = self._began and self.address == LOCAL
        try:
            if self._began:
                _start(self.workers) if self.local else _join(self.address)
            _interrupt_on_sigterm()
        except BaseException as error:
            self.leave()
            if isinstance(error, SystemExit):  # what Ray makes of SIGTERM while it starts
                raise KeyboardInterrupt from error
            raise

    @property
    def cluster(self) -> Cluster:
        """What there is to work on now, and what it may become. Raises BadSpec where the operator's word on that cannot be read."""
        has = ray.cluster_resources()  # type: ignore[no-untyped-call]
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        told = () if self.local else told_kinds(os.environ.get(VARIABLE) or "[]")
        bounded = self.local or bool(told)
        config = None if bounded else ray._private.state.state.get_cluster_config()
        if config and config.node_group_configs:  # Anyscale's tells; below 0 is without a bound
            told = tuple(
                kind_of(one.resources, one.max_count) for one in config.node_group_configs if one.max_count > 0
            )
            bounded = all(one.max_count >= 0 for one in config.node_group_configs)
        return Cluster(self.local, has.get("CPU", 0.0), has.get("GPU", 0.0), with_standing(told, nodes), bounded)

    def check(self) -> None:
        """Prove that a Ray that was started here can still start workers. Raises FilmFailed.

        Where its raylet was killed, workers there are go on for a while, and those that are asked for would be waited for in vain.
        """
        if self.local and not any(node["Alive"] for node in ray.nodes()):  # type: ignore[no-untyped-call]
            raise FilmFailed(
                "Ray has ended on this machine (its raylet is gone, as by a kill or for want of memory). What is finished "
                "is kept; the same command goes on from here."
            )

    def leave(self) -> None:
        """Leave Ray, and end it if it was started here."""
        if self._began:
            ray.shutdown()
            _let_ray_talk(True)
        if self._sigterm is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._sigterm)


def joins_cluster(address: str | None) -> bool:
    """Whether a session of this address joins a Ray that is there already: a cluster, even where it runs on this machine alone."""
    return _meant(address) != LOCAL


def _meant(address: str | None) -> str:
    return address or os.environ.get("RAY_ADDRESS") or LOCAL


def _interrupt_on_sigterm() -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not break the clean-up
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def _start(workers: int) -> None:
    token_file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if _agree_on_authentication() == "token" and not token_file.is_file():
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else Ray writes one into the home folder
    cores = len(os.sched_getaffinity(0))
    cpus = max(workers, cores) + max(SIDE_CPUS, cores)
    _let_ray_talk(False)
    try:
        ray.init(LOCAL, num_cpus=cpus, include_dashboard=False, **QUIETLY)
    except Exception as error:  # Ray's own word for a raylet that is late is no narrower
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].partition(". ")[0].rstrip(".")
        raise FilmFailed(
            f"Ray could not be started on this machine ({reason}): it may be too busy, or short of memory or of disk in /tmp; "
            "run again then, finished work is kept."
        ) from error


def _join(address: str) -> None:
    if "://" in address:
        raise BadSpec(
            f"address = {address!r}: give host:port of the cluster's head, or submit the film as a job; ray:// is not supported."
        )
    mode = _agree_on_authentication()
    host, _, port = address.rpartition(":")
    try:
        if address != "auto":
            socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()
        _let_ray_talk(False)
        settings = store_settings.told()
        ray.init(address, runtime_env={"env_vars": settings} if settings else None, **QUIETLY)
    except (OSError, ValueError, RuntimeError, RayError) as error:
        raise BadSpec(
            f"address = {address!r}: no Ray cluster could be joined there ({str(error).strip().partition('. ')[0] or type(error).__name__}). Check host:port; "
            f"authentication is {mode!r} here (RAY_AUTH_MODE, RAY_AUTH_TOKEN) and must be the cluster's own."
        ) from error


def _agree_on_authentication() -> str:
    mode: str = get_authentication_mode_name(get_authentication_mode())
    os.environ["RAY_AUTH_MODE"] = mode
    return mode


def _let_ray_talk(may: bool) -> None:
    # Ray prints a coloured page on standard output for every lost worker, which has no switch; the watcher is told of each.
    ray._private.worker._worker_logs_enabled = may
