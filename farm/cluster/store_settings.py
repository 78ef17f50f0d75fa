"""Passes the store settings in a command's environment on to its workers on other nodes, and to a driver on a cluster.

Credentials are not among them.
"""

import os
import shlex

NAMES = (
    "FILM_FARM_REQUESTER_PAYS",
    "FILM_FARM_STORE_PATIENCE",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
)
"""What a store needs wherever it is asked. Credentials, endpoint and region are each node's own."""


def told() -> dict[str, str]:
    """Those that are set here."""
    return {name: os.environ[name] for name in NAMES if os.environ.get(name)}


def prefixed(command: str) -> str:
    """A shell command that runs with those that are set here."""
    said = [f"{name}={shlex.quote(value)}" for name, value in told().items()]
    return " ".join(["env", *said, command]) if said else command
