"""Joins an existing Ray cluster for one command. A head that is too busy to answer is asked again before joining fails.

`ray.init` asks a head that does not answer twenty times, half a minute each, and one whose token is another as often before
it says that it could not connect: so the head is asked first.
"""

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Queue

import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled
from ray.exceptions import AuthenticationError

from farm.cluster import store_settings
from farm.cluster.local_ray import QUIETLY
from jobs.errors import BadSpec, FarmError, FilmFailed
from jobs.store import allowed_places

TRIES = 3
"""Times that a cluster is asked to let us in."""
REACH_SECONDS = 10.0
"""How long a cluster's address may take to answer: Ray itself tries a wrong one for minutes, deaf to signals."""
_CERTAIN = (socket.gaierror, ConnectionRefusedError, ValueError, AuthenticationError)
"""Errors that asking again does not mend: no such host, nothing listens, no port, another token."""


def join(
    address: str, mode: str, ask: Callable[[str], object] | None = None, init: Callable[..., object] = ray.init
) -> None:
    """Join the cluster at host:port, or "auto". `mode`: of authentication, for people.

    `ask`: raises where the head does not answer, or another token is wanted, by default Ray's own client; `init`: what joins it, called as ray.init.

    Raises BadSpec where nothing listens there or it does not let us in, FilmFailed where what listens does not answer in time.
    """
    if "://" in address:
        raise BadSpec(
            f"address = {address!r}: give host:port of the cluster's head, or submit the film as a job; ray:// is not supported."
        )
    settings = store_settings.told() | allowed_places.for_workers()
    for tries in range(1, TRIES + 1):
        listens = False
        try:
            if address != "auto":
                _reach(address)
                listens = True
                _asked(ask or _ask, address)
            init(address, runtime_env={"env_vars": settings} if settings else None, **QUIETLY)
            return
        except Exception as error:  # Ray raises plain ones
            with suppress(Exception):
                ray.shutdown()
            certain = isinstance(error, _CERTAIN)
            if certain or tries == TRIES:
                raise _refusal(address, mode, error, busy=listens and not certain) from error


def head_versions(address: str, mode: str) -> dict[str, str]:
    """What runs at the head of the cluster at host:port: Ray's version (`ray_version`) and Python's (`python_version`).

    It is asked once, and not joined. Raises BadSpec or FilmFailed as `join` does.
    """
    found: Queue[bytes | None] = Queue()
    listens = False
    try:
        _reach(address)
        listens = True
        _asked(lambda at: found.put(_metadata(at)), address)
    except Exception as error:  # Ray raises plain ones
        raise _refusal(address, mode, error, busy=listens and not isinstance(error, _CERTAIN)) from error
    said = json.loads(found.get() or b"{}")
    return {name: str(said.get(name, "")) for name in ("ray_version", "python_version")}


def _metadata(address: str) -> bytes | None:
    """As Ray's own head writes it when it starts (ray/_common/usage/usage_lib.py)."""
    head = GcsClient(address=address)
    kept: bytes | None = head.internal_kv_get(b"CLUSTER_METADATA", namespace=b"cluster", timeout=REACH_SECONDS)
    return kept


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()


def _ask(address: str) -> None:
    GcsClient(address=address)


def _asked(ask: Callable[[str], object], address: str) -> None:
    """In a thread: while Ray waits for a head it is deaf to signals."""
    outcome: Queue[Exception | None] = Queue()

    def asking() -> None:
        try:
            ask(address)
            outcome.put(None)
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=asking, daemon=True, name="joining").start()
    if error := outcome.get():
        raise error


def _refusal(address: str, mode: str, error: Exception, *, busy: bool) -> FarmError:
    why = str(error).strip().partition(". ")[0].rstrip(".") or type(error).__name__
    if busy:
        return FilmFailed(
            f"The head of the Ray cluster at {address} did not accept the connection ({why}), tried {TRIES} times. Where it is busy, the same command "
            "resumes from here later; else see whether that is its port (6379 by default), and whether it runs (ray status); authentication "
            f"is {mode!r} here (RAY_AUTH_MODE, RAY_AUTH_TOKEN) and must be the cluster's own."
        )
    return BadSpec(
        f"address = {address!r}: no Ray cluster could be joined there ({why}). Check host:port; "
        f"authentication is {mode!r} here (RAY_AUTH_MODE, RAY_AUTH_TOKEN) and must be the cluster's own."
    )
