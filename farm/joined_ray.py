"""A Ray cluster that is there already, joined for one command. Promises that a head which is too busy to answer is asked again, and one sentence where it cannot be joined; starts nothing.

Ray itself waits half a minute or so for each of the head's answers, and then raises whatever it was at.
"""

import socket
from collections.abc import Callable
from contextlib import suppress

import ray
from ray.exceptions import AuthenticationError

from farm import store_settings
from farm.local_ray import QUIETLY
from jobs.errors import BadSpec, FarmError, FilmFailed

TRIES = 3
"""Times that a cluster is asked to let us in."""
REACH_SECONDS = 10.0
"""How long a cluster's address may take to answer: Ray itself tries a wrong one for minutes, deaf to signals."""
_CERTAIN = (socket.gaierror, ConnectionRefusedError, ValueError, AuthenticationError)
"""Errors that asking again does not mend: no such host, nothing listens, no port, another token."""


def join(address: str, mode: str, init: Callable[..., object] = ray.init) -> None:
    """Join the cluster at host:port, or "auto". `mode`: of authentication, for people. `init`: what joins it once, called as ray.init.

    Raises BadSpec where nothing listens there or it does not let us in, FilmFailed where what listens does not answer in time.
    """
    if "://" in address:
        raise BadSpec(
            f"address = {address!r}: give host:port of the cluster's head, or submit the film as a job; ray:// is not supported."
        )
    settings = store_settings.told()
    for tries in range(1, TRIES + 1):
        listens = False
        try:
            if address != "auto":
                _reach(address)
                listens = True
            init(address, runtime_env={"env_vars": settings} if settings else None, **QUIETLY)
            return
        except Exception as error:  # Ray raises plain ones
            with suppress(Exception):
                ray.shutdown()
            certain = isinstance(error, _CERTAIN)
            if certain or tries == TRIES:
                raise _refusal(address, mode, error, busy=listens and not certain) from error


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()


def _refusal(address: str, mode: str, error: Exception, *, busy: bool) -> FarmError:
    why = str(error).strip().partition(". ")[0].rstrip(".") or type(error).__name__
    if busy:
        return FilmFailed(
            f"The head of the Ray cluster at {address} did not let us in ({why}), tried {TRIES} times. Where it is busy, the same command "
            "goes on from here later; else see whether that is its port (6379 by default), and whether it runs (ray status)."
        )
    return BadSpec(
        f"address = {address!r}: no Ray cluster could be joined there ({why}). Check host:port; "
        f"authentication is {mode!r} here (RAY_AUTH_MODE, RAY_AUTH_TOKEN) and must be the cluster's own."
    )
