"""Starts Ray or joins a cluster for as long as a command needs it. SIGTERM stops the command as Ctrl-C does, and nothing started stays."""

import atexit
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

import ray
import ray._private.state
from ray._private.authentication.authentication_utils import get_authentication_mode_name
from ray._raylet import GcsClient, get_authentication_mode  # type: ignore[attr-defined]  # compiled

from farm.cluster.heartbeat import ASK_SECONDS, Heartbeat
from farm.cluster.joined_ray import head_versions, join
from farm.cluster.local_ray import end, start, use_token_of_its_own
from farm.fleet.calls import Cluster, NodeType
from farm.fleet.capacity import VARIABLE, kind_of, told_kinds, with_standing
from jobs.errors import FilmFailed
from jobs.processes import descendants

LOCAL = "local"
"""Ray's own word for one that is started here."""
Found = TypeVar("Found")


class RaySession:
    """Ray for as long as it is wanted; may be entered again. Where Ray runs in this process already, it is left as it is."""

    def __init__(self, address: str | None, workers: int) -> None:
        """`address`: host:port or "auto" of a cluster; by default RAY_ADDRESS, else Ray is started here for `workers` renderers."""
        self.address = _meant(address)
        self.workers = workers
        self.local = False
        """Whether Ray was started here, by this session."""
        self._began = False
        self._heartbeat: Heartbeat | None = None
        self._sigterm: Any = None

    def enter(self) -> None:
        """Start or join Ray. Raises BadSpec where there is no cluster at the address, or it does not let us in."""
        self._sigterm = signal.getsignal(signal.SIGTERM)
        self._began = not ray.is_initialized()
        self.local = self._began and self.address == LOCAL
        try:
            if self._began:
                with _no_sigterm_lost():
                    _start(self.workers) if self.local else _join(self.address)
            _interrupt_on_sigterm(self._sigterm)
            self._heartbeat = self._listen() if self._began else None
        except BaseException as error:
            try:
                if isinstance(error, SystemExit):  # what Ray makes of SIGTERM while it starts
                    _interrupt_on_sigterm(self._sigterm)
                    signal.raise_signal(signal.SIGTERM)
            finally:
                self.leave()
            raise

    def _listen(self) -> Heartbeat:
        address = ray.get_runtime_context().gcs_address
        head = GcsClient(address=address)
        named = address if self.address == "auto" else self.address
        what = "Ray on this machine" if self.local else f"The head of the Ray cluster at {named}"
        return Heartbeat(
            lambda: head.internal_kv_exists(b"film-farm", namespace=b"film-farm", timeout=ASK_SECONDS), what
        )

    @property
    def cluster(self) -> Cluster:
        """What there is to work on now, and what it may become. Raises BadSpec where the operator's word on that cannot be read."""
        return self._asked(self._cluster)

    def _cluster(self) -> Cluster:
        has = ray.cluster_resources()  # type: ignore[no-untyped-call]
        nodes = [node["Resources"] for node in _living_nodes()]
        told = () if self.local else told_kinds(os.environ.get(VARIABLE) or "[]")
        bounded = self.local or bool(told)
        config = None if bounded else ray._private.state.state.get_cluster_config()
        if config and config.node_group_configs:  # Anyscale's tells; below 0 is without a bound
            told = tuple(
                kind_of(one.resources, one.max_count) for one in config.node_group_configs if one.max_count > 0
            )
            bounded = all(one.max_count >= 0 for one in config.node_group_configs)
        return Cluster(self.local, has.get("CPU", 0.0), has.get("GPU", 0.0), with_standing(told, nodes), bounded)

    @property
    def answers(self) -> bool:
        """The head has answered when it was last asked; where it has not, asking it for anything may take without end."""
        return self._heartbeat is None or not self._heartbeat.missed

    @property
    def nodes(self) -> dict[str, NodeType]:
        """The nodes that are alive now, by Ray's id, and what each has."""
        return {node["NodeID"]: kind_of(node["Resources"], 1) for node in self._asked(_living_nodes)}

    def check(self) -> None:
        """Raises FilmFailed where Ray's head is lost."""
        if self._heartbeat:
            self._heartbeat.check()

    def ask_head(self) -> None:
        """Wait until the head answers. Raises FilmFailed where it is lost."""
        self._asked(_living_nodes)

    def check_raylet(self) -> None:
        """Prove that a Ray that was started here can still start workers. Raises FilmFailed.

        Where its raylet was killed, workers there are go on for a while, and those that are asked for would be waited for in vain.
        """
        if self.local and not self._asked(_living_nodes):
            raise FilmFailed(
                "Ray has ended on this machine (its raylet is gone, as by a kill or for want of memory). Finished work "
                "is kept; the same command resumes from here."
            )

    def _asked(self, question: Callable[[], Found]) -> Found:
        return self._heartbeat.asked(question) if self._heartbeat else question()

    def leave(self) -> None:
        """Leave Ray, and end it if it was started here."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if self._began:
            if heartbeat and heartbeat.missed:  # Ray would wait for its head
                begun = descendants(os.getpid())  # an agent whose parent ends first is nobody's descendant afterwards
                with suppress(FilmFailed):
                    heartbeat.asked(ray.shutdown)
                atexit.unregister(ray.shutdown)
                if self.local:
                    end({*begun, *descendants(os.getpid())})
            else:
                if heartbeat:
                    heartbeat.end()  # to be asked while Ray leaves can end this process with a fault in Ray's own code
                ray.shutdown()
            _let_ray_talk(True)
        if heartbeat:
            heartbeat.end()
        if self._sigterm is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._sigterm)


def joins_cluster(address: str | None) -> bool:
    """Whether a session of this address joins a Ray that is there already: a cluster, even where it runs on this machine alone."""
    return _meant(address) != LOCAL


def versions_at(address: str) -> dict[str, str]:
    """What runs at the head of a cluster at host:port, which is asked and not joined (farm/cluster/joined_ray.py)."""
    return head_versions(address, _agree_on_authentication())


def _meant(address: str | None) -> str:
    return address or os.environ.get("RAY_ADDRESS") or LOCAL


def _interrupt_on_sigterm(before: Any) -> None:
    """SIGTERM does what it did before Ray took it; where that was the system's default, it raises KeyboardInterrupt."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not break the clean-up
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before if callable(before) else interrupt)


@contextmanager
def _no_sigterm_lost() -> Iterator[None]:
    """Raises SystemExit at the end where SIGTERM came meanwhile, and what Ray's handler made of it was lost.

    Ray's raises SystemExit wherever the main thread is. Where that is one of the hooks that Python calls around a fork, Python drops it with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, told = socket.socketpair()
    with ours, told:
        ours.setblocking(False)
        told.setblocking(False)
        before, hook = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False), sys.unraisablehook
        sys.unraisablehook = lambda lost: None if lost.exc_type is SystemExit else hook(lost)
        try:
            yield
        finally:
            sys.unraisablehook = hook
            signal.set_wakeup_fd(before)
        with suppress(BlockingIOError):
            if signal.SIGTERM in ours.recv(4096):
                raise SystemExit(signal.SIGTERM)


def _living_nodes() -> list[Any]:
    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _start(workers: int) -> None:
    if _agree_on_authentication() == "token":
        use_token_of_its_own()
    _let_ray_talk(False)
    start(workers)


def _join(address: str) -> None:
    mode = _agree_on_authentication()
    _let_ray_talk(False)
    join(address, mode)


def _agree_on_authentication() -> str:
    mode: str = get_authentication_mode_name(get_authentication_mode())
    os.environ["RAY_AUTH_MODE"] = mode
    return mode


def _let_ray_talk(may: bool) -> None:
    # Ray prints a coloured page on standard output for every lost worker, which has no switch; the watcher is told of each.
    ray._private.worker._worker_logs_enabled = may
    # And a traceback for what the second call of a worker raised that was let go for its first: that call is made elsewhere.
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")
