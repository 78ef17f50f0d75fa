"""Joining a Ray cluster: a head that is too busy to answer is asked again, and what no asking mends is told at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from ray.exceptions import AuthenticationError

from farm.cluster.joined_ray import TRIES, join
from jobs.errors import BadSpec, FilmFailed


class Init:
    """Stands for what asks a head, or for ray.init: fails so many times."""

    def __init__(self, fails: int, error: Exception) -> None:
        self.fails, self.error, self.tries = fails, error, 0

    def __call__(self, address: str, **told: Any) -> None:
        self.tries += 1
        if self.tries <= self.fails:
            raise self.error


@pytest.fixture
def listening() -> Iterator[str]:
    """An address at which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


BUSY = Exception("The current node timed out during startup. This could happen because the GCS has become overloaded.")
"""A plain one, as Ray raises it."""


def test_a_busy_head_is_asked_again_and_then_told_in_one_sentence(listening: str) -> None:
    join(listening, "token", again := Init(1, TimeoutError()), joined := Init(1, BUSY))
    assert (again.tries, joined.tries) == (TRIES, 2)
    with pytest.raises(FilmFailed) as told:
        join(listening, "token", Init(0, BUSY), always := Init(TRIES, BUSY))
    assert (always.tries, told.value.exit_code) == (TRIES, 1)
    assert str(told.value).startswith(
        f"The head of the Ray cluster at {listening} did not accept the connection (The current node timed out during startup), tried {TRIES} times. "
    )


def test_what_no_asking_mends_is_told_at_once(listening: str) -> None:
    refused = Init(TRIES, AuthenticationError("the token is another"))
    with pytest.raises(BadSpec, match=r"no Ray cluster could be joined there \(the token is another.*'token' here"):
        join(listening, "token", refused, never := Init(0, BUSY))
    assert (refused.tries, never.tries) == (1, 0)
    for nowhere in ("127.0.0.1:1", "nonsense", "ray://head:10001"):
        with pytest.raises(BadSpec):
            join(nowhere, "token", unasked := Init(0, BUSY), Init(0, BUSY))
        assert unasked.tries == 0
