"""The way to a cluster's dashboard: whatever is wrong with it is one sentence, soon. Nothing here is a cluster; test_submit.py has one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ray._raylet import Config  # type: ignore[attr-defined]  # compiled

from farm.ops.ray_jobs import RayJobs
from jobs.errors import BadSpec
from tests.s3 import FaultyServer, Step, fail, give, reset

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _without_a_token() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as env:
        env.setenv("RAY_AUTH_MODE", "disabled")
        env.setenv("RAY_ADDRESS", NOWHERE)  # Ray's own client would go there
        yield
    Config.initialize("")  # the next test's Ray is not ours


@pytest.mark.parametrize(
    "address", ["head:8265", "auto", "ray://head:10001", "http://", "http://head:x", "http://me:pw@head"]
)
def test_what_is_no_dashboards_url(address: str) -> None:
    with pytest.raises(BadSpec, match=r"give the URL of the cluster's dashboard, http://head:8265") as refused:
        RayJobs(address)
    assert "pw" not in str(refused.value)


def test_nobody_is_there() -> None:
    with pytest.raises(
        BadSpec, match=rf"^--address {NOWHERE}: nothing answers there \(Connection refused\); give the URL"
    ):
        RayJobs(NOWHERE)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (
            fail(401),
            "the cluster refuses the connection; it asks for its own token (authentication is 'disabled' here;",
        ),
        (fail(403), "the cluster refuses the connection"),
        (fail(404), "no Ray dashboard answers there as it should (Version check returned 404"),
        (fail(500), "no Ray dashboard answers there as it should (500 Server Error"),
        (give(b"<html>"), "no Ray dashboard answers there as it should"),
        (give(b"{}"), "no Ray dashboard answers there as it should ('ray_version')"),
        (reset, "no Ray dashboard answers there as it should"),
    ],
)
def test_somebody_else_is_there(step: Step, says: str) -> None:
    with FaultyServer(step) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(BadSpec) as refused:
            RayJobs(address)
        assert str(refused.value).startswith(f"--address {address}: {says}")
        assert server.asked == ["GET"]
    assert os.environ["RAY_ADDRESS"] == NOWHERE
