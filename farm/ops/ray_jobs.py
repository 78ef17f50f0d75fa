"""Submits commands to a cluster by Ray's job API over HTTP, and asks how they are doing.

Who is let in is Ray's own affair: RAY_AUTH_MODE (token, unless it is set) and RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or
~/.ray/auth_token. The token goes into a header and nowhere else.
"""

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple
from urllib.parse import urlsplit

from ray._raylet import Config  # type: ignore[attr-defined]  # compiled
from ray.exceptions import AuthenticationError, RayError
from ray.job_submission import JobStatus, JobSubmissionClient

from farm.cluster.joined_ray import REACH_SECONDS
from jobs.errors import BadSpec
from jobs.ledger.ledger import Ledger

_OVERRIDING = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS")
"""Variables that Ray's client would follow in place of the address it is given."""


class Submission(NamedTuple):
    """A command that was handed to a cluster."""

    id: str
    state: str
    """PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED."""
    exit_code: int | None

    @property
    def over(self) -> bool:
        """It will not run any more."""
        return JobStatus(self.state).is_terminal()


class RayJobs:
    """The commands of one cluster. Every method raises BadSpec where the cluster does not answer, or does not let us in."""

    def __init__(self, address: str) -> None:
        """`address`: the URL of the cluster's dashboard, http://head:8265."""
        self.address = address
        _reach(address)
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # as every cluster of ours has it
        Config.initialize("")  # Ray reads it when it is imported, and then no more
        with self._told():
            kept = {name: os.environ.pop(name) for name in _OVERRIDING if name in os.environ}
            try:
                self._client = JobSubmissionClient(address)
            finally:
                os.environ.update(kept)

    def submit(self, name: str, entrypoint: str, metadata: Mapping[str, str]) -> str:
        """Have the head run a shell command. Gives its id: `name`, the day, and a number that no other has."""
        stem = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}-{datetime.now(UTC):%Y-%m-%d}"
        with self._told():
            used = {one.submission_id for one in self._client.list_jobs()}
            free = next(one for number in count(1) if (one := f"{stem}-{number}") not in used)
            # No CPU is taken: a driver works on no pixel, and a head may have none to give.
            return self._client.submit_job(
                entrypoint=entrypoint, submission_id=free, entrypoint_num_cpus=0, metadata=dict(metadata)
            )

    def find(self, submission: str) -> Submission:
        """How a submission is."""
        with self._told():
            found = self._client.get_job_info(submission)
        return Submission(submission, found.status.value, found.driver_exit_code)

    def last(self, metadata: Mapping[str, str]) -> str | None:
        """The id of the latest submission with this metadata; None where the cluster knows none."""
        with self._told():
            found = [one for one in self._client.list_jobs() if one.metadata == dict(metadata) and one.submission_id]
        return max(found, key=lambda one: one.start_time or 0).submission_id if found else None

    def log(self, submission: str) -> str:
        """What it has said so far."""
        with self._told():
            return str(self._client.get_job_logs(submission))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError:
            mode = os.environ.get("RAY_AUTH_MODE")
            raise BadSpec(
                f"--address {self.address}: the cluster refuses the connection; it asks for its own token (authentication is {mode!r} "
                "here; RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token)."
            ) from None
        except (OSError, RuntimeError, ValueError, LookupError, RayError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")
            raise BadSpec(
                f"--address {self.address}: no Ray dashboard answers there as it should ({first}); give the URL of the "
                "head's dashboard, http://head:8265."
            ) from None


def marks(ledger: Ledger) -> dict[str, str]:
    """The metadata by which a job's submissions are known again."""
    return {"film-farm-job": ledger.job, "film-farm-store": ledger.store.url}


def _reach(address: str) -> None:
    """Ray's client itself waits for a host that drops what it is sent, for minutes."""
    try:
        url = urlsplit(address)
        if url.scheme not in ("http", "https") or not url.hostname or url.username:
            raise ValueError
        port = url.port or {"http": 80, "https": 443}[url.scheme]
    except ValueError:
        raise BadSpec(
            f"--address {address}: give the URL of the cluster's dashboard, http://head:8265; films are submitted there."
        ) from None
    try:
        socket.create_connection((url.hostname, port), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise BadSpec(
            f"--address {address}: nothing answers there ({error.strerror or error}); give the URL of the cluster's dashboard, "
            "http://head:8265, and check that it can be reached from here."
        ) from None
